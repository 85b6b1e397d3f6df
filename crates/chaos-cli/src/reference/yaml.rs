//! `chaosmonkey.yaml` to begin with: every key, explained and commented out.

use std::fmt::Write;

use chaos_orchestrator::{Key, SECTIONS, Section};

use super::words::{comment, meaning};

const HEAD: &str = "\
# Settings of chaosmonkey. `#` and one blank begin an explanation. Every other `#` stands before a setting: remove the `#`
# of those that you need, and nothing else of their lines, since what belongs together is indented alike.
#
# Of password, password_file and password_command give one. Without any of them the password is asked for at the terminal.
# Of ca_file, thumbprint and `insecure: true` give at most one. `${VARIABLE}` is what the environment or .env gives that
# variable.
#
# Then: chaosmonkey config check, chaosmonkey config show, chaosmonkey doctor
";

/// How further entries look.
const MORE: &str = "
  # More vCenters and engines have names of their own, and a type. `--platform NAME` takes any of them,
  # `--platform a,b` several at once, `--all-platforms` all.
  #lab:
  #  type: vsphere
  #  server: lab-vcenter.example.com
  #  username: chaos@vsphere.local
  #  password: ${LAB_PASSWORD}
";

/// The text of a `chaosmonkey.yaml` to begin with.
pub(crate) fn example_yaml() -> String {
    let mut text = HEAD.to_owned();
    let mut open: Vec<&str> = Vec::new();
    for section in SECTIONS {
        let path: Vec<&str> = section.path.split('.').collect();
        // What belongs to the section that ends here stands at its end.
        if open.first() == Some(&"platforms") && path[0] != "platforms" {
            text.push_str(MORE);
        }
        if open.first() != path.first() {
            open.clear();
        }
        let (last, above) = path.split_last().unwrap_or((&"", &[]));
        for (depth, name) in above.iter().enumerate().skip(open.len()) {
            let _ = write!(text, "\n{}{name}:", indent(depth));
        }
        text.push('\n');
        let outer = indent(above.len());
        text.push_str(&comment(section.about, &outer));
        let _ = writeln!(text, "{outer}{last}:");
        keys(&section, &indent(path.len()), &mut text);
        open = above.to_vec();
    }
    text
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

/// Every key of a section, commented out.
fn keys(section: &Section, indent: &str, text: &mut String) {
    let mut before: Vec<String> = Vec::new();
    for key in section.keys {
        let path = names(key);
        let shared = path.iter().zip(&before).take_while(|(name, before)| name == before).count();
        text.push_str(&comment(&meaning(key, key.about), indent));
        for (depth, name) in path.iter().enumerate().skip(shared) {
            let value = if depth + 1 == path.len() { format!(" {}", key.example) } else { String::new() };
            let _ = writeln!(text, "{indent}#{}{name}:{value}", "  ".repeat(depth));
        }
        before = path;
        before.pop();
    }
}

/// The names down to a key, with an example for each that the user chooses.
fn names(key: &Key) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in key.name.split('.') {
        let name = match (part, names.last().map(String::as_str)) {
            ("*", Some("vcenters")) => "SiteVC",
            ("*", Some("environments")) => "EPB-Prod",
            ("*", _) => "NAME",
            (part, _) => part,
        };
        names.push(name.to_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chaos_orchestrator::{ShownValue, Sources};

    use super::*;

    /// What is left out where all is uncommented at once, since only one of each kind may be given.
    const ALTERNATIVES: [&str; 3] = ["password_file", "password_command", "thumbprint"];

    fn load(text: &str) -> BTreeMap<String, ShownValue> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("chaosmonkey.yaml");
        std::fs::write(&file, text).expect("it can be written");
        let variables = ["VCENTER_PASSWORD", "ENGINE_PASSWORD", "DORA_SECRET", "LAB_PASSWORD"].map(|name| (name, "x"));
        let settings = Sources::none().config(&file).variables(variables).load();
        let settings = settings.unwrap_or_else(|error| panic!("{error}\n{text}"));
        let shown = settings.values().iter().map(|value| (value.key.clone(), value.clone()));
        shown.filter(|(_, value)| value.origin.to_string() != "default").collect()
    }

    /// A setting that is commented out, without its `#`.
    fn setting(line: &str) -> Option<String> {
        let at = line.find('#').filter(|at| line[..*at].trim().is_empty())?;
        let rest = &line[at + 1..];
        let is_key = |rest: &str| rest.trim_start().split(':').next().is_some_and(|key| !key.contains(' '));
        // The keys of an entry or a map are indented by two from their `#`, an explanation by one.
        let is_setting = !rest.starts_with(' ') || rest.starts_with("  ");
        (is_setting && !rest.trim().is_empty() && is_key(rest)).then(|| format!("{}{rest}", &line[..at]))
    }

    fn uncommented(wanted: impl Fn(&str) -> bool) -> String {
        let lines = example_yaml();
        let lines = lines.lines().map(|line| match setting(line) {
            Some(setting) if wanted(&setting) => setting,
            _ => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn key(setting: &str) -> &str {
        setting.trim().split(':').next().unwrap_or_default()
    }

    #[test]
    fn as_it_is_it_gives_nothing() {
        assert_eq!(load(&example_yaml()).keys().collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn uncommented_it_gives_every_key_of_the_table() {
        let given = load(&uncommented(|setting| !ALTERNATIVES.contains(&key(setting))));
        for section in SECTIONS {
            for known in section.keys.iter().filter(|known| !ALTERNATIVES.contains(&known.name)) {
                let path = format!("{}.{}", section.path, names(known).join("."));
                assert!(given.contains_key(&path), "{path} is not in {:?}", given.keys());
            }
        }
        assert_eq!(given["platforms.lab.server"].value, "lab-vcenter.example.com");
    }

    #[test]
    fn each_alternative_can_be_uncommented_in_place_of_the_others() {
        let groups = [("password_file", "password"), ("password_command", "password"), ("thumbprint", "ca_file")];
        for (wanted, other) in groups {
            let given = load(&uncommented(|setting| {
                let key = key(setting);
                key == wanted || !(ALTERNATIVES.contains(&key) || key == other)
            }));
            for platform in ["vsphere", "olvm", "dora"] {
                assert!(given.contains_key(&format!("platforms.{platform}.{wanted}")), "{wanted} of {platform}");
            }
        }
    }

    #[test]
    fn each_single_key_can_be_uncommented_alone() {
        let text = example_yaml();
        let is_top =
            |setting: &String| !setting.ends_with(':') && setting.chars().take_while(|c| *c == ' ').count() == 4;
        let singles: Vec<String> = text.lines().filter_map(setting).filter(is_top).collect();
        assert!(singles.len() > 20, "{singles:?}");
        for single in singles.iter().filter(|single| !MORE.contains(&single[4..])) {
            let given = load(&uncommented(|setting| setting == single));
            assert!(given.keys().any(|path| path.ends_with(&format!(".{}", key(single)))), "{single}: {given:?}");
        }
    }
}
