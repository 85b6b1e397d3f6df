//! Python modules that declare the VM functions and do nothing, so that Chaos Toolkit can check experiments that call them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chaos_experiments::{native_functions, native_modules};

use super::Page;

/// Words of Python that no parameter can have as its name.
const RESERVED: [&str; 9] = ["and", "as", "except", "for", "from", "in", "is", "not", "with"];

/// A file for each module and for each package around it.
pub(crate) fn pages() -> Vec<Page> {
    let mut packages = BTreeSet::new();
    let mut pages = Vec::new();
    for module in native_modules() {
        let path: PathBuf = module.split('.').collect();
        packages
            .extend(path.ancestors().skip(1).filter(|above| above.components().next().is_some()).map(PathBuf::from));
        pages.push(Page::new(path.with_extension("py"), module_text(module)));
    }
    pages.extend(packages.into_iter().map(|package| {
        let text = "\"\"\"Stubs of ChaosMonkey for VMs.\"\"\"\n".to_owned();
        Page::new(package.join("__init__.py"), text)
    }));
    pages
}

fn module_text(module: &str) -> String {
    let mut parts = vec![format!(
        "\"\"\"{module}: what ChaosMonkey for VMs does itself. Here it is only declared, so that `chaos validate` finds it.\"\"\"\n"
    )];
    for function in native_functions() {
        let is_required = |name: &str| function.required.contains(&name);
        let (words, names): (Vec<&str>, Vec<&str>) =
            function.parameters.iter().partition(|name| RESERVED.contains(*name));
        let mut all: Vec<String> = names.iter().filter(|name| is_required(name)).map(ToString::to_string).collect();
        all.extend(names.iter().filter(|name| !is_required(name)).map(|name| format!("{name}=None")));
        // Python can pass on what it cannot name.
        all.extend((!words.is_empty()).then(|| "**others".to_owned()));
        let does = if function.is_action { "Changes VMs" } else { "Looks at VMs" };
        parts.push(format!(
            "\n\ndef {}({}):\n    \"\"\"{does}.\"\"\"\n    raise NotImplementedError(\"chaosmonkey runs this\")\n",
            function.name,
            all.join(", ")
        ));
    }
    parts.concat()
}
