//! The module around its functions: what is added to its sections, and what goes.

use std::collections::BTreeMap;
use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, Module, NameMap, NameSection, SectionId, TagSection, TypeSection, ValType,
};
use wasmparser::{CustomSectionReader, ExternalKind, FunctionBody, Name};

use super::body::{Exit, rewrite};
use super::facts::Facts;
use super::throws::Throws;
use crate::wasm::moved::{self, Moved};

pub(super) type Written<T> = Result<T, Error<Infallible>>;

/// The feature that programs with exceptions have in the section `target_features`.
const FEATURE: &str = "exception-handling";

/// The rewriting of one module.
pub(super) struct Plain<'a> {
    pub facts: &'a Facts,
    pub throws: &'a Throws,
    /// For functions that the host and the program call: the one that the host gets, which
    /// traps where an exception would leave it. They come behind the module's own.
    wrappers: BTreeMap<u32, u32>,
    /// How many of the module's own functions were rewritten.
    done: u32,
    has_global: bool,
    /// Where the code was.
    pub moved: Moved,
}

impl Plain<'_> {
    pub(super) fn new<'a>(facts: &'a Facts, throws: &'a Throws) -> Plain<'a> {
        let shared = facts.entries.iter().filter(|&&function| {
            throws.function(function)
                && (facts.called.contains(&function) || facts.taken.contains(&function))
        });
        let next = facts.functions.len() as u32;
        Plain {
            facts,
            throws,
            wrappers: shared.copied().zip(next..).collect(),
            done: 0,
            has_global: false,
            moved: Moved::default(),
        }
    }

    /// The function for the host.
    fn entry(&self, function: u32) -> u32 {
        *self.wrappers.get(&function).unwrap_or(&function)
    }

    fn exit(&self, function: u32) -> Exit {
        if !self.throws.function(function) {
            Exit::None
        } else if self.facts.entries.contains(&function) && !self.wrappers.contains_key(&function) {
            Exit::Trap
        } else {
            Exit::ToCaller
        }
    }

    fn wrapper(&self, function: u32) -> Function {
        let ty = self.facts.functions[function as usize];
        let mut wrapper = Function::new([]);
        let mut code = wrapper.instructions();
        for (param, _) in (0..).zip(self.facts.signature(ty).params()) {
            code.local_get(param);
        }
        let exception = self.facts.exception();
        code.call(function).global_get(exception);
        code.if_(BlockType::Empty)
            .i32_const(0)
            .global_set(exception);
        code.unreachable().end().end();
        wrapper
    }

    fn add_global(&mut self, globals: &mut GlobalSection) {
        let ty = GlobalType {
            val_type: ValType::I32,
            mutable: true,
            shared: false,
        };
        globals.global(ty, &ConstExpr::i32_const(0));
        self.has_global = true;
    }
}

