//! What WasmEdge gives a program.

use std::fs::File;
use std::io::Read as _;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::seed::Host;

mod imports {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    extern "C" {
        /// Returns a WASI errno.
        pub fn random_get(buffer: *mut u8, length: usize) -> i32;
        /// Returns a WASI errno.
        pub fn clock_time_get(id: i32, precision: u64, time: *mut u64) -> i32;
    }
}

const MONOTONIC: i32 = 1;

/// Set by the operator, or by the runner for the setting `weak-random`.
const WEAK_VARIABLE: &str = "WASMEDGE_WEAK_RANDOM";

/// The process's host.
pub(crate) struct Wasi;

impl Host for Wasi {
    fn read(&mut self, path: &str, buffer: &mut [u8]) -> bool {
        File::open(path).is_ok_and(|mut file| file.read_exact(buffer).is_ok())
    }

    fn random_get(&mut self, buffer: &mut [u8]) -> bool {
        // SAFETY: the host writes `buffer.len()` bytes to `buffer`, which is ours.
        let errno = unsafe { imports::random_get(buffer.as_mut_ptr(), buffer.len()) };
        errno == 0
    }

    fn clocks(&mut self) -> [u64; 2] {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let wall = wall.map_or(0, |since| since.as_nanos() as u64);
        // `Instant` does not show its value.
        let mut monotonic = 0;
        // SAFETY: the host writes one u64 to `monotonic`. A failure leaves 0,
        // and nothing is counted for clocks.
        unsafe { imports::clock_time_get(MONOTONIC, 1, &mut monotonic) };
        [wall, monotonic]
    }

    fn weak_is_accepted(&mut self) -> bool {
        std::env::var_os(WEAK_VARIABLE).is_some_and(|value| value == "1")
    }
}
