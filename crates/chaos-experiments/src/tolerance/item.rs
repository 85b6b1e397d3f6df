//! The parts of an expression that is translated.

/// What no repetition may reach.
pub(super) const MOST_REPEATS: u64 = 4_294_967_295;

/// How many characters a part may match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Width {
    pub(super) least: u64,
    pub(super) most: u64,
}

impl Width {
    pub(super) const ONE: Self = Self { least: 1, most: 1 };

    pub(super) fn then(self, next: Self) -> Self {
        Self { least: self.least.saturating_add(next.least), most: self.most.saturating_add(next.most) }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// `^`, `$` and boundaries, which cannot be repeated.
    Anchor,
    /// What is around, which matches the same however often it is repeated.
    Look,
    Repeat,
}

pub(super) struct Item {
    pub(super) text: String,
    pub(super) width: Width,
    pub(super) kind: Kind,
}

impl Item {
    pub(super) fn new(text: impl Into<String>, width: Width, kind: Kind) -> Self {
        Self { text: text.into(), width, kind }
    }

    /// A group that captures nothing. It may hold nothing but looks around, which are not repeated.
    pub(super) fn group(text: &str, width: Width) -> Self {
        let text = if text.is_empty() { String::new() } else { format!("(?:{text})") };
        let kind = if width.most == 0 { Kind::Look } else { Kind::Plain };
        Self::new(text, width, kind)
    }

    /// The part as often as a quantifier says.
    pub(super) fn repeated(self, least: u64, most: Option<u64>, lazy: bool, possessive: bool) -> Self {
        let width = Width {
            least: self.width.least.saturating_mul(least),
            most: self.width.most.saturating_mul(most.unwrap_or(MOST_REPEATS)),
        };
        if self.text.is_empty() {
            return Self { kind: Kind::Repeat, ..self };
        }
        if self.kind == Kind::Look {
            // Once is as good as many times. The other dialect repeats nothing of the kind.
            let text = match (least, lazy, possessive) {
                (1.., _, _) => self.text,
                (_, true, _) => format!("(?:|{})", self.text),
                (_, _, true) => format!("(?>{}|)", self.text),
                _ => format!("(?:{}|)", self.text),
            };
            return Self::new(text, width, Kind::Repeat);
        }
        let count = match (least, most) {
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (0, Some(1)) => "?".to_owned(),
            (least, None) => format!("{{{least},}}"),
            (least, Some(most)) => format!("{{{least},{most}}}"),
        };
        let Self { text, .. } = self;
        let text = match (lazy, possessive) {
            (true, _) => format!("{text}{count}?"),
            (_, true) => format!("(?>{text}{count})"),
            _ => format!("{text}{count}"),
        };
        Self::new(text, width, Kind::Repeat)
    }
}
