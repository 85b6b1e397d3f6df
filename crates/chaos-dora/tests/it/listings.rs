//! What is asked for, and what is understood of the answers.

use chaos_core::{ErrorKind, VMPowerState};
use chaos_dora::{Catalogue, EnvironmentPatch, HostFilter};
use serde_json::json;
use wiremock::matchers::path_regex;
use wiremock::{Mock, ResponseTemplate};

use crate::server::{LOGIN, TOKEN_SEGMENT, client, count, cx, dev1, lists, requests, server};

#[tokio::test]
async fn each_filter_is_sent_as_it_is_meant() {
    for (filter, query) in [
        (HostFilter::OfEnvironment, "listing_only=false&host_filter=dev1"),
        (HostFilter::Regex("^esx-0[12]|a b".into()), "listing_only=false&host_filter=%5Eesx-0%5B12%5D%7Ca+b"),
        (HostFilter::Empty, "listing_only=false&host_filter="),
        (HostFilter::Omit, "listing_only=false"),
    ] {
        let server = server().await;
        lists(&server, json!({"items": []})).await;
        let client = client(&server);
        client.hypervisors(&cx(), &dev1(), &filter).await.unwrap();
        client.vms(&cx(), &dev1(), &filter).await.unwrap();
        let expected = [
            LOGIN.to_owned(),
            format!("/v1/GetHypervisors/{TOKEN_SEGMENT}/OracleQA/ORA-DEV?{query}"),
            format!("/v1/GetVirtualMachines/{TOKEN_SEGMENT}/OracleQA/ORA-DEV?{query}"),
        ];
        assert_eq!(requests(&server).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn an_environment_is_read_in_parallel_with_one_login_in_either_shape() {
    let hypervisor = json!({"name": "esx-07.example.net", "ip_address": "10.0.0.7", "type": "ESXi", "status": "green"});
    let vm = json!({"name": "web-01", "host": "/DC/host/CL/esx-07.example.net", "state": "suspended", "managedObjRef": "vm-7"});
    for bare in [false, true] {
        let server = server().await;
        for (name, item) in [("Hypervisors", &hypervisor), ("VirtualMachines", &vm)] {
            let answer = if bare { json!([item]) } else { json!({"items": [item]}) };
            let answer = ResponseTemplate::new(200).set_body_json(answer);
            Mock::given(path_regex(format!("^/v1/Get{name}/"))).respond_with(answer).mount(&server).await;
        }
        let data = client(&server).environment_data(&cx(), &dev1(), &HostFilter::default()).await.unwrap();
        assert_eq!(data.hypervisors[0].name, "esx-07.example.net");
        assert_eq!(data.hypervisors[0].metadata["ip_address"], "10.0.0.7");
        assert_eq!((data.vms[0].id.as_str(), data.vms[0].power_state), ("vm-7", VMPowerState::Suspended));
        assert_eq!(count(&server, "/v1/GetLoginToken").await, 1);
        assert_eq!(requests(&server).await.len(), 3);
        let json = serde_json::to_value(&data).unwrap();
        let mut fields: Vec<&String> = json.as_object().unwrap().keys().collect();
        fields.sort_unstable();
        assert_eq!(fields, ["environment", "hypervisors", "timestamp", "vms"]);
        assert_eq!(json["environment"]["vcenter"], "OracleQA");
    }
}

#[tokio::test]
async fn an_item_of_a_wrong_type_is_named() {
    let server = server().await;
    lists(&server, json!({"items": [{"name": "a"}, {"name": "b", "memMb": "lots"}]})).await;
    let error = client(&server).vms(&cx(), &dev1(), &HostFilter::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(error.to_string(), "GetVirtualMachines: `memMb` of item 1 is a text, not a whole number");
}

#[tokio::test]
async fn statuses_are_told_apart() {
    for (status, kind) in [(404, ErrorKind::NotFound), (400, ErrorKind::Protocol), (500, ErrorKind::Unavailable)] {
        let server = server().await;
        let answer = ResponseTemplate::new(status).set_body_string("<html>");
        Mock::given(path_regex("^/v1/GetVirtual")).respond_with(answer).mount(&server).await;
        let error = client(&server).vms(&cx(), &dev1(), &HostFilter::default()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}: {error}");
    }
}

#[tokio::test]
async fn a_placeholder_that_the_server_does_not_know_says_so() {
    let catalogue = Catalogue::builtin();
    let environment = catalogue.get("EPB-Prod").unwrap();
    for answer in [ResponseTemplate::new(404), ResponseTemplate::new(200).set_body_json(json!([]))] {
        let server = server().await;
        Mock::given(path_regex("^/v1/Get(Hyper|Virtual)")).respond_with(answer).mount(&server).await;
        let error = client(&server).environment_data(&cx(), environment, &HostFilter::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        for said in ["`EPB-Prod`", "placeholders", "its vcenter, pattern_path, vm_path have to be set"] {
            assert!(error.to_string().contains(said), "{said}: {error}");
        }
    }
}

#[tokio::test]
async fn a_path_of_several_parts_stays_one_path() {
    let server = server().await;
    lists(&server, json!([])).await;
    let mut catalogue = Catalogue::builtin();
    let mut patch = EnvironmentPatch::default();
    patch.vcenter = Some("Site VC/1".into());
    (patch.pattern_path, patch.vm_path) = (Some("/DC/Prod & Co/".into()), Some("DC".into()));
    catalogue.set("Lab", patch).unwrap();
    client(&server).hypervisors(&cx(), catalogue.get("Lab").unwrap(), &HostFilter::default()).await.unwrap();
    let request = requests(&server).await.pop().unwrap();
    let expected = format!("/v1/GetHypervisors/{TOKEN_SEGMENT}/Site%20VC%2F1/DC/Prod%20%26%20Co?listing_only=false");
    assert_eq!(request, expected, "an environment without a filter sends none");
}
