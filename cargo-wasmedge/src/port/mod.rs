//! The port engine.

/// Why a port does not apply.
#[derive(Debug, thiserror::Error)]
#[error("")]
pub struct PortError;
