//! Classes of characters and escapes in Python's regular expressions.

use std::fmt::Write;

use super::flags::Flags;

/// What a backslash and a letter stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    Digit,
    Space,
    Word,
}

/// What an escape stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escaped {
    Character(char),
    /// Half a surrogate pair, which is in no text.
    Nothing,
    Set {
        set: Set,
        negated: bool,
    },
}

/// A class that no character is in.
pub(super) const NOTHING: &str = r"[^\s\S]";

/// A set, as it stands between brackets.
pub(super) fn set(set: Set, ascii: bool) -> &'static str {
    match (set, ascii) {
        (Set::Digit, false) => r"\p{Nd}",
        (Set::Digit, true) => "0-9",
        (Set::Space, false) => r"\s\x{1c}-\x{1f}",
        (Set::Space, true) => r"\x{20}\t\n\r\x{b}\x{c}",
        // Neither marks nor other connectors than `_`, as in Python.
        (Set::Word, false) => r"\p{L}\p{N}_",
        (Set::Word, true) => "0-9A-Za-z_",
    }
}

/// A character that stands for itself, in a class or outside.
pub(super) fn literal(c: char) -> String {
    if c.is_ascii_alphanumeric() { c.to_string() } else { format!(r"\x{{{:x}}}", u32::from(c)) }
}

/// A character, or the same in another case.
pub(super) fn any_case(c: char, flags: Flags) -> String {
    match c {
        _ if c.is_ascii_alphabetic() && flags.ascii => {
            format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase())
        }
        _ if c.is_alphabetic() && !flags.ascii => format!("(?i:{})", literal(c)),
        _ => literal(c),
    }
}

/// A class, from behind its opening bracket.
pub(super) fn read(pattern: &[char], at: &mut usize, flags: Flags) -> Result<String, String> {
    let mut class = String::from("[");
    if pattern.get(*at) == Some(&'^') {
        class.push('^');
        *at += 1;
    }
    let mut first = true;
    loop {
        match pattern.get(*at) {
            None => return Err("unterminated character set".to_owned()),
            Some(']') if !first => break,
            Some(_) => {}
        }
        first = false;
        let from = item(pattern, at)?;
        let dash = pattern.get(*at) == Some(&'-');
        if !dash || pattern.get(*at + 1) == Some(&']') {
            push(&mut class, from, flags);
            continue;
        }
        *at += 1;
        if pattern.get(*at).is_none() {
            return Err("unterminated character set".to_owned());
        }
        let to = item(pattern, at)?;
        match (from, to) {
            (Escaped::Character(from), Escaped::Character(to)) if from <= to => {
                // Writing to a String cannot fail.
                let _ = write!(class, "{}-{}", literal(from), literal(to));
            }
            _ => return Err("bad character range".to_owned()),
        }
    }
    *at += 1;
    class.push(']');
    Ok(if flags.any_case { format!("(?i:{class})") } else { class })
}

fn item(pattern: &[char], at: &mut usize) -> Result<Escaped, String> {
    let c = pattern.get(*at).copied().ok_or("unterminated character set")?;
    *at += 1;
    if c == '\\' { escape(pattern, at, true) } else { Ok(Escaped::Character(c)) }
}

fn push(class: &mut String, item: Escaped, flags: Flags) {
    match item {
        Escaped::Character(c) => class.push_str(&literal(c)),
        Escaped::Nothing => class.push_str(NOTHING),
        Escaped::Set { set: which, negated: false } => class.push_str(set(which, flags.ascii)),
        Escaped::Set { set: which, negated: true } => {
            let _ = write!(class, "[^{}]", set(which, flags.ascii));
        }
    }
}

/// What comes after a backslash.
pub(super) fn escape(pattern: &[char], at: &mut usize, in_class: bool) -> Result<Escaped, String> {
    let c = pattern.get(*at).copied().ok_or("bad escape (end of pattern)")?;
    *at += 1;
    let set = |set, negated| Ok(Escaped::Set { set, negated });
    let character = match c {
        'd' => return set(Set::Digit, false),
        'D' => return set(Set::Digit, true),
        's' => return set(Set::Space, false),
        'S' => return set(Set::Space, true),
        'w' => return set(Set::Word, false),
        'W' => return set(Set::Word, true),
        'a' => '\x07',
        'b' if in_class => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        'x' => return hexadecimal(pattern, at, 2),
        'u' => return hexadecimal(pattern, at, 4),
        'U' => return hexadecimal(pattern, at, 8),
        'N' => return Err(r"characters by name are not supported: write \u and the code".to_owned()),
        '0'..='7' => {
            let more = pattern[*at..].iter().take(2).take_while(|c| ('0'..='7').contains(*c)).count();
            *at += more;
            octal(&pattern[*at - more - 1..*at].iter().collect::<String>())?
        }
        c if c.is_ascii_alphanumeric() => return Err(format!(r"bad escape \{c}")),
        c => c,
    };
    Ok(Escaped::Character(character))
}

/// The character of an octal code.
pub(super) fn octal(digits: &str) -> Result<char, String> {
    let code = u8::from_str_radix(digits, 8);
    code.map(char::from).map_err(|_| format!(r"octal escape value \{digits} outside of range 0-0o377"))
}

fn hexadecimal(pattern: &[char], at: &mut usize, length: usize) -> Result<Escaped, String> {
    let digits: String = pattern[*at..].iter().take(length).take_while(|c| c.is_ascii_hexdigit()).collect();
    *at += digits.len();
    let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == length);
    let code = code.ok_or_else(|| format!("incomplete escape: {length} hexadecimal digits are needed"))?;
    match char::from_u32(code) {
        Some(c) => Ok(Escaped::Character(c)),
        None if code < 0x0011_0000 => Ok(Escaped::Nothing),
        None => Err("bad escape: there is no such character".to_owned()),
    }
}
