//! The passwords that `.netrc` has for servers, which Chaos Toolkit sends with its requests.

use std::path::PathBuf;

use chaos_http::SafeUrl;
use secrecy::SecretString;

/// The largest file that is read, in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// The user and the password for the server of `url`, from the file that `NETRC` names, or `.netrc` or `_netrc` in the home
/// directory. What cannot be read says nothing.
pub(super) fn credentials(url: &SafeUrl) -> Option<(String, SecretString)> {
    let host = url.expose().host_str()?.to_owned();
    let named = std::env::var_os("NETRC").filter(|name| !name.is_empty()).map(PathBuf::from);
    let places = match named {
        Some(named) => vec![named],
        None => std::env::home_dir().map(|home| [home.join(".netrc"), home.join("_netrc")].to_vec())?,
    };
    let file = places.into_iter().find(|place| place.is_file())?;
    if std::fs::metadata(&file).ok()?.len() > MAX_SIZE {
        return None;
    }
    find(&std::fs::read_to_string(file).ok()?, &host)
}

/// The entry for `host`, or the default one if it has none.
fn find(text: &str, host: &str) -> Option<(String, SecretString)> {
    let mut tokens = tokens(text).into_iter();
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(token) = tokens.next() {
        match token.as_str() {
            "machine" => entries.push(Entry { host: tokens.next(), ..Entry::default() }),
            "default" => entries.push(Entry::default()),
            // Their values are no keywords, whatever they are.
            word @ ("login" | "user" | "account" | "password") => {
                let value = tokens.next();
                match (entries.last_mut(), word) {
                    (Some(entry), "password") => entry.password = value,
                    (Some(entry), "login" | "user") => entry.user = value,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    let own = entries.iter().position(|entry| entry.host.as_deref() == Some(host));
    let at = own.or_else(|| entries.iter().position(|entry| entry.host.is_none()))?;
    let Entry { user, password, .. } = entries.swap_remove(at);
    Some((user.unwrap_or_default(), SecretString::from(password?)))
}

/// What the file has for a server; for all others if it names none.
#[derive(Default)]
struct Entry {
    host: Option<String>,
    user: Option<String>,
    password: Option<String>,
}

/// The words of the file, without comments and macros. A word may be in quotes.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if line.starts_with('#') {
            continue;
        }
        if line.starts_with("macdef") {
            // A macro ends with an empty line.
            for line in lines.by_ref() {
                if line.trim().is_empty() {
                    break;
                }
            }
            continue;
        }
        words(line, &mut tokens);
    }
    tokens
}

fn words(line: &str, tokens: &mut Vec<String>) {
    let mut characters = line.chars().peekable();
    while let Some(&first) = characters.peek() {
        if first.is_whitespace() {
            characters.next();
            continue;
        }
        let quoted = first == '"';
        if quoted {
            characters.next();
        }
        let mut word = String::new();
        while let Some(c) = characters.next() {
            match c {
                '\\' => word.extend(characters.next()),
                '"' if quoted => break,
                c if !quoted && c.is_whitespace() => break,
                c => word.push(c),
            }
        }
        tokens.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::find;
    use secrecy::ExposeSecret;

    #[test]
    fn the_entry_of_the_host_goes_before_the_default() {
        let text = "# mine\nmachine a.example login u password p\n\
                    machine x.example login default password machine\nmachine b.example\n  login \"a b\"\n  password \"q\\\"r\"\n\
                    macdef init\n machine a.example password no\n\ndefault login d password e";
        for (host, expected) in [
            ("a.example", ("u", "p")),
            ("b.example", ("a b", "q\"r")),
            ("c.example", ("d", "e")),
            ("127.0.0.1", ("d", "e")),
        ] {
            let (user, password) = find(text, host).unwrap();
            assert_eq!((user.as_str(), password.expose_secret()), expected, "{host}");
        }
        assert!(find("machine a.example login u", "a.example").is_none());
        assert!(find("", "a.example").is_none());
        let first = "default login d password e machine a.example login u password p";
        assert_eq!(find(first, "a.example").unwrap().0, "u");
    }
}
