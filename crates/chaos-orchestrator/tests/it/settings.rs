//! Every variable: what is accepted, what is refused, and in which words.

use chaos_http::TlsTrust;
use chaos_orchestrator::{Details, SecretSource, ServerSettings, Settings, Sources};
use secrecy::ExposeSecret;

const SHA256: &str = "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89";

fn vsphere(variables: &[(&str, &str)]) -> Result<ServerSettings, String> {
    let settings = Sources::none().variables(variables.iter().copied()).load();
    settings.map(|settings| server(&settings)).map_err(|error| error.to_string())
}

fn server(settings: &Settings) -> ServerSettings {
    match settings.entry("vsphere").expect("it is always there").details {
        Details::VSphere(server) => server,
        other => panic!("{other:?}"),
    }
}

fn refusal(variables: &[(&str, &str)]) -> String {
    vsphere(variables).expect_err("these settings should be refused")
}

#[test]
fn nothing_set_is_fine_until_a_platform_is_opened() {
    let settings = vsphere(&[]).unwrap();
    assert!(settings.server.is_none() && settings.username.is_none() && settings.password.is_none());
    assert_eq!(settings.trust, TlsTrust::SystemRoots, "certificates are checked by default");
}

#[test]
fn a_server_is_a_host_or_a_url() {
    for (text, url) in [
        ("vc.example.com", "https://vc.example.com/"),
        (" vc.example.com ", "https://vc.example.com/"),
        ("vc.example.com:8443", "https://vc.example.com:8443/"),
        ("https://vc.example.com/sdk", "https://vc.example.com/sdk"),
        ("http://127.0.0.1:8989", "http://127.0.0.1:8989/"),
        ("[::1]:8989", "https://[::1]:8989/"),
    ] {
        assert_eq!(vsphere(&[("VSPHERE_SERVER", text)]).unwrap().server.unwrap().as_str(), url, "{text}");
    }
    let error = refusal(&[("VSPHERE_SERVER", "ftp://vc")]);
    assert!(error.starts_with("VSPHERE_SERVER (in the environment): "), "{error}");
}

#[test]
fn a_password_in_the_server_is_refused_and_not_repeated() {
    let error = refusal(&[("VSPHERE_SERVER", "https://ann:hunter2@vc.example.com")]);
    assert!(error.contains("VSPHERE_SERVER") && !error.contains("hunter2"), "{error}");
}

#[test]
fn booleans_in_every_spelling() {
    for text in ["true", "1", "yes", "on", "TRUE", "Yes", " on "] {
        assert!(vsphere(&[("VSPHERE_INSECURE", text)]).unwrap().trust.is_insecure(), "{text}");
    }
    for text in ["false", "0", "no", "off", "False", ""] {
        assert!(!vsphere(&[("VSPHERE_INSECURE", text)]).unwrap().trust.is_insecure(), "{text}");
    }
    for text in ["2", "maybe", "tru", "ja"] {
        let error = refusal(&[("VSPHERE_INSECURE", text)]);
        assert!(error.contains("VSPHERE_INSECURE") && error.contains("use true or false"), "{error}");
    }
}

#[test]
fn ports_are_numbers_from_1_to_65535() {
    assert_eq!(vsphere(&[("VSPHERE_PORT", "8443")]).unwrap().port, Some(8443));
    for text in ["0", "65536", "-1", "https", "44 3"] {
        let error = refusal(&[("VSPHERE_PORT", text)]);
        assert!(error.contains("VSPHERE_PORT") && error.contains("1 to 65535"), "{error}");
    }
}

#[test]
fn a_port_that_contradicts_the_server_is_refused() {
    let error = refusal(&[("VSPHERE_SERVER", "vc:8443"), ("VSPHERE_PORT", "443")]);
    assert!(
        error.contains(
            "VSPHERE_SERVER (in the environment) and VSPHERE_PORT (in the environment) contradict each other"
        ),
        "{error}"
    );
    assert!(vsphere(&[("VSPHERE_SERVER", "vc:8443"), ("VSPHERE_PORT", "8443")]).is_ok());
}

#[test]
fn one_way_to_trust_at_a_time() {
    let ca = ("VSPHERE_CA_FILE", "/etc/ssl/vmca.pem");
    let pin = ("VSPHERE_THUMBPRINT", SHA256);
    let insecure = ("VSPHERE_INSECURE", "true");
    assert_eq!(vsphere(&[ca]).unwrap().trust, TlsTrust::CaFile("/etc/ssl/vmca.pem".into()));
    assert_eq!(vsphere(&[pin]).unwrap().trust, TlsTrust::Thumbprint(SHA256.parse().unwrap()));
    for pair in [[ca, pin], [ca, insecure], [pin, insecure]] {
        let error = refusal(&pair);
        assert!(error.contains(pair[0].0) && error.contains(pair[1].0) && error.contains("remove one"), "{error}");
    }
    // An empty value takes a variable of `.env` back.
    assert!(vsphere(&[("VSPHERE_CA_FILE", ""), insecure]).unwrap().trust.is_insecure());
}

#[test]
fn a_sha1_thumbprint_is_refused_with_the_way_to_the_right_one() {
    let error = refusal(&[("VSPHERE_THUMBPRINT", &"ab".repeat(20))]);
    assert!(error.contains("VSPHERE_THUMBPRINT") && error.contains("openssl"), "{error}");
}

#[test]
fn a_password_keeps_its_blanks_and_is_in_no_debug_output() {
    let settings = vsphere(&[("VSPHERE_PASSWORD", " pass word ")]).unwrap();
    let Some(SecretSource::Inline(password)) = &settings.password else { panic!("{settings:?}") };
    assert_eq!(password.expose_secret(), " pass word ");
    let wrong = [("VSPHERE_PASSWORD", "canary-7f3a"), ("VSPHERE_PORT", "canary-7f3a")];
    let error = Sources::none().variables(wrong).load().unwrap_err();
    let said = format!("{settings:?} {error:?} {error}");
    assert!(!said.contains("canary") && !said.contains("pass word"), "{said}");
}

#[test]
#[cfg(unix)]
fn a_variable_that_is_no_text_is_named() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let bytes = OsString::from_vec(vec![0x66, 0xff]);
    let error = Sources::none().variables([("VSPHERE_USERNAME", bytes.clone())]).load().unwrap_err();
    assert_eq!(error.to_string(), "VSPHERE_USERNAME is not valid Unicode: set it again");
    assert!(Sources::none().variables([("OTHER", bytes)]).load().is_ok(), "what is not ours is not looked at");
}
