//! The generator behind `random_get` of WasmEdge 0.14: C++'s minimal standard
//! generator, read through a uniform distribution over 32 bits.
//!
//! Each answer begins with a new draw from the system, so answers are worth
//! something, though not much; within one answer, four bytes give away the rest.
//! To recognise it is to know that separate calls are separate draws.

const MODULUS: u32 = 0x7fff_ffff;
const MULTIPLIER: u64 = 16807;
/// The number of values that the generator takes: 1 to `MODULUS - 1`.
const VALUES: u32 = MODULUS - 1;

/// The generator's whole state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minstd(u32);

impl Minstd {
    /// The generator as it begins when it is given `seed`.
    pub fn new(seed: u32) -> Minstd {
        Minstd((seed % MODULUS).max(1))
    }

    fn next(&mut self) -> u32 {
        self.0 = (u64::from(self.0) * MULTIPLIER % u64::from(MODULUS)) as u32;
        self.0
    }

    /// The next word of an answer.
    pub fn word(&mut self) -> u32 {
        // 32 bits need more than one value: one of three parts is drawn, then
        // the place in it, until the two together fit.
        const PART: u32 = (VALUES - 1) / 3;
        loop {
            let part = loop {
                let part = (self.next() - 1) / PART;
                if part < 3 {
                    break part;
                }
            };
            let place = self.next() - 1;
            let word = u64::from(part) * u64::from(VALUES) + u64::from(place);
            if let Ok(word) = u32::try_from(word) {
                return word;
            }
        }
    }

    /// The state behind a word: the word's last draw is the state itself.
    pub fn behind(word: u32) -> Minstd {
        Minstd(word % VALUES + 1)
    }
}

/// The state behind `answer`, if all of it is what its first word leads to. Of
/// other generators, one answer of `n` words in 2^(32n-32) looks like that.
pub fn recognise(answer: &[u8]) -> Option<Minstd> {
    let mut words = answer
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    let mut state = Minstd::behind(words.next()?);
    words.all(|word| state.word() == word).then_some(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(seed: u32, words: usize) -> Vec<u8> {
        let mut state = Minstd::new(seed);
        (0..words)
            .flat_map(|_| state.word().to_le_bytes())
            .collect()
    }

    #[test]
    fn the_generator_is_the_standard_one() {
        // The standard states the 10000th value for the seed 1.
        let mut state = Minstd::new(1);
        let last = (0..10_000).map(|_| state.next()).last();
        assert_eq!(last, Some(1_043_618_065));
    }

    /// What the raw source leaks: a key's first four bytes tell the other 28.
    #[test]
    fn one_word_gives_away_the_rest() {
        for seed in [
            0,
            1,
            2,
            0x7fff_fffe,
            0x7fff_ffff,
            0x8000_0000,
            u32::MAX,
            0x1234_5678,
        ] {
            let key = answer(seed, 8);
            let mut state = Minstd::behind(u32::from_le_bytes([key[0], key[1], key[2], key[3]]));
            let rest: Vec<u8> = (0..7).flat_map(|_| state.word().to_le_bytes()).collect();
            assert_eq!(key[4..], rest);
            assert!(recognise(&key).is_some());
        }
    }

    #[test]
    fn other_answers_are_not_recognised() {
        let mut key = answer(7, 8);
        key[31] ^= 1;
        assert_eq!(recognise(&key), None);
        assert_eq!(recognise(&[0; 32]), None);
        assert_eq!(recognise(&[]), None);
    }
}
