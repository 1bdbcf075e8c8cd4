//! A `cargo` for subcommands of other programs: it starts the real one with our arguments.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::kinds;
use crate::error::Result;
use crate::fs::write_atomically;
use crate::shell::quoted;

/// The shim, with words in braces for what is filled in.
///
/// cargo forgets each `--config` in front of the subcommand's name where there is one behind
/// it. So ours go to the first of these, or else to the front. Subcommands that the ports are
/// not for get the real cargo as it is: a program that installs another one, for one, or a
/// release.
const SCRIPT: &str = r#"#!/bin/sh
# Made by cargo-wasmedge.
export CARGO={real}
value= name= at=0 behind=
for word in "$@"; do
    at=$((at + 1))
    if [ -n "$name" ]; then
        case "$word" in
        --) break ;;
        --config | --config=*)
            behind=$at
            break
            ;;
        esac
        continue
    fi
    if [ -n "$value" ]; then
        value=
        continue
    fi
    case "$word" in
    --config | --color | -Z | -C) value=1 ;;
    -* | +*) ;;
    {plain})
        unset CARGO_BUILD_TARGET
        exec {real} "$@"
        ;;
    *) name=1 ;;
    esac
done
if [ -z "$behind" ]; then exec {real} {words} "$@"; fi
at=0
for word in "$@"; do
    shift
    at=$((at + 1))
    if [ $at -eq $behind ]; then set -- "$@" {words}; fi
    set -- "$@" "$word"
done
exec {real} "$@"
"#;

/// Writes the shim below `folder`: it starts `cargo` with these words more.
///
/// # Errors
/// It cannot be written.
pub(super) fn write<'a>(
    cargo: &Path,
    words: impl IntoIterator<Item = &'a OsString>,
    folder: &Path,
) -> Result<PathBuf> {
    let words: Vec<String> = words
        .into_iter()
        .map(|word| quoted(&word.to_string_lossy()))
        .collect();
    let plain: Vec<&str> = kinds::NATIVE.into_iter().chain(kinds::PLAIN).collect();
    // The user's words come last: they may have braces.
    let script = SCRIPT
        .replace("{plain}", &plain.join(" | "))
        .replace("{real}", &quoted(&cargo.to_string_lossy()))
        .replace("{words}", &words.join(" "));
    // A program that goes on keeps the one that it was started with.
    let hash = format!("{:x}", Sha256::digest(&script));
    let path = folder.join(&hash[..12]).join("cargo");
    write_atomically(&path, script.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(path)
}
