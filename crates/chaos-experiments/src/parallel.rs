//! Groups: entries of the method and the rollbacks whose activities go on at once.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::activity::{Activity, Declared};
use crate::error::Finding;
use crate::extensions::Extension;
use crate::reading::Reader;

/// Activities that go on at once.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// Where it is declared, which tells one from another.
    place: String,
}

impl PartialEq for Group {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

/// The activities of a group; none if `declared` is no group.
pub(crate) fn members(declared: &Value) -> Option<&Vec<Value>> {
    declared.get("parallel")?.as_array()
}

impl Reader<'_> {
    /// The activities of a declared group.
    pub(crate) fn group(&mut self, map: &Map<String, Value>, place: &str, owner: Declared) -> Vec<Activity> {
        let mut refuse = |below: &str, message: String| {
            self.findings.push(Finding::error(format!("{place}{below}"), message));
        };
        if owner != Declared::Steps {
            refuse("", "a group stands in the method or in the rollbacks".to_owned());
            return Vec::new();
        }
        for key in map.keys().filter(|key| !["parallel", "name"].contains(&key.as_str())) {
            refuse(&format!("/{key}"), "a group has `parallel` and `name`, and its activities the rest".to_owned());
        }
        let name = match map.get("name") {
            None | Some(Value::Null) => "parallel",
            Some(Value::String(name)) if !name.is_empty() => name,
            Some(_) => {
                refuse("/name", "the name of a group is a text".to_owned());
                return Vec::new();
            }
        };
        let Some(items) = map.get("parallel").and_then(Value::as_array).filter(|items| !items.is_empty()) else {
            refuse("/parallel", "a group is a list of activities".to_owned());
            return Vec::new();
        };
        let group = Arc::new(Group { name: name.to_owned(), place: place.to_owned() });
        let mut activities = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let place = format!("{place}/parallel/{at}");
            for (key, why) in [
                ("parallel", "a group holds activities, and no other group"),
                ("background", "a group waits for all of its activities"),
            ] {
                if item.get(key).is_some_and(|value| *value != Value::Bool(false)) {
                    self.findings.push(Finding::error(format!("{place}/{key}"), why));
                }
            }
            if item.get("parallel").is_none() {
                let activity = self.entry(item, &place, owner);
                activities.extend(activity.map(|mut activity| {
                    activity.more.group = Some(Arc::clone(&group));
                    activity
                }));
            }
        }
        self.findings.extend(Extension::PARALLEL.used(format!("{place}/parallel"), self.inputs));
        activities
    }
}
