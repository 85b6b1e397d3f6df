//! The interpreter of property filter specifications: which objects are meant, and which of their properties.

use std::collections::{HashMap, HashSet};

use super::Site;
use super::fault::Fault;
use super::mo::Mo;
use super::props::Scope;
use super::schema;
use super::value::{Value, text_element};
use super::xml::Element;

/// A `PropertyFilterSpec`, checked and with its names resolved.
#[derive(Debug)]
pub(super) struct FilterSpec {
    properties: Vec<PropertySpec>,
    objects: Vec<ObjectSpec>,
    traversals: Vec<Traversal>,
    /// Objects that are named but not there are left out instead of failing the call.
    pub(super) report_missing: bool,
}

#[derive(Debug)]
struct PropertySpec {
    kind: String,
    paths: Vec<String>,
    all: bool,
}

#[derive(Debug)]
struct ObjectSpec {
    kind: String,
    id: String,
    object: Option<Mo>,
    skip: bool,
    selects: Vec<usize>,
}

#[derive(Debug)]
struct Traversal {
    kind: String,
    path: String,
    skip: bool,
    selects: Vec<usize>,
}

/// A `selectSet` before names are resolved.
enum Choice {
    Here(usize),
    Named(String),
}

/// Reads the traversals of a specification; names live within it.
#[derive(Default)]
struct Reader {
    traversals: Vec<Traversal>,
    choices: Vec<Vec<Choice>>,
    names: HashMap<String, usize>,
}

impl Reader {
    fn choices(&mut self, parent: &Element) -> Result<Vec<Choice>, Fault> {
        let mut choices = Vec::new();
        for select in parent.children("selectSet") {
            let name = select.text_of("name").unwrap_or_default().to_owned();
            if select.xsi_type != "TraversalSpec" {
                choices.push(Choice::Named(name));
                continue;
            }
            let (kind, path) = (select.text_of("type").unwrap_or_default(), select.text_of("path").unwrap_or_default());
            if !schema::is_known(kind) {
                return Err(Fault::invalid_argument("specSet.objectSet.selectSet.type"));
            }
            if !schema::has_path(kind, path) {
                return Err(Fault::invalid_property(path));
            }
            let index = self.traversals.len();
            self.traversals.push(Traversal {
                kind: kind.to_owned(),
                path: path.to_owned(),
                skip: select.flag("skip"),
                selects: Vec::new(),
            });
            self.choices.push(Vec::new());
            if !name.is_empty() {
                self.names.insert(name, index);
            }
            self.choices[index] = self.choices(select)?;
            choices.push(Choice::Here(index));
        }
        Ok(choices)
    }

    fn resolve(&self, choices: &[Choice]) -> Result<Vec<usize>, Fault> {
        choices
            .iter()
            .map(|choice| match choice {
                Choice::Here(index) => Ok(*index),
                Choice::Named(name) => {
                    let found = self.names.get(name).copied();
                    found.ok_or_else(|| Fault::invalid_argument("specSet.objectSet.selectSet.name"))
                }
            })
            .collect()
    }
}

impl FilterSpec {
    /// Reads a `PropertyFilterSpec`.
    pub(super) fn read(spec: &Element, site: &Site) -> Result<Self, Fault> {
        let properties = spec.children("propSet").map(read_properties).collect::<Result<_, _>>()?;
        let mut reader = Reader::default();
        let mut objects = Vec::new();
        for object in spec.children("objectSet") {
            let reference = object.child("obj").ok_or_else(|| Fault::invalid_argument("specSet.objectSet.obj"))?;
            let spec = ObjectSpec {
                kind: reference.kind.clone(),
                id: reference.text.clone(),
                object: Mo::parse(&reference.kind, &reference.text, site.flavour),
                skip: object.flag("skip"),
                selects: Vec::new(),
            };
            objects.push((spec, reader.choices(object)?));
        }
        let objects = objects
            .into_iter()
            .map(|(spec, choices)| Ok(ObjectSpec { selects: reader.resolve(&choices)?, ..spec }))
            .collect::<Result<_, Fault>>()?;
        for index in 0..reader.traversals.len() {
            reader.traversals[index].selects = reader.resolve(&reader.choices[index])?;
        }
        let report_missing = spec.flag("reportMissingObjectsInResults");
        Ok(Self { properties, objects, traversals: reader.traversals, report_missing })
    }

    /// The objects that are meant, each once. Without a session nothing can be followed.
    pub(super) fn select(&self, scope: &Scope<'_>, leave_out_missing: bool) -> Result<Vec<Mo>, Fault> {
        let mut walk = Walk { spec: self, scope, found: Vec::new(), seen: HashSet::new(), followed: HashSet::new() };
        for object in &self.objects {
            match object.object.as_ref().filter(|mo| scope.exists(mo)) {
                Some(mo) => {
                    if !object.skip {
                        walk.include(mo);
                    }
                    if scope.session.is_some() {
                        walk.follow(mo, &object.selects);
                    }
                }
                None if leave_out_missing || self.report_missing => {}
                None => return Err(Fault::not_found(&object.kind, &object.id)),
            }
        }
        Ok(walk.found)
    }

    /// Whether the object is named itself, rather than found on the way.
    pub(super) fn names(&self, mo: &Mo) -> bool {
        self.objects.iter().any(|object| object.object.as_ref() == Some(mo))
    }

