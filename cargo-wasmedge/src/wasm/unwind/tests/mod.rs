//! Small modules with exceptions, run without them in an interpreter that knows none. What
//! is expected is what the proposal says that the module means.

mod random;

use wasmi::{Caller, Engine, Instance, Linker, Store};
use wasmparser::{KnownCustom, Name, Parser, Payload};

use super::*;

/// A log of numbers that the program writes, and what a function of it gives.
type Outcome = (Vec<i32>, Result<i32, ()>);

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("a module in text")
}

/// A module with one kind of exception and a few functions to use: `$log` notes a number,
/// `$throw` throws what it is given, but for a multiple of 10, which it gives back.
fn module(functions: &str) -> String {
    format!(
        r#"(module
            (import "host" "log" (func $log (param i32)))
            (tag $panic (param i32))
            (table 2 funcref)
            (elem (i32.const 0) $throw $double)
            (type $unary (func (param i32) (result i32)))
            (func $throw (param i32) (result i32)
                (if (i32.rem_s (local.get 0) (i32.const 10))
                    (then (throw $panic (local.get 0))))
                local.get 0)
            (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
            {functions}
        )"#
    )
}

fn without_exceptions(program: &[u8]) -> Vec<u8> {
    plain(program)
        .expect("it can be rewritten")
        .expect("it has exceptions")
}

struct Running {
    store: Store<Vec<i32>>,
    instance: Instance,
}

impl Running {
    fn new(program: &[u8]) -> Running {
        let engine = Engine::default();
        let module = wasmi::Module::new(&engine, program).expect("a plain module");
        let mut store = Store::new(&engine, Vec::new());
        let mut linker = Linker::new(&engine);
        let log = |mut caller: Caller<'_, Vec<i32>>, number: i32| caller.data_mut().push(number);
        linker.func_wrap("host", "log", log).expect("a function");
        let instance = linker.instantiate_and_start(&mut store, &module);
        let instance = instance.expect("an instance");
        Running { store, instance }
    }

    fn call(&mut self, argument: i32) -> Outcome {
        self.store.data_mut().clear();
        let run = self.instance.get_typed_func::<i32, i32>(&self.store, "run");
        let given = run.expect("a function").call(&mut self.store, argument);
        (self.store.data().clone(), given.map_err(drop))
    }
}

/// What the exported function `run` does for each argument.
fn outcomes(functions: &str, arguments: &[i32]) -> Vec<Outcome> {
    outcomes_of(&wasm(&module(functions)), arguments)
}

fn outcomes_of(program: &[u8], arguments: &[i32]) -> Vec<Outcome> {
    let plain = without_exceptions(program);
    let mut running = Running::new(&plain);
    let calls = arguments.iter().map(|argument| running.call(*argument));
    calls.collect()
}

#[test]
fn an_exception_is_caught_with_what_was_thrown() {
    let run = r#"(func (export "run") (param i32) (result i32)
        try (result i32)
            i32.const 1000 (call $throw (local.get 0)) i32.add
        catch $panic
            i32.const 1 i32.add
        end
        (call $log (i32.const 7)))"#;
    // In between the operand stack has more on it than the block gives.
    let expected = [(vec![7], Ok(1020)), (vec![7], Ok(4)), (vec![7], Ok(1000))];
    assert_eq!(outcomes(run, &[20, 3, 0]), expected);
}

#[test]
fn destructors_run_inside_out_and_the_exception_goes_on() {
    let run = r#"
        (func $inner (param i32) (result i32)
            try (result i32)
                (call $throw (local.get 0))
            catch_all
                (call $log (i32.const 1))
                rethrow 0
            end)
        (func $outer (param i32) (result i32)
            try (result i32)
                (call $inner (local.get 0))
                (call $log (i32.const 9))
            catch_all
                (call $log (i32.const 2))
                rethrow 0
            end)
        (func (export "run") (param i32) (result i32)
            try (result i32)
                (call $outer (local.get 0))
            catch $panic
                i32.const 100 i32.add
            end)"#;
    let expected = [(vec![9], Ok(30)), (vec![1, 2], Ok(105))];
    assert_eq!(outcomes(run, &[30, 5]), expected);
}

