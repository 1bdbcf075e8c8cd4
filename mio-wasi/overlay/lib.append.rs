
// The WasmEdge port.
#[cfg(all(target_os = "wasi", target_env = "p1", feature = "os-poll"))]
#[path = "sys/wasip1/waker.rs"]
mod waker;
#[cfg(all(target_os = "wasi", target_env = "p1", feature = "os-poll"))]
pub use waker::Waker;

#[cfg(all(
    target_os = "wasi",
    target_env = "p1",
    feature = "os-poll",
    feature = "os-ext"
))]
#[path = "sys/wasip1/source_fd.rs"]
mod source_fd;

#[cfg(all(target_os = "wasi", target_env = "p1", feature = "os-poll"))]
#[path = "sys/wasip1/shared.rs"]
mod shared;

#[cfg(all(target_os = "wasi", target_env = "p1", feature = "os-poll"))]
#[path = "sys/wasip1/signal.rs"]
mod wasi_signal;

#[cfg(all(target_os = "wasi", target_env = "p1", feature = "os-poll"))]
pub mod wasi {
    //! WASI-only extensions.

    pub use crate::shared::{share_waits, wait_beside};

    pub mod signal {
        //! Signals for whoever waits with a poll of the program.

        pub use crate::wasi_signal::Listener;
    }
    #[cfg(feature = "os-ext")]
    pub use crate::source_fd::SourceFd;
}
