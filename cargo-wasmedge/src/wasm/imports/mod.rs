//! Stubs into imports: the step that connects a program with a plugin of WasmEdge.
//!
//! A program that imported a plugin's functions would start nowhere else. So the host
//! layer has a stub for each, which says that there is no plugin, and exports it as
//! `MODULE.FUNCTION`. Where the plugin is, this pass makes an import of each stub that
//! the plugin has.
//!
//! The host layer also has functions that take the place of WASI's, which it exports as
//! `MODULE.wasi.FUNCTION`. All calls of WASI's function become calls of it, but for its
//! own.
//!
//! All else in the program stays as it is: where the linker has left room in the calls, as
//! it does, even the offsets of instructions, so that debug information stays true.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, EntityType, ExportSection, ImportSection, IndirectNameMap, Module, NameMap,
    NameSection,
};
use wasmparser::{
    BinaryReader, CompositeInnerType, CustomSectionReader, ExternalKind, FuncType, FunctionBody,
    Name, Operator, Parser, Payload, TypeRef,
};

/// The program with imports from `module` for those of its stubs that `has` holds for.
/// `None`: it has no such stub.
///
/// # Errors
/// It is no module of WebAssembly, or one with what is not known here.
pub(crate) fn connect(
    program: &[u8],
    module: &str,
    has: impl Fn(&str, &FuncType) -> bool,
) -> anyhow::Result<Option<Vec<u8>>> {
    let stubs = Stubs::of(program, module, has)?;
    if stubs.functions.is_empty() {
        return Ok(None);
    }
    ensure!(
        stubs.has_imports,
        "the program imports nothing, not even WASI"
    );
    let write = |keeps_debug| -> anyhow::Result<(Vec<u8>, bool)> {
        let mut connected = Module::new();
        let mut pass = Connect {
            stubs: &stubs,
            module,
            keeps_debug,
            has_moved: false,
            done: 0,
        };
        pass.parse_core_module(&mut connected, Parser::new(0), program)?;
        Ok((connected.finish(), pass.has_moved))
    };
    let (mut connected, has_moved) = write(true)?;
    if has_moved {
        // Debug information is no longer true.
        connected = write(false)?.0;
    }
    wasmparser::Validator::new().validate_all(&connected)?;
    Ok(Some(connected))
}

/// How a program stands to a plugin's module.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// It has nothing to do with it, or is none that is understood.
    Nothing,
    /// It has stubs of these functions.
    Stubs(Vec<(String, FuncType)>),
    /// It imports these functions, and starts with the plugin only.
    Imports(Vec<String>),
}

/// How `program` stands to the plugin's module. It may be compiled ahead of time: such a
/// file has the program in it, as it was.
///
/// # Errors
/// As [`connect`].
pub(crate) fn wants(program: &[u8], module: &str) -> anyhow::Result<Wants> {
    let find = |what: &[u8]| memchr::memmem::find(program, what);
    let (Some(_), Some(start)) = (find(module.as_bytes()), find(MAGIC)) else {
        return Ok(Wants::Nothing);
    };
    let imports = imports_from(&program[start..], module);
    if !imports.is_empty() {
        return Ok(Wants::Imports(imports));
    }
    if start > 0 {
        // Nothing is changed in what was compiled.
        return Ok(Wants::Nothing);
    }
    let mut stubs = Vec::new();
    Stubs::of(program, module, |name, its_type| {
        stubs.push((name.to_owned(), its_type.clone()));
        true
    })?;
    Ok(match stubs.is_empty() {
        true => Wants::Nothing,
        false => Wants::Stubs(stubs),
    })
}

/// What a module begins with.
const MAGIC: &[u8] = b"\0asm\x01\0\0\0";

/// What the program that `file` begins with imports from `module`.
fn imports_from(file: &[u8], module: &str) -> Vec<String> {
    // What may be behind the program is none.
    let payloads = Parser::new(0).parse_all(file).map_while(Result::ok);
    let mut sections = payloads.filter_map(|payload| match payload {
        Payload::ImportSection(section) => Some(section),
        _ => None,
    });
    let imports = sections.next().map(|section| section.into_imports());
    let imports = imports.into_iter().flatten().map_while(Result::ok);
    let ours = imports.filter(|import| import.module == module);
    ours.map(|import| import.name.to_owned()).collect()
}

