//! Exception handling out of what was linked: WasmEdge knows none.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context as _;

use super::asked::written;
use crate::wasm::unwind;

/// Has it done, where panics unwind.
pub const REMOVES_EXCEPTIONS_VARIABLE: &str = "CARGO_WASMEDGE_LINKS_UNWINDING";

/// Rewrites the program that a linker has written that was started with `args`. If that
/// cannot be done there is no program: one with exceptions would only fail later.
///
/// # Errors
/// It cannot be read or written, or has what is not known.
pub(super) fn remove_exceptions(args: &[OsString]) -> anyhow::Result<()> {
    let program = written(args).context("the linker was not told where to write to")?;
    rewrite(&program).inspect_err(|_| {
        let _ = std::fs::remove_file(&program);
    })
}

fn rewrite(program: &Path) -> anyhow::Result<()> {
    let name = || program.display().to_string();
    let linked = std::fs::read(program).with_context(|| format!("cannot read {}", name()))?;
    let plain = unwind::plain(&linked)
        .with_context(|| format!("cannot remove exception handling from {}", name()))?;
    if let Some(plain) = plain {
        // As it is: the linker has made it executable.
        std::fs::write(program, plain).with_context(|| format!("cannot write {}", name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(text: &str) -> (tempfile::TempDir, Vec<OsString>) {
        let temp = tempfile::tempdir().unwrap();
        let program = temp.path().join("app.wasm");
        std::fs::write(&program, wat::parse_str(text).unwrap()).unwrap();
        let args = ["-flavor".into(), "wasm".into(), "-o".into(), program.into()];
        (temp, args.into())
    }

    #[test]
    fn what_was_linked_is_plain_afterwards() {
        let (temp, args) = linked("(module (tag $t (param i32)) (func (throw $t (i32.const 1))))");
        remove_exceptions(&args).unwrap();
        let plain = std::fs::read(temp.path().join("app.wasm")).unwrap();
        assert_eq!(unwind::plain(&plain).unwrap(), None);
    }

    #[test]
    fn what_cannot_be_rewritten_does_not_stay() {
        let (temp, args) = linked("(module (tag (param i32)) (tag (param i32)))");
        let error = format!("{:#}", remove_exceptions(&args).unwrap_err());
        assert!(
            error.contains("app.wasm: it has exceptions of 2 kinds"),
            "{error}"
        );
        assert!(!temp.path().join("app.wasm").exists());
    }
}
