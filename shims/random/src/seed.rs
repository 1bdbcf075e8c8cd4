//! The seed: everything that is there is mixed, and what is known to be worth
//! something is counted.
//!
//! | source | counted as | why |
//! |---|---|---|
//! | `/proc/sys/kernel/random/uuid` | 122 bits a reading | The kernel's generator makes a new one for every reading. `cargo wasmedge run` opens this folder to the program. |
//! | `/dev/urandom` | 8 bits a byte | The same generator, where the operator opens it. |
//! | `random_get`, WasmEdge 0.14 | 16 bits a call | Each call draws 32 bits from the system; [`minstd`] recognises it. |
//! | `random_get`, others | nothing | |
//! | both clocks, the generator's last key | nothing | They differ between two starts that have all else in common. |

use blake2b_simd::{Params, State};

use crate::minstd::{self, Minstd};
use crate::NoEntropy;

/// A seed for ChaCha20.
pub type Seed = [u8; 32];

/// How many bits the sources have to add up to.
pub const NEEDED: u32 = 256;

/// A new UUID of the kernel's at each reading.
pub const KERNEL_UUID: &str = "/proc/sys/kernel/random/uuid";
/// The system's generator as a file.
pub const URANDOM: &str = "/dev/urandom";

const READINGS: usize = 4;
const UUID_BITS: u32 = 122;
const CALLS: usize = 64;
const CALL_BITS: u32 = 16;

/// What a program can ask its host for.
pub trait Host {
    /// Reads from the start of a file until `buffer` is full; `false` if it cannot.
    fn read(&mut self, path: &str, buffer: &mut [u8]) -> bool;
    /// WASI's `random_get`; `false` if it fails.
    fn random_get(&mut self, buffer: &mut [u8]) -> bool;
    /// The wall clock and the monotonic clock, in nanoseconds.
    fn clocks(&mut self) -> [u64; 2];
    /// Whether the operator accepts a seed of fewer than [`NEEDED`] bits.
    fn weak_is_accepted(&mut self) -> bool;
}

/// What was mixed so far and what it is worth.
struct Pool {
    hash: State,
    bits: u32,
}

impl Pool {
    fn new() -> Pool {
        let hash = Params::new()
            .hash_length(32)
            .personal(b"wasmedge_random.")
            .to_state();
        Pool { hash, bits: 0 }
    }

    fn add(&mut self, bytes: &[u8], bits: u32) {
        // With its length, so that no two inputs are the same in a row.
        self.hash.update(&(bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
        self.bits = self.bits.saturating_add(bits);
    }
}

/// A seed from all sources of `host`, and from the key that a generator used so
/// far (nothing at first).
///
/// # Errors
/// [`NoEntropy`] when they are worth less than [`NEEDED`] bits, and weak seeds
/// are not accepted.
pub fn gather(host: &mut impl Host, before: &[u8]) -> Result<Seed, NoEntropy> {
    let mut pool = Pool::new();
    pool.add(before, 0);
    kernel_uuids(host, &mut pool);
    urandom(host, &mut pool);
    host_calls(host, &mut pool);
    for clock in host.clocks() {
        pool.add(&clock.to_le_bytes(), 0);
    }
    if pool.bits < NEEDED && !host.weak_is_accepted() {
        return Err(NoEntropy);
    }
    let mut seed = Seed::default();
    seed.copy_from_slice(pool.hash.finalize().as_bytes());
    Ok(seed)
}

/// A file of the same name that is not the kernel's would not change.
fn kernel_uuids(host: &mut impl Host, pool: &mut Pool) {
    let mut seen: Vec<[u8; 36]> = Vec::new();
    for _ in 0..READINGS {
        let mut uuid = [0; 36];
        if !host.read(KERNEL_UUID, &mut uuid) {
            return;
        }
        let new = is_random_uuid(&uuid) && !seen.contains(&uuid);
        pool.add(&uuid, if new { UUID_BITS } else { 0 });
        if !new {
            pool.bits = 0;
            return;
        }
        seen.push(uuid);
    }
}

/// `xxxxxxxx-xxxx-4xxx-{8,9,a,b}xxx-xxxxxxxxxxxx`, in lower case.
fn is_random_uuid(text: &[u8; 36]) -> bool {
    text.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        14 => *byte == b'4',
        19 => b"89ab".contains(byte),
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    })
}

fn urandom(host: &mut impl Host, pool: &mut Pool) {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    if host.read(URANDOM, &mut first) && host.read(URANDOM, &mut second) {
        // A plain file would begin with the same bytes again.
        let bits = if first == second { 0 } else { 256 };
        pool.add(&first, bits);
        pool.add(&second, bits);
    }
}

