//! What differs between versions of the engine.

use chaos_sim::{Condition, EngineVersion, Hold, Sim, VmPatch, VmSpec};

use super::{Api, builder, id_of, pass};

async fn of(version: EngineVersion) -> (Sim, Api, String) {
    let sim = builder().engine_version(version).vm(VmSpec::new("it")).start().await.unwrap();
    let api = Api::login(&sim).await;
    let vm = id_of(&sim, "it");
    (sim, api, vm)
}

const ALL: [(EngineVersion, &str); 3] = [
    (EngineVersion::V43, "<minor>3</minor>"),
    (EngineVersion::V44, "<minor>4</minor>"),
    (EngineVersion::V45, "<minor>5</minor>"),
];

#[tokio::test]
async fn each_tells_its_number() {
    for (version, minor) in ALL {
        let (_sim, api, _) = of(version).await;
        let entry = api.read("").await;
        assert!(entry.contains(minor) && entry.contains("<major>4</major>"), "{entry}");
    }
}

#[tokio::test]
async fn before_4_4_a_reboot_is_not_seen_at_first() {
    let (sim, api, vm) = of(EngineVersion::V43).await;
    assert_eq!(api.act(&vm, "reboot", "<action/>").await.status, 200);
    assert_eq!(api.status(&vm).await.as_deref(), Some("up"));
    pass(&sim, 3);
    assert_eq!(api.status(&vm).await.as_deref(), Some("reboot_in_progress"));
    let (_sim, api, vm) = of(EngineVersion::V44).await;
    api.act(&vm, "reboot", "<action/>").await;
    assert_eq!(api.status(&vm).await.as_deref(), Some("reboot_in_progress"));
}

#[tokio::test]
async fn before_4_4_there_is_no_reset_and_no_force() {
    let (sim, api, vm) = of(EngineVersion::V43).await;
    let answer = api.act(&vm, "reset", "<action/>").await;
    assert!(answer.status == 404 && answer.text().contains("Not Found"));
    assert!(!api.read(&format!("/vms/{vm}")).await.contains("rel=\"reset\""));
    sim.world().change("it", &VmPatch { hold: Some(Hold::Backup), ..VmPatch::default() }).unwrap();
    assert_eq!(api.act(&vm, "stop", "<action><force>true</force></action>").await.status, 409);
}

#[tokio::test]
async fn before_4_4_a_vm_that_migrates_is_stopped_hard() {
    for (version, code) in [(EngineVersion::V43, 76), (EngineVersion::V44, 73)] {
        let (sim, api, vm) = of(version).await;
        sim.world().change("it", &VmPatch { condition: Some(Condition::Migrating), ..VmPatch::default() }).unwrap();
        api.act(&vm, "shutdown", "<action/>").await;
        assert!(api.codes(&vm).await.contains(&code), "{version:?}");
    }
}
