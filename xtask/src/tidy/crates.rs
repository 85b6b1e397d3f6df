//! Rules over the crates: who may know whom, and what a crate says of itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Finding, Repository};

/// Which crates of ours a crate may depend on outside of its tests. The testkit appears on no right-hand side.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("chaos-core", &[]),
    ("chaos-http", &["chaos-core"]),
    ("chaos-xml", &[]),
    ("chaos-vsphere", &["chaos-core", "chaos-http", "chaos-xml"]),
    ("chaos-olvm", &["chaos-core", "chaos-http", "chaos-xml"]),
    ("chaos-dora", &["chaos-core", "chaos-http"]),
    ("chaos-sim", &["chaos-core"]),
    ("chaos-testkit", &["chaos-core"]),
    ("chaos-store", &["chaos-core"]),
    ("chaos-experiments", &["chaos-core", "chaos-http"]),
    ("chaos-orchestrator", &["chaos-core", "chaos-http", "chaos-vsphere", "chaos-olvm", "chaos-dora", "chaos-sim"]),
    ("chaos-cli", &["chaos-core", "chaos-experiments", "chaos-orchestrator", "chaos-sim", "chaos-store"]),
    (
        "chaos-examples",
        &[
            "chaos-core",
            "chaos-http",
            "chaos-vsphere",
            "chaos-olvm",
            "chaos-dora",
            "chaos-sim",
            "chaos-orchestrator",
            "chaos-experiments",
        ],
    ),
    ("xtask", &[]),
];

/// A crate of others that only some of ours may name.
struct Owned {
    name: &'static str,
    owners: &'static [&'static str],
    /// Whether the tests of other crates may name it.
    free_in_tests: bool,
}

const OWNED: &[Owned] = &[
    Owned { name: "quick-xml", owners: &["chaos-xml", "chaos-sim"], free_in_tests: true },
    Owned { name: "reqwest", owners: &["chaos-http"], free_in_tests: false },
    Owned { name: "anyhow", owners: &["chaos-cli", "chaos-examples", "xtask"], free_in_tests: true },
    Owned { name: "clap", owners: &["chaos-cli", "xtask"], free_in_tests: true },
    Owned { name: "tracing-subscriber", owners: &["chaos-cli", "chaos-testkit"], free_in_tests: true },
];

/// Crates that must not be reached from a crate, however far down.
const TREES: &[(&str, &[&str])] = &[
    ("chaos-core", &["reqwest", "hyper", "axum", "quick-xml", "rustls", "serde-saphyr"]),
    ("chaos-http", &["quick-xml", "openssl-sys", "native-tls"]),
    ("chaos-sim", &["reqwest", "chaos-http", "chaos-xml", "chaos-vsphere", "chaos-olvm", "chaos-dora"]),
    ("chaos-vsphere", &["chaos-sim", "chaos-olvm"]),
    ("chaos-olvm", &["chaos-sim", "chaos-vsphere"]),
    ("chaos-dora", &["chaos-sim", "chaos-vsphere", "chaos-olvm", "chaos-xml"]),
    ("chaos-experiments", &["chaos-vsphere", "chaos-olvm", "chaos-orchestrator", "chaos-sim"]),
];

/// A crate depends only on those of ours that stand below it.
pub(super) fn directions(repository: &Repository) -> Vec<Finding> {
    let members = members(repository);
    let ours: BTreeSet<&str> = members.iter().map(|package| name(package)).collect();
    let mut findings = Vec::new();
    for package in &members {
        let Some((_, allowed)) = DIRECTIONS.iter().find(|(known, _)| *known == name(package)) else {
            findings.push(Finding::new(name(package), "not in the table of directions in xtask/src/tidy/crates.rs"));
            continue;
        };
        for dependency in dependencies(package).filter(|dependency| dependency["kind"] != "dev").map(name) {
            if ours.contains(dependency) && !allowed.contains(&dependency) {
                findings.push(Finding::new(name(package), format!("must not depend on {dependency}")));
            }
        }
    }
    findings
}

