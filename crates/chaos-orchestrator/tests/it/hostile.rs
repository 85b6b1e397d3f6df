//! Files of any content: an error or settings, and never a panic.

use chaos_orchestrator::Sources;
use proptest::prelude::*;

/// Text that looks a little like settings.
fn texts() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("platforms"),
        Just("vsphere"),
        Just("server"),
        Just("port"),
        Just("chaos"),
        Just("dry_run"),
        Just("dora"),
        Just("environments"),
        Just("type"),
        Just("${X}"),
        Just("true"),
        Just("- "),
        Just("&a"),
        Just("*a"),
        Just("<<"),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(":"),
        Just(": "),
        Just("\n"),
        Just("\n  "),
        Just("\n    "),
        Just("="),
        Just("\""),
        Just("'"),
        Just("#"),
        Just("!x"),
        Just("---\n"),
        Just("|\n"),
        Just("é"),
        Just("\t"),
        Just("7"),
    ];
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_file_makes_it_panic(text in prop_oneof![texts(), any::<String>()], name in prop_oneof![Just("a.yaml"), Just("a.json"), Just("a.toml")]) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join(name);
        std::fs::write(&file, &text).expect("a writable directory");
        if let Err(error) = Sources::none().config(file).variables([("X", "y")]).load() {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn no_dotenv_makes_it_panic(text in any::<String>()) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join(".env");
        std::fs::write(&file, format!("VSPHERE_PORT=1\n{text}")).expect("a writable directory");
        let _ = Sources::none().dotenv(file).load();
    }
}
