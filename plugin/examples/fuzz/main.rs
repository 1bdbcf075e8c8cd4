//! Calls every function with arbitrary arguments and memories, from a seed.
//!
//! What must hold:
//!
//! * Nothing around the guest's memory changes. AddressSanitizer sees more than that, where
//!   this is built with it: also the system calls that the C library makes.
//! * No descriptor but the guest's is used: decoys keep what they have, and after each
//!   guest the process has the descriptors that it had before.
//! * Each result is a value or an error, and no call panics or hangs.
//!
//! Calls that wait are interrupted by a timer. What is sent stays in a network of this
//! process's own, where the system allows that.

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(target_os = "linux")]
mod decoys;
#[cfg(target_os = "linux")]
mod random;
#[cfg(target_os = "linux")]
mod surroundings;

#[cfg(target_os = "linux")]
fn main() {
    guest::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod guest {
    use std::collections::BTreeMap;
    use std::time::{Duration, Instant};

    use tokio_wasmedge_plugin::functions::FUNCTIONS;
    use tokio_wasmedge_plugin::memory::Memory;
    use tokio_wasmedge_plugin::sys::Region;
    use tokio_wasmedge_plugin::table::Table;
    use tokio_wasmedge_plugin::{Call, State};

    use crate::arguments::Guest;
    use crate::decoys::{Decoys, descriptors};
    use crate::random::Random;
    use crate::surroundings::{self, Surroundings};

    /// What is around the memory, and must stay.
    const GUARD: usize = 256;
    const FILL: u8 = 0xa5;
    const CALLS: usize = 400;

    pub fn main() {
        let (mut seconds, mut seed) = (60, 1);
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().and_then(|value| value.parse().ok());
            match (word.as_str(), value) {
                ("--seconds", Some(value)) => seconds = value,
                ("--seed", Some(value)) => seed = value,
                _ => panic!("usage: fuzz [--seconds N] [--seed N]"),
            }
        }
        let _surroundings = Surroundings::new();
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut counts: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
        let mut guests = 0;
        while Instant::now() < end {
            // Each guest has its own seed, so that it can be had again alone.
            let seed = seed + guests;
            one(seed, &mut counts);
            guests += 1;
        }
        let calls: u64 = counts.values().flatten().sum();
        println!("{guests} guests, {calls} calls, seeds from {seed} on");
        for (name, [good, bad]) in &counts {
            println!("{name:16} {good:9} succeeded {bad:9} failed");
        }
        for function in FUNCTIONS {
            let [good, _] = counts.get(function.name).copied().unwrap_or_default();
            assert!(
                good > 0,
                "{} never succeeded: nothing is known of it",
                function.name
            );
        }
    }

    fn one(seed: u64, counts: &mut BTreeMap<&'static str, [u64; 2]>) {
        let mut random = Random::new(seed);
        let before = descriptors();
        let mut decoys = Decoys::new();
        let state = State {
            table: Table::default(),
            allow_unix: random.one_in(2),
            shares_ports: random.one_in(2),
        };
        let size = match random.below(8) {
            0 => random.below(200),
            1 => 65536 * 3,
            _ => 4096,
        };
        // A sanitizer sees what is read or written behind the end; without one the guard
        // shows what is written.
        let guard = if random.one_in(2) { GUARD } else { 0 };
        let mut bytes = vec![FILL; guard + size + guard].into_boxed_slice();
        let mut guest = Guest::new(size as u32);
        let is_scripted = random.one_in(2);
        for step in 0..CALLS {
            let memory = &mut bytes[guard..guard + size];
            let scripted = guest.scripted(step, memory).filter(|_| is_scripted);
            let (index, arguments) = scripted.unwrap_or_else(|| guest.next(&mut random, memory));
            let function = &FUNCTIONS[index];
            let call = Call {
                state: &state,
                memory: Memory::new(Region::of(memory)),
            };
            let result = (function.call)(&call, &arguments);
            let count = counts.entry(function.name).or_default();
            count[usize::from(result.is_err())] += 1;
            if let Ok(value) = result {
                let shown = || format!("{}{arguments:x?} = {value} (seed {seed})", function.name);
                assert!(value >= 0, "{}", shown());
                guest.learn(
                    function.name,
                    &arguments,
                    value,
                    &bytes[guard..guard + size],
                );
                if function.name == "signals_add" {
                    surroundings::raise(arguments[1] as i32);
                }
            }
            let around = bytes[..guard].iter().chain(&bytes[guard + size..]);
            let is_whole = around.into_iter().all(|byte| *byte == FILL);
            assert!(is_whole, "{}{arguments:x?} (seed {seed})", function.name);
        }
        drop(state);
        decoys.check(seed);
        drop(decoys);
        assert_eq!(before, descriptors(), "seed {seed}");
    }
}
