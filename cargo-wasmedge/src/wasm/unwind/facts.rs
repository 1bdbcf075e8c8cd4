//! What has to be known of a module before its exceptions are removed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{bail, ensure};
use wasmparser::{
    CompositeInnerType, ElementItems, ExternalKind, FuncType, FunctionBody, KnownCustom, Operator,
    Parser, Payload, TypeRef, ValType,
};

use super::mends::Mends;
use crate::wasm::moved;

pub(super) struct Facts {
    /// `None`: another type than a function's.
    pub types: Vec<Option<FuncType>>,
    /// For each type the first one that is the same.
    same: Vec<u32>,
    /// The type of each function, those that are imported first.
    pub functions: Vec<u32>,
    pub imported: usize,
    /// How many globals there are.
    pub globals: u32,
    /// Whether there is a section for them.
    pub has_globals: bool,
    /// Functions that may be called through a table or a reference.
    pub taken: BTreeSet<u32>,
    /// Functions that are called directly.
    pub called: BTreeSet<u32>,
    /// Functions that the host calls.
    pub entries: BTreeSet<u32>,
    /// Whether there is a tag, or an instruction of exception handling.
    pub has_exceptions: bool,
    /// The parameters of blocks with handlers, each with the index of a type that is
    /// added: one that takes them and gives nothing.
    pub takers: BTreeMap<Vec<ValType>, u32>,
    pub mends: Mends,
    /// Where the content of the code section begins in the file.
    pub code: u64,
    pub has_debug_information: bool,
}

impl Facts {
    pub(super) fn of(program: &[u8]) -> anyhow::Result<Facts> {
        let mut facts = Facts {
            types: Vec::new(),
            same: Vec::new(),
            functions: Vec::new(),
            imported: 0,
            globals: 0,
            has_globals: false,
            taken: BTreeSet::new(),
            called: BTreeSet::new(),
            entries: BTreeSet::new(),
            has_exceptions: false,
            takers: BTreeMap::new(),
            mends: Mends::default(),
            code: 0,
            has_debug_information: false,
        };
        let mut tags = Vec::new();
        for payload in Parser::new(0).parse_all(program) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        let types = group?.into_types();
                        facts
                            .types
                            .extend(types.map(|ty| match ty.composite_type.inner {
                                CompositeInnerType::Func(ty) => Some(ty),
                                _ => None,
                            }));
                    }
                    facts.same = same(&facts.types);
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        match import.ty {
                            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => facts.functions.push(ty),
                            TypeRef::Global(_) => facts.globals += 1,
                            TypeRef::Tag(_) => bail!("it imports exceptions: `{}`", import.name),
                            TypeRef::Memory(_) | TypeRef::Table(_) => {}
                        }
                    }
                    facts.imported = facts.functions.len();
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        facts.functions.push(ty?);
                    }
                }
                Payload::GlobalSection(section) => {
                    facts.has_globals = true;
                    facts.globals += section.count();
                }
                Payload::TagSection(section) => {
                    for tag in section {
                        tags.push(tag?.func_type_idx);
                    }
                }
                Payload::StartSection { func, .. } => {
                    facts.entries.insert(func);
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        match export.kind {
                            ExternalKind::Func | ExternalKind::FuncExact => {
                                facts.entries.insert(export.index);
                            }
                            _ => {}
                        }
                    }
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        facts.note_items(element?.items)?;
                    }
                }
                Payload::CodeSectionStart {
                    unchecked_range, ..
                } => facts.code = unchecked_range.start,
                Payload::CodeSectionEntry(body) => facts.note_body(&body)?,
                Payload::CustomSection(section) => {
                    facts.has_debug_information |= moved::kept(section.name()).is_some();
                    if let KnownCustom::Producers(section) = section.as_known() {
                        facts.mends = Mends::for_producers(section)?;
                    }
                }
                _ => {}
            }
        }
        facts.has_exceptions |= !tags.is_empty();
        ensure!(tags.len() <= 1, "it has exceptions of {} kinds", tags.len());
        for tag in tags {
            let ty = facts.types[tag as usize].as_ref();
            ensure!(
                ty.is_some_and(|ty| ty.params() == [ValType::I32]),
                "its exceptions are not pointers of 32 bits"
            );
        }
        // Types of ours come behind the module's own.
        let first = facts.types.len() as u32;
        for (index, place) in (first..).zip(facts.takers.values_mut()) {
            *place = index;
        }
        Ok(facts)
    }

    fn note_items(&mut self, items: ElementItems<'_>) -> anyhow::Result<()> {
        match items {
            ElementItems::Functions(functions) => {
                for function in functions {
                    self.taken.insert(function?);
                }
            }
            ElementItems::Expressions(_, expressions) => {
                for expression in expressions {
                    for operator in expression?.get_operators_reader() {
                        self.note_reference(&operator?);
                    }
                }
            }
        }
        Ok(())
    }

    fn note_reference(&mut self, operator: &Operator<'_>) {
        if let Operator::RefFunc { function_index } = operator {
            self.taken.insert(*function_index);
        }
    }

    fn note_body(&mut self, body: &FunctionBody<'_>) -> anyhow::Result<()> {
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            self.note_reference(&operator);
            match operator {
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    self.called.insert(function_index);
                }
                Operator::Try { blockty } => {
                    self.has_exceptions = true;
                    let params = self.params(blockty);
                    if !params.is_empty() {
                        self.takers.insert(params, 0);
                    }
                }
                Operator::TryTable { .. } | Operator::ThrowRef => bail!(
                    "it has exceptions of the later proposal: \
                     `-wasm-use-legacy-eh=true` in LLVM's options makes those that are known here"
                ),
                Operator::CallRef { .. } | Operator::ReturnCallRef { .. } => {
                    bail!("it calls functions by reference")
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a block takes from the stack.
    pub(super) fn params(&self, block: wasmparser::BlockType) -> Vec<ValType> {
        match block {
            wasmparser::BlockType::FuncType(ty) => self.signature(ty).params().to_vec(),
            _ => Vec::new(),
        }
    }

    /// Of a type that is known to be a function's, since the module is valid.
    pub(super) fn signature(&self, ty: u32) -> &FuncType {
        let ty = self.types.get(ty as usize).and_then(Option::as_ref);
        ty.expect("a valid module uses it as a function's type")
    }

    /// The first type that is the same: that of a function in a table may be another one
    /// than that of the call.
    pub(super) fn same(&self, ty: u32) -> u32 {
        self.same[ty as usize]
    }

    /// The index of the global with the exception.
    pub(super) fn exception(&self) -> u32 {
        self.globals
    }
}

fn same(types: &[Option<FuncType>]) -> Vec<u32> {
    let mut first = std::collections::HashMap::new();
    let indexed = (0..).zip(types);
    let each = indexed.map(|(index, ty)| match ty {
        Some(ty) => *first.entry(ty).or_insert(index),
        None => index,
    });
    each.collect()
}
