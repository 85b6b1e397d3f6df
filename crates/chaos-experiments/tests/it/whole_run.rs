//! A whole run from the template to the journal, as a person sees it.

use chaos_core::VMPowerState;
use chaos_experiments::{Journal, Verdict};

use crate::lab::{Lab, kinds, rendered};

#[tokio::test(start_paused = true)]
async fn a_vm_is_powered_off_proved_off_and_powered_on_again() {
    let lab = Lab::with(&["web-01", "web-02"]);
    let (report, events) = lab.run(rendered("vsphere_vm_poweroff", &["vm_name=web-01", "group=web-*"])).await;

    assert_eq!((report.verdict, &report.reason), (Verdict::Completed, &None));
    assert!(report.touched && report.left_changed.is_empty());
    assert_eq!(lab.state("web-01"), VMPowerState::PoweredOn);
    assert_eq!(
        kinds(&events),
        [
            "run_started",
            "hypothesis_started",
            "activity_started",
            "activity_ended",
            "activity_started",
            "activity_ended",
            "hypothesis_ended",
            "activity_started",
            "prepared",
            "sent",
            "outcome",
            "activity_ended",
            "activity_started",
            "activity_ended",
            "hypothesis_started",
            "activity_started",
            "activity_ended",
            "activity_started",
            "activity_ended",
            "hypothesis_ended",
            "rollbacks_started",
            "activity_started",
            "prepared",
            "sent",
            "outcome",
            "activity_ended",
            "rollbacks_ended",
            "undone",
            "run_ended",
        ]
    );
    assert!(events.iter().zip(0..).all(|(event, number)| event.sequence == number));
    assert_eq!(report.journal, Journal::fold(&events));
    insta::with_settings!({filters => vec![
        (r#""chaoslib-version": "chaosmonkey [^"]+""#, r#""chaoslib-version": "chaosmonkey [version]""#),
        (r#""platform": "[^"]+-[^"]+""#, r#""platform": "[system]""#),
    ]}, {
        insta::assert_snapshot!(report.journal.to_text());
    });
}

#[tokio::test(start_paused = true)]
async fn the_plan_shows_each_step_with_the_vms_that_it_would_touch() {
    let lab = Lab::with(&["web-01", "web-02"]);
    let resolved = lab.resolve(rendered("vsphere-vm-poweroff", &["vm_name=web-01", "group=web-*"])).await.unwrap();
    insta::assert_snapshot!(resolved.plan(), @"
    VM web-01 is powered off and comes back
    steady state:
      probe vm-is-manageable: reads
        /DC0/vm/web-01 (powered_on)
      probe others-of-the-group-are-on: reads
        /DC0/vm/web-02 (powered_on)
    method:
      action power-off-vm: power off: ask the guest, and do it hard after 300s, within 60s
        /DC0/vm/web-01 (powered_on)
      probe vm-is-off: reads
        /DC0/vm/web-01 (powered_on)
    rollbacks:
      action power-on-vm: power on within 300s
        /DC0/vm/web-01 (powered_on)
    in the end every VM is put back to the state shown here
    ");
    assert_eq!(lab.destructive_calls(), 0);
}
