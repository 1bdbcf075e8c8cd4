//! Lists of paths, as std has them on Unix: with colons in between. On this target
//! `std::env::split_paths` panics.

use std::ffi::{OsStr, OsString};
use std::os::wasi::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

/// As [`std::env::SplitPaths`].
#[derive(Debug)]
pub struct SplitPaths<'a>(Option<&'a [u8]>);

/// As [`std::env::split_paths`]: an empty part is an empty path.
pub fn split_paths<T: AsRef<OsStr> + ?Sized>(unparsed: &T) -> SplitPaths<'_> {
    SplitPaths(Some(unparsed.as_ref().as_bytes()))
}

impl Iterator for SplitPaths<'_> {
    type Item = PathBuf;

    fn next(&mut self) -> Option<PathBuf> {
        let text = self.0.take()?;
        let end = text.iter().position(|byte| *byte == b':');
        self.0 = end.map(|end| &text[end + 1..]);
        let part = &text[..end.unwrap_or(text.len())];
        Some(PathBuf::from(OsStr::from_bytes(part)))
    }
}

/// As [`std::env::JoinPathsError`].
#[derive(Debug)]
pub struct JoinPathsError(());

impl std::fmt::Display for JoinPathsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("path segment contains separator `:`")
    }
}

impl std::error::Error for JoinPathsError {}

/// As [`std::env::join_paths`].
///
/// # Errors
/// A path with a colon.
pub fn join_paths<I, T>(paths: I) -> Result<OsString, JoinPathsError>
where
    I: IntoIterator<Item = T>,
    T: AsRef<OsStr>,
{
    let mut joined = Vec::new();
    for (at, path) in paths.into_iter().enumerate() {
        let path = path.as_ref().as_bytes();
        if path.contains(&b':') {
            return Err(JoinPathsError(()));
        }
        if at > 0 {
            joined.push(b':');
        }
        joined.extend_from_slice(path);
    }
    Ok(OsString::from_vec(joined))
}