/// The module of WASI's functions.
const WASI: &str = "wasi_snapshot_preview1";

/// What the names of functions begin with that take the place of WASI's.
const INSTEAD: &str = "wasi.";

/// A stub of the program.
struct Stub {
    /// The function's name in the plugin's module.
    name: String,
    ty: u32,
}

/// The stubs that become imports.
struct Stubs {
    /// In the order in which they are imported.
    imports: Vec<Stub>,
    /// From the function's index in the program to the place in `imports`. Two exports
    /// may share one function: the linker folds functions that are alike.
    functions: HashMap<u32, u32>,
    /// From imported functions of WASI's to those that take their place.
    instead: HashMap<u32, u32>,
    /// How many functions the program imports already.
    imported: u32,
    /// Whether it has an import section.
    has_imports: bool,
}

impl Stubs {
    fn of(
        program: &[u8],
        module: &str,
        mut has: impl FnMut(&str, &FuncType) -> bool,
    ) -> anyhow::Result<Stubs> {
        let (mut signatures, mut types, mut wasi) = (Vec::new(), Vec::new(), Vec::new());
        let mut stubs = Stubs {
            imports: Vec::new(),
            functions: HashMap::new(),
            instead: HashMap::new(),
            imported: 0,
            has_imports: false,
        };
        for payload in Parser::new(0).parse_all(program) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        let types = group?.into_types();
                        signatures.extend(types.map(|ty| match ty.composite_type.inner {
                            CompositeInnerType::Func(signature) => Some(signature),
                            _ => None,
                        }));
                    }
                }
                Payload::ImportSection(section) => {
                    stubs.has_imports = true;
                    for import in section.into_imports() {
                        let import = import?;
                        if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import.ty {
                            if import.module == WASI {
                                wasi.push((import.name, types.len() as u32));
                            }
                            types.push(ty);
                        }
                    }
                    stubs.imported = u32::try_from(types.len())?;
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        types.push(ty?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let Some(name) = stub_name(&export, module) else {
                            continue;
                        };
                        if let Some(name) = name.strip_prefix(INSTEAD) {
                            // The linker may have kept more than one import of it.
                            let imports = wasi.iter().filter(|(import, _)| *import == name);
                            let imports = imports.map(|(_, index)| (*index, export.index));
                            stubs.instead.extend(imports);
                            continue;
                        }
                        let ty = types.get(export.index as usize);
                        let ty = *ty.with_context(|| format!("no function behind {name}"))?;
                        let signature = signatures.get(ty as usize).and_then(Option::as_ref);
                        if !signature.is_some_and(|signature| has(name, signature)) {
                            continue;
                        }
                        let place = u32::try_from(stubs.imports.len())?;
                        let other = stubs.functions.insert(export.index, place);
                        ensure!(
                            other.is_none(),
                            "`{name}` and another function of the plugin share one stub"
                        );
                        let name = name.to_owned();
                        stubs.imports.push(Stub { name, ty });
                    }
                }
                _ => {}
            }
        }
        Ok(stubs)
    }

    /// The index after the pass of a function that is named in `user`, if that is one.
    /// Calls of a stub become calls of its import.
    fn index(&self, function: u32, user: Option<u32>) -> u32 {
        if let Some(place) = self.functions.get(&function) {
            return self.imported + place;
        }
        match self.instead.get(&function) {
            Some(&instead) if user != Some(instead) => self.own(instead),
            _ => self.own(function),
        }
    }

    /// As [`Stubs::index`], of the function itself and not of what takes its place.
    fn own(&self, function: u32) -> u32 {
        match function < self.imported {
            true => function,
            false => function + self.imports.len() as u32,
        }
    }
}

/// `recv` for an exported function `MODULE.recv`.
fn stub_name<'a>(export: &wasmparser::Export<'a>, module: &str) -> Option<&'a str> {
    let is_function = matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact);
    let name = export.name.strip_prefix(module)?.strip_prefix('.')?;
    is_function.then_some(name)
}