#[test]
fn what_a_handler_throws_goes_to_the_handler_around_it() {
    let run = r#"(func (export "run") (param i32) (result i32)
        try (result i32)
            try (result i32)
                (call $throw (local.get 0))
            catch $panic
                (call $log (i32.const 1))
                (call $throw (i32.add (i32.const 1)))
            end
        catch $panic
            (call $log (i32.const 2))
        end)"#;
    let expected = [(vec![1, 2], Ok(4)), (vec![1], Ok(10)), (vec![], Ok(20))];
    assert_eq!(outcomes(run, &[3, 9, 20]), expected);
}

#[test]
fn an_exception_that_was_caught_in_a_handler_leaves_the_handlers_own_alone() {
    let run = r#"
        (func $own (param i32) (result i32)
            try (result i32)
                (call $throw (local.get 0))
            catch_all
                try
                    (drop (call $throw (i32.const 3)))
                catch $panic
                    call $log
                end
                rethrow 0
            end)
        (func (export "run") (param i32) (result i32)
            try (result i32) (call $own (local.get 0)) catch $panic end)"#;
    assert_eq!(
        outcomes(run, &[8, 10]),
        [(vec![3], Ok(8)), (vec![], Ok(10))]
    );
}

#[test]
fn a_delegate_leads_past_handlers() {
    let run = r#"
        (func $past (param i32) (result i32)
            try $outer (result i32)
                try $inner (result i32)
                    try (result i32)
                        (call $throw (local.get 0))
                    delegate $outer
                catch_all
                    (call $log (i32.const 1))
                    i32.const -1
                end
            catch_all
                (call $log (i32.const 2))
                i32.const -2
            end)
        (func $to_caller (param i32) (result i32)
            try (result i32)
                try (result i32)
                    (call $throw (local.get 0))
                delegate 1
            catch_all
                (call $log (i32.const 3))
                i32.const -3
            end)
        (func $to_block (param i32) (result i32)
            try (result i32)
                block $block (result i32)
                    try (result i32)
                        try (result i32)
                            (call $throw (local.get 0))
                        delegate $block
                    catch_all
                        i32.const -4
                    end
                end
            catch_all
                (call $log (i32.const 5))
                i32.const -5
            end)
        (func (export "run") (param i32) (result i32)
            (drop (call $past (local.get 0)))
            (drop (call $to_block (local.get 0)))
            try (result i32) (call $to_caller (local.get 0)) catch $panic end)"#;
    let expected = [(vec![2, 5], Ok(6)), (vec![], Ok(40))];
    assert_eq!(outcomes(run, &[6, 40]), expected);
}

#[test]
fn branches_out_of_bodies_and_handlers_reach_what_they_named() {
    let run = r#"(func (export "run") (param i32) (result i32) (local i32)
        loop $again
            block $done
                try $try
                    (local.set 1 (i32.add (local.get 1) (i32.const 1)))
                    (br_if $done (i32.gt_s (local.get 1) (i32.const 4)))
                    (br_table $try $again $done (i32.rem_s (call $throw (local.get 0)) (i32.const 3)))
                catch $panic
                    call $log
                    (local.set 0 (i32.const 10))
                    br $again
                end
                (call $log (i32.const 77))
                (return (i32.const 1))
            end
        end
        (br_if 0 (i32.const 2) (i32.eqz (local.get 0)))
        drop
        (br 0 (local.get 1)))"#;
    let expected = [
        // 30 % 3 is the block's own end, 10 % 3 goes round, 20 % 3 is done.
        (vec![77], Ok(1)),
        (vec![], Ok(5)),
        (vec![], Ok(1)),
        (vec![7], Ok(5)),
    ];
    assert_eq!(outcomes(run, &[30, 10, 20, 7]), expected);
}

#[test]
fn a_try_may_take_parameters() {
    let run = r#"(func (export "run") (param i32) (result i32)
        i32.const 500
        local.get 0
        try (param i32 i32) (result i32)
            call $throw
            i32.add
        catch $panic
        end
        i32.const 3
        try (param i32)
            call $throw
            drop
        catch_all
            (call $log (i32.const 4))
        end)"#;
    assert_eq!(
        outcomes(run, &[10, 9]),
        [(vec![4], Ok(510)), (vec![4], Ok(9))]
    );
}

