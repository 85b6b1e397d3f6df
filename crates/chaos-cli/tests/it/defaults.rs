//! The section `chaos` of the settings: what the Python tool's users have in their files.

use std::fs;

use chaos_sim::{Power, Sim, Timing};
use serde_json::{Value, json};

use crate::lab::{PASSWORD, USER};
use crate::site::{Site, vcenter};

async fn site(chaos: Value) -> (Sim, Site) {
    let sim = Sim::builder().timing(Timing::fast()).credentials(USER, PASSWORD).start().await.expect("it starts");
    let site = Site::new().entry("vsphere", vcenter(&sim)).chaos(chaos);
    (sim, site)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_the_settings_touches_nothing_and_says_so() {
    let (sim, site) = site(json!({"dry_run": true})).await;
    let told = "dry run: chaos.dry_run is true (chaosmonkey.json:";
    let run = site.run(&["platforms", "power-off", "web-01", "--force", "--format", "json"]).exits(0).says(told);
    let rows: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(rows[0]["outcome"], "planned");
    site.run(&["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=web-01"]).exits(0).says(told);
    assert!(!site.program.directory().join("journal.json").exists(), "a dry run has no journal");
    let run = site.run(&["platforms", "power-off", "web-01", "--dry-run"]).exits(0);
    assert!(!run.stderr.contains("chaos.dry_run"), "it was asked for: {}", run.stderr);
    assert_eq!(sim.world().vm("web-01").unwrap().power, Power::On);

    site.run(&["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=web-01", "--rehearse"]).exits(0);
    assert!(site.program.directory().join("journal.json").exists(), "a rehearsal touches nothing real");
    site.run(&["platforms", "power-off", "web-01", "--force", "--set", "chaos.dry_run=false"]).exits(0);
    assert_eq!(sim.world().vm("web-01").unwrap().power, Power::Off);
}

#[tokio::test(flavor = "multi_thread")]
async fn experiments_are_found_and_journals_kept_where_the_settings_say() {
    let (_sim, site) = site(json!({"experiments_path": "experiments", "reports_path": "made/reports"})).await;
    let directory = site.program.directory();
    fs::create_dir(directory.join("experiments")).unwrap();
    let experiment = json!({"title": "nothing", "description": "nothing", "method": []});
    fs::write(directory.join("experiments/mine.json"), experiment.to_string()).unwrap();
    for _ in 0..2 {
        site.run(&["execute", "--experiment", "mine.json"]).exits(0).says("journal: made/reports/run-");
    }
    let journals: Vec<_> =
        fs::read_dir(directory.join("made/reports")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(journals.len(), 2, "{journals:?}");
    let journal: Value = serde_json::from_str(&fs::read_to_string(&journals[0]).unwrap()).unwrap();
    assert_eq!(journal["experiment"]["title"], "nothing");
    site.run(&["execute", "--experiment", "mine.json", "--journal-path", "own.json"]).exits(0);
    assert!(directory.join("own.json").exists());
    site.run(&["execute", "--experiment", "missing.json"]).exits(2).says("missing.json");
}
