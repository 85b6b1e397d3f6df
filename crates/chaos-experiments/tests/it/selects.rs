//! VMs that a selector chooses.

use chaos_core::{ErrorKind, RunEvent, RunEventKind, SeededRandom, VMPowerState};
use chaos_experiments::{NamedVm, Verdict};
use chaos_testkit::memory::CallKind;
use chaos_testkit::{EstateSpec, VmSpec};
use serde_json::{Value, json};

use crate::extensions::compat;
use crate::lab::{Lab, action, document, inputs, probe, read, read_with, with_hypothesis};

/// Two clusters, each with three web servers and a database, over two hosts each.
fn estate() -> Vec<VmSpec> {
    let vm = |number: usize, name: &str| {
        let cluster = ["prod", "test"][number % 2];
        VmSpec::new(&format!("{name}-{number:02}"))
            .cluster(Some(cluster))
            .host(&format!("{cluster}-{}", number % 4))
            .folder(cluster)
    };
    (1..=6).map(|number| vm(number, "web")).chain((7..=8).map(|number| vm(number, "db"))).collect()
}

fn lab() -> Lab {
    Lab::new(&EstateSpec::new().with(estate()))
}

/// Powers off what is chosen, looks, and puts it back.
fn chosen(vms: &Value) -> Value {
    let method = [
        action("off", "vm_batch_power_off", json!({"vm_names": vms})),
        probe("are off", "vm_batch_power_state", json!({"vm_names": vms}), json!("powered_off")),
    ];
    document(&method, &[action("back", "vm_restore", json!({"vm_names": vms}))])
}

async fn planned(lab: &Lab, vms: &Value) -> Value {
    let resolved = lab.resolve(read(chosen(vms)).unwrap()).await;
    json!(resolved.unwrap_or_else(|error| panic!("{vms}: {error}")).plan())["method"][0].take()
}

async fn names(lab: &Lab, vms: &Value) -> Vec<String> {
    let step = planned(lab, vms).await;
    step["vms"].as_array().unwrap().iter().map(|vm| vm["name"].as_str().unwrap().to_owned()).collect()
}

/// What is written down of the begin of an activity.
fn started(events: &[RunEvent], name: &str) -> Value {
    let of = |event: &RunEvent| match &event.event {
        RunEventKind::ActivityStarted { activity, .. } if activity["name"] == name => Some(activity.clone()),
        _ => None,
    };
    events.iter().find_map(of).unwrap_or_else(|| panic!("{name} has begun"))
}

#[tokio::test(start_paused = true)]
async fn all_that_fit_or_some_of_them() {
    let lab = lab();
    for (vms, expected) in [
        (json!({"select": "cluster:test and not db-*"}), vec!["web-01", "web-03", "web-05"]),
        (json!({"select": "web-01 or db-08"}), vec!["db-08", "web-01"]),
        (json!({"select": "web-* take 2"}), vec!["web-02", "web-04"]),
        (json!({"select": "folder:prod take 50%"}), vec!["db-08", "web-02"]),
        (json!({"select": "all take 4 max 1 per host"}), vec!["db-08", "web-02", "db-07", "web-01"]),
        (json!({"select": "endpoint:vsphere and platform:vsphere and db-*"}), vec!["db-08", "db-07"]),
    ] {
        assert_eq!(names(&lab, &vms).await, expected, "{vms}");
    }
    let step = planned(&lab, &json!({"select": "web-* and cluster:prod take 2"})).await;
    let expected = json!({
        "from": "`web-* and cluster:prod take 2`", "among": 3,
        "vms": ["/DC0/vm/prod/web-02", "/DC0/vm/prod/web-04"],
        "candidates": ["/DC0/vm/prod/web-02", "/DC0/vm/prod/web-04", "/DC0/vm/prod/web-06"],
    });
    assert_eq!(step["drawn"], expected);
}