/// Some crates of others are named by one crate of ours, which wraps them.
pub(super) fn owners(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in members(repository) {
        for owned in OWNED.iter().filter(|owned| !owned.owners.contains(&name(package))) {
            let named = dependencies(package)
                .filter(|dependency| name(dependency) == owned.name)
                .any(|dependency| !owned.free_in_tests || dependency["kind"] != "dev");
            if named {
                let message = format!("only {} may name {}", owned.owners.join(", "), owned.name);
                findings.push(Finding::new(name(package), message));
            }
        }
    }
    findings
}

/// What a crate promises not to bring along is not in its tree.
pub(super) fn trees(repository: &Repository) -> Vec<Finding> {
    let graph = graph(repository);
    let names: BTreeMap<&str, &str> =
        each(&repository.metadata["packages"]).map(|package| (text(&package["id"]), name(package))).collect();
    let mut findings = Vec::new();
    for package in members(repository) {
        let Some((_, banned)) = TREES.iter().find(|(known, _)| *known == name(package)) else {
            continue;
        };
        let mut seen = BTreeSet::new();
        let mut open = vec![(text(&package["id"]), name(package).to_owned())];
        while let Some((id, path)) = open.pop() {
            for &next in graph.get(id).into_iter().flatten() {
                let crate_name = names.get(next).copied().unwrap_or(next);
                let path = format!("{path} > {crate_name}");
                if seen.insert(next) {
                    if banned.contains(&crate_name) {
                        findings.push(Finding::new(name(package), format!("reaches {crate_name}: {path}")));
                    }
                    open.push((next, path));
                }
            }
        }
    }
    findings
}

/// What crates.io shows is there, and every crate takes the lints of the workspace.
pub(super) fn metadata(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in members(repository) {
        let private = package["publish"].as_array().is_some_and(Vec::is_empty);
        let needed: &[&str] = if private {
            &["description", "license"]
        } else {
            &["description", "license", "repository", "readme", "keywords", "categories", "rust_version"]
        };
        for field in needed {
            let empty = match &package[*field] {
                Value::Null => true,
                Value::Array(list) => list.is_empty(),
                value => text(value).is_empty(),
            };
            if empty {
                findings.push(Finding::new(name(package), format!("its Cargo.toml has no {field}")));
            }
        }
        let manifest = text(&package["manifest_path"]);
        let Some(file) = repository.with_extension("toml").find(|file| is_manifest(manifest, &file.path)) else {
            continue;
        };
        if !file.text.contains("[lints]\nworkspace = true") {
            findings.push(Finding::new(
                &file.path,
                "does not take the lints of the workspace (`[lints]`, `workspace = true`)",
            ));
        }
    }
    findings
}

fn is_manifest(manifest: &str, path: &str) -> bool {
    path.contains('/') && manifest.ends_with(&format!("/{path}"))
}

/// Ids of the packages that each package is built with, development dependencies left out.
fn graph(repository: &Repository) -> BTreeMap<&str, Vec<&str>> {
    each(&repository.metadata["resolve"]["nodes"])
        .map(|node| {
            let built_with = each(&node["deps"])
                .filter(|dependency| each(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null()))
                .map(|dependency| text(&dependency["pkg"]))
                .collect();
            (text(&node["id"]), built_with)
        })
        .collect()
}

fn members(repository: &Repository) -> Vec<&Value> {
    let ids: BTreeSet<&str> = each(&repository.metadata["workspace_members"]).map(text).collect();
    each(&repository.metadata["packages"]).filter(|package| ids.contains(text(&package["id"]))).collect()
}

