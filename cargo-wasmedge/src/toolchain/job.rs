//! A set-up under way: where it works, until when, and whom it tells.

use super::clock::Deadline;
use super::dirs::Dirs;
use super::env::Env;
use super::progress::Progress;

/// What every step of a set-up needs.
pub(crate) struct Job<'a> {
    pub dirs: &'a Dirs,
    pub env: &'a Env,
    pub deadline: Deadline,
    pub progress: Progress<'a>,
}
