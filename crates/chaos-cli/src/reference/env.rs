//! `.env.platforms.example`: every variable, explained and commented out.

use std::fmt::Write;

use chaos_orchestrator::{Form, Key, SECTIONS};

use super::words::{comment, first_sentence, meaning};

const HEAD: &str = "\
# Settings of chaosmonkey as variables. Copy this file to .env in the directory where chaosmonkey is run, and let nobody
# else read it:
#   cp .env.platforms.example .env && chmod 600 .env
# `#` and a blank begin an explanation. Every other `#` stands before a setting: remove the `#` of those that you need.
# A value with blanks or special characters belongs in single quotes.
#
# Of a PASSWORD and its PASSWORD_FILE give one; without either the password is asked for at the terminal. Of CA_FILE,
# THUMBPRINT and INSECURE=true give at most one.
#
# The same variables count in the environment of the process, which goes before this file. Further vCenters and engines,
# passwords from a program, and all that has no variable are given in chaosmonkey.yaml.
#
# Then: chaosmonkey config check, chaosmonkey config show, chaosmonkey doctor
";

/// The text of a `.env` to begin with.
pub(crate) fn example_env() -> String {
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        let variables: Vec<_> = section.keys.iter().filter_map(|key| Some((key, key.variable?))).collect();
        if variables.is_empty() {
            continue;
        }
        // The other sentences are about settings files.
        let _ = writeln!(text, "\n# --- {} ---", first_sentence(section.about).trim_end_matches('.'));
        for (key, variable) in variables {
            let about = if key.form == Form::Secret { first_sentence(key.about) } else { key.about };
            text.push_str(&comment(&meaning(key, about), ""));
            let _ = writeln!(text, "#{variable}={}", value(key));
        }
    }
    text
}

/// An example of a value. Unquoted, `$` would stand for another variable.
fn value(key: &Key) -> String {
    match key.form {
        Form::Secret => "'the password'".to_owned(),
        _ => key.example.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chaos_orchestrator::{Settings, SettingsError, Sources};

    use super::*;

    fn load(text: &str) -> Result<Settings, SettingsError> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join(".env");
        std::fs::write(&file, text).expect("it can be written");
        Sources::none().dotenv(&file).load()
    }

    fn setting(line: &str) -> Option<&str> {
        line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
    }

    fn uncommented(wanted: impl Fn(&str) -> bool) -> String {
        let text = example_env();
        let lines = text.lines().map(|line| setting(line).filter(|setting| wanted(setting)).unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn given(settings: &Settings) -> Vec<String> {
        let given = settings.values().iter().map(|value| value.origin.to_string());
        given.filter_map(|origin| origin.rsplit_once(' ').map(|(_, variable)| variable.to_owned())).collect()
    }

    #[test]
    fn as_it_is_it_gives_nothing() {
        assert_eq!(given(&load(&example_env()).unwrap()), Vec::<String>::new());
    }

    #[test]
    fn uncommented_it_gives_every_variable_of_the_table() {
        let is_alternative = |variable: &str| variable.contains("_PASSWORD_FILE") || variable.contains("_THUMBPRINT");
        let given = given(&load(&uncommented(|setting| !is_alternative(setting))).unwrap());
        for variable in SECTIONS.iter().flat_map(|section| section.keys).filter_map(|key| key.variable) {
            assert!(is_alternative(variable) || given.iter().any(|given| given == variable), "{variable}: {given:?}");
        }
    }

    #[test]
    fn each_variable_can_be_uncommented_alone() {
        for variable in SECTIONS.iter().flat_map(|section| section.keys).filter_map(|key| key.variable) {
            let single = format!("{variable}=");
            let settings = load(&uncommented(|setting| setting.starts_with(&single))).unwrap();
            assert_eq!(given(&settings), [variable]);
        }
    }
}
