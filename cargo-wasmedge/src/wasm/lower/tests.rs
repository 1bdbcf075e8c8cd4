//! What a program does before and after, in an interpreter.

use std::sync::LazyLock;

use proptest::prelude::*;
use wasmi::{Engine, Instance, Linker, Memory, Store, TypedFunc};
use wasmparser::Payload;

use super::*;

struct Program {
    store: Store<()>,
    instance: Instance,
}

impl Program {
    fn new(program: &[u8]) -> Program {
        let engine = Engine::default();
        let module = wasmi::Module::new(&engine, program).expect("a module");
        let mut store = Store::new(&engine, ());
        let linker = Linker::new(&engine);
        let instance = linker.instantiate_and_start(&mut store, &module);
        Program {
            instance: instance.expect("an instance"),
            store,
        }
    }

    fn function<P: wasmi::WasmParams, R: wasmi::WasmResults>(&self, name: &str) -> TypedFunc<P, R> {
        let function = self.instance.get_typed_func(&self.store, name);
        function.expect("a function")
    }

    /// What a function of one argument gives; `None` if it traps.
    fn call(&mut self, name: &str, argument: i32) -> Option<i32> {
        let function = self.function::<i32, i32>(name);
        function.call(&mut self.store, argument).ok()
    }

    fn memory(&self) -> Memory {
        let memory = self.instance.get_memory(&self.store, "memory");
        memory.expect("a memory")
    }
}

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("a module in text")
}

