//! The numbers that tell a question's answer from a stranger's.
//!
//! Whoever guesses the number and the port of a question can answer in the server's
//! place. std's random keys come from the host's `random_get`, which can be guessed,
//! so the number comes from the kernel where the program sees its folder of random
//! numbers: `cargo wasmedge run` opens it to every program.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::OnceLock;

/// A random UUID, another one at each read.
const KERNEL: &str = "/proc/sys/kernel/random/uuid";

/// A number for the next question.
///
/// The kernel's is mixed with std's keyed hash of a counter: should the file be missing,
/// or be another one that never changes, numbers still differ. The port that the kernel
/// picks for each socket makes the rest of the secret.
pub fn fresh_id() -> u16 {
    let uuid = std::fs::read_to_string(KERNEL).ok();
    mixed(uuid.as_deref())
}

fn mixed(uuid: Option<&str>) -> u16 {
    of_std() ^ uuid.and_then(of_uuid).unwrap_or(0)
}

/// The first 16 bits, all of which are random in a UUID of version 4.
fn of_uuid(uuid: &str) -> Option<u16> {
    let digits = uuid.get(..4)?;
    // `from_str_radix` takes a sign, too.
    let are_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    are_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

fn of_std() -> u16 {
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // The lower bits are as good as any.
    KEYS.get_or_init(RandomState::new).hash_one(count) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_the_start_of_the_kernels_uuid() {
        let uuid = "f3a10b42-9c1e-4d6a-8b7f-0123456789ab\n";
        assert_eq!(of_uuid(uuid), Some(0xf3a1));
        for bad in ["", "f3a", "no uuid", "+3a1-", "f\u{e9}\u{e9}"] {
            assert_eq!(of_uuid(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn numbers_differ() {
        let constant = || mixed(Some("f3a10b42-9c1e-4d6a-8b7f-0123456789ab"));
        for source in [&fresh_id as &dyn Fn() -> u16, &constant, &|| mixed(None)] {
            let mut all: Vec<u16> = (0..64).map(|_| source()).collect();
            all.sort_unstable();
            all.dedup();
            // 64 of 65 536 are all different 97 times of 100, and 60 of them always.
            assert!(all.len() >= 60, "{all:?}");
        }
    }
}
