// The WasmEdge port: upstream has these under `tokio_unstable` only.
#[cfg(all(target_os = "wasi", target_env = "p1", not(tokio_unstable)))]
mod wasmedge_fd {
    use super::TcpListener;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

    impl AsRawFd for TcpListener {
        fn as_raw_fd(&self) -> RawFd {
            self.io.as_raw_fd()
        }
    }

    impl AsFd for TcpListener {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.io.as_fd()
        }
    }
}
