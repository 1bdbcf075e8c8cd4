//! wasmedge_libc
