//! Which name was meant by one with a typing error in it.

/// How many letters may be wrong, missing or too many. Two letters that changed places count as two.
const MOST_ERRORS: usize = 2;

/// The one of `names` that `written` is a typing error of at most two letters away from, whatever the case; none if none
/// is near, or two are equally so.
///
/// ```
/// use chaos_core::nearest;
///
/// assert_eq!(nearest("pasword", &["username", "password"]), Some("password"));
/// assert_eq!(nearest("token", &["username", "password"]), None);
/// ```
#[must_use]
pub fn nearest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    let written = written.to_lowercase();
    let mut near: Vec<(usize, &str)> = names
        .iter()
        .map(|name| (errors(&written, &name.to_lowercase()), *name))
        .filter(|(errors, _)| *errors <= MOST_ERRORS)
        .collect();
    near.sort_unstable();
    match near.as_slice() {
        [(_, only)] => Some(only),
        [(first, name), (second, _), ..] if first < second => Some(name),
        _ => None,
    }
}

/// How many letters have to be replaced, left out or put in to make one text of the other (Levenshtein distance).
fn errors(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (above, letter) in a.chars().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (at, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_are_wrong_missing_or_too_many_are_counted() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "axc", 1),
            ("ab", "ba", 2),
            ("shtdown", "shutdown", 1),
        ] {
            assert_eq!(errors(a, b), expected, "{a} {b}");
            assert_eq!(errors(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn only_one_name_that_is_near_is_meant() {
        let names = ["vm-off", "vm-on", "Host-Down"];
        assert_eq!(nearest("Host-Dwon", &names), Some("Host-Down"));
        assert_eq!(nearest("vm-oof", &names), Some("vm-off"));
        assert_eq!(nearest("vm-o", &names), Some("vm-on"));
        assert_eq!(nearest("vm-ox", &["vm-oa", "vm-ob"]), None);
        assert_eq!(nearest("cpu-hog", &names), None);
    }
}