#[test]
fn an_indirect_call_throws_where_one_of_its_type_may() {
    let run = r#"(func (export "run") (param i32) (result i32)
        try (result i32)
            (call_indirect (type $unary) (i32.const 13) (local.get 0))
        catch $panic
            i32.const 1000 i32.add
        end)"#;
    let expected = [(vec![], Ok(1013)), (vec![], Ok(26)), (vec![], Err(()))];
    assert_eq!(outcomes(run, &[0, 1, 2]), expected);
}

#[test]
fn the_same_type_twice_is_one_type() {
    let run = r#"
        (type $one (func (param i32) (result i32)))
        (type $other (func (param i32) (result i32)))
        (func $in_table (type $one) (call $throw (local.get 0)))
        (table $t 1 funcref)
        (elem (table $t) (i32.const 0) func $in_table)
        (func (export "run") (param i32) (result i32)
            try (result i32)
                (call_indirect $t (type $other) (local.get 0) (i32.const 0))
            catch $panic
                i32.const 1000 i32.add
            end)"#;
    assert_eq!(outcomes(run, &[3]), [(vec![], Ok(1003))]);
}

#[test]
fn a_tail_call_leaves_its_handlers() {
    let run = r#"
        (func $tail (param i32) (result i32)
            try (result i32)
                (return_call $throw (local.get 0))
            catch_all
                i32.const -1
            end)
        (func (export "run") (param i32) (result i32)
            try (result i32) (call $tail (local.get 0)) catch $panic (call $log (i32.const 1)) end)"#;
    assert_eq!(
        outcomes(run, &[3, 10]),
        [(vec![1], Ok(3)), (vec![], Ok(10))]
    );
}

#[test]
fn a_call_that_does_not_return_goes_to_its_handler() {
    let run = r#"
        (func $never (param i32) (throw $panic (local.get 0)))
        (func (export "run") (param i32) (result i32)
            try (result i32)
                (call $never (local.get 0))
                unreachable
            catch $panic
            end)"#;
    assert_eq!(outcomes(run, &[3]), [(vec![], Ok(3))]);
}

#[test]
fn what_leaves_the_program_is_a_trap_and_the_next_call_is_a_new_one() {
    // The first is called by the host only, the second by the program, too.
    for more in ["", "(func (drop (call $run (i32.const 1))))"] {
        let run = format!(
            r#"(func $run (export "run") (param i32) (result i32)
                (call $log (i32.const 1))
                (call $throw (local.get 0)))
               {more}"#
        );
        let expected = [(vec![1], Err(())), (vec![1], Ok(10)), (vec![1], Err(()))];
        assert_eq!(outcomes(&run, &[3, 10, 3]), expected, "{more}");
    }
}

#[test]
fn every_type_of_result_is_left_with_an_exception() {
    let run = r#"
        (func $all (param i32) (result i32 i64 f32 f64 funcref externref)
            (drop (call $throw (local.get 0)))
            i32.const 1 i64.const 2 f32.const 3 f64.const 4
            ref.null func ref.null extern)
        (func (export "run") (param i32) (result i32)
            try (result i32 i64 f32 f64 funcref externref)
                (call $all (local.get 0))
            catch $panic
                (return (i32.add (i32.const 1)))
            end
            drop drop drop drop drop)"#;
    assert_eq!(outcomes(run, &[3, 10]), [(vec![], Ok(4)), (vec![], Ok(1))]);
}

#[test]
fn a_second_handler_is_never_reached() {
    let run = r#"(func (export "run") (param i32) (result i32)
        try (result i32)
            (call $throw (local.get 0))
        catch $panic
            i32.const 1 i32.add
        catch_all
            try (drop (call $throw (i32.const 1))) delegate 0
            block (drop (call $throw (i32.const 1))) end
            i32.const -1
        end)"#;
    assert_eq!(outcomes(run, &[3]), [(vec![], Ok(4))]);
}

