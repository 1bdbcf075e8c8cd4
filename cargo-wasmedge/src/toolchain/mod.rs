//! Finding and installing toolchains.
