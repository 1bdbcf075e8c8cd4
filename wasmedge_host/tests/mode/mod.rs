//! Which host the tests run in.

/// Whether WasmEdge has the plugin, which who runs the tests says. Then what natively holds
/// of a socket is right.
pub fn plugin() -> bool {
    std::env::var_os("TOKIO_WASMEDGE_TEST_MODE").is_some_and(|mode| mode == "plugin")
}