    /// The paths that are asked for on an object.
    fn paths(&self, mo: &Mo) -> Vec<&str> {
        let mut paths = Vec::new();
        for spec in self.properties.iter().filter(|spec| schema::is_a(mo.kind(), &spec.kind)) {
            if spec.all {
                paths.extend(schema::properties(mo.kind()));
            }
            paths.extend(spec.paths.iter().map(String::as_str));
        }
        if self.properties.len() > 1 {
            let mut seen = HashSet::new();
            paths.retain(|path| seen.insert(*path));
        }
        paths
    }

    /// What is asked for on an object, as it is now: each path with its value, if set, or with why it may not be read.
    pub(super) fn read_object<'a>(
        &'a self,
        scope: &Scope<'_>,
        mo: &Mo,
    ) -> Vec<(&'a str, Result<Option<Value>, Fault>)> {
        let paths = self.paths(mo);
        paths
            .into_iter()
            .map(|path| {
                let value = match scope.site.denies(scope, mo, path) {
                    Some(fault) => Err(fault),
                    None => Ok(scope.property(mo, path)),
                };
                (path, value)
            })
            .collect()
    }

    /// Writes an `ObjectContent` of the object.
    pub(super) fn write_object(&self, scope: &Scope<'_>, mo: &Mo, out: &mut String, name: &str) {
        let values = self.read_object(scope, mo);
        out.push('<');
        out.push_str(name);
        out.push('>');
        scope.reference(mo).write(out, "obj", false);
        for (path, value) in &values {
            if let Ok(Some(value)) = value {
                out.push_str("<propSet>");
                text_element(out, "name", path);
                value.write(out, "val", true);
                out.push_str("</propSet>");
            }
        }
        for (path, value) in &values {
            if let Err(fault) = value {
                write_missing(out, path, fault);
            }
        }
        out.push_str("</");
        out.push_str(name);
        out.push('>');
    }
}

/// Writes all objects that some specifications mean, however many, each as the element `name`.
pub(super) fn write_all(specs: &[FilterSpec], scope: &Scope<'_>, name: &str) -> Result<String, Fault> {
    let mut out = String::new();
    for spec in specs {
        for mo in spec.select(scope, false)? {
            spec.write_object(scope, &mo, &mut out, name);
        }
    }
    Ok(out)
}

/// Writes a `MissingProperty`.
pub(super) fn write_missing(out: &mut String, path: &str, fault: &Fault) {
    out.push_str("<missingSet>");
    text_element(out, "path", path);
    Value::from(fault.localized()).write(out, "fault", false);
    out.push_str("</missingSet>");
}

fn read_properties(spec: &Element) -> Result<PropertySpec, Fault> {
    let kind = spec.text_of("type").unwrap_or_default().to_owned();
    if !schema::is_known(&kind) {
        return Err(Fault::invalid_argument("specSet.propSet.type"));
    }
    let paths: Vec<String> = spec.children("pathSet").map(|path| path.text.clone()).collect();
    if let Some(wrong) = paths.iter().find(|path| !schema::has_path(&kind, path)) {
        return Err(Fault::invalid_property(wrong));
    }
    Ok(PropertySpec { kind, paths, all: spec.flag("all") })
}

/// A walk along the traversals of a specification.
struct Walk<'a> {
    spec: &'a FilterSpec,
    scope: &'a Scope<'a>,
    found: Vec<Mo>,
    seen: HashSet<Mo>,
    /// Traversals are recursive: each is followed once from each object.
    followed: HashSet<(Mo, usize)>,
}

/// What is left to do on a walk.
enum Step {
    /// Follow a traversal from an object.
    Follow(Mo, usize),
    /// Look at an object that a traversal led to.
    Arrive(Mo, usize),
}

impl Walk<'_> {
    fn include(&mut self, mo: &Mo) {
        let is_asked_for = self.spec.properties.iter().any(|spec| schema::is_a(mo.kind(), &spec.kind));
        if is_asked_for && self.seen.insert(mo.clone()) {
            self.found.push(mo.clone());
        }
    }

    /// Follows traversals from an object, depth first. The way is kept in a list, since folders nest as deep as they like.
    fn follow(&mut self, mo: &Mo, selects: &[usize]) {
        let spec = self.spec;
        let mut steps: Vec<Step> = selects.iter().rev().map(|index| Step::Follow(mo.clone(), *index)).collect();
        while let Some(step) = steps.pop() {
            match step {
                Step::Follow(mo, index) => {
                    let traversal = &spec.traversals[index];
                    if schema::is_a(mo.kind(), &traversal.kind) && self.followed.insert((mo.clone(), index)) {
                        let targets = self.targets(&mo, &traversal.path);
                        steps.extend(targets.into_iter().rev().map(|target| Step::Arrive(target, index)));
                    }
                }
                Step::Arrive(mo, index) => {
                    let traversal = &spec.traversals[index];
                    if !traversal.skip {
                        self.include(&mo);
                    }
                    steps.extend(traversal.selects.iter().rev().map(|next| Step::Follow(mo.clone(), *next)));
                }
            }
        }
    }

    fn targets(&self, mo: &Mo, path: &str) -> Vec<Mo> {
        match (mo, path) {
            // The two that lead through large inventories go without the way over references.
            (Mo::View(_, id), "view") => {
                let view = self.scope.session.and_then(|session| session.views.get(id));
                view.map(|view| view.members(self.scope)).unwrap_or_default()
            }
            (_, "childEntity") => self.scope.children(mo),
            _ => {
                let refs = self.scope.property(mo, path).map(Value::into_refs).unwrap_or_default();
                refs.iter().filter_map(|found| Mo::parse(found.kind, &found.id, self.scope.flavour())).collect()
            }
        }
    }
}
