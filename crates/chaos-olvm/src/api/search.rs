//! From a selector to a search, where a search can say it: a search that the engine does not understand is answered with
//! nothing, exactly as one that fits nothing.

use chaos_core::{NamePattern, Selector, TargetPattern};

use super::request::{LONGEST_URL, encode, is_id};

/// What a search leaves of a URL for everything else in it.
const REST_OF_URL: usize = 300;

/// The search for what `selector` can select, or more than that. None if no search can say it: then everything has to be
/// listed.
pub(crate) fn search(selector: &Selector) -> Option<String> {
    let place = [("datacenter", &selector.datacenter), ("cluster", &selector.cluster)];
    let filters: Vec<String> =
        place.iter().filter_map(|(field, name)| Some(format!("{field}={}", quoted(name.as_ref()?)?))).collect();
    let filters = filters.join(" and ");
    let alternatives = if selector.targets.is_empty() {
        if filters.is_empty() { None } else { Some(vec![filters]) }
    } else {
        // AND binds before OR and there are no parentheses: every alternative says all of it.
        let each = selector.targets.iter().map(|target| {
            let term = term(target)?;
            Some(if filters.is_empty() { term } else { format!("{term} and {filters}") })
        });
        each.collect()
    };
    let search = alternatives?.join(" or ");
    (encode(&search).len() <= LONGEST_URL - REST_OF_URL).then_some(search)
}

/// The term for one target.
fn term(target: &TargetPattern) -> Option<String> {
    match target {
        TargetPattern::Name(name) => Some(format!("name={}", quoted(name)?)),
        TargetPattern::Id(id) => is_id(id).then(|| format!("id={id}")),
        // The last step is the name, unless the name holds a slash: then nothing is found, and everything is listed.
        TargetPattern::Path(path) => {
            let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name);
            Some(format!("name={}", quoted(&NamePattern::new(name).ok()?)?))
        }
        _ => None,
    }
}

/// A name or glob as the engine takes it: in double quotes, with `*` as the only wildcard. None if it cannot be said.
///
/// A name that only looks like a glob (`db[1]`) cannot be said either, since its meaning depends on what there is.
fn quoted(name: &NamePattern) -> Option<String> {
    let text = name.as_str();
    // Quotes cannot be escaped, and `'` and `;` are refused wherever they stand.
    let unsayable = |c: char| matches!(c, '"' | '\'' | ';' | '\\') || c.is_control();
    let other_wildcards = text.contains(['?', '[', ']', '{', '}']);
    let blank_ends = text.trim() != text;
    (!text.contains(unsayable) && !other_wildcards && !blank_ends).then(|| format!("\"{text}\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01";

    fn of(targets: &[&str]) -> Option<String> {
        search(&Selector::targets(targets.iter().map(|text| text.parse().unwrap())))
    }

    #[test]
    fn names_are_quoted_and_joined() {
        assert_eq!(of(&["web-01"]).unwrap(), "name=\"web-01\"");
        assert_eq!(of(&["web-*", "my vm"]).unwrap(), "name=\"web-*\" or name=\"my vm\"");
        assert_eq!(
            of(&["a%b", "a_b", "Straße", "up or down"]).unwrap(),
            "name=\"a%b\" or name=\"a_b\" or name=\"Straße\" or name=\"up or down\""
        );
        assert_eq!(of(&["path:/DC/gold/web-01"]).unwrap(), "name=\"web-01\"");
        assert_eq!(of(&[&format!("id:{ID}")]).unwrap(), format!("id={ID}"));
    }

    #[test]
    fn what_a_search_cannot_say_is_listed() {
        for target in [
            "o'brien",
            "a;b",
            "say \"hi\"",
            "back\\slash",
            "web-?",
            "db[1]",
            "{a,b}",
            "re:web.*",
            " web",
            "id:no-such-id",
            "a\nb",
        ] {
            assert_eq!(of(&[target]), None, "{target}");
            assert_eq!(of(&["web-01", target]), None, "one of them is enough: {target}");
        }
    }

    #[test]
    fn filters_are_repeated_for_every_target() {
        let mut selector = Selector::targets(["a".parse().unwrap(), "b".parse().unwrap()]);
        selector.datacenter = Some("Prod 1".parse().unwrap());
        assert_eq!(
            search(&selector).unwrap(),
            "name=\"a\" and datacenter=\"Prod 1\" or name=\"b\" and datacenter=\"Prod 1\""
        );
        selector.targets.clear();
        selector.cluster = Some("gold*".parse().unwrap());
        assert_eq!(search(&selector).unwrap(), "datacenter=\"Prod 1\" and cluster=\"gold*\"");
        // A filter that cannot be said is left to the reader of the answer.
        selector.datacenter = Some("Prod'1".parse().unwrap());
        assert_eq!(search(&selector).unwrap(), "cluster=\"gold*\"");
        selector.cluster = None;
        assert_eq!(search(&selector), None);
        assert_eq!(search(&Selector::all()), None);
    }

    #[test]
    fn more_than_a_url_takes_is_listed() {
        let names: Vec<String> = (0..400).map(|n| format!("web-{n:04}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(of(&names), None);
        assert!(of(&names[..100]).is_some());
    }

    proptest! {
        #[test]
        fn no_name_gets_out_of_its_quotes(name in "[ -~äß日]{1,40}") {
            let Ok(pattern) = name.parse::<TargetPattern>() else { return Ok(()) };
            if let TargetPattern::Name(_) = &pattern
                && let Some(search) = search(&Selector::targets([pattern]))
            {
                let inner = search.strip_prefix("name=\"").and_then(|rest| rest.strip_suffix('"'));
                prop_assert_eq!(inner, Some(name.as_str()));
                prop_assert!(!search.contains(['\'', ';', '\\']));
            }
        }
    }
}
