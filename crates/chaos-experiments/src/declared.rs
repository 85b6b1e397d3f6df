//! Declared activities as they are written: which one a name means, whose function one calls, and what can be told of one that
//! cannot be read.

use serde_json::{Map, Value};

use crate::activity::{Activity, Breaks, Broken, Call, More};
use crate::error::Finding;
use crate::native::{Kind, MODULES};
use crate::parallel::members;
use crate::provider::NATIVE_PROBES;

/// The last activity of that name in the method, groups included, and then in the hypothesis.
pub(crate) fn referenced<'a>(root: &'a Map<String, Value>, name: &str) -> Option<(&'a Map<String, Value>, String)> {
    let hypothesis = root.get("steady-state-hypothesis").and_then(|hypothesis| hypothesis.get("probes"));
    let lists = [(root.get("method"), "/method"), (hypothesis, "/steady-state-hypothesis/probes")];
    let mut found = None;
    let mut look = |item: &'a Value, place: String| {
        if let Some(map) = item.as_object()
            && map.get("name").and_then(Value::as_str) == Some(name)
        {
            found = Some((map, place));
        }
    };
    for (list, place) in lists {
        for (at, item) in list.and_then(Value::as_array).into_iter().flatten().enumerate() {
            match members(item) {
                Some(members) => {
                    let each = members.iter().enumerate();
                    each.for_each(|(inner, item)| look(item, format!("{place}/{at}/parallel/{inner}")));
                }
                None => look(item, format!("{place}/{at}")),
            }
        }
    }
    found
}

/// Whether all problems are below a place.
pub(crate) fn all_in(problems: &[Finding], place: &str) -> bool {
    problems.iter().all(|problem| problem.place.starts_with(place))
}

/// What becomes of an activity with such problems.
pub(crate) fn breaks(map: &Map<String, Value>, problems: &[Finding], place: &str) -> Breaks {
    let all_in = |below: &str| all_in(problems, &format!("{place}{below}"));
    let is_request = map.get("provider").and_then(|provider| provider.get("type")) == Some(&Value::from("http"));
    if all_in("/pauses") {
        Breaks::Before
    } else if is_request && (all_in("/provider/url") || all_in("/provider/headers")) {
        Breaks::Itself
    } else {
        Breaks::Run
    }
}

/// Whether an activity calls a function of this program.
pub(crate) fn is_ours(map: &Map<String, Value>) -> bool {
    is_native(map) || map.get("provider").and_then(|provider| provider.get("module")) == Some(&NATIVE_PROBES.into())
}

/// Whether an activity calls a function of ours on VMs.
pub(crate) fn is_native(map: &Map<String, Value>) -> bool {
    let provider = map.get("provider");
    let text = |key: &str| provider.and_then(|provider| provider.get(key)).and_then(Value::as_str);
    text("type") == Some("python") && text("module").is_some_and(|module| MODULES.contains(&module))
}

impl Activity {
    /// One that cannot be carried out. What can be told of it is.
    pub(crate) fn broken(map: &Map<String, Value>, place: &str, how: Breaks, why: String) -> Self {
        let is_action = map.get("type").and_then(Value::as_str) == Some("action");
        Self {
            name: map.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            kind: if is_action { Kind::Action } else { Kind::Probe },
            declaration: Value::Object(map.clone()),
            place: place.to_owned(),
            controls: Vec::new(),
            tolerance: None,
            dry: None,
            background: false,
            pause_before: None,
            pause_after: None,
            breaks_behind: None,
            timeout: None,
            call: Call::Broken(Broken { why, how }),
            more: More::default(),
        }
    }
}
