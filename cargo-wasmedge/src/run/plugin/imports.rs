//! Exported stubs become imports.
//!
//! A stub is a function that the program exports as `tokio_wasmedge.NAME`. If the plugin has
//! a function of this name and type, all uses of the stub become uses of the import `NAME`
//! of the module `tokio_wasmedge`, and the export goes. All else stays, and so does what the
//! program does if it never uses a stub.

use std::collections::BTreeMap;
use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ExportSection, Function, ImportSection, Module, NameMap, NameSection,
};
use wasmparser::{CompositeInnerType, CustomSectionReader, ExternalKind, FuncType, Parser};
use wasmparser::{Name, Payload, TypeRef};

use super::functions::Functions;

const MODULE: &str = "tokio_wasmedge";
const PREFIX: &str = "tokio_wasmedge.";

/// The program with imports in the place of stubs; `None` if it has none that `functions`
/// has, too.
///
/// # Errors
/// It is no module of wasm, or one with what is not known here.
pub(super) fn of_stubs(program: &[u8], functions: &Functions) -> anyhow::Result<Option<Vec<u8>>> {
    let mut change = Change::of(program, functions)?;
    if change.stubs.is_empty() {
        return Ok(None);
    }
    let mut changed = Module::new();
    change.parse_core_module(&mut changed, Parser::new(0), program)?;
    if !change.has_imports {
        anyhow::bail!("it has no section of imports");
    }
    let changed = changed.finish();
    wasmparser::Validator::new().validate_all(&changed)?;
    Ok(Some(changed))
}

struct Stub {
    name: String,
    index: u32,
    its_type: u32,
}

struct Change {
    stubs: Vec<Stub>,
    /// How many functions the program imports already.
    imported: u32,
    /// Whether the section of imports was met.
    has_imports: bool,
    /// How many of the program's own functions were written.
    done: u32,
}

impl Change {
    fn of(program: &[u8], functions: &Functions) -> anyhow::Result<Change> {
        let mut types: Vec<Option<FuncType>> = Vec::new();
        let mut of_functions = Vec::new();
        let mut imported = 0;
        let mut exported = Vec::new();
        for payload in Parser::new(0).parse_all(program) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        for its_type in group?.into_types() {
                            types.push(match its_type.composite_type.inner {
                                CompositeInnerType::Func(its_type) => Some(its_type),
                                _ => None,
                            });
                        }
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import?.ty {
                            of_functions.push(ty);
                            imported += 1;
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        of_functions.push(ty?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if let (ExternalKind::Func, Some(name)) =
                            (export.kind, export.name.strip_prefix(PREFIX))
                        {
                            exported.push((name.to_owned(), export.index));
                        }
                    }
                }
                _ => {}
            }
        }
        let mut stubs: Vec<Stub> = Vec::new();
        for (name, index) in exported {
            let Some(&its_type) = of_functions.get(index as usize) else {
                continue;
            };
            let signature = types.get(its_type as usize).and_then(Option::as_ref);
            let is_known = signature.is_some_and(|ty| functions.has(&name, ty));
            // A linker may make one function of two that are alike.
            let is_shared = stubs.iter().any(|stub| stub.index == index);
            anyhow::ensure!(!is_shared, "two stubs are one function ({name})");
            if is_known && index >= imported {
                stubs.push(Stub {
                    name,
                    index,
                    its_type,
                });
            }
        }
        Ok(Change {
            stubs,
            imported,
            has_imports: false,
            done: 0,
        })
    }

    fn place(&self, index: u32) -> Option<usize> {
        self.stubs.iter().position(|stub| stub.index == index)
    }
}

type Changed = Result<(), Error<Infallible>>;

impl Reencode for Change {
    type Error = Infallible;

    /// Imports come first, so all of the program's own functions move up.
    fn function_index(&mut self, index: u32) -> Result<u32, Error<Infallible>> {
        Ok(match self.place(index) {
            Some(place) => self.imported + place as u32,
            None if index < self.imported => index,
            None => index + self.stubs.len() as u32,
        })
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Changed {
        utils::parse_import_section(self, imports, section)?;
        for stub in &self.stubs {
            let its_type = wasm_encoder::EntityType::Function(stub.its_type);
            imports.import(MODULE, &stub.name, its_type);
        }
        self.has_imports = true;
        Ok(())
    }

    fn parse_export(
        &mut self,
        exports: &mut ExportSection,
        export: wasmparser::Export<'_>,
    ) -> Changed {
        let is_stub = export.kind == ExternalKind::Func && self.place(export.index).is_some();
        if is_stub && export.name.starts_with(PREFIX) {
            return Ok(());
        }
        utils::parse_export(self, exports, export)
    }

    /// A stub's own body is no longer used.
    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Changed {
        let index = self.imported + self.done;
        self.done += 1;
        if self.place(index).is_none() {
            return utils::parse_function_body(self, code, body);
        }
        let mut unused = Function::new([]);
        unused.instructions().unreachable().end();
        code.function(&unused);
        Ok(())
    }

    /// They go by index, and some functions have changed places. Names of locals and labels,
    /// which compilers do not write, are left out.
    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        section: Name<'_>,
    ) -> Changed {
        match section {
            Name::Function(map) => {
                let mut sorted = BTreeMap::new();
                for naming in map {
                    let naming = naming?;
                    sorted.insert(self.function_index(naming.index)?, naming.name);
                }
                let mut map = NameMap::new();
                for (index, name) in sorted {
                    map.append(index, name);
                }
                names.functions(&map);
                Ok(())
            }
            Name::Local(_) | Name::Label(_) => Ok(()),
            other => utils::parse_custom_name_subsection(self, names, other),
        }
    }

    /// Debug information is left out: the code is no longer where it says.
    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Changed {
        match section.name().starts_with(".debug_") {
            true => Ok(()),
            false => utils::parse_custom_section(self, module, section),
        }
    }
}

#[cfg(test)]
mod tests;
