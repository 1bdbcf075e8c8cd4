//! Random bytes fit for keys, under a host whose own generator is not.
//!
//! WasmEdge's `random_get` makes each answer from 32 bits of the system's
//! entropy (0.14), or everything from one state of 64 bits that is not
//! cryptographic (0.17). Here bytes come from a ChaCha20 generator instead:
//!
//! * [`seed`] gathers a seed from every source that the program was given, and
//!   counts only those that can be trusted for what they are worth;
//! * [`minstd`] tells a host whose every call is a new draw from one that is not;
//! * [`generator`] makes bytes from the seed, forgets how it made them, and asks
//!   for a new seed after [`generator::RESEED_AFTER`] bytes.
//!
//! Where WasmEdge has the plugin, bytes are the kernel's: see `plugin`.
//!
//! The ported `getrandom` calls `fill` and `fill_uninit`, C code `getentropy`. All
//! in a program share one generator. WasmEdge cannot fork or clone an instance, so
//! no two programs ever hold the same state.

#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs, clippy::undocumented_unsafe_blocks)]

use std::num::NonZeroU32;

pub mod generator;
pub mod minstd;
pub mod seed;

#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod c;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod host;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod plugin;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod process {
    use std::mem::MaybeUninit;
    use std::sync::{Mutex, PoisonError};

    use crate::generator::Generator;
    use crate::host::Wasi;
    use crate::{plugin, NoEntropy};

    static GENERATOR: Mutex<Option<Generator>> = Mutex::new(None);

    /// Fills `dest` with random bytes.
    ///
    /// # Errors
    /// [`NoEntropy`] when the sources do not give 256 bits; nothing is written then.
    pub fn fill(dest: &mut [u8]) -> Result<(), NoEntropy> {
        if plugin::fill(dest) {
            return Ok(());
        }
        let mut generator = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *generator {
            Some(generator) => generator.fill(dest, &mut Wasi),
            None => generator
                .insert(Generator::new(&mut Wasi)?)
                .fill(dest, &mut Wasi),
        }
        Ok(())
    }

    /// [`fill`] for a buffer that holds nothing yet. It is initialised afterwards.
    ///
    /// # Errors
    /// As [`fill`].
    pub fn fill_uninit(dest: &mut [MaybeUninit<u8>]) -> Result<(), NoEntropy> {
        dest.fill(MaybeUninit::new(0));
        // SAFETY: the line above has initialised every byte, and the slice is
        // borrowed mutably for as long as the other one lives.
        fill(unsafe { std::slice::from_raw_parts_mut(dest.as_mut_ptr().cast(), dest.len()) })
    }
}
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub use process::{fill, fill_uninit};

/// The sources that the program was given do not add up to 256 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEntropy;

/// The error among those that getrandom leaves to its users to number.
pub const ERROR_CODE: u16 = 0x5745;

impl NoEntropy {
    /// [`ERROR_CODE`] as older releases of getrandom count, from `start`.
    pub const fn code(self, start: u32) -> NonZeroU32 {
        NonZeroU32::MIN.saturating_add(start + ERROR_CODE as u32 - 1)
    }
}

/// What is wrong and what mends it.
pub const REMEDY: &str = "getrandom: WasmEdge's own random numbers are not fit for keys, and the \
    program was given no other source. To mend it: start it with `cargo wasmedge run`, or with \
    `wasmedge --dir /proc/sys/kernel/random:/proc/sys/kernel/random:readonly`, or preopen a folder \
    that holds the system's urandom as /dev. To accept weak random numbers: \
    `--env WASMEDGE_WEAK_RANDOM=1`";

impl std::fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(REMEDY)
    }
}

impl std::error::Error for NoEntropy {}
