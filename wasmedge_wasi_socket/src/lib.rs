//! wasmedge_wasi_socket
