//! The lines of an iCalendar file, RFC 5545 section 3.1, and the events that they are about.

/// What is wrong in a file, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// From 1.
    pub(super) line: usize,
    pub(super) why: String,
}

impl Problem {
    pub(super) fn new(line: usize, why: impl Into<String>) -> Self {
        Self { line, why: why.into() }
    }
}

/// One property, such as `DTSTART;TZID=Europe/Berlin:20261224T180000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    /// The line that it begins in, from 1.
    pub(super) line: usize,
    /// In capitals.
    pub(super) name: String,
    /// Names in capitals, values without quotes.
    parameters: Vec<(String, String)>,
    pub(super) value: String,
}

impl Property {
    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The properties of a `VEVENT`, without those of the alarms in it.
#[derive(Debug)]
pub(super) struct Event {
    /// The line of its `BEGIN`.
    pub(super) line: usize,
    pub(super) properties: Vec<Property>,
}

/// A `VCALENDAR`: what applies to all of it, and its events.
#[derive(Debug, Default)]
pub(super) struct Calendar {
    /// `X-WR-TIMEZONE`, which many programs write and no RFC has.
    pub(super) zone: Option<Property>,
    pub(super) events: Vec<Event>,
}

/// All calendars of a file. Components of other kinds are left out.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Calendar>, Problem> {
    let mut calendars: Vec<Calendar> = Vec::new();
    let mut open: Vec<(String, usize)> = Vec::new();
    for property in properties(bytes)? {
        let place = open.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
        match (property.name.as_str(), place.as_slice()) {
            ("BEGIN", _) => {
                let name = property.value.trim().to_ascii_uppercase();
                match (name.as_str(), place.as_slice()) {
                    ("VCALENDAR", []) => calendars.push(Calendar::default()),
                    ("VEVENT", ["VCALENDAR"]) => {
                        let event = Event { line: property.line, properties: Vec::new() };
                        if let Some(calendar) = calendars.last_mut() {
                            calendar.events.push(event);
                        }
                    }
                    ("VCALENDAR" | "VEVENT", _) => {
                        return Err(Problem::new(property.line, format!("`BEGIN:{name}` has no place here")));
                    }
                    (_, []) => return Err(no_calendar(property.line)),
                    _ => {}
                }
                open.push((name, property.line));
            }
            ("END", _) => {
                let name = property.value.trim().to_ascii_uppercase();
                if open.pop().is_none_or(|(begun, _)| begun != name) {
                    return Err(Problem::new(property.line, format!("`END:{name}` ends what did not begin")));
                }
            }
            (_, []) => return Err(no_calendar(property.line)),
            ("X-WR-TIMEZONE", ["VCALENDAR"]) => {
                if let Some(calendar) = calendars.last_mut() {
                    calendar.zone = Some(property);
                }
            }
            (_, ["VCALENDAR", "VEVENT"]) => {
                if let Some(event) = calendars.last_mut().and_then(|calendar| calendar.events.last_mut()) {
                    event.properties.push(property);
                }
            }
            _ => {}
        }
    }
    match open.pop() {
        Some((name, line)) => {
            Err(Problem::new(line, format!("`BEGIN:{name}` has no end: the file is cut off, export it again")))
        }
        None if calendars.is_empty() => Err(no_calendar(1)),
        None => Ok(calendars),
    }
}

fn no_calendar(line: usize) -> Problem {
    Problem::new(line, "this is no iCalendar file, which begins with `BEGIN:VCALENDAR`")
}

/// The lines without their folds: one that begins with a blank goes on with the one before it, also in the middle of a
/// character.
fn properties(bytes: &[u8]) -> Result<Vec<Property>, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut unfolded: Vec<(usize, Vec<u8>)> = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.split_first(), unfolded.last_mut()) {
            (Some((b' ' | b'\t', rest)), Some((_, begun))) => begun.extend_from_slice(rest),
            (Some((b' ' | b'\t', rest)), None) if !rest.trim_ascii().is_empty() => return Err(no_calendar(index + 1)),
            _ if line.trim_ascii().is_empty() => {}
            _ => unfolded.push((index + 1, line.to_owned())),
        }
    }
    unfolded.into_iter().map(|(line, bytes)| property(line, bytes)).collect()
}

