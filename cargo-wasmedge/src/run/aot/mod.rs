//! Programs compiled ahead of time, and the cache that they are kept in.

mod cache;
mod compile;
mod processor;
mod progress;
mod speed;

pub use cache::Cache;
pub(super) use cache::prune_unused;
pub use compile::Form;