impl Reencode for Plain<'_> {
    type Error = Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Written<()> {
        utils::parse_type_section(self, types, section)?;
        for params in self.facts.takers.keys() {
            let params = params.iter().map(|ty| self.val_type(*ty));
            let params = params.collect::<Written<Vec<_>>>()?;
            types.ty().function(params, []);
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Written<()> {
        utils::parse_function_section(self, functions, section)?;
        for &function in self.wrappers.keys() {
            functions.function(self.facts.functions[function as usize]);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Written<()> {
        utils::parse_global_section(self, globals, section)?;
        self.add_global(globals);
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Written<()> {
        // Of a module that has no section for globals, in front of what comes behind it.
        let is_behind = !matches!(
            before,
            Some(
                SectionId::Custom
                    | SectionId::Type
                    | SectionId::Import
                    | SectionId::Function
                    | SectionId::Table
                    | SectionId::Memory
                    | SectionId::Tag
                    | SectionId::Global
            )
        );
        if is_behind && !self.facts.has_globals && !self.has_global {
            let mut globals = GlobalSection::new();
            self.add_global(&mut globals);
            module.section(&globals);
        }
        Ok(())
    }

    fn parse_tag_section(
        &mut self,
        _tags: &mut TagSection,
        _section: wasmparser::TagSectionReader<'_>,
    ) -> Written<()> {
        Ok(())
    }

    fn parse_export(
        &mut self,
        exports: &mut ExportSection,
        export: wasmparser::Export<'_>,
    ) -> Written<()> {
        match export.kind {
            ExternalKind::Tag => return Ok(()),
            ExternalKind::Func | ExternalKind::FuncExact => {
                let kind = self.export_kind(export.kind)?;
                exports.export(export.name, kind, self.entry(export.index));
            }
            _ => utils::parse_export(self, exports, export)?,
        }
        Ok(())
    }

    fn start_section(&mut self, start: u32) -> Written<u32> {
        Ok(self.entry(start))
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Written<()> {
        utils::parse_code_section(self, code, section)?;
        for &function in self.wrappers.keys() {
            code.function(&self.wrapper(function));
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Written<()> {
        let function = self.facts.imported as u32 + self.done;
        self.done += 1;
        let exit = self.exit(function);
        let (rewritten, places) = rewrite(self, function, &body, exit)?;
        if self.facts.has_debug_information {
            // In front of it are the number of all functions, the others and its own size.
            let all = self.facts.functions.len() - self.facts.imported + self.wrappers.len();
            let own = length_of(rewritten.byte_len());
            let start = length_of(all) + code.byte_len() + own;
            for (new, old) in places {
                self.moved.tell((start + new) as u64, old - self.facts.code);
            }
        }
        code.function(&rewritten);
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Written<()> {
        let name = section.name();
        if let Some(name) = moved::kept(name) {
            let (name, data) = (name.into(), section.data().into());
            module.section(&wasm_encoder::CustomSection { name, data });
            return Ok(());
        }
        if name == "target_features"
            && let Some(data) = without_feature(section.data())
        {
            let name = name.into();
            let data = data.into();
            module.section(&wasm_encoder::CustomSection { name, data });
            return Ok(());
        }
        utils::parse_custom_section(self, module, section)
    }

    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        section: Name<'_>,
    ) -> Written<()> {
        match section {
            Name::Function(map) => {
                let mut all = NameMap::new();
                let mut wrapped = BTreeMap::new();
                for naming in map {
                    let naming = naming?;
                    all.append(naming.index, naming.name);
                    if let Some(wrapper) = self.wrappers.get(&naming.index) {
                        wrapped.insert(*wrapper, naming.name);
                    }
                }
                for (wrapper, name) in wrapped {
                    all.append(wrapper, name);
                }
                names.functions(&all);
                Ok(())
            }
            // Blocks are others, and there are no tags.
            Name::Label(_) | Name::Tag(_) => Ok(()),
            other => utils::parse_custom_name_subsection(self, names, other),
        }
    }
}

/// How many bytes a number takes.
fn length_of(number: usize) -> usize {
    let mut bytes = Vec::new();
    wasm_encoder::Encode::encode(&number, &mut bytes);
    bytes.len()
}

/// The content of a section `target_features` without the one that is removed: a vector
/// of names, each behind one byte. `None`: it has another form.
fn without_feature(data: &[u8]) -> Option<Vec<u8>> {
    let mut reader = wasmparser::BinaryReader::new(data, 0);
    let mut kept = Vec::new();
    for _ in 0..reader.read_var_u32().ok()? {
        let prefix = reader.read_u8().ok()?;
        let name = reader.read_string().ok()?;
        if name != FEATURE {
            kept.push((prefix, name));
        }
    }
    let mut written = Vec::new();
    wasm_encoder::Encode::encode(&kept.len(), &mut written);
    for (prefix, name) in kept {
        written.push(prefix);
        wasm_encoder::Encode::encode(name, &mut written);
    }
    Some(written)
}
