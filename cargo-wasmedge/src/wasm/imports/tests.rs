//! What becomes of small programs.

use proptest::prelude::*;
use wasmi::{Caller, Engine, Linker, Store};
use wasmparser::ValType;

use super::same::assert_same;
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

/// Every kind of section, and all that names functions.
const EVERYTHING: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
    (import "wasi" "memory" (memory 1))
    (func $zero (result i32) i32.const 0)
    (func $swim (export "sea.swim") (param i32) (result i32) i32.const -52)
    (func $dive (export "sea.dive") (param i32 i32) (result i32) i32.const -52)
    (func $instead (export "sea.wasi.fd_close") (param i32) (result i32)
        local.get 0 call $close)
    (table 4 funcref)
    (elem (i32.const 0) func $swim $double $zero)
    (elem declare func $dive)
    (global $depth (mut i32) (i32.const 5))
    (export "depth" (global $depth))
    (func $begin call $zero drop)
    (start $begin)
    (func $double (param i32) (result i32) local.get 0 i32.const 2 i32.mul)
    (func (export "direct") (param i32) (result i32)
        local.get 0 call $swim call $double call $close)
    (func (export "tail") (param i32) (result i32) ref.func $dive drop
        local.get 0 return_call $swim)
    (data $bytes "a passive one")
    (data (i32.const 16) "an active one")
    (func (export "data") i32.const 0 i32.const 0 i32.const 2 memory.init $bytes)
    (@custom ".debug_info" "text")
    (@custom "producers" "text"))"#;

#[test]
fn nothing_differs_but_what_the_rewrite_is_about() {
    for text in [PROGRAM, WITH_WASI, EVERYTHING] {
        let built = with_room(&wat::parse_str(text).unwrap());
        let made = connected(&built, |_| true);
        let stubs = if text == WITH_WASI { 1 } else { 2 };
        assert_eq!(assert_same(&built, &made, MODULE), stubs);
        let made = connected(&built, |name| name == "swim");
        assert_eq!(assert_same(&built, &made, MODULE), 1);
    }
}

#[test]
fn what_a_program_wants_is_seen() {
    let wants = |program: &[u8]| wants(program, MODULE).unwrap();
    let one = FuncType::new([ValType::I32], [ValType::I32]);
    let two = FuncType::new([ValType::I32, ValType::I32], [ValType::I32]);
    let stubs = vec![("swim".to_owned(), one.clone()), ("dive".to_owned(), two)];
    assert_eq!(wants(&program()), Wants::Stubs(stubs));
    // Those in the place of WASI's are none of the plugin.
    let with_wasi = wat::parse_str(WITH_WASI).unwrap();
    assert_eq!(
        wants(&with_wasi),
        Wants::Stubs(vec![("swim".to_owned(), one)])
    );
    let made = connected(&program(), |_| true);
    let imports = || Wants::Imports(vec!["swim".to_owned(), "dive".to_owned()]);
    assert_eq!(wants(&made), imports());
    assert_eq!(wants(b"elf"), Wants::Nothing);
    let other = wat::parse_str("(module (func (export \"pond.swim\")))").unwrap();
    assert_eq!(wants(&other), Wants::Nothing);
    // It is only spoken of.
    let speaks = wat::parse_str("(module (@custom \"x\" \"sea.swim\"))").unwrap();
    assert_eq!(wants(&speaks), Wants::Nothing);
    // Compiled ahead of time: the program in the middle of a library.
    let library = |program: &[u8]| [b"\x7fELF sea".as_slice(), program, b"\0code"].concat();
    assert_eq!(wants(&library(&made)), imports());
    assert_eq!(wants(&library(&program())), Wants::Nothing);
}

#[test]
#[should_panic(expected = "section 11 is another one")]
fn a_changed_byte_of_the_data_is_seen() {
    let built = with_room(&wat::parse_str(EVERYTHING).unwrap());
    let mut made = connected(&built, |_| true);
    let data = memchr::memmem::find(&made, b"an active one").unwrap();
    made[data] = b'A';
    assert_same(&built, &made, MODULE);
}

#[test]
#[should_panic(expected = "has another body")]
fn a_changed_instruction_is_seen() {
    let built = with_room(&wat::parse_str(EVERYTHING).unwrap());
    let mut made = connected(&built, |_| true);
    // `i32.const 2`, `i32.mul`.
    let code = memchr::memmem::find(&made, b"\x41\x02\x6c").unwrap();
    made[code + 1] = 3;
    assert_same(&built, &made, MODULE);
}
