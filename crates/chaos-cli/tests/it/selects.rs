//! `--select`: VMs by a selector.

use chaos_sim::{Estate, Power, Sim, VmSpec};
use serde_json::Value;

use crate::lab::Lab;
use crate::program::Run;
use crate::site::{Site, engine, vcenter};
use crate::transcript::Transcript;

fn names(vms: &[Value]) -> Vec<&str> {
    vms.iter().filter_map(|vm| vm["name"].as_str()).collect()
}

/// The seed that was told on stderr.
#[track_caller]
fn seed(run: &Run) -> String {
    let (_, told) = run.stderr.split_once("drawn with seed ").unwrap_or_else(|| panic!("no seed: {}", run.stderr));
    told.chars().take_while(char::is_ascii_digit).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_chooses_where_names_and_filters_do() {
    let lab = Lab::demo().await;
    for (selector, expected) in [
        ("web-* and not web-03", &["web-01", "web-02", "web-04"][..]),
        ("cluster:backend and state:off", &["batch-01"]),
        ("golden-image or web-01", &["golden-image", "web-01"]),
        ("folder:data or web-01", &["cache-01", "database-01", "database-02", "database-03", "web-01"]),
        ("all take 4 max 1 per host", &["batch-01", "database-01", "lb-01", "web-02"]),
        ("endpoint:vsphere take 2 at random seed 7", &["web-02", "batch-01"]),
    ] {
        assert_eq!(names(&lab.json(&["discover-vms", "--select", selector], 0)), expected, "{selector}");
    }
    assert_eq!(names(&lab.json(&["vm-info", "--select", "web-0[12]"], 0)), ["web-01", "web-02"]);
    let run = lab.run(&["platforms", "summary", "--select", "web-*", "-f", "json"]).exits(0);
    let summary: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(summary["vms"].as_u64(), Some(4), "{summary}");
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_told_with_its_place() {
    let lab = Lab::demo().await;
    for command in ["discover-vms", "summary", "vm-info", "power-on", "power-off", "reboot", "suspend"] {
        let wrong = lab.run(&["platforms", command, "--select", "cluster:prod adn web-*"]).exits(2);
        wrong.says(
            "`adn` stands where `and`, `or` or `take` is expected: did you mean `and`?\n  cluster:prod adn web-*\n               ^",
        );
        lab.run(&["platforms", command, "--select", "web-1*"]).exits(4).says("error: no VM fits `web-1*`");
        lab.run(&["platforms", command, "--select", "web-* and not web-4"]).exits(4).says("did you mean `web-04`?");
        lab.run(&["platforms", command, "--select", "web-* take 9"])
            .exits(5)
            .says("9 cannot be taken of `web-*`: only 4 can be");
        lab.run(&["platforms", command, "--select", "web-*", "--cluster", "backend"])
            .exits(2)
            .says("the argument '--select <SELECTOR>' cannot be used with '--cluster <NAME>'");
        lab.run(&["platforms", command, "--seed", "7"]).exits(2).says("--select <SELECTOR>");
    }
    for more in [&["--name", "web-01"][..], &["--state", "powered_on"], &["--host", "esx-f1"], &["-d", "demo"]] {
        let args: Vec<&str> = ["platforms", "power-off", "--select", "web-*"].iter().chain(more).copied().collect();
        lab.run(&args).exits(2).says("cannot be used with");
    }
    lab.run(&["platforms", "power-off", "web-01", "--select", "web-*"]).exits(2).says("cannot be used with");
    lab.is_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seed_is_told_and_repeats_the_choice() {
    let lab = Lab::demo().await;
    let planned = |seed: &[&str]| {
        let mut args = vec!["platforms", "power-off", "--select", "web-* take 2 at random", "--dry-run", "-f", "json"];
        args.extend(seed);
        lab.run(&args).exits(0)
    };
    let first = planned(&[]);
    let told = seed(&first);
    assert!(first.stderr.contains(&format!("2 of 4 drawn with seed {told}: `--seed {told}` takes the same again")));
    assert_eq!(planned(&["--seed", &told]).stdout, first.stdout);
    lab.is_untouched();

    let args = ["platforms", "power-off", "--force", "--yes", "--select", "web-* take 2 at random", "--seed", &told];
    lab.run(&args).exits(0);
    let plan: Vec<Value> = serde_json::from_str(&first.stdout).expect("JSON");
    let expected: Vec<String> =
        plan.iter().map(|vm| format!("PowerOffVM_Task {}", vm["vm"].as_str().unwrap_or("?"))).collect();
    let mut changes = lab.changes();
    changes.sort_unstable_by_key(|change| expected.iter().position(|one| one == change));
    assert_eq!(changes, expected);

    let two = ["platforms", "discover-vms", "--seed", "9", "--select"];
    let with = |selector: &'static str| lab.run(&[&two[..], &[selector]].concat()).exits(0);
    with("web-* take 2 at random seed 7").says("warning: --seed 9 does not count: the selector has the seed 7");
    with("web-* take 2").says("warning: --seed decides nothing: the selector takes nothing `at random`");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_name_chose_needs_no_yes_and_all_else_does() {
    let lab = Lab::demo().await;
    for selector in ["web-*", "web-01 and state:on", "web-01 or web-02", "web-* take 1", "cluster:frontend"] {
        lab.run(&["platforms", "power-off", "--force", "--select", selector])
            .exits(5)
            .says("A pattern, filter or selector chose")
            .says("--yes");
    }
    lab.is_untouched();
    lab.run(&["platforms", "power-off", "--force", "--select", "web-01"]).exits(0);
    lab.run(&["platforms", "power-off", "--force", "--select", "path:/demo/vm/web/web-02"]).exits(0);
    lab.run(&["platforms", "power-off", "--force", "--yes", "--select", "lb-* or cache-01"]).exits(0);
    for vm in ["web-01", "web-02", "lb-01", "cache-01"] {
        assert_eq!(lab.sim.world().vm(vm).expect("it is there").power, Power::Off, "{vm}");
    }
    lab.run(&["platforms", "power-on", "--yes", "--select", "state:off and web-*"]).exits(0);
    assert_eq!(lab.changes().iter().filter(|change| change.starts_with("PowerOnVM")).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_managed_is_left_out_and_named() {
    let lab = Lab::of(Sim::builder().estate(Estate::odd())).await;
    let run = lab.run(&["platforms", "discover-vms", "--select", "all", "-f", "json"]).exits(0);
    let vms: Vec<Value> = serde_json::from_str(&run.stdout).expect("JSON");
    assert!(vms.iter().all(|vm| vm["unmanageable"].is_null() && vm["template"] == false), "{vms:?}");
    run.says("warning: left out, because it cannot be managed: ").says("disconnected");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_selector_over_several_platforms() {
    let estate = |names: &[&str]| {
        let vms = names.iter().map(|name| VmSpec::new(*name).power(Power::On));
        vms.fold(Sim::builder().estate(Estate::of_size(0)), chaos_sim::Builder::vm)
    };
    let account = |builder: chaos_sim::Builder| builder.credentials(crate::lab::USER, crate::lab::PASSWORD);
    let east = account(estate(&["web-01", "web-02", "web-03"])).start().await.expect("it starts");
    let west = account(estate(&["web-01", "db-01"]).doors([chaos_sim::Door::Olvm])).start().await.expect("it starts");
    let site = Site::new().entry("east", vcenter(&east)).entry("west", engine(&west));
    let found = |selector: &str, code: i32| {
        let args = ["platforms", "discover-vms", "--platform", "west,east", "--select", selector, "-f", "json"];
        let run = site.run(&args).exits(code);
        let vms: Vec<Value> = serde_json::from_str(&run.stdout).unwrap_or_default();
        let told =
            |vm: &Value| format!("{}/{}", vm["entry"].as_str().unwrap_or("?"), vm["name"].as_str().unwrap_or("?"));
        (vms.iter().map(told).collect::<Vec<_>>().join(" "), run)
    };
    assert_eq!(found("all and not web-01", 0).0, "east/web-02 east/web-03 west/db-01");
    assert_eq!(found("endpoint:west and web-*", 0).0, "west/web-01");
    assert_eq!(found("all take 60%", 0).0, "east/web-01 east/web-02 east/web-03");
    assert_eq!(found("web-* take 2 at random seed 3", 0).0, found("web-* take 2 at random seed 3", 0).0);
    // Of one name on two platforms each is named with its own.
    found("web-01", 4).1.says("/DC1/vm/web-01, /DC1/Default/web-01").says("its server with `and endpoint:…`");
    assert_eq!(found("web-01 and endpoint:west", 0).0, "west/web-01");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_selectors() {
    let lab = Lab::demo().await;
    let mut session = Transcript::of("selectors");
    session.note("Which VMs would it be?");
    session.run(&lab.program, &["platforms", "discover-vms", "--select", "web-* and not web-03"]);
    session.note("A mistake is shown with its place.");
    session.run(&lab.program, &["platforms", "power-off", "--select", "web-* and nto web-03"]);
    session.run(&lab.program, &["platforms", "power-off", "web-01", "--select", "web-*"]);
    session.note("What nothing fits is an error, and so is a name that nobody bears.");
    session.run(&lab.program, &["platforms", "power-off", "--select", "cluster:prod"]);
    session.run(&lab.program, &["platforms", "power-off", "--select", "web-* and not web-30"]);
    session.note("Two of a cluster, never two of one host; the seed can be given again.");
    let choice = "cluster:frontend take 2 at random max 1 per host";
    session.run(&lab.program, &["platforms", "power-off", "--select", choice, "--seed", "7", "--dry-run"]);
    session.run(&lab.program, &["platforms", "power-off", "--select", choice, "--seed", "7", "--force"]);
    lab.is_untouched();
    session.run(&lab.program, &["platforms", "power-off", "--select", choice, "--seed", "7", "--force", "--yes"]);
    session.check();
}

#[test]
fn a_rehearsal_tells_what_a_selector_chose_and_what_it_did_not_find() {
    let program = crate::program::Program::new();
    let action = |name: &str, function: &str, vms: Value| {
        serde_json::json!({"type": "action", "name": name, "provider": {"type": "python", "module": "chaosmonkey.vm",
            "func": function, "arguments": {"platform_type": "vsphere", "vm_names": vms}}})
    };
    let select = |text: &str| serde_json::json!({"select": text, "seed": 4, "empty": true});
    let experiment = serde_json::json!({"title": "t", "description": "d", "method": [
        action("off", "vm_batch_power_off", select("shop-* and not shop-02 take 1 at random")),
        action("none", "vm_batch_power_off", select("cluster:nowhere")),
    ]});
    let path = program.directory().join("e.json");
    std::fs::write(&path, experiment.to_string()).expect("a writable directory");
    let run = program.run(&["execute", "--experiment", "e.json", "--rehearse"]).exits(0);
    assert!(run.stdout.contains("note: none: no VM fits `cluster:nowhere`: nothing was done"), "{}", run.stdout);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    run.says("drawn from `shop-* and not shop-02 take 1 at random` with seed 4: ").says("no VM fits `cluster:nowhere`");
}
