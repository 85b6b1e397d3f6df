//! Which hosts of an environment are asked about.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// Which hosts of an environment are asked about: how `host_filter` is sent.
///
/// As text it is `empty`, `omit`, or the regular expression.
///
/// ```
/// use chaos_dora::HostFilter;
///
/// assert_eq!("omit".parse(), Ok(HostFilter::Omit));
/// assert_eq!("^esx-0[12]".parse(), Ok(HostFilter::Regex("^esx-0[12]".into())));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HostFilter {
    /// The filter of the environment; none is sent if it has none.
    #[default]
    OfEnvironment,
    /// This regular expression, in the dialect of the service.
    Regex(String),
    /// An empty one: `host_filter=`.
    Empty,
    /// None at all.
    Omit,
}

impl FromStr for HostFilter {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "empty" | "" => Self::Empty,
            "omit" => Self::Omit,
            regex => Self::Regex(regex.to_owned()),
        })
    }
}

impl fmt::Display for HostFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OfEnvironment => "the environment's",
            Self::Regex(regex) => regex,
            Self::Empty => "empty",
            Self::Omit => "omit",
        })
    }
}
