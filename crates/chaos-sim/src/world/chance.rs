//! Choices that depend on nothing but the seed, what they are for and how often it was asked.

use std::time::Duration;

/// One mixing round of `SplitMix64`, which is well spread even for consecutive inputs.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// A number that is a pure function of the seed, a purpose and any further keys.
pub(crate) fn number(seed: u64, purpose: &str, keys: &[u64]) -> u64 {
    let start = purpose.bytes().fold(mix(seed), |hash, byte| mix(hash ^ u64::from(byte)));
    keys.iter().fold(start, |hash, key| mix(hash ^ key))
}

/// A key made from text, for example a name.
pub(crate) fn key(text: &str) -> u64 {
    number(0, text, &[])
}

/// A fraction in `0.0..1.0`.
pub(crate) fn fraction(seed: u64, purpose: &str, keys: &[u64]) -> f64 {
    let top = u32::try_from(number(seed, purpose, keys) >> 32).unwrap_or(u32::MAX);
    f64::from(top) / (f64::from(u32::MAX) + 1.0)
}

/// `base`, longer or shorter by at most `jitter` (a fraction of it).
pub(crate) fn spread(base: Duration, jitter: f64, seed: u64, purpose: &str, keys: &[u64]) -> Duration {
    let offset = (fraction(seed, purpose, keys) * 2.0 - 1.0) * jitter.clamp(0.0, 0.99);
    Duration::try_from_secs_f64(base.as_secs_f64() * (1.0 + offset)).unwrap_or(base)
}

/// A version 4 shaped UUID.
pub(crate) fn uuid(seed: u64, purpose: &str, keys: &[u64]) -> String {
    let high = number(seed, purpose, keys);
    let low = mix(high ^ 0x55AA);
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xFFFF,
        high & 0xFFF,
        ((low >> 48) & 0x3FFF) | 0x8000,
        low & 0xFFFF_FFFF_FFFF
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_questions_have_equal_answers_and_others_do_not() {
        assert_eq!(number(7, "boot", &[1, 2]), number(7, "boot", &[1, 2]));
        assert_ne!(number(7, "boot", &[1, 2]), number(7, "boot", &[2, 1]));
        assert_ne!(number(7, "boot", &[1]), number(8, "boot", &[1]));
    }

    #[test]
    fn a_spread_duration_stays_within_its_jitter() {
        let base = Duration::from_secs(10);
        for vm in 0..500 {
            let drawn = spread(base, 0.2, 7, "boot", &[vm]);
            assert!(drawn >= Duration::from_secs(8) && drawn <= Duration::from_secs(12), "{drawn:?}");
        }
    }

    #[test]
    fn a_uuid_has_the_usual_shape() {
        let text = uuid(7, "bios", &[42]);
        assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}
