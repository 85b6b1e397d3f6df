//! Numbers that look random and follow from a seed, the same on every platform and in every version.

/// A generator of which the same seed gives the same numbers for ever.
///
/// It is Sebastiano Vigna's `SplitMix64`: the state grows by `0x9e3779b97f4a7c15` with each number, and the number is
/// the new state `z`, mixed by `z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9`, `z = (z ^ (z >> 27)) * 0x94d049bb133111eb`,
/// `z ^ (z >> 31)`, all modulo 2⁶⁴. It keeps no secrets: whoever knows a number can tell the next.
///
/// ```
/// use chaos_core::SeededRandom;
///
/// let mut random = SeededRandom::new(7);
/// let mut again = SeededRandom::new(7);
/// assert_eq!(random.next_u64(), again.next_u64());
/// assert!(random.below(6) < 6);
/// ```
#[derive(Debug, Clone)]
pub struct SeededRandom(u64);

impl SeededRandom {
    /// The generator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, each of the 2⁶⁴ as likely as any other.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, each as likely as any other. For a bound below 2 that is 0, and no number is used up.
    ///
    /// It is the remainder of the next number; a number from beyond the last multiple of `bound` is passed over.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        if bound < 2 {
            return 0;
        }
        // What lies beyond the last multiple would make the first numbers likelier.
        let beyond = u64::MAX - u64::MAX % bound;
        loop {
            let number = self.next_u64();
            if number < beyond {
                return usize::try_from(number % bound).unwrap_or(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of seed 1234567 in the reference implementation.
    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SeededRandom::new(1_234_567);
        let first = [(); 5].map(|()| random.next_u64());
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn every_number_below_a_bound_comes_and_none_above() {
        let mut random = SeededRandom::new(1);
        let mut seen = [0_u32; 6];
        for _ in 0..600 {
            seen[random.below(6)] += 1;
        }
        assert!(seen.iter().all(|times| (60..140).contains(times)), "{seen:?}");
    }

    #[test]
    fn a_bound_without_a_choice_uses_no_number() {
        let mut random = SeededRandom::new(1);
        assert_eq!((random.below(0), random.below(1)), (0, 0));
        assert_eq!(random.next_u64(), SeededRandom::new(1).next_u64());
    }
}