/// How many operators of each of the module's own functions `is` holds for.
fn count(program: &[u8], is: impl Fn(&Operator<'_>) -> bool) -> Vec<usize> {
    let mut counts = Vec::new();
    for payload in Parser::new(0).parse_all(program) {
        if let Payload::CodeSectionEntry(body) = payload.expect("a module") {
            let operators = body.get_operators_reader().expect("a body").into_iter();
            counts.push(
                operators
                    .filter(|operator| is(operator.as_ref().expect("an operator")))
                    .count(),
            );
        }
    }
    counts
}

fn indirect_calls(program: &[u8]) -> Vec<usize> {
    count(program, |operator| {
        matches!(operator, Operator::CallIndirect { .. })
    })
}

/// With an empty element, functions of three types, and one that is there twice.
const CALLS: &str = r#"
    (type $give (func (result i32)))
    (type $take (func (param i32) (result i32)))
    (type $both (func (param i32 i64) (result i32)))
    (table 8 8 funcref)
    (elem (i32.const 1) $one $double $two $sum $double $one)
    (func $one (result i32) i32.const 1)
    (func $two (result i32) i32.const 2)
    (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
    (func $sum (param i32 i64) (result i32)
        (i32.add (local.get 0) (i32.wrap_i64 (local.get 1))))
    (func (export "give") (param i32) (result i32)
        (call_indirect (type $give) (local.get 0)))
    (func (export "take") (param i32) (result i32)
        (call_indirect (type $take) (i32.const 21) (local.get 0)))
    (func (export "both") (param i32) (result i32)
        (call_indirect (type $both) (i32.const 5) (i64.const 6) (local.get 0)))
"#;

#[test]
fn an_indirect_call_finds_the_same_function_or_traps() {
    let program = wasm(&format!("(module {CALLS})"));
    let lowered = lower(&program).expect("it can be lowered");
    // The three that are called instead come last.
    assert_eq!(indirect_calls(&program)[4..], [1, 1, 1]);
    assert_eq!(indirect_calls(&lowered)[4..], [0, 0, 0, 1, 1, 1]);

    let give = [
        None,
        Some(1),
        None,
        Some(2),
        None,
        None,
        Some(1),
        None,
        None,
    ];
    let take = [None, None, Some(42), None, None, Some(42), None, None, None];
    let both = [None, None, None, None, Some(11), None, None, None, None];
    for program in [&program, &lowered] {
        for (name, results) in [("give", give), ("take", take), ("both", both)] {
            for (index, result) in (0..).zip(results) {
                let called = Program::new(program).call(name, index);
                assert_eq!(called, result, "{name} {index}");
            }
            for index in [-1, i32::MIN, i32::MAX] {
                assert_eq!(Program::new(program).call(name, index), None);
            }
        }
    }
}

#[test]
fn a_table_that_may_change_is_left_alone() {
    for more in [
        r#"(export "table" (table 0))"#,
        "(func (table.set 0 (i32.const 1) (ref.null func)))",
        "(func (drop (table.grow 0 (ref.null func) (i32.const 1))))",
        "(elem $later func $two) (func (table.init $later (i32.const 1) (i32.const 0) (i32.const 1)))",
        "(global $at i32 (i32.const 3)) (elem (offset (global.get $at)) $one)",
    ] {
        let program = wasm(&format!("(module {CALLS} {more})"));
        let lowered = lower(&program).expect("it can be lowered");
        assert_eq!(indirect_calls(&lowered), indirect_calls(&program), "{more}");
    }
    let text = CALLS.replace("(table 8 8", r#"(import "" "" (table 8 8"#);
    let text = text.replace("funcref)\n", "funcref))\n");
    let program = wasm(&format!("(module {text})"));
    let lowered = lower(&program).expect("it can be lowered");
    assert_eq!(indirect_calls(&lowered), indirect_calls(&program));
}

#[test]
fn a_table_that_is_too_large_or_too_small_is_left_alone() {
    for (size, index) in [(8, 3), (8, -1), (u32::MAX, -7), (u32::MAX, 1)] {
        let text = CALLS.replace("(table 8 8", &format!("(table {size} {size}"));
        let text = text.replace("(elem (i32.const 1)", &format!("(elem (i32.const {index})"));
        let program = wasm(&format!("(module {text})"));
        let lowered = lower(&program).expect("it can be lowered");
        assert_eq!(indirect_calls(&lowered), indirect_calls(&program));
    }
}

#[test]
fn of_two_tables_the_first_is_lowered() {
    let other = r#"(table $other 1 funcref) (elem (table $other) (i32.const 0) func $two)
        (func (export "other") (param i32) (result i32)
            (call_indirect $other (type $give) (local.get 0)))"#;
    let lowered = lower(&wasm(&format!("(module {CALLS} {other})"))).expect("it can be lowered");
    assert_eq!(indirect_calls(&lowered)[4..], [0, 0, 0, 1, 1, 1, 1]);
    let mut program = Program::new(&lowered);
    assert_eq!(program.call("other", 0), Some(2));
    assert_eq!(program.call("give", 1), Some(1));
}

const PAGE: usize = 65536;

/// Copies of any length, and one function for each length that is written down.
fn copies() -> Vec<u8> {
    let mut text = String::from(
        r#"(module (memory (export "memory") 1 1)
           (func (export "copy") (param i32 i32 i32)
               (memory.copy (local.get 0) (local.get 1) (local.get 2)))"#,
    );
    for length in 0..=300 {
        // With a local of its own, which must keep its value.
        text += &format!(
            r#"(func (export "copy {length}") (param i32 i32) (result i64) (local i64)
                (local.set 2 (i64.const 7))
                (memory.copy (local.get 0) (local.get 1) (i32.const {length}))
                (local.get 2))"#
        );
    }
    wasm(&(text + ")"))
}

proptest! {
    /// The slice of the standard library says what is right.
    #[test]
    fn a_copy_is_what_it_was(
        length in prop_oneof![4 => 0..=300usize, 1 => 0..=5000usize],
        from in 0..1000usize,
        // Mostly they overlap.
        to in prop_oneof![0..1000usize, 60_000..60_500usize],
        at_end in prop::bool::weighted(0.2),
    ) {
        let shift = if at_end { PAGE - length - to.max(from) } else { 0 };
        let (from, to) = (from + shift, to + shift);
        static LOWERED: LazyLock<Vec<u8>> =
            LazyLock::new(|| lower(&copies()).expect("it can be lowered"));
        let mut program = Program::new(&LOWERED);
        let mut expected: Vec<u8> = (0..PAGE).map(|at| (at * 7 + at / 256) as u8).collect();
        let memory = program.memory();
        memory.write(&mut program.store, 0, &expected).expect("it fits");
        let (to32, from32) = (to as i32, from as i32);
        if length <= 300 {
            let copy = program.function::<(i32, i32), i64>(&format!("copy {length}"));
            prop_assert_eq!(copy.call(&mut program.store, (to32, from32)).ok(), Some(7));
            expected.copy_within(from..from + length, to);
            prop_assert!(memory.data(&program.store) == &expected[..]);
        }
        let copy = program.function::<(i32, i32, i32), ()>("copy");
        prop_assert!(copy.call(&mut program.store, (from32, to32, length as i32)).is_ok());
        expected.copy_within(to..to + length, from);
        prop_assert!(memory.data(&program.store) == &expected[..]);
    }
}

#[test]
fn a_copy_beyond_the_end_traps() {
    let lowered = lower(&copies()).expect("it can be lowered");
    let mut program = Program::new(&lowered);
    let copy = program.function::<(i32, i32, i32), ()>("copy");
    for length in (1..400).chain([5000, i32::MAX, -1]) {
        let beyond = (PAGE as i32).wrapping_sub(length).wrapping_add(1);
        for (to, from) in [(0, beyond), (beyond, 0), (-1, 0), (0, -1)] {
            let copied = copy.call(&mut program.store, (to, from, length));
            assert!(copied.is_err(), "{to} {from} {length}");
            if (0..=300).contains(&length) {
                let copy = program.function::<(i32, i32), i64>(&format!("copy {length}"));
                assert!(copy.call(&mut program.store, (to, from)).is_err());
            }
        }
    }
}

#[test]
fn short_copies_do_not_call_the_runtime() {
    let lowered = lower(&copies()).expect("it can be lowered");
    let copies = count(&lowered, |operator| {
        matches!(operator, Operator::MemoryCopy { .. })
    });
    let (last, others) = copies.split_last().expect("functions");
    assert_eq!((*last, others.iter().sum()), (1, 0));
}

#[test]
fn a_program_without_memory_table_or_functions_stays_what_it_is() {
    for text in [
        "(module)",
        r#"(module (import "a" "b" (func)))"#,
        r#"(module (func (export "f") (result i32) i32.const 7))"#,
        "(module (memory i64 1) (func (memory.copy (i64.const 0) (i64.const 1) (i64.const 2))))",
        "(module (memory i64 1) (memory 1) (func (memory.copy 1 1 (i32.const 0) (i32.const 1) (i32.const 2))))",
        "(module (table i64 1 funcref) (func (call_indirect (i64.const 0))))",
    ] {
        let program = wasm(text);
        assert!(lower(&program).is_ok(), "{text}");
    }
}

#[test]
fn what_is_no_program_is_an_error() {
    for bytes in [
        &b""[..],
        b"\0asm",
        b"ELF and so on",
        b"\0asm\x01\0\0\0\x0a\xff",
    ] {
        assert!(lower(bytes).is_err());
    }
}

proptest! {
    #[test]
    fn a_broken_program_is_an_error_or_lowered(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)
    ) {
        let mut program = wasm(&format!("(module (memory 1) {CALLS})"));
        for (at, byte) in changes {
            let at = at.index(program.len());
            program[at] = byte;
        }
        let _ = lower(&program);
    }
}

#[test]
fn what_debuggers_know_goes_and_names_stay() {
    let program =
        wasm(r#"(module (func $name) (@custom ".debug_info" "abc") (@custom "producers" "\00"))"#);
    let lowered = lower(&program).expect("it can be lowered");
    let mut sections = Vec::new();
    for payload in Parser::new(0).parse_all(&lowered) {
        if let Payload::CustomSection(section) = payload.expect("a module") {
            sections.push(section.name().to_owned());
        }
    }
    sections.sort();
    assert_eq!(sections, ["name", "producers"]);
}
