//! What a program does with and without the plugin, in an interpreter.

use wasmi::{Engine, Linker, Store};

use super::*;

/// Stubs that are called, called through a table, started with, and exported once more; one
/// of another type, and one that the plugin lacks.
const PROGRAM: &str = r#"
(module
  (import "env" "base" (func $base (result i64)))
  (table 4 funcref)
  (elem (i32.const 0) $one $two $base $own)
  (memory (export "memory") 1)
  (func $two (export "tokio_wasmedge.two") (param i32 i64) (result i64) (i64.const -38))
  (func $own (export "own") (result i64) (i64.const 5))
  (func $one (export "tokio_wasmedge.one") (export "again") (result i64) (i64.const -38))
  (func $three (export "tokio_wasmedge.three") (result i64) (i64.const -38))
  (func $odd (export "tokio_wasmedge.odd") (param i64) (result i64) (i64.const -38))
  (func (export "call_one") (result i64) (call $one))
  (func (export "call_two") (param i32) (result i64)
    (call $two (local.get 0) (i64.const 7)))
  (func (export "call_three") (result i64) (call $three))
  (func (export "call_odd") (result i64) (call $odd (i64.const 1)))
  (func (export "call_base") (result i64) (call $base))
  (func (export "indirect") (param i32) (result i64)
    (call_indirect (result i64) (local.get 0)))
)
"#;

const LIST: &[u8] = b"tokio_wasmedge functions: one() two(i32,u64,) odd(i32,)\0";

fn functions() -> Functions {
    Functions::of(LIST).unwrap()
}

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn run(program: &[u8], name: &str, argument: Option<i32>) -> i64 {
    let engine = Engine::default();
    let module = wasmi::Module::new(&engine, program).unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("env", "base", || 1000i64).unwrap();
    linker.func_wrap(MODULE, "one", || 1i64).unwrap();
    let two = |a: i32, b: i64| 20 + i64::from(a) + b;
    linker.func_wrap(MODULE, "two", two).unwrap();
    let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
    match argument {
        None => {
            let function = instance.get_typed_func::<(), i64>(&store, name).unwrap();
            function.call(&mut store, ()).unwrap()
        }
        Some(argument) => {
            let function = instance.get_typed_func::<i32, i64>(&store, name).unwrap();
            function.call(&mut store, argument).unwrap()
        }
    }
}

#[test]
fn stubs_that_the_plugin_has_become_imports_wherever_they_are_used() {
    let before = wasm(PROGRAM);
    let after = of_stubs(&before, &functions()).unwrap().unwrap();
    let both = |name, argument| (run(&before, name, argument), run(&after, name, argument));
    assert_eq!(both("call_one", None), (-38, 1));
    assert_eq!(both("again", None), (-38, 1));
    assert_eq!(both("call_two", Some(3)), (-38, 30));
    // In the table: the stub, what was imported before, the program's own.
    assert_eq!(both("indirect", Some(0)), (-38, 1));
    assert_eq!(both("indirect", Some(2)), (1000, 1000));
    assert_eq!(both("indirect", Some(3)), (5, 5));
    // All else stays.
    assert_eq!(both("call_base", None), (1000, 1000));
    assert_eq!(both("own", None), (5, 5));
    // What the plugin lacks, or has with another type.
    assert_eq!(both("call_three", None), (-38, -38));
    assert_eq!(both("call_odd", None), (-38, -38));
}

#[test]
fn a_program_without_stubs_is_left_alone() {
    let none = wasm("(module (import \"env\" \"x\" (func)) (func (export \"f\")))");
    assert_eq!(of_stubs(&none, &functions()).unwrap(), None);
    let unknown = wasm(
        "(module (import \"env\" \"x\" (func))
          (func (export \"tokio_wasmedge.three\") (result i64) (i64.const 0)))",
    );
    assert_eq!(of_stubs(&unknown, &functions()).unwrap(), None);
}

#[test]
fn two_stubs_in_one_function_are_an_error() {
    let merged = wasm(
        "(module (import \"env\" \"x\" (func))
          (func (export \"tokio_wasmedge.one\") (export \"tokio_wasmedge.two\")
            (result i64) (i64.const 0)))",
    );
    let error = of_stubs(&merged, &functions()).unwrap_err();
    assert!(error.to_string().contains("(two)"), "{error}");
}

/// Names are for backtraces: they follow the functions.
#[test]
fn names_follow_their_functions() {
    let after = of_stubs(&wasm(PROGRAM), &functions()).unwrap().unwrap();
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(&after) {
        if let Payload::CustomSection(section) = payload.unwrap()
            && let wasmparser::KnownCustom::Name(names) = section.as_known()
        {
            for part in names {
                if let wasmparser::Name::Function(map) = part.unwrap() {
                    found.extend(map.into_iter().map(|name| {
                        let name = name.unwrap();
                        (name.index, name.name.to_owned())
                    }));
                }
            }
        }
    }
    found.sort();
    let expected = [
        (0, "base"),
        (1, "two"),
        (2, "one"),
        (4, "own"),
        (6, "three"),
        (7, "odd"),
    ];
    let expected = expected.map(|(index, name)| (index, name.to_owned()));
    assert_eq!(found, expected);
}