#[test]
fn nothing_is_no_exception() {
    let run = r#"(func (export "run") (param i32) (result i32)
        try
            (throw $panic (local.get 0))
        catch_all
        end
        i32.const 1)"#;
    assert_eq!(outcomes(run, &[0, 1]), [(vec![], Err(())), (vec![], Ok(1))]);
}

/// A module that says which rustc made it.
fn of_rustc(functions: &str, version: &str) -> Vec<u8> {
    let text = module(functions);
    let text = text.trim_end().strip_suffix(')').expect("the module's end");
    wasm(&format!(
        r#"{text} (@producers (processed-by "rustc" "{version}")))"#
    ))
}

/// A cleanup that throws itself, within a `delegate` that leads past the next one.
const FAULTY: &str = r#"
    (func $faulty (param i32) (result i32)
        try $outer (result i32)
            try (result i32)
                try $delegated (result i32)
                    try (result i32)
                        (call $throw (local.get 0))
                    catch $panic
                        drop
                        (call $throw (i32.const 4))
                    end
                delegate $outer
            catch_all
                (call $log (i32.const 1))
                rethrow 0
            end
        catch_all
            (call $log (i32.const 2))
            rethrow 0
        end)
    (func (export "run") (param i32) (result i32)
        try (result i32) (call $faulty (local.get 0)) catch $panic end)"#;

#[test]
fn a_delegate_around_handlers_is_ignored_where_the_compiler_has_put_it_wrongly() {
    for (version, log) in [
        ("1.95.0 (59807616e 2026-04-14)", vec![1, 2]),
        ("1.97.1 (8bab26f4f 2026-07-14)", vec![2]),
    ] {
        let program = of_rustc(FAULTY, version);
        assert_eq!(outcomes_of(&program, &[3]), [(log, Ok(4))], "{version}");
    }
}

#[test]
fn a_panic_in_a_cleanup_traps_where_the_compiler_does_not_see_to_it() {
    let run = r#"
        (func $cleanup (param i32) (result i32)
            try (result i32)
                (call $throw (local.get 0))
            catch_all
                try
                    (drop (call $throw (i32.const 5)))
                catch $panic
                    call $log
                end
                (drop (call $throw (i32.sub (local.get 0) (i32.const 1))))
                rethrow 0
            end)
        (func (export "run") (param i32) (result i32)
            try (result i32) (call $cleanup (local.get 0)) catch $panic end)"#;
    for (version, second) in [("1.95.0", Err(())), ("1.97.1", Ok(2))] {
        let expected = [(vec![5], second), (vec![5], Ok(11)), (vec![], Ok(10))];
        let program = of_rustc(run, version);
        assert_eq!(outcomes_of(&program, &[3, 11, 10]), expected, "{version}");
    }
}

#[test]
fn a_program_without_exceptions_is_left_alone() {
    for text in [
        "(module)",
        r#"(module (func (export "f") (result i32) i32.const 7))"#,
        r#"(module (memory 1) (global i32 (i32.const 1)) (@custom ".debug_info" "abc"))"#,
    ] {
        assert_eq!(plain(&wasm(text)).expect("a module"), None, "{text}");
    }
}

