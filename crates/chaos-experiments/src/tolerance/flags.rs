//! The flags of Python's regular expressions.

#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one letter of the expression")]
pub(super) struct Flags {
    pub(super) ascii: bool,
    pub(super) any_case: bool,
    pub(super) multi_line: bool,
    pub(super) dot_all: bool,
    pub(super) verbose: bool,
}

/// The flags of a group, from the first letter up to its end or its colon, and whether they are for the whole expression.
pub(super) fn read(pattern: &[char], at: &mut usize, before: Flags) -> Result<(Flags, bool), String> {
    let (mut on, mut off, mut turns_off) = (String::new(), String::new(), false);
    let global = loop {
        let c = pattern.get(*at).copied().ok_or("missing -, : or )")?;
        *at += 1;
        match c {
            'a' | 'i' | 'm' | 's' | 'u' | 'x' if !turns_off => on.push(c),
            'i' | 'm' | 's' | 'x' => off.push(c),
            '-' if !turns_off => turns_off = true,
            ')' if !on.is_empty() && !turns_off => break true,
            ':' if !on.is_empty() || !off.is_empty() => break false,
            'L' => return Err("bad inline flags: cannot use 'L' flag with a str pattern".to_owned()),
            _ => return Err(format!("unknown extension or flag {c}")),
        }
    };
    let both_kinds = on.contains('a') && on.contains('u');
    if both_kinds || on.chars().any(|c| off.contains(c)) || (turns_off && off.is_empty()) {
        return Err("bad inline flags".to_owned());
    }
    let mut flags = before;
    for (letters, to) in [(&on, true), (&off, false)] {
        for c in letters.chars() {
            match c {
                'a' => flags.ascii = true,
                'u' => flags.ascii = false,
                'i' => flags.any_case = to,
                'm' => flags.multi_line = to,
                's' => flags.dot_all = to,
                _ => flags.verbose = to,
            }
        }
    }
    Ok((flags, global))
}
