//! What the behaviour tests share.
//!
//! The tests are plain tokio code. The few places where WasmEdge cannot give
//! what native gives ask [`is_plain`], or test `cfg!(target_os = "wasi")` where the
//! plugin cannot give it either, and say why.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

/// How long any test may take.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Runs `test` to its end.
///
/// # Panics
///
/// Panics when `test` takes longer than [`LIMIT`].
pub async fn within<F: Future>(test: F) -> F::Output {
    match tokio::time::timeout(LIMIT, test).await {
        Ok(output) => output,
        Err(_) => panic!("the test was still waiting after {LIMIT:?}"),
    }
}

/// A connection over loopback: the connecting end, then the accepted end.
///
/// # Panics
///
/// Panics when the connection cannot be made.
pub async fn tcp_pair() -> (TcpStream, TcpStream) {
    tcp_pair_at("127.0.0.1:0").await
}

/// As [`tcp_pair`], through a listener bound to `address`.
///
/// # Panics
///
/// Panics when the connection cannot be made.
pub async fn tcp_pair_at(address: &str) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
    (near.unwrap(), far.unwrap().0)
}

/// An address on which nothing listens: it was free a moment ago.
///
/// # Panics
///
/// Panics when no port can be had.
pub async fn closed_port(address: &str) -> SocketAddr {
    let listener = TcpListener::bind(address).await.unwrap();
    listener.local_addr().unwrap()
}

/// A folder of a test's own, removed when dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes the folder below cargo's folder for tests (`CARGO_TARGET_TMPDIR`,
    /// as given by the caller's `env!`), else below `TMPDIR`, else below the
    /// current directory: the first that exists and can be written to.
    /// A guest sees only what was preopened.
    ///
    /// # Panics
    ///
    /// Panics when none of them can be written to.
    pub fn new(cargo_target_tmpdir: &str, name: &str) -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        // A guest has no process id, so the clock tells two runs apart.
        let leaf = format!(
            "behaviour-{name}-{}-{}",
            now.as_nanos(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let mut tried = Vec::new();
        let parents = [
            Some(PathBuf::from(cargo_target_tmpdir)),
            std::env::var_os("TMPDIR").map(PathBuf::from),
            Some(PathBuf::from("target/tmp")),
        ];
        for parent in parents.into_iter().flatten() {
            let folder = parent.join(&leaf);
            match std::fs::create_dir_all(&folder) {
                Ok(()) => return Scratch(folder),
                Err(error) => tried.push(format!("{}: {error}", folder.display())),
            }
        }
        panic!("no folder to write to: {}", tried.join("; "));
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of `name` in the folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Not worth failing a test: the folder is in cargo's target folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Pseudo-random numbers from a seed (xorshift64*), so that a failing order of
/// events can be had again.
pub struct Random(u64);

impl Random {
    /// Starts from `seed`; 0 is replaced, since it would give only zeros.
    pub fn new(seed: u64) -> Random {
        Random(seed.max(1))
    }

    /// Another number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`, which must not be 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit as u64) as usize
    }

    /// `length` bytes. Blocks of 4 KiB differ only in their first 8 bytes: an
    /// interpreted guest makes large amounts quickly, and none can be lost or
    /// misplaced without being noticed.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut block = [0; 4096];
        for word in block[..length.min(4096)].chunks_mut(8) {
            word.copy_from_slice(&self.number().to_le_bytes()[..word.len()]);
        }
        let mut bytes = Vec::with_capacity(length + block.len());
        while bytes.len() < length {
            bytes.extend_from_slice(&block);
            block[..8].copy_from_slice(&self.number().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// The kind of the error in `result`.
///
/// # Panics
///
/// Panics when `result` is `Ok`.
pub fn kind<T>(result: io::Result<T>) -> io::ErrorKind {
    match result {
        Ok(_) => panic!("succeeded, though an error was expected"),
        Err(error) => error.kind(),
    }
}

/// Whether WasmEdge has the plugin. Then what natively holds of sockets and signals is
/// right there, too. Who runs the tests says so in `TOKIO_WASMEDGE_TEST_MODE`.
pub fn plugin() -> bool {
    let mode = std::env::var_os("TOKIO_WASMEDGE_TEST_MODE");
    cfg!(target_os = "wasi") && mode.is_some_and(|mode| mode == "plugin")
}

/// Whether this is WasmEdge without the plugin: what its own functions lack is not there.
pub fn is_plain() -> bool {
    cfg!(target_os = "wasi") && !plugin()
}

/// What needs the plugin under WasmEdge: without it an option that the host cannot reach
/// is `Unsupported`; with it, and natively, every option works.
///
/// # Panics
///
/// Panics when the outcome is that of another place.
pub fn not_plain<T: std::fmt::Debug>(result: io::Result<T>) -> Option<T> {
    // WasmEdge's host calls carry the options of SOL_SOCKET only.
    unsupported_if(is_plain(), result)
}

/// What no guest has, with the plugin or without it: `Unsupported` there.
///
/// # Panics
///
/// Panics when the outcome is the other target's.
pub fn native_only<T: std::fmt::Debug>(result: io::Result<T>) -> Option<T> {
    unsupported_if(cfg!(target_os = "wasi"), result)
}

fn unsupported_if<T: std::fmt::Debug>(is_unsupported: bool, result: io::Result<T>) -> Option<T> {
    if is_unsupported {
        assert_eq!(kind(result), io::ErrorKind::Unsupported);
        None
    } else {
        Some(result.unwrap())
    }
}
