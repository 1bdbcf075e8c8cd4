//! wasmedge_std
