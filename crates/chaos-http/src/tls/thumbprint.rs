//! The SHA-256 thumbprint of a certificate, as people copy it from a console.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// The SHA-256 hash of a certificate's DER form: what VMware calls a thumbprint and OpenSSL a fingerprint.
///
/// Read from hexadecimal digits of either case, with or without colons, blanks or the `sha256 Fingerprint=` that
/// `openssl x509 -fingerprint -sha256` puts in front. Printed as upper-case pairs with colons.
///
/// ```
/// use chaos_http::Thumbprint;
///
/// let plain: Thumbprint = "ab".repeat(32).parse().unwrap();
/// let colons: Thumbprint = vec!["AB"; 32].join(":").parse().unwrap();
/// assert_eq!(plain, colons);
/// assert!("ab".repeat(20).parse::<Thumbprint>().unwrap_err().to_string().contains("SHA-1"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

/// A text that is no SHA-256 thumbprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThumbprintError {
    /// 40 digits: the older hash, for which a second certificate can be made.
    #[error(
        "this is a SHA-1 thumbprint (40 digits), which can be forged; give the SHA-256 one (64 digits), as printed by \
         `openssl s_client -connect HOST:443 </dev/null | openssl x509 -noout -fingerprint -sha256`"
    )]
    Sha1,
    /// Some other number of digits.
    #[error("a SHA-256 thumbprint has 64 hexadecimal digits, this has {0}")]
    Length(usize),
    /// Something that is not a hexadecimal digit.
    #[error("`{0}` is not a hexadecimal digit of a thumbprint")]
    Digit(char),
}

impl Thumbprint {
    /// The thumbprint of a certificate in DER form.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl FromStr for Thumbprint {
    type Err = ThumbprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.rsplit('=').next().unwrap_or(text);
        let nibbles = digits
            .chars()
            .filter(|c| !c.is_whitespace() && *c != ':')
            .map(|c| c.to_digit(16).and_then(|n| u8::try_from(n).ok()).ok_or(ThumbprintError::Digit(c)))
            .collect::<Result<Vec<u8>, _>>()?;
        match nibbles.len() {
            64 => {
                let mut hash = [0; 32];
                for (byte, pair) in hash.iter_mut().zip(nibbles.chunks_exact(2)) {
                    *byte = pair[0] << 4 | pair[1];
                }
                Ok(Self(hash))
            }
            40 => Err(ThumbprintError::Sha1),
            other => Err(ThumbprintError::Length(other)),
        }
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_openssl_prints() {
        let line = format!("sha256 Fingerprint={}", vec!["0a"; 32].join(":"));
        assert_eq!(line.parse::<Thumbprint>().unwrap().to_string(), vec!["0A"; 32].join(":"));
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!("".parse::<Thumbprint>(), Err(ThumbprintError::Length(0)));
        assert_eq!("abc".parse::<Thumbprint>(), Err(ThumbprintError::Length(3)));
        assert_eq!("zz".parse::<Thumbprint>(), Err(ThumbprintError::Digit('z')));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(der: Vec<u8>) {
            let thumbprint = Thumbprint::of(&der);
            prop_assert_eq!(thumbprint.to_string().parse(), Ok(thumbprint));
            prop_assert_eq!(thumbprint.to_string().replace(':', "").to_lowercase().parse(), Ok(thumbprint));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Thumbprint>();
        }
    }
}