#[test]
fn what_is_not_known_is_refused() {
    for (text, words) in [
        ("(module (tag (param i32)) (tag (param i32)))", "2 kinds"),
        ("(module (tag (param i64)))", "32 bits"),
        (r#"(module (import "a" "b" (tag (param i32))))"#, "imports"),
        (
            "(module (tag $t (param i32)) (func (block $b (result i32) \
             (try_table (catch $t $b) (throw $t (i32.const 1))) unreachable) drop))",
            "-wasm-use-legacy-eh=true",
        ),
    ] {
        let error = plain(&wasm(text)).expect_err(text).to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(plain(b"ELF").is_err());
    assert!(plain(b"\0asm\x01\0\0\0\x0a\xff").is_err());
}

/// The names of functions, and those of custom sections.
fn contents(program: &[u8]) -> (Vec<(u32, String)>, Vec<String>) {
    let (mut functions, mut sections) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(program) {
        let Payload::CustomSection(section) = payload.expect("a module") else {
            continue;
        };
        sections.push(section.name().to_owned());
        if let KnownCustom::Name(names) = section.as_known() {
            for part in names {
                if let Name::Function(map) = part.expect("a part") {
                    functions.extend(map.into_iter().map(|naming| {
                        let naming = naming.expect("a name");
                        (naming.index, naming.name.to_owned())
                    }));
                }
            }
        }
    }
    (functions, sections)
}

#[test]
fn names_and_sections_stay() {
    let text = module(
        r#"(func $run (export "run") (param i32) (result i32) (call $throw (local.get 0)))
           (func $again (drop (call $run (i32.const 1))))
           (@custom "other" "abc")
           (@custom "target_features" "\02+\12exception-handling+\0bbulk-memory")"#,
    );
    let program = wasm(&text);
    let plain = without_exceptions(&program);
    let (before, _) = contents(&program);
    let (mut after, sections) = contents(&plain);
    // What the host calls has the name of what it calls.
    assert_eq!(after.pop(), Some((5, "run".to_owned())));
    assert_eq!(after, before);
    assert!(sections.contains(&"other".to_owned()));
    assert!(!sections.contains(&moved::SECTION.to_owned()));
    let has = |words: &str| memchr::memmem::find(&plain, words.as_bytes()).is_some();
    assert!(has("\x01+\x0bbulk-memory") && !has("exception-handling"));
}

/// Each operator that has a number of its own, and where it begins in the code section.
fn numbered(program: &[u8]) -> Vec<(i32, u64)> {
    let (mut found, mut code) = (Vec::new(), 0);
    for payload in Parser::new(0).parse_all(program) {
        match payload.expect("a module") {
            Payload::CodeSectionStart {
                unchecked_range, ..
            } => code = unchecked_range.start,
            Payload::CodeSectionEntry(body) => {
                let operators = body.get_operators_reader().expect("operators");
                for operator in operators.into_iter_with_offsets() {
                    if let (wasmparser::Operator::I32Const { value }, at) = operator.expect("one")
                        && value >= 100
                    {
                        found.push((value, at - code));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn debug_information_stays_with_a_map_of_where_the_code_was() {
    // Enough of it for numbers of several lengths.
    let mut functions = String::new();
    for at in 0..200 {
        let number = 100 + 3 * at;
        functions += &format!(
            "(func $f{at} (param i32) (result i32) try (result i32) i32.const {number}
             (call $throw (local.get 0)) i32.add i32.const {} i32.xor
             catch $panic i32.const {} i32.add end)\n",
            number + 1,
            number + 2,
        );
    }
    functions += r#"(func (export "run") (param i32) (result i32) (call $f0 (local.get 0)))
                    (@custom ".debug_line" "abc")"#;
    let program = wasm(&module(&functions));
    let plain = without_exceptions(&program);
    let (_, sections) = contents(&plain);
    assert!(!sections.contains(&".debug_line".to_owned()));
    assert!(sections.contains(&moved::kept(".debug_line").expect("another name")));
    let map =
        Parser::new(0)
            .parse_all(&plain)
            .find_map(|payload| match payload.expect("a module") {
                Payload::CustomSection(section) if section.name() == moved::SECTION => {
                    moved::Moved::read(section.data())
                }
                _ => None,
            });
    let map = map.expect("a map");
    let (before, after) = (numbered(&program), numbered(&plain));
    assert_eq!(before.len(), 600);
    let was: Vec<(i32, u64)> = after
        .iter()
        .map(|(number, place)| (*number, map.old(*place).expect("a place")))
        .collect();
    assert_eq!(was, before);
    assert_ne!(after, before, "nothing has moved");
}

#[test]
fn what_does_not_throw_is_as_it_was() {
    let program = wasm(&module(
        r#"(func (export "run") (param i32) (result i32) (call $double (local.get 0)))"#,
    ));
    let operators = |program: &[u8]| {
        let mut each = Vec::new();
        for payload in Parser::new(0).parse_all(program) {
            if let Payload::CodeSectionEntry(body) = payload.expect("a module") {
                each.push(body.as_bytes().to_vec());
            }
        }
        each
    };
    let (before, after) = (
        operators(&program),
        operators(&without_exceptions(&program)),
    );
    assert_eq!(before.len(), after.len());
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1..], after[1..]);
}