#[tokio::test(start_paused = true)]
async fn the_seed_is_that_of_the_text_or_that_beside_it_or_that_of_the_experiment() {
    let lab = lab();
    let of = async |vms: Value| {
        let step = planned(&lab, &vms).await;
        (step["drawn"]["seed"].clone(), step["drawn"]["vms"].clone())
    };
    let in_text = of(json!({"select": "web-* take 2 at random seed 7", "seed": 9})).await;
    assert_eq!(in_text.0, 7);
    assert_eq!(of(json!({"select": "web-* take 2 at random", "seed": "7"})).await, in_text);
    assert_eq!(of(json!({"select": "web-* take 2 at random", "seed": null})).await.1.as_array().unwrap().len(), 2);

    // One seed for the whole experiment, which is told.
    let vms = json!({"select": "web-* take 2 at random"});
    let resolved = lab.resolve(read(chosen(&vms)).unwrap()).await.unwrap();
    let plan = json!(resolved.plan());
    let drawn = &plan["method"][0]["drawn"];
    assert_eq!((&plan["method"][1]["drawn"], &plan["rollbacks"][0]["drawn"]), (drawn, drawn));
    assert_eq!(of(json!({"select": "web-* take 2 at random", "seed": drawn["seed"]})).await.1, drawn["vms"]);
    let told = resolved.plan().to_string();
    assert!(
        told.contains(&format!("2 of 6 drawn from `web-* take 2 at random` with seed {}:", drawn["seed"])),
        "{told}"
    );
    assert!(told.contains("chosen among /DC0/vm/prod/web-02, /DC0/vm/prod/web-04, "), "{told}");
}

