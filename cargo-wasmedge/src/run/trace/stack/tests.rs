//! A program whose calls are known, and what WasmEdge would tell of it.

use super::*;

const PROGRAM: &str = r#"(module
    (type $plain (func))
    (type $arg (func (param i32)))
    (import "host" "call" (func $host))
    (table funcref (elem $task $other))
    (func $_start (export "_start") i32.const 1 call $main)
    (func $main (param i32) nop call $inner nop call $inner)
    (func $inner (param i32) nop call $leads)
    (func $leads call $ends)
    (func $ends call $abort)
    (func $abort unreachable)
    (func $poll (param i32)
        i32.const 0 i32.const 0 call_indirect (type $arg)
        i32.const 0 call_indirect (type $plain))
    (func $task (param i32) nop call $poll)
    (func $fork (param i32) nop call $left nop call $right)
    (func $left nop call $abort)
    (func $right nop call $abort)
    (func $other nop)
    (func $last nop)
)"#;

struct Fixture {
    bytes: Vec<u8>,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture {
            bytes: wat::parse_str(PROGRAM).unwrap(),
        }
    }

    fn program(&self) -> Program<'_> {
        Program::new(&self.bytes).unwrap()
    }
}

/// Indices of functions; numbers stand for themselves.
fn indices(program: &Program<'_>, names: &str) -> Vec<u32> {
    let index = |name: &str| {
        let all = 0..program.len();
        let named = all.into_iter().find(|&it| program.name(it) == Some(name));
        named.unwrap_or_else(|| name.parse().unwrap())
    };
    names.split_whitespace().map(index).collect()
}

/// The only instruction of a function.
fn place(program: &Program<'_>, name: &str) -> u64 {
    let function = indices(program, name)[0];
    let mut places = (0..1000).filter(|&it| program.function_at(it) == Some(function));
    // Behind the number of locals.
    places.nth(1).unwrap()
}

fn names(program: &Program<'_>, stack: &[Active]) -> String {
    let names = stack.iter().map(|it| program.name(it.function).unwrap());
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn interpreted_functions_that_begin_with_the_call_are_put_back() {
    let fixture = Fixture::new();
    let program = fixture.program();
    let told = indices(&program, "_start _start main inner");
    let trap = place(&program, "abort");
    let stack = active(&program, &told, Some(trap));
    assert_eq!(
        names(&program, &stack),
        "abort ends leads inner main _start"
    );
    assert_eq!(stack[0].places, [trap]);
    // Which of its two calls it was is not known.
    assert_eq!(stack[4].places.len(), 2);
    for function in &stack[1..] {
        for &place in &function.places {
            assert_eq!(program.function_at(place), Some(function.function));
            assert_eq!(fixture.bytes[place as usize], 0x10, "it is a call");
        }
    }
}

#[test]
fn the_first_function_may_trap_itself() {
    let fixture = Fixture::new();
    let program = fixture.program();
    let told = indices(&program, "_start");
    let trap = place(&program, "_start");
    let stack = active(&program, &told, Some(trap));
    assert_eq!(names(&program, &stack), "_start");
}

#[test]
fn compiled_functions_that_were_merged_are_put_back() {
    let fixture = Fixture::new();
    let program = fixture.program();
    // `other` stands for WasmEdge's own code, `last` for the code of all traps.
    let told = indices(&program, "other other last abort inner _start other");
    let stack = active(&program, &told, None);
    assert_eq!(
        names(&program, &stack),
        "abort ends leads inner main _start"
    );
    assert!(stack[0].places.is_empty());
}

#[test]
fn what_lowering_added_is_left_out() {
    let fixture = Fixture::new();
    let program = fixture.program();
    let told = indices(&program, "other other task 99 poll _start other");
    let stack = active(&program, &told, None);
    assert_eq!(names(&program, &stack), "task poll _start");
    // `poll` has two indirect calls, one of them of the right type.
    assert_eq!(stack[1].places.len(), 1);
    assert_eq!(fixture.bytes[stack[1].places[0] as usize], 0x11);
}

#[test]
fn where_two_ways_lead_none_is_made_up() {
    let fixture = Fixture::new();
    let program = fixture.program();
    let told = indices(&program, "other other abort fork _start other");
    let stack = active(&program, &told, None);
    assert_eq!(names(&program, &stack), "abort fork _start");
    assert!(stack[1].places.is_empty());
}

#[test]
fn a_stack_that_was_cut_off_says_where() {
    let fixture = Fixture::new();
    let program = fixture.program();
    let gaps = |stack: &[Active]| -> Vec<usize> {
        let all = stack.iter().enumerate();
        all.filter(|(_, it)| it.gap).map(|(at, _)| at).collect()
    };
    // Interpreted: the inner end is missing, but for the function that trapped.
    let mut told = indices(&program, "_start _start");
    told.resize(256, indices(&program, "main")[0]);
    let stack = active(&program, &told, Some(place(&program, "abort")));
    assert_eq!(gaps(&stack), [1]);
    assert_eq!(names(&program, &stack[..2]), "abort main");
    // Compiled: the outer end.
    let mut told = indices(&program, "other other abort");
    told.resize(256, indices(&program, "inner")[0]);
    let stack = active(&program, &told, None);
    assert_eq!(gaps(&stack), [stack.len() - 1]);
}
