//! Files and lines, from the debug information in the module.
//!
//! The DWARF of a wasm module is in custom sections. Addresses in it count from the
//! beginning of the code section.

use std::borrow::Cow;

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};

use super::program::Program;

type Reader<'a> = EndianSlice<'a, LittleEndian>;

/// The debug information of a module.
pub(super) struct Lines<'a> {
    context: Option<Context<Reader<'a>>>,
}

/// A function at a place, or one that was inlined there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    /// Its mangled name; `None`: as the function in which it lies.
    pub(super) name: Option<String>,
    /// File, line and column.
    pub(super) location: Option<(String, u32, u32)>,
}

impl<'a> Lines<'a> {
    /// Without debug information, or with such that is broken, it knows no place.
    pub(super) fn new(program: &Program<'a>) -> Lines<'a> {
        let section = |id: SectionId| -> Result<Reader<'a>, addr2line::gimli::Error> {
            let data = program.debug_information(id.name()).unwrap_or_default();
            Ok(EndianSlice::new(data, LittleEndian))
        };
        let dwarf = Dwarf::load(section).ok();
        Lines {
            context: dwarf.and_then(|dwarf| Context::from_dwarf(dwarf).ok()),
        }
    }

    /// The functions at an address, what was inlined first. Empty: nothing is known.
    pub(super) fn at(&self, address: u64) -> Vec<At> {
        let Some(context) = &self.context else {
            return Vec::new();
        };
        let Ok(mut frames) = context.find_frames(address).skip_all_loads() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            let name = frame.function.as_ref();
            let name = name.and_then(|name| name.raw_name().ok().map(Cow::into_owned));
            let location = frame.location.and_then(|location| {
                let file = location.file?.to_owned();
                // Line 0 is what the compiler added.
                let line = location.line.filter(|line| *line > 0)?;
                Some((file, line, location.column.unwrap_or(0)))
            });
            found.push(At { name, location });
        }
        found
    }
}