fn host_calls(host: &mut impl Host, pool: &mut Pool) {
    let mut calls = 0;
    let mut last: Option<Minstd> = None;
    for _ in 0..CALLS {
        let mut answer = [0; 32];
        if !host.random_get(&mut answer) {
            return;
        }
        pool.add(&answer, 0);
        let Some(state) = minstd::recognise(&answer) else {
            return;
        };
        // One stream through all calls would be one draw in all.
        let goes_on = last.is_some_and(|mut last| last.word().to_le_bytes() == answer[..4]);
        if goes_on || last == Some(state) {
            return;
        }
        last = Some(state);
        calls += 1;
    }
    pool.bits = pool.bits.saturating_add(calls * CALL_BITS);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A host whose sources are switched on one by one.
    #[derive(Default)]
    pub(crate) struct Fake {
        pub uuids: Vec<String>,
        pub urandom: Option<u8>,
        pub urandom_is_a_plain_file: bool,
        /// Seeds for [`Minstd`], one a call.
        pub calls: Vec<u32>,
        pub one_stream: Option<Minstd>,
        pub weak: bool,
        pub time: u64,
    }

    pub(crate) fn uuid(n: u32) -> String {
        format!("{n:08x}-0000-4000-8000-000000000000")
    }

    impl Host for Fake {
        fn read(&mut self, path: &str, buffer: &mut [u8]) -> bool {
            match path {
                KERNEL_UUID if !self.uuids.is_empty() => {
                    buffer.copy_from_slice(self.uuids.remove(0).as_bytes());
                    true
                }
                URANDOM => match &mut self.urandom {
                    Some(next) => {
                        buffer.fill(*next);
                        *next += u8::from(!self.urandom_is_a_plain_file);
                        true
                    }
                    None => false,
                },
                _ => false,
            }
        }

        fn random_get(&mut self, buffer: &mut [u8]) -> bool {
            let mut own = self.calls.pop().map(Minstd::new);
            let Some(state) = own.as_mut().or(self.one_stream.as_mut()) else {
                // Not known.
                buffer.fill(0x5a);
                return true;
            };
            for word in buffer.chunks_exact_mut(4) {
                word.copy_from_slice(&state.word().to_le_bytes());
            }
            true
        }

        fn clocks(&mut self) -> [u64; 2] {
            [self.time; 2]
        }

        fn weak_is_accepted(&mut self) -> bool {
            self.weak
        }
    }

    pub(crate) fn with_uuids(first: u32) -> Fake {
        Fake {
            uuids: (first..first + 4).map(uuid).collect(),
            ..Fake::default()
        }
    }

    #[test]
    fn nothing_that_counts_is_an_error_unless_weak_seeds_are_accepted() {
        assert_eq!(gather(&mut Fake::default(), &[]), Err(NoEntropy));
        let mut weak = Fake {
            weak: true,
            ..Fake::default()
        };
        assert!(gather(&mut weak, &[]).is_ok());
    }

    #[test]
    fn each_source_alone_is_enough() {
        assert!(gather(&mut with_uuids(1), &[]).is_ok());
        let mut urandom = Fake {
            urandom: Some(1),
            ..Fake::default()
        };
        assert!(gather(&mut urandom, &[]).is_ok());
        let mut calls = Fake {
            calls: (1..=64).collect(),
            ..Fake::default()
        };
        assert!(gather(&mut calls, &[]).is_ok());
    }

    #[test]
    fn what_only_looks_like_a_source_does_not_count() {
        let same = || Fake {
            uuids: vec![uuid(1); 4],
            ..Fake::default()
        };
        assert_eq!(gather(&mut same(), &[]), Err(NoEntropy));
        let mut text = same();
        text.uuids = (0..4).map(|n| format!("{n:036}")).collect();
        assert_eq!(gather(&mut text, &[]), Err(NoEntropy));
        let mut plain = Fake {
            urandom: Some(1),
            urandom_is_a_plain_file: true,
            ..Fake::default()
        };
        assert_eq!(gather(&mut plain, &[]), Err(NoEntropy));
        let mut stream = Fake {
            one_stream: Some(Minstd::new(1)),
            ..Fake::default()
        };
        assert_eq!(gather(&mut stream, &[]), Err(NoEntropy));
        let mut repeated = Fake {
            calls: vec![1; 64],
            ..Fake::default()
        };
        assert_eq!(gather(&mut repeated, &[]), Err(NoEntropy));
        let mut few = Fake {
            calls: (1..=63).collect(),
            ..Fake::default()
        };
        assert_eq!(gather(&mut few, &[]), Err(NoEntropy));
    }

    #[test]
    fn every_source_changes_the_seed() {
        let seed = |change: fn(&mut Fake), before: &[u8]| {
            let mut host = with_uuids(1);
            host.urandom = Some(1);
            host.calls = (1..=64).collect();
            change(&mut host);
            gather(&mut host, before).unwrap()
        };
        let seeds = [
            seed(|_| {}, &[]),
            seed(|_| {}, &[1]),
            seed(|host| host.uuids[3] = uuid(9), &[]),
            seed(|host| host.urandom = Some(2), &[]),
            seed(|host| host.calls[0] = 77, &[]),
            seed(|host| host.time = 1, &[]),
        ];
        for (at, one) in seeds.iter().enumerate() {
            assert!(seeds[..at].iter().all(|other| other != one), "{at}");
        }
        assert_eq!(seeds[0], seed(|_| {}, &[]));
    }
}