fn dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    each(&package["dependencies"])
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn name(value: &Value) -> &str {
    text(&value["name"])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{File, Repository};
    use super::{directions, metadata, owners, trees};

    /// Name of a dependency and its kind.
    type Dependency<'a> = (&'a str, Option<&'a str>);

    /// A repository whose packages depend on one another as given: (name, dependencies with kind).
    fn repository(packages: &[(&str, &[Dependency<'_>])]) -> Repository {
        let described = packages.iter().map(|(name, dependencies)| {
            let list = dependencies.iter().map(|(name, kind)| json!({"name": name, "kind": kind})).collect::<Vec<_>>();
            json!({"id": name, "name": name, "dependencies": list, "manifest_path": format!("/r/crates/{name}/Cargo.toml")})
        });
        let nodes = packages.iter().map(|(name, dependencies)| {
            let list = dependencies.iter().map(|(name, kind)| json!({"pkg": name, "dep_kinds": [{"kind": kind}]}));
            json!({"id": name, "deps": list.collect::<Vec<_>>()})
        });
        let members =
            packages.iter().map(|(name, _)| *name).filter(|name| name.starts_with("chaos") || *name == "xtask");
        Repository {
            metadata: json!({
                "packages": described.collect::<Vec<_>>(),
                "workspace_members": members.collect::<Vec<_>>(),
                "resolve": {"nodes": nodes.collect::<Vec<_>>()},
            }),
            files: Vec::new(),
        }
    }

    fn shown(findings: &[super::Finding]) -> Vec<String> {
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_simulator_that_knows_a_client_is_found() {
        let repository = repository(&[("chaos-sim", &[("chaos-vsphere", None)]), ("chaos-vsphere", &[])]);
        assert_eq!(shown(&directions(&repository)), ["chaos-sim: must not depend on chaos-vsphere"]);
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        let kit = ("chaos-testkit", &[][..]);
        assert!(directions(&repository(&[("chaos-vsphere", &[("chaos-testkit", Some("dev"))]), kit])).is_empty());
        let found = directions(&repository(&[("chaos-vsphere", &[("chaos-testkit", None)]), kit]));
        assert_eq!(shown(&found), ["chaos-vsphere: must not depend on chaos-testkit"]);
    }

    #[test]
    fn a_new_crate_needs_a_place_in_the_table() {
        let found = directions(&repository(&[("chaos-new", &[])]));
        assert_eq!(shown(&found), ["chaos-new: not in the table of directions in xtask/src/tidy/crates.rs"]);
    }

    #[test]
    fn a_wrapped_crate_may_be_free_in_tests() {
        let subscriber = |kind| owners(&repository(&[("chaos-http", &[("tracing-subscriber", kind)])])).len();
        assert_eq!((subscriber(Some("dev")), subscriber(None)), (0, 1));
    }

    #[test]
    fn reqwest_has_one_owner_even_in_tests() {
        let found = owners(&repository(&[
            ("chaos-vsphere", &[("reqwest", Some("dev"))]),
            ("chaos-http", &[("reqwest", None)]),
        ]));
        assert_eq!(shown(&found), ["chaos-vsphere: only chaos-http may name reqwest"]);
    }

    #[test]
    fn a_banned_crate_is_found_through_others_with_its_path() {
        let found = trees(&repository(&[
            ("chaos-core", &[("middle", None), ("wiremock", Some("dev"))]),
            ("middle", &[("hyper", None)]),
            ("wiremock", &[("reqwest", None)]),
            ("hyper", &[]),
            ("reqwest", &[]),
        ]));
        assert_eq!(shown(&found), ["chaos-core: reaches hyper: chaos-core > middle > hyper"]);
    }

    #[test]
    fn a_crate_without_metadata_or_lints_is_found() {
        let mut repository = repository(&[("chaos-core", &[])]);
        repository.metadata["packages"][0] = json!({
            "id": "chaos-core", "name": "chaos-core", "license": "MIT OR Apache-2.0", "repository": "r", "readme": "README.md",
            "keywords": ["vm"], "categories": ["testing"], "rust_version": "1.95", "publish": Value::Null,
            "manifest_path": "/r/crates/chaos-core/Cargo.toml",
        });
        repository.files.push(File { path: "crates/chaos-core/Cargo.toml".to_owned(), text: "[package]\n".to_owned() });
        assert_eq!(
            shown(&metadata(&repository)),
            [
                "chaos-core: its Cargo.toml has no description",
                "crates/chaos-core/Cargo.toml: does not take the lints of the workspace (`[lints]`, `workspace = true`)",
            ]
        );
    }
}