#[tokio::test(start_paused = true)]
async fn the_run_log_has_the_seed_and_every_candidate_of_every_choice() {
    let lab = lab();
    let method = [
        action("select", "vm_batch_power_off", json!({"vm_names": {"select": "web-* take 2 at random", "seed": 3}})),
        action("random", "vm_suspend", json!({"vm_name": {"random": "db-*", "seed": 3}})),
    ];
    let (report, events) = lab.run(read(document(&method, &[])).unwrap()).await;
    assert_eq!((report.verdict, &report.reason), (Verdict::Completed, &None));
    for (name, candidates) in [("select", 6), ("random", 2)] {
        let drawn = &started(&events, name)["drawn"];
        let paths: Vec<&str> = drawn["candidates"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!((paths.len(), paths.is_sorted(), &drawn["seed"]), (candidates, true, &json!(3)), "{drawn}");
        assert!(drawn["vms"].as_array().unwrap().iter().all(|vm| paths.contains(&vm.as_str().unwrap())));
    }
    let journal = json!(report.journal);
    assert_eq!(journal["run"][0]["activity"]["drawn"], started(&events, "select")["drawn"]);
    let touched: Vec<&Value> = journal["run"][0]["output"].as_array().unwrap().iter().map(|one| &one["path"]).collect();
    assert_eq!(json!(touched), journal["run"][0]["activity"]["drawn"]["vms"]);
    assert!(estate().iter().all(|vm| lab.state(&vm.name) == VMPowerState::PoweredOn));
}

#[tokio::test(start_paused = true)]
async fn the_inventory_is_asked_for_once_whatever_chooses() {
    let lab = lab();
    let everywhere = json!({"select": "cluster:prod take 1 at random"});
    let hypothesis = [
        probe("others", "vm_group_powered_on", json!({"group": "web-*", "except": everywhere}), json!(true)),
        probe("count", "vm_count", json!({"group": "web-*"}), json!(6)),
    ];
    let method = [
        action("off", "vm_batch_power_off", json!({"vm_names": everywhere})),
        action("named", "vm_reboot", json!({"vm_name": "web-01"})),
        action("drawn", "vm_suspend", json!({"vm_name": {"random": "db-*", "cluster": "test"}})),
    ];
    let experiment = read(with_hypothesis(document(&method, &[]), &hypothesis)).unwrap();
    let resolved = lab.resolve(experiment).await.unwrap();
    assert_eq!(lab.estate.calls().iter().filter(|call| call.kind == CallKind::List).count(), 1);
    let plan = json!(resolved.plan());
    assert_eq!(
        (&plan["method"][1]["vms"][0]["name"], &plan["method"][2]["vms"][0]["name"]),
        (&json!("web-01"), &json!("db-07"))
    );
}

#[tokio::test(start_paused = true)]
async fn one_vm_has_to_be_one() {
    let lab = lab();
    let reboot = |vm: Value| document(&[action("restart", "vm_reboot", json!({"vm_name": vm}))], &[]);
    let error = lab.resolve(read(reboot(json!({"select": "db-*"}))).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert_eq!(error.candidates(), ["/DC0/vm/prod/db-08", "/DC0/vm/test/db-07"]);
    let error = lab.resolve(read(reboot(json!({"select": "web-* take 50%"}))).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    for select in ["db-* and cluster:test", "db-* take 1 at random", "id:vm-7", "web-* take 1%"] {
        let (report, _) = self::lab().run(read(reboot(json!({"select": select}))).unwrap()).await;
        assert_eq!((report.verdict, &report.reason), (Verdict::Completed, &None), "{select}");
        assert_eq!(report.journal.run[0].output["outcome"], "guest_reboot");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_an_error_unless_it_is_allowed_and_then_nothing_is_done() {
    let lab = lab();
    let error = lab.resolve(read(chosen(&json!({"select": "cluster:dev"}))).unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::NotFound, "no VM fits `cluster:dev`"));
    // What was to be spared, and is misspelt, is no VM that may be missing.
    let misspelt = json!({"select": "cluster:dev and not web-77", "empty": true});
    let error = lab.resolve(read(chosen(&misspelt)).unwrap()).await.unwrap_err();
    assert!(error.to_string().starts_with("no VM fits `web-77`"), "{error}");

    let vms = json!({"select": "cluster:dev", "empty": true});
    let mut experiment = chosen(&vms);
    experiment["method"].as_array_mut().unwrap().push(action("one", "vm_reboot", json!({"vm_name": vms})));
    let mut watched = probe("watched", "vm_power_state", json!({"vm_name": vms}), json!("powered_on"));
    watched["frequency"] = json!(0.5);
    experiment["stop-conditions"] = json!([watched]);
    let hypothesis = [
        probe("still on", "vm_batch_power_state", json!({"vm_names": vms}), json!("powered_on")),
        probe("others", "vm_group_powered_on", json!({"group": "web-*", "except": vms}), json!(true)),
    ];
    let experiment = read(with_hypothesis(experiment, &hypothesis)).unwrap();
    let resolved = lab.resolve(experiment.clone()).await.unwrap();
    assert!(resolved.targets().is_empty());
    let told = resolved.plan().to_string();
    assert!(told.contains("no VM fits `cluster:dev`: nothing is done"), "{told}");
    let (report, events) = lab.run(experiment).await;
    assert_eq!((report.verdict, &report.reason), (Verdict::Completed, &None));
    for record in report.journal.run.iter().chain(&report.journal.rollbacks) {
        let expected = json!({"vms": [], "note": "no VM fits `cluster:dev`: nothing was done"});
        assert_eq!(record.output, expected, "{}", record.activity["name"]);
    }
    let drawn = json!({"from": "`cluster:dev`", "among": 0, "vms": [], "candidates": []});
    assert_eq!(started(&events, "off")["drawn"], drawn);
    assert_eq!(lab.destructive_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_managed_is_left_out_and_told() {
    let lab = lab();
    lab.estate.set_unmanageable("vm-2", "its host is gone");
    let vms = json!({"select": "web-* and cluster:prod"});
    assert_eq!(planned(&lab, &vms).await["drawn"]["left_out"], json!(["/DC0/vm/prod/web-02"]));
    assert_eq!(names(&lab, &vms).await, ["web-04", "web-06"]);
    let told = lab.resolve(read(chosen(&vms)).unwrap()).await.unwrap().plan().to_string();
    assert!(told.contains("2 of 2 taken from `web-* and cluster:prod` (1 left out that cannot be managed):"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn names_come_into_the_text() {
    let mut experiment = chosen(&json!({"select": "cluster:${where} take ${count} at random", "seed": "${seed}"}));
    experiment["configuration"] = json!({"where": "prod", "count": 2, "seed": 5});
    for given in [&[][..], &["where=test", "count=3"]] {
        let experiment = read_with(experiment.clone(), &inputs(given)).unwrap();
        let plan = json!(lab().resolve(experiment).await.unwrap().plan());
        let expected =
            if given.is_empty() { "`cluster:prod take 2 at random`" } else { "`cluster:test take 3 at random`" };
        assert_eq!(
            (&plan["method"][0]["drawn"]["from"], &plan["method"][0]["drawn"]["seed"]),
            (&json!(expected), &json!(5))
        );
    }
}

#[test]
fn a_selector_that_means_nothing_is_refused_by_both_rules() {
    for (vms, complaint) in [
        (
            json!({"select": "cluster:prod adn web-*"}),
            "/method/0/provider/arguments/vm_name: `adn` stands where `and`, `or` or `take` is expected: \
             did you mean `and`?\n  cluster:prod adn web-*\n               ^",
        ),
        (json!({"select": ""}), "/method/0/provider/arguments/vm_name: "),
        (
            json!({"select": ["a"]}),
            "`select` has to be a selector, such as `cluster:prod and not db-* take 2 at random`",
        ),
        (json!({"select": "a take 2"}), "this means one VM: the selector can only `take 1`"),
        (json!({"select": "a", "seed": -1}), "`seed` has to be a whole number that is not negative"),
        (json!({"select": "a", "empty": "perhaps"}), "`empty` has to be true or false"),
        (json!({"select": "a", "count": 2}), "`count` is not known here: a selector takes select, seed, empty"),
        (json!({"select": "a", "random": "b"}), "`random` is not known here: a selector takes select, seed, empty"),
        (json!({"select": "${nobody}"}), "`${nobody}` stands for nothing"),
    ] {
        let method = document(&[action("off", "vm_power_off", json!({"vm_name": vms}))], &[]);
        let told = read(method.clone()).unwrap_err().to_string();
        assert!(told.contains(complaint), "{told}");
        // As with `random`, compatible rules read the call as the strict ones do.
        let random = document(&[action("off", "vm_power_off", json!({"vm_name": {"random": "re:("}}))], &[]);
        assert_eq!(compat(method, true).is_err(), compat(random, true).is_err());
    }
}

#[test]
fn a_rehearsal_is_told_the_vms_that_a_selector_names() {
    let vms = |select: &str| {
        let named = read(chosen(&json!({"select": select}))).unwrap().vms();
        named.into_iter().map(|NamedVm { target, group, .. }| (target, group)).collect::<Vec<_>>()
    };
    assert_eq!(vms("web-* and not web-03 take 1"), [("web-*".into(), true), ("web-03".into(), false)]);
    assert_eq!(vms("re:w.* or path:/a/b"), [("path:/a/b".into(), false), ("re:w.*".into(), true)]);
    assert_eq!(vms("cluster:prod"), [("*".into(), true)]);
}

/// An estate that a seed makes up.
fn made_up(random: &mut SeededRandom) -> Vec<VmSpec> {
    let size = 4 + random.below(20);
    let vm = |number: usize, random: &mut SeededRandom| {
        let vm = VmSpec::new(&format!("{}-{:02}", ["web", "db", "app"][random.below(3)], random.below(12)))
            .host(&format!("host-{}", random.below(4)))
            .folder(&format!("folder-{number}"));
        if random.below(4) == 0 { vm.off() } else { vm }
    };
    (0..size).map(|number| vm(number, random)).collect()
}

#[tokio::test(start_paused = true)]
async fn of_a_hundred_estates_each_gives_the_same_whatever_the_order_of_discovery() {
    let texts = [
        "all take 3 at random",
        "all take 50% at random max 2 per host",
        "state:on or not web-* take 1 at random",
        "not db-* take 20%",
        "all take 2 max 1 per host",
    ];
    let mut replayed = 0;
    for number in 0..100 {
        let mut random = SeededRandom::new(number);
        let mut vms = made_up(&mut random);
        let lot = json!({"random": "*", "seed": number});
        let choices = texts.iter().map(|text| json!({"select": text, "seed": number})).chain([lot]);
        let mut first: Vec<Option<Value>> = Vec::new();
        for round in 0..3 {
            let lab = Lab::new(&EstateSpec::new().with(vms.clone()));
            for (at, choice) in choices.clone().enumerate() {
                let probes = [probe("look", "vm_batch_is_manageable", json!({"vm_names": choice}), json!(true))];
                let resolved = lab.resolve(read(document(&probes, &[])).unwrap()).await;
                // That it cannot be chosen does not depend on the order either.
                let drawn = resolved.ok().map(|resolved| json!(resolved.plan())["method"][0]["drawn"].clone());
                if round == 0 {
                    first.push(drawn);
                } else {
                    assert_eq!(drawn, first[at], "estate {number}, round {round}: {choice}");
                    replayed += usize::from(drawn.is_some());
                }
            }
            for at in 0..vms.len() {
                let left = vms.len() - at;
                vms.swap(at, at + random.below(left));
            }
        }
    }
    assert!(replayed > 1000, "most could be chosen: {replayed}");
}