/// `NAME *(";" PARAMETER "=" VALUE) ":" VALUE`, where a quoted value may hold a colon and a semicolon.
fn property(line: usize, bytes: Vec<u8>) -> Result<Property, Problem> {
    let text = String::from_utf8(bytes).map_err(|_| Problem::new(line, "this is not UTF-8 text: export it as that"))?;
    let wrong = || Problem::new(line, "this is no line of a calendar, which has a name, a colon and a value");
    let mut ends: Vec<usize> = Vec::new();
    let mut is_quoted = false;
    let mut colon = None;
    for (at, character) in text.char_indices() {
        match character {
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => ends.push(at),
            ':' if !is_quoted => {
                colon = Some(at);
                break;
            }
            _ => {}
        }
    }
    let colon = colon.ok_or_else(wrong)?;
    let value = text[colon + 1..].to_owned();
    ends.push(colon);
    let mut parts = Vec::new();
    let mut begin = 0;
    for end in ends {
        parts.push(&text[begin..end]);
        begin = end + 1;
    }
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let mut parts = parts.into_iter();
    let name = parts.next().filter(|name| is_name(name)).ok_or_else(wrong)?.to_ascii_uppercase();
    let parameters = parts
        .map(|part| {
            let (name, value) = part.split_once('=').filter(|(name, _)| is_name(name)).ok_or_else(wrong)?;
            Ok((name.to_ascii_uppercase(), value.replace('"', "")))
        })
        .collect::<Result<_, _>>()?;
    Ok(Property { line, name, parameters, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines_are_one_even_within_a_character() {
        let bytes = b"BEGIN:VCALENDAR\r\nX:\xc3\r\n \xbcb\r\n\ter\r\nEND:VCALENDAR\r\n";
        let found = properties(bytes).unwrap();
        assert_eq!((found[1].value.as_str(), found[1].line, found[2].line), ("\u{fc}ber", 2, 5));
    }

    #[test]
    fn a_quoted_parameter_may_hold_what_separates() {
        let found = property(3, b"attendee;CN=\"Doe; J: x\";tzid=Europe/Berlin:mailto:a@b".to_vec()).unwrap();
        assert_eq!((found.name.as_str(), found.value.as_str()), ("ATTENDEE", "mailto:a@b"));
        assert_eq!((found.parameter("CN"), found.parameter("TZID")), (Some("Doe; J: x"), Some("Europe/Berlin")));
    }

    #[test]
    fn what_is_no_calendar_or_cut_off_is_named_by_its_line() {
        for (text, line, why) in [
            ("", 1, "no iCalendar file"),
            ("chaos:\n  policy: []\n", 1, "no iCalendar file"),
            ("BEGIN:VEVENT\nEND:VEVENT\n", 1, "has no place here"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", 2, "cut off"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", 3, "did not begin"),
            ("BEGIN:VCALENDAR\nEND:VCALENDAR\nX:1\n", 3, "no iCalendar file"),
            ("BEGIN:VCALENDAR\nwhat\nEND:VCALENDAR\n", 2, "no line of a calendar"),
            ("BEGIN:VCALENDAR\nA B:what\nEND:VCALENDAR\n", 2, "no line of a calendar"),
        ] {
            let problem = read(text.as_bytes()).unwrap_err();
            assert!(problem.line == line && problem.why.contains(why), "{text:?}: {problem:?}");
        }
        let problem = read(b"BEGIN:VCALENDAR\nX:\xff\nEND:VCALENDAR\n").unwrap_err();
        assert!(problem.line == 2 && problem.why.contains("UTF-8"), "{problem:?}");
    }

    #[test]
    fn the_properties_of_an_alarm_are_not_those_of_its_event() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nBEGIN:VALARM\nDURATION:PT5M\nEND:VALARM\nEND:VEVENT\n\
                    BEGIN:VTODO\nUID:2\nEND:VTODO\nX-WR-TIMEZONE:UTC\nEND:VCALENDAR\n";
        let calendars = read(text.as_bytes()).unwrap();
        let [event] = calendars[0].events.as_slice() else { panic!("{calendars:?}") };
        assert_eq!(event.properties.iter().map(|property| property.name.as_str()).collect::<Vec<_>>(), ["UID"]);
        assert_eq!(calendars[0].zone.as_ref().unwrap().value, "UTC");
    }
}
