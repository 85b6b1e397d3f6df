//! The rule that a VM is left alone for a while after it was hit.

use std::fmt;
use std::time::Duration;

use super::denial::Denial;
use super::scene::{Scene, Strike};

/// `cool-down DURATION`: so long after a VM was hit it is not hit again by another run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoolDown {
    /// How long.
    pub pause: Duration,
}

impl CoolDown {
    pub(super) fn check(&self, strike: &Strike<'_>, scene: &Scene<'_>) -> Result<(), Denial> {
        let pause = jiff::SignedDuration::try_from(self.pause).unwrap_or(jiff::SignedDuration::MAX);
        for member in &strike.targets {
            let Some(hit) = scene.hits.get(&member.key()) else { continue };
            // What lies beyond the calendar is never over.
            let over = hit.checked_add(pause).ok();
            if over.is_none_or(|over| scene.now < over) {
                let path = member.vm.display_path();
                let way_out = match over {
                    Some(over) => format!("wait until {over:.0}"),
                    None => "leave it out".to_owned(),
                };
                return Err(Denial::new(Some(path), format!("{path} was hit at {hit:.0}"), way_out));
            }
        }
        Ok(())
    }
}

impl fmt::Display for CoolDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cool-down ")?;
        let seconds = self.pause.as_secs();
        for (unit, word) in [(86_400, "d"), (3_600, "h"), (60, "m")] {
            if seconds > 0 && seconds.is_multiple_of(unit) {
                return write!(f, "{}{word}", seconds / unit);
            }
        }
        write!(f, "{seconds}s")
    }
}