/// The rewriting of one program.
struct Connect<'a> {
    stubs: &'a Stubs,
    module: &'a str,
    keeps_debug: bool,
    /// Whether some instruction is no longer at the offset where it was.
    has_moved: bool,
    /// How many of the program's own functions were rewritten.
    done: u32,
}

type Rewritten = Result<(), Error<std::convert::Infallible>>;

impl Reencode for Connect<'_> {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        Ok(self.stubs.index(function, None))
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Rewritten {
        utils::parse_import_section(self, imports, section)?;
        for stub in &self.stubs.imports {
            imports.import(self.module, &stub.name, EntityType::Function(stub.ty));
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Rewritten {
        for export in section {
            let export = export?;
            let is_done = stub_name(&export, self.module).is_some_and(|name| {
                name.starts_with(INSTEAD) || self.stubs.functions.contains_key(&export.index)
            });
            if !is_done {
                self.parse_export(exports, export)?;
            }
        }
        Ok(())
    }

    /// The code is copied, but for the indices of functions in it.
    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Rewritten {
        let own = self.stubs.imported + self.done;
        self.done += 1;
        let (bytes, start) = (body.as_bytes(), body.range().start);
        let mut patched = Vec::with_capacity(bytes.len());
        let mut copied = 0;
        for read in body.get_operators_reader()?.into_iter_with_offsets() {
            let (operator, at) = read?;
            let (Operator::Call { function_index }
            | Operator::ReturnCall { function_index }
            | Operator::RefFunc { function_index }) = operator
            else {
                continue;
            };
            // One byte says which operator it is.
            let operand = (at - start) as usize + 1;
            let mut reader = BinaryReader::new(&bytes[operand..], 0);
            reader.read_var_u32()?;
            let length = reader.current_position();
            patched.extend_from_slice(&bytes[copied..operand]);
            let written = index(
                &mut patched,
                self.stubs.index(function_index, Some(own)),
                length,
            );
            self.has_moved |= written != length;
            copied = operand + length;
        }
        patched.extend_from_slice(&bytes[copied..]);
        code.raw(&patched);
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Rewritten {
        match section.name().starts_with(".debug_") && !self.keeps_debug {
            true => Ok(()),
            false => utils::parse_custom_section(self, module, section),
        }
    }

    /// Names stay with the functions that are defined in the program: the index of a
    /// stub's import would be out of the order that names have to be in.
    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        section: Name<'_>,
    ) -> Rewritten {
        match section {
            Name::Function(map) => {
                let stubs = self.stubs;
                names.functions(&utils::name_map(map, |index| Ok(stubs.own(index)))?);
                Ok(())
            }
            Name::Local(map) => {
                names.locals(&self.inner_names(map)?);
                Ok(())
            }
            Name::Label(map) => {
                names.labels(&self.inner_names(map)?);
                Ok(())
            }
            other => utils::parse_custom_name_subsection(self, names, other),
        }
    }
}

impl Connect<'_> {
    /// Names of what is in functions.
    fn inner_names(
        &self,
        map: wasmparser::IndirectNameMap<'_>,
    ) -> Result<IndirectNameMap, Error<std::convert::Infallible>> {
        let mut all = IndirectNameMap::new();
        for function in map {
            let function = function?;
            let names: NameMap = utils::name_map(function.names, Ok)?;
            all.append(self.stubs.own(function.index), &names);
        }
        Ok(all)
    }
}

/// Writes `value` as LEB128 in `length` bytes, or in as many as it needs if those are
/// more. Returns how many there are.
fn index(code: &mut Vec<u8>, value: u32, length: usize) -> usize {
    const MORE: u8 = 0x80;
    let (mut rest, mut written) = (value, 0);
    loop {
        let low = (rest & 0x7f) as u8;
        rest >>= 7;
        written += 1;
        if rest == 0 && written >= length {
            code.push(low);
            return written;
        }
        code.push(low | MORE);
    }
}

#[cfg(test)]
mod same;
#[cfg(test)]
mod tests;
