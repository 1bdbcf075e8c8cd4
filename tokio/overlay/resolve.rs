//! The trait that turns host names into addresses.
//!
//! On WasmEdge it is the host layer's, which asks the host's resolver and
//! returns every address, IPv4 and IPv6; std has no resolver there. It blocks.

#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
pub(crate) use std::net::ToSocketAddrs;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(crate) use wasmedge_wasi_socket::ToSocketAddrs;
