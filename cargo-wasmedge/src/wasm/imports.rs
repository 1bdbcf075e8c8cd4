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
        has: impl Fn(&str, &FuncType) -> bool,
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
mod tests {
    use proptest::prelude::*;
    use wasmi::{Caller, Engine, Linker, Store};

    use super::*;

    const MODULE: &str = "sea";

    /// Two stubs, one in a table, with names and a function behind them.
    const PROGRAM: &str = r#"(module
        (import "wasi" "clock" (func $clock (param i32) (result i32)))
        (func $zero (result i32) i32.const 0)
        (func $swim (export "sea.swim") (param i32) (result i32) i32.const -52)
        (func $dive (export "sea.dive") (param i32 i32) (result i32) i32.const -52)
        (table funcref (elem $swim $double $zero))
        (type $one (func (param i32) (result i32)))
        (func $double (param i32) (result i32) local.get 0 i32.const 2 i32.mul)
        (func (export "direct") (param i32) (result i32)
            local.get 0 call $swim call $double call $clock)
        (func (export "through") (param i32) (result i32)
            local.get 0 i32.const 0 call_indirect (type $one) call $double)
        (func (export "both") (param i32) (result i32)
            local.get 0 i32.const 7 call $dive)
        (@custom ".debug_info" "text"))"#;

    fn program() -> Vec<u8> {
        wat::parse_str(PROGRAM).unwrap()
    }

    /// What an exported function gives, with a plugin where swimming adds 100 and diving
    /// subtracts.
    fn call(program: &[u8], name: &str, argument: i32) -> i32 {
        let engine = Engine::default();
        let module = wasmi::Module::new(&engine, program).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let clock = |_: Caller<'_, ()>, time: i32| time + 1;
        linker.func_wrap("wasi", "clock", clock).unwrap();
        let swim = |_: Caller<'_, ()>, by: i32| by + 100;
        linker.func_wrap(MODULE, "swim", swim).unwrap();
        let dive = |_: Caller<'_, ()>, from: i32, by: i32| from - by;
        linker.func_wrap(MODULE, "dive", dive).unwrap();
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        let function = instance.get_typed_func::<i32, i32>(&store, name).unwrap();
        function.call(&mut store, argument).unwrap()
    }

    fn connected(program: &[u8], has: impl Fn(&str) -> bool) -> Vec<u8> {
        connect(program, MODULE, |name, _| has(name))
            .unwrap()
            .unwrap()
    }

    /// Names of functions, and of custom sections.
    fn names(program: &[u8]) -> (HashMap<String, u32>, Vec<String>) {
        let (mut functions, mut sections) = (HashMap::new(), Vec::new());
        for payload in Parser::new(0).parse_all(program) {
            let Payload::CustomSection(section) = payload.unwrap() else {
                continue;
            };
            sections.push(section.name().to_owned());
            if let wasmparser::KnownCustom::Name(names) = section.as_known() {
                for part in names {
                    if let Name::Function(map) = part.unwrap() {
                        functions.extend(map.into_iter().map(|naming| {
                            let naming = naming.unwrap();
                            (naming.name.to_owned(), naming.index)
                        }));
                    }
                }
            }
        }
        (functions, sections)
    }

    #[test]
    fn stubs_answer_without_a_plugin() {
        assert_eq!(call(&program(), "direct", 5), -103);
        assert_eq!(call(&program(), "through", 5), -104);
        assert_eq!(call(&program(), "both", 5), -52);
    }

    #[test]
    fn with_a_plugin_its_functions_are_called() {
        let connected = connected(&program(), |_| true);
        assert_eq!(call(&connected, "direct", 5), (5 + 100) * 2 + 1);
        assert_eq!(call(&connected, "through", 5), (5 + 100) * 2);
        assert_eq!(call(&connected, "both", 5), 5 - 7);
    }

    #[test]
    fn what_an_older_plugin_lacks_stays_a_stub() {
        let connected = connected(&program(), |name| name == "dive");
        assert_eq!(call(&connected, "through", 5), -104);
        assert_eq!(call(&connected, "both", 5), 5 - 7);
    }

    /// Two imports of one function of WASI's, and what takes its place.
    const WITH_WASI: &str = r#"(module
        (import "wasi_snapshot_preview1" "fd_close" (func $one (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func $two (param i32) (result i32)))
        (func $swim (export "sea.swim") (param i32) (result i32) i32.const -52)
        (func $instead (export "sea.wasi.fd_close") (param i32) (result i32)
            (if (result i32) (i32.lt_s (local.get 0) (i32.const 0))
                (then (call $swim (local.get 0)))
                (else (call $one (local.get 0)))))
        (func (export "std") (param i32) (result i32) local.get 0 call $one)
        (func (export "libc") (param i32) (result i32) local.get 0 call $two))"#;

    #[test]
    fn what_is_wasis_is_called_through_what_takes_its_place() {
        let program = wat::parse_str(WITH_WASI).unwrap();
        let call = |program: &[u8], name: &str, fd: i32| {
            let engine = Engine::default();
            let module = wasmi::Module::new(&engine, program).unwrap();
            let mut store = Store::new(&engine, ());
            let mut linker = Linker::new(&engine);
            let close = |_: Caller<'_, ()>, fd: i32| fd + 1000;
            linker.func_wrap(WASI, "fd_close", close).unwrap();
            let swim = |_: Caller<'_, ()>, by: i32| by + 100;
            linker.func_wrap(MODULE, "swim", swim).unwrap();
            let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
            let function = instance.get_typed_func::<i32, i32>(&store, name).unwrap();
            function.call(&mut store, fd).unwrap()
        };
        let connected = connected(&program, |_| true);
        for name in ["std", "libc"] {
            assert_eq!(call(&program, name, -7), 993, "{name}, without the plugin");
            assert_eq!(call(&connected, name, -7), 93, "{name}");
            assert_eq!(call(&connected, name, 7), 1007, "{name}");
        }
    }

    #[test]
    fn a_stub_of_another_type_stays_a_stub() {
        let one = |_: &str, signature: &FuncType| signature.params().len() == 1;
        let connected = connect(&program(), MODULE, one).unwrap().unwrap();
        assert_eq!(call(&connected, "through", 5), (5 + 100) * 2);
        assert_eq!(call(&connected, "both", 5), -52);
    }

    #[test]
    fn two_stubs_in_one_function_are_an_error() {
        let text = "(module (import \"wasi\" \"clock\" (func)) \
                    (func (export \"sea.swim\") (export \"sea.dive\")))";
        let error = connect(&wat::parse_str(text).unwrap(), MODULE, |_, _| true).unwrap_err();
        assert!(error.to_string().contains("`dive`"), "{error}");
    }

    #[test]
    fn names_stay_with_what_they_name() {
        let before = names(&program()).0;
        let after = names(&connected(&program(), |_| true)).0;
        assert_eq!(before["double"], 4);
        assert_eq!(after["double"], 6, "two imports came before it");
        assert_eq!(after["clock"], 0);
    }

    #[test]
    fn a_program_without_stubs_is_left_alone() {
        assert_eq!(connect(&program(), "lake", |_, _| true).unwrap(), None);
        assert_eq!(connect(&program(), MODULE, |_, _| false).unwrap(), None);
    }

    /// The program with its calls written as a linker does, in five bytes each.
    fn with_room(program: &[u8]) -> Vec<u8> {
        struct Room;
        impl Reencode for Room {
            type Error = std::convert::Infallible;

            fn parse_function_body(
                &mut self,
                code: &mut CodeSection,
                body: FunctionBody<'_>,
            ) -> Rewritten {
                let mut function = self.new_function_with_parsed_locals(&body)?;
                for operator in body.get_operators_reader()? {
                    match operator? {
                        Operator::Call { function_index } => {
                            let mut call = vec![0x10];
                            index(&mut call, function_index, 5);
                            function.raw(call);
                        }
                        other => {
                            function.instruction(&self.instruction(other)?);
                        }
                    }
                }
                code.function(&function);
                Ok(())
            }
        }
        let mut module = Module::new();
        Room.parse_core_module(&mut module, Parser::new(0), program)
            .unwrap();
        module.finish()
    }

    /// Where each instruction is, from the start of the code section.
    fn offsets(program: &[u8]) -> Vec<u64> {
        let (mut offsets, mut code) = (Vec::new(), 0);
        for payload in Parser::new(0).parse_all(program) {
            match payload.unwrap() {
                Payload::CodeSectionStart {
                    unchecked_range, ..
                } => code = unchecked_range.start,
                Payload::CodeSectionEntry(body) => {
                    let operators = body.get_operators_reader().unwrap();
                    let read = operators.into_iter_with_offsets();
                    offsets.extend(read.map(|read| read.unwrap().1 - code));
                }
                _ => {}
            }
        }
        offsets
    }

    #[test]
    fn with_room_in_calls_debug_information_stays_true() {
        let program = with_room(&program());
        let connected = connected(&program, |_| true);
        assert_eq!(offsets(&connected), offsets(&program));
        assert!(names(&connected).1.contains(&".debug_info".to_owned()));
        assert_eq!(call(&connected, "direct", 5), 211);
    }

    #[test]
    fn debug_information_that_is_not_true_is_left_out() {
        // The index of `f` needs one byte before and two after.
        let many: String = (0..120).map(|_| "(func)".to_owned()).collect();
        let stubs: String = (0..20)
            .map(|stub| format!("(func (export \"sea.s{stub}\"))"))
            .collect();
        let text = format!(
            "(module (import \"wasi\" \"clock\" (func)) {many} (func $f) (func (export \"g\") call $f) \
             {stubs} (@custom \".debug_line\" \"text\"))"
        );
        let connected = connected(&wat::parse_str(&text).unwrap(), |_| true);
        assert_eq!(names(&connected).1, ["name"]);
    }

    #[test]
    fn what_is_no_program_is_refused() {
        assert!(connect(b"elf", MODULE, |_, _| true).is_err());
        let alone = wat::parse_str("(module (func (export \"sea.swim\")))").unwrap();
        let error = connect(&alone, MODULE, |_, _| true).unwrap_err();
        assert!(error.to_string().contains("not even WASI"), "{error}");
    }

    proptest! {
        #[test]
        fn indices_are_read_as_they_were_written(value: u32, length in 0_usize..=5) {
            let mut code = Vec::new();
            let written = index(&mut code, value, length);
            prop_assert_eq!(written, code.len());
            prop_assert!(written >= length && written <= 5);
            let mut reader = BinaryReader::new(&code, 0);
            prop_assert_eq!(reader.read_var_u32().unwrap(), value);
            prop_assert!(reader.eof());
        }
    }
}
