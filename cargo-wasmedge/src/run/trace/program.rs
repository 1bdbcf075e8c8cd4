//! What the module itself says of its functions: their names, where each lies, and
//! which calls are in it.
//!
//! Only the functions that are asked about are read: a program has tens of thousands.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use crate::wasm::moved::{self, Moved};
use wasmparser::{
    ElementItems, ExternalKind, FunctionBody, KnownCustom, Name, Operator, Parser, Payload, TypeRef,
};

/// A module of wasm, as far as a backtrace needs it.
pub(super) struct Program<'a> {
    /// Names by index, as the compiler mangled them.
    names: HashMap<u32, &'a str>,
    /// Where the exported functions are.
    exports: HashMap<&'a str, u32>,
    /// The type of each function, those that are imported first.
    types: Vec<u32>,
    imported: u32,
    bodies: Vec<FunctionBody<'a>>,
    /// Functions whose address is taken: only those can be called indirectly.
    in_tables: HashSet<u32>,
    /// Where the code section begins in the file, from where debug information counts.
    code: u64,
    custom: HashMap<&'a str, &'a [u8]>,
    /// Where the code was when debug information was made, if it is elsewhere now.
    moved: Option<Moved>,
    calls: RefCell<HashMap<u32, Rc<Calls>>>,
}

/// The calls in one function. Places are offsets in the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Calls {
    /// Place and called function.
    pub(super) direct: Vec<(u64, u32)>,
    /// Place and type of the called function.
    pub(super) indirect: Vec<(u64, u32)>,
    /// The function that the very first instruction calls.
    pub(super) leading: Option<u32>,
}

impl<'a> Program<'a> {
    /// Reads a module.
    ///
    /// # Errors
    /// It is no module of wasm.
    pub(super) fn new(bytes: &'a [u8]) -> anyhow::Result<Program<'a>> {
        let mut program = Program {
            names: HashMap::new(),
            exports: HashMap::new(),
            types: Vec::new(),
            imported: 0,
            bodies: Vec::new(),
            in_tables: HashSet::new(),
            code: 0,
            custom: HashMap::new(),
            moved: None,
            calls: RefCell::default(),
        };
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import?.ty {
                            program.types.push(ty);
                        }
                    }
                    program.imported = u32::try_from(program.types.len())?;
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        program.types.push(ty?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.kind == ExternalKind::Func {
                            program.exports.insert(export.name, export.index);
                        }
                    }
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        if let ElementItems::Functions(functions) = element?.items {
                            for function in functions {
                                program.in_tables.insert(function?);
                            }
                        }
                    }
                }
                Payload::CodeSectionStart {
                    unchecked_range, ..
                } => program.code = unchecked_range.start,
                Payload::CodeSectionEntry(body) => program.bodies.push(body),
                Payload::CustomSection(section) => {
                    program.custom.insert(section.name(), section.data());
                    if section.name() == moved::SECTION {
                        program.moved = Moved::read(section.data());
                    }
                    if let KnownCustom::Name(section) = section.as_known() {
                        program.read_names(section);
                    }
                }
                _ => {}
            }
        }
        Ok(program)
    }

    /// A broken name section, or a part of it, counts as none.
    fn read_names(&mut self, section: wasmparser::NameSectionReader<'a>) {
        for part in section.into_iter().flatten() {
            if let Name::Function(names) = part {
                let names = names.into_iter().flatten();
                self.names
                    .extend(names.map(|naming| (naming.index, naming.name)));
            }
        }
    }

    /// Whether functions have names at all.
    pub(super) fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// How many functions there are, imported ones included.
    pub(super) fn len(&self) -> u32 {
        self.types.len() as u32
    }

    /// A function's mangled name.
    pub(super) fn name(&self, function: u32) -> Option<&'a str> {
        self.names.get(&function).copied()
    }

    /// The exported function of this name.
    pub(super) fn export(&self, name: &str) -> Option<u32> {
        self.exports.get(name).copied()
    }

    /// The content of a section of debug information.
    pub(super) fn debug_information(&self, name: &str) -> Option<&'a [u8]> {
        let kept = self.moved.as_ref().and_then(|_| moved::kept(name));
        self.custom.get(kept.as_deref().unwrap_or(name)).copied()
    }

    /// The address in debug information of what is at `place`, an offset in the file: its
    /// offset in the code section, or the one that it had.
    pub(super) fn address(&self, place: u64) -> u64 {
        let place = place.saturating_sub(self.code);
        let old = self.moved.as_ref().and_then(|moved| moved.old(place));
        old.unwrap_or(place)
    }

    /// The function that `place`, an offset in the file, is in.
    pub(super) fn function_at(&self, place: u64) -> Option<u32> {
        let after = self
            .bodies
            .partition_point(|body| body.range().start <= place);
        let index = after.checked_sub(1)?;
        let Range { end, .. } = self.bodies[index].range();
        (place < end).then_some(self.imported + index as u32)
    }

    /// The calls in a function; none in one that is imported or cannot be read.
    pub(super) fn calls(&self, function: u32) -> Rc<Calls> {
        if let Some(calls) = self.calls.borrow().get(&function) {
            return calls.clone();
        }
        let body = function
            .checked_sub(self.imported)
            .and_then(|index| self.bodies.get(index as usize));
        let calls = Rc::new(body.and_then(read_calls).unwrap_or_default());
        self.calls.borrow_mut().insert(function, calls.clone());
        calls
    }

    /// The places in `caller` that may call `callee`: those that name it, else those
    /// that call some function of its type.
    pub(super) fn call_sites(&self, caller: u32, callee: u32) -> Vec<u64> {
        let calls = self.calls(caller);
        let at = |calls: &[(u64, u32)], what: u32| -> Vec<u64> {
            let found = calls.iter().filter(|(_, called)| *called == what);
            found.map(|(place, _)| *place).collect()
        };
        let direct = at(&calls.direct, callee);
        if !direct.is_empty() || !self.in_tables.contains(&callee) {
            return direct;
        }
        match self.types.get(callee as usize) {
            Some(&ty) => at(&calls.indirect, ty),
            None => direct,
        }
    }

    /// Whether `caller` names `callee` in a call.
    pub(super) fn calls_directly(&self, caller: u32, callee: u32) -> bool {
        let calls = self.calls(caller);
        calls.direct.iter().any(|(_, called)| *called == callee)
    }
}

fn read_calls(body: &FunctionBody<'_>) -> Option<Calls> {
    let mut calls = Calls::default();
    let operators = body.get_operators_reader().ok()?;
    for (count, read) in operators.into_iter_with_offsets().enumerate() {
        let (operator, place) = read.ok()?;
        match operator {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                calls.direct.push((place, function_index));
                if count == 0 {
                    calls.leading = Some(function_index);
                }
            }
            Operator::CallIndirect { type_index, .. }
            | Operator::ReturnCallIndirect { type_index, .. } => {
                calls.indirect.push((place, type_index));
            }
            _ => {}
        }
    }
    Some(calls)
}
