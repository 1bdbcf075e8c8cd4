//! Bytes from a seed.

use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

use crate::seed::{gather, Host, Seed};
use crate::NoEntropy;

/// After so many bytes the sources are asked again.
pub const RESEED_AFTER: u64 = 1 << 20;

/// ChaCha20 with fast key erasure: after each request, 32 bytes of the stream
/// become the next key, and the last one is gone. Who sees the memory of a
/// program learns nothing of what was handed out before.
pub struct Generator {
    key: Seed,
    since_seed: u64,
}

impl Generator {
    /// A generator with a seed from all sources.
    ///
    /// # Errors
    /// As [`gather`].
    pub fn new(host: &mut impl Host) -> Result<Generator, NoEntropy> {
        let key = gather(host, &[])?;
        Ok(Generator { key, since_seed: 0 })
    }

    /// Fills `dest`.
    pub fn fill(&mut self, dest: &mut [u8], host: &mut impl Host) {
        if self.since_seed >= RESEED_AFTER {
            // The key goes into the seed. If the sources are gone it is as good
            // as it was: ChaCha20 does not wear out in a program's lifetime.
            if let Ok(key) = gather(host, &self.key) {
                self.key = key;
            }
            self.since_seed = 0;
        }
        let mut stream = ChaCha20Rng::from_seed(self.key);
        stream.fill_bytes(&mut self.key);
        stream.fill_bytes(dest);
        self.since_seed += dest.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::tests::{uuid, with_uuids, Fake};

    fn bytes(generator: &mut Generator, host: &mut Fake, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        generator.fill(&mut bytes, host);
        bytes
    }

    #[test]
    fn requests_differ_and_the_key_is_replaced() {
        let mut host = with_uuids(1);
        let mut generator = Generator::new(&mut host).unwrap();
        let before = generator.key;
        let first = bytes(&mut generator, &mut host, 32);
        assert_ne!(generator.key, before);
        assert_ne!(generator.key.to_vec(), first);
        assert_ne!(bytes(&mut generator, &mut host, 32), first);
    }

    #[test]
    fn seeds_that_differ_give_other_streams() {
        let stream = |first| {
            let mut host = with_uuids(first);
            let mut generator = Generator::new(&mut host).unwrap();
            bytes(&mut generator, &mut host, 64)
        };
        assert_eq!(stream(1), stream(1));
        assert_ne!(stream(1), stream(2));
    }

    #[test]
    fn the_sources_are_asked_again_and_the_key_outlives_them() {
        let used_up = |host: &mut Fake| {
            let mut generator = Generator::new(host).unwrap();
            // A megabyte takes a minute in a debug build that is interpreted.
            generator.since_seed = RESEED_AFTER - 32;
            bytes(&mut generator, host, 32);
            generator
        };
        let mut gone = with_uuids(1);
        let mut without = used_up(&mut gone);
        let after = bytes(&mut without, &mut gone, 32);
        let mut there = with_uuids(1);
        let mut with = used_up(&mut there);
        there.uuids = (10..14).map(uuid).collect();
        assert_ne!(bytes(&mut with, &mut there, 32), after);
        assert!(there.uuids.is_empty(), "the sources were asked");
        assert!(after.iter().any(|byte| *byte != 0));
    }
}
