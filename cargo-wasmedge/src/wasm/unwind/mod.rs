//! Exception handling out of a finished program: WasmEdge compiles none of it ahead of
//! time, and its interpreters trap at it.
//!
//! In: the instructions of the first proposal (`try`, `catch`, `catch_all`, `delegate`,
//! `rethrow`, `throw`), which rustc emits where panics unwind. Out: plain wasm.
//!
//! One global is 0, or the exception that is on its way. `throw` sets it and branches to
//! the handler. Behind each call of a function that may throw ([`throws`]) it is looked at:
//! the program goes on, or branches to the handler, or leaves the function with results
//! that nobody reads ([`body`]). A call that costs nothing natively costs this check.
//!
//! What a program does stays the same, its functions keep their indices and names. Where
//! an exception would leave the program, it traps. An exception is a pointer: `throw` of 0
//! traps, too. Debug information stays as it is, with a map of where the code was
//! ([`moved`](super::moved)).
//!
//! Faults of compilers are mended where they are known ([`mends`]); docs/unwinding.md has
//! them.

mod body;
mod facts;
mod frames;
mod mends;
mod module;
mod throws;

use anyhow::Context as _;
use wasm_encoder::reencode::Reencode as _;
use wasm_encoder::{CustomSection, Module, RawSection};
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use self::facts::Facts;
use self::module::Plain;
use self::throws::Throws;
use super::moved;

/// The section of tags.
const TAGS: u8 = 13;

/// The program without exception handling. `None`: it has none, and stays as it is.
///
/// # Errors
/// It is no module of wasm, or one with exceptions that are not known here: of more than
/// one kind, or as the later proposal has them (`try_table`).
pub(crate) fn plain(program: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    // All that is read of it below relies on that.
    Validator::new_with_features(WasmFeatures::all()).validate_all(program)?;
    let facts = Facts::of(program)?;
    if !facts.has_exceptions {
        return Ok(None);
    }
    let throws = Throws::of(program, &facts)?;
    let mut module = Module::new();
    let mut rewriting = Plain::new(&facts, &throws);
    rewriting.parse_core_module(&mut module, Parser::new(0), program)?;
    if facts.has_debug_information {
        module.section(&CustomSection {
            name: moved::SECTION.into(),
            data: rewriting.moved.written().into(),
        });
    }
    let plain = without_tags(&module.finish())?;
    // Not `all`: nothing of exceptions may be left.
    let features = WasmFeatures::all() - WasmFeatures::LEGACY_EXCEPTIONS - WasmFeatures::EXCEPTIONS;
    let mut validator = Validator::new_with_features(features);
    validator
        .validate_all(&plain)
        .context("what the exceptions of the program became is no module")?;
    Ok(Some(plain))
}

/// The module without its section of tags, which WasmEdge 0.14.1 does not know.
fn without_tags(program: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(program) {
        let payload: Payload<'_> = payload?;
        if let Some((id, range)) = payload.as_section()
            && id != TAGS
        {
            let data = &program[range.start as usize..range.end as usize];
            module.section(&RawSection { id, data });
        }
    }
    Ok(module.finish())
}

#[cfg(test)]
mod tests;
