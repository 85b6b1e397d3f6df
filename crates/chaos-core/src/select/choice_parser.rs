//! The part of a selector behind `take`.

use std::num::NonZeroUsize;

use crate::nearest::nearest;
use crate::select::choice::{Amount, Choice, GroupKind, GroupLimit, Percent};
use crate::select::lexer::Token;
use crate::select::parser::Parser;
use crate::select::selector_error::{SelectorError, shown};

/// Reads all that follows `take`, to the end.
pub(super) fn choice(parser: &mut Parser<'_>) -> Result<Choice, SelectorError> {
    let amount = amount(parser)?;
    let mut choice = Choice { amount, random: false, limits: Vec::new(), seed: None };
    let mut seed_at = 0;
    loop {
        let at = parser.at;
        match parser.token {
            Token::End => break,
            Token::Word("at") => {
                if choice.random {
                    return Err(twice(parser, "at random"));
                }
                parser.advance()?;
                expect(parser, "random", "at")?;
                choice.random = true;
            }
            Token::Word("max") => limit(parser, &mut choice.limits)?,
            Token::Word("seed") => {
                if choice.seed.is_some() {
                    return Err(twice(parser, "seed"));
                }
                parser.advance()?;
                choice.seed = Some(seed(parser)?);
                seed_at = at;
            }
            _ => return Err(unknown(parser)),
        }
    }
    if choice.seed.is_some() && !choice.random {
        return Err(parser.error(seed_at, "a seed means nothing without `at random`"));
    }
    choice.limits.sort_by_key(|limit| limit.per);
    Ok(choice)
}

fn word<'t>(parser: &Parser<'t>) -> Option<&'t str> {
    match parser.token {
        Token::Word(word) => Some(word),
        _ => None,
    }
}

fn amount(parser: &mut Parser<'_>) -> Result<Amount, SelectorError> {
    let Some(word) = word(parser) else {
        return Err(parser.error_here("how many is missing behind `take`: a number such as 3, or a share such as 20%"));
    };
    let amount = if let Some(share) = word.strip_suffix('%') {
        Percent::read(share).map(Amount::Percent).ok_or_else(|| {
            let word = shown(word);
            parser
                .error_here(format!("`{word}` is no share: it is above 0% and up to 100%, with at most four decimals"))
        })?
    } else {
        Amount::Count(count(parser, word, "`take`")?)
    };
    parser.advance()?;
    Ok(amount)
}

fn count(parser: &Parser<'_>, word: &str, behind: &str) -> Result<NonZeroUsize, SelectorError> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| digits).ok_or_else(|| {
        parser.error_here(format!("`{}` is no number of VMs: write one of at least 1 behind {behind}", shown(word)))
    })
}

fn expect(parser: &mut Parser<'_>, expected: &str, behind: &str) -> Result<(), SelectorError> {
    if !parser.is_word(expected) {
        return Err(parser.error_here(format!("`{expected}` has to stand behind `{behind}`, not {}", parser.found())));
    }
    parser.advance()?;
    Ok(())
}

fn limit(parser: &mut Parser<'_>, limits: &mut Vec<GroupLimit>) -> Result<(), SelectorError> {
    let at = parser.at;
    parser.advance()?;
    let Some(number) = word(parser) else {
        return Err(parser.error_here("how many is missing behind `max`, such as `max 1 per host`"));
    };
    let most = count(parser, number, "`max`")?;
    parser.advance()?;
    expect(parser, "per", "max N")?;
    let written = word(parser).unwrap_or("");
    let Some(per) = GroupKind::ALL.into_iter().find(|group| group.as_str() == written) else {
        let groups = GroupKind::ALL.map(GroupKind::as_str);
        let hint = match nearest(written, &groups) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", groups.join(", ")),
        };
        return Err(parser.error_here(format!("{} is no kind of group: {hint}", parser.found())));
    };
    if limits.iter().any(|limit| limit.per == per) {
        return Err(parser.error(at, format!("a second `max` per {per}: only one can hold")));
    }
    parser.advance()?;
    limits.push(GroupLimit { most, per });
    Ok(())
}

fn seed(parser: &mut Parser<'_>) -> Result<u64, SelectorError> {
    let written = word(parser).unwrap_or("");
    let digits = written.bytes().all(|byte| byte.is_ascii_digit());
    let Some(seed) = written.parse().ok().filter(|_| digits) else {
        return Err(parser.error_here(format!("{} is no seed: write a number up to {}", parser.found(), u64::MAX)));
    };
    parser.advance()?;
    Ok(seed)
}

fn twice(parser: &Parser<'_>, what: &str) -> SelectorError {
    parser.error_here(format!("`{what}` for the second time: once is enough"))
}

fn unknown(parser: &Parser<'_>) -> SelectorError {
    let hint = match word(parser) {
        Some("%") => Some("the number and its % are written together".to_owned()),
        Some("random") => Some("write `at random`".to_owned()),
        Some("and" | "or" | "not") => Some("a filter stands before `take`".to_owned()),
        Some(word) if word.len() > 2 => nearest(word, &["max", "seed"]).map(|near| format!("did you mean `{near}`?")),
        _ => None,
    };
    let hint = hint.map(|hint| format!(": {hint}")).unwrap_or_default();
    let expected = "`at random`, `max N per GROUP` or `seed N`";
    parser.error_here(format!("{} stands where {expected} is expected{hint}", parser.found()))
}
