//! Random programs, run without exceptions in an interpreter, and as what they mean in
//! another one: this file's own, which knows exceptions and nothing else.

use proptest::prelude::*;
use std::fmt::Write as _;

use super::{Running, module, wasm, without_exceptions};

/// How many functions a program has. Each calls those behind it only.
const FUNCTIONS: usize = 4;

/// A round of a loop is run so often.
const ROUNDS: i32 = 2;

/// What a program is made of. Numbers of blocks and functions are meant modulo how many
/// there are.
#[derive(Debug, Clone)]
enum Raw {
    Log(i32),
    /// If the bit of the argument is set.
    ThrowIf(u32, i32),
    Call(usize),
    CallThroughTable(usize),
    BranchIf(u32, usize),
    Branch(usize),
    Return,
    Rethrow(usize),
    Block(Vec<Raw>),
    Loop(Vec<Raw>),
    Catch(Vec<Raw>, Vec<Raw>),
    CatchAll(Vec<Raw>, Vec<Raw>),
    Delegate(Vec<Raw>, usize),
}

fn steps() -> impl Strategy<Value = Vec<Raw>> {
    let leaf = prop_oneof![
        3 => (0..100).prop_map(Raw::Log),
        3 => (0..4_u32, 1..9).prop_map(|(bit, value)| Raw::ThrowIf(bit, value)),
        3 => any::<usize>().prop_map(Raw::Call),
        1 => any::<usize>().prop_map(Raw::CallThroughTable),
        2 => (0..4_u32, any::<usize>()).prop_map(|(bit, block)| Raw::BranchIf(bit, block)),
        1 => any::<usize>().prop_map(Raw::Branch),
        1 => Just(Raw::Return),
        2 => any::<usize>().prop_map(Raw::Rethrow),
    ];
    let step = leaf.prop_recursive(5, 60, 4, |inner| {
        let inner = prop::collection::vec(inner, 0..4);
        prop_oneof![
            1 => inner.clone().prop_map(Raw::Block),
            1 => inner.clone().prop_map(Raw::Loop),
            3 => (inner.clone(), inner.clone()).prop_map(|(body, then)| Raw::Catch(body, then)),
            3 => (inner.clone(), inner.clone()).prop_map(|(body, then)| Raw::CatchAll(body, then)),
            2 => (inner, any::<usize>()).prop_map(|(body, to)| Raw::Delegate(body, to)),
        ]
    });
    prop::collection::vec(step, 1..6)
}

/// What is open at a place, the function first.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Block,
    Loop,
    Handler,
}

/// A step that means something where it is: blocks are counted from the function inwards.
#[derive(Debug)]
enum Step {
    Log(i32),
    ThrowIf(u32, i32),
    Call(usize),
    BranchIf(u32, usize),
    Branch(usize),
    Return,
    Rethrow(usize),
    Block(Vec<Step>),
    Loop(Vec<Step>),
    Try(Vec<Step>, End),
}

#[derive(Debug)]
enum End {
    Catch(Vec<Step>),
    CatchAll(Vec<Step>),
    Delegate(usize),
}

/// Writes a function's steps as text, while it makes them mean something.
struct Writer {
    text: String,
    open: Vec<Open>,
    function: usize,
}

impl Writer {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "{line}");
    }

    fn depth(&self, block: usize) -> usize {
        self.open.len() - 1 - block
    }

    fn all(&mut self, steps: &[Raw]) -> Vec<Step> {
        steps.iter().map(|step| self.step(step)).collect()
    }

    fn inside(&mut self, open: Open, steps: &[Raw]) -> Vec<Step> {
        self.open.push(open);
        let steps = self.all(steps);
        self.open.pop();
        steps
    }

    fn step(&mut self, step: &Raw) -> Step {
        match step {
            Raw::Log(number) => {
                self.line(format_args!("(call $log (i32.const {number}))"));
                Step::Log(*number)
            }
            Raw::ThrowIf(bit, value) => {
                self.line(format_args!(
                    "(if (i32.and (i32.shr_u (local.get 0) (i32.const {bit})) (i32.const 1)) \
                     (then (throw $panic (i32.const {value}))))"
                ));
                Step::ThrowIf(*bit, *value)
            }
            Raw::Call(function) | Raw::CallThroughTable(function) => {
                let others = FUNCTIONS - 1 - self.function;
                if others == 0 {
                    return self.step(&Raw::Log(-1));
                }
                let function = self.function + 1 + function % others;
                match step {
                    Raw::Call(_) => self.line(format_args!("(call $f{function} (local.get 0))")),
                    _ => self.line(format_args!(
                        "(call_indirect $all (type $each) (local.get 0) (i32.const {function}))"
                    )),
                }
                Step::Call(function)
            }
            Raw::BranchIf(bit, block) => {
                let block = block % self.open.len();
                let depth = self.depth(block);
                self.line(format_args!(
                    "(br_if {depth} (i32.and (i32.shr_u (local.get 0) (i32.const {bit})) \
                     (i32.const 1)))"
                ));
                Step::BranchIf(*bit, block)
            }
            Raw::Branch(block) => {
                let block = block % self.open.len();
                let depth = self.depth(block);
                self.line(format_args!("br {depth}"));
                Step::Branch(block)
            }
            Raw::Return => {
                self.line(format_args!("return"));
                Step::Return
            }
            Raw::Rethrow(handler) => {
                let open = self.open.iter().enumerate();
                let handlers = open.filter(|(_, open)| **open == Open::Handler);
                let handlers: Vec<usize> = handlers.map(|(block, _)| block).collect();
                if handlers.is_empty() {
                    return self.step(&Raw::Log(-2));
                }
                let handler = handlers[handler % handlers.len()];
                let depth = self.depth(handler);
                self.line(format_args!("rethrow {depth}"));
                Step::Rethrow(handler)
            }
            Raw::Block(steps) => {
                self.line(format_args!("block"));
                let steps = self.inside(Open::Block, steps);
                self.line(format_args!("end"));
                Step::Block(steps)
            }
            Raw::Loop(steps) => {
                // The block around it is no other's to name: it ends the loop.
                let local = self.open.len() + 1;
                self.line(format_args!(
                    "(local.set {local} (i32.const 0)) block\nloop\n\
                     (br_if 1 (i32.ge_s (local.get {local}) (i32.const {ROUNDS})))\n\
                     (local.set {local} (i32.add (local.get {local}) (i32.const 1)))"
                ));
                self.open.push(Open::Block);
                let steps = self.inside(Open::Loop, steps);
                self.line(format_args!("br 0\nend\nend"));
                self.open.pop();
                Step::Block(vec![Step::Loop(steps)])
            }
            Raw::Catch(body, handler) => {
                self.line(format_args!("try"));
                let body = self.inside(Open::Block, body);
                self.line(format_args!("catch $panic\ncall $log"));
                let handler = self.inside(Open::Handler, handler);
                self.line(format_args!("end"));
                Step::Try(body, End::Catch(handler))
            }
            Raw::CatchAll(body, handler) => {
                self.line(format_args!("try"));
                let body = self.inside(Open::Block, body);
                self.line(format_args!("catch_all"));
                let handler = self.inside(Open::Handler, handler);
                self.line(format_args!("end"));
                Step::Try(body, End::CatchAll(handler))
            }
            Raw::Delegate(body, to) => {
                self.line(format_args!("try"));
                let body = self.inside(Open::Block, body);
                let to = to % self.open.len();
                let depth = self.depth(to);
                self.line(format_args!("delegate {depth}"));
                Step::Try(body, End::Delegate(to))
            }
        }
    }
}

/// How steps end.
enum Flow {
    Next,
    Branch(usize),
    Return,
    /// An exception, and the block from which on it goes outwards.
    Throws(i32, usize),
}

/// The own interpreter.
struct Meaning<'a> {
    functions: &'a [Vec<Step>],
    argument: i32,
    log: Vec<i32>,
    /// Steps that are left: programs that run long are of no interest.
    left: usize,
}

impl Meaning<'_> {
    fn is_set(&self, bit: u32) -> bool {
        self.argument >> bit & 1 == 1
    }

    fn call(&mut self, function: usize) -> Result<(), i32> {
        let functions = self.functions;
        let mut caught = Vec::new();
        match self.all(&functions[function], 0, &mut caught) {
            Flow::Throws(value, _) => Err(value),
            Flow::Next | Flow::Branch(_) | Flow::Return => Ok(()),
        }
    }

    /// `block` is the number of the one that the steps are in. `caught` has each open
    /// handler with its exception.
    fn all(&mut self, steps: &[Step], block: usize, caught: &mut Vec<(usize, i32)>) -> Flow {
        for step in steps {
            match self.step(step, block, caught) {
                Flow::Next => {}
                other => return other,
            }
        }
        Flow::Next
    }

    fn step(&mut self, step: &Step, block: usize, caught: &mut Vec<(usize, i32)>) -> Flow {
        self.left = self.left.saturating_sub(1);
        match step {
            Step::Log(number) => self.log.push(*number),
            Step::ThrowIf(bit, value) if self.is_set(*bit) => return Flow::Throws(*value, block),
            Step::ThrowIf(..) => {}
            Step::Call(function) => {
                if let Err(value) = self.call(*function) {
                    return Flow::Throws(value, block);
                }
            }
            Step::BranchIf(bit, to) if self.is_set(*bit) => return Flow::Branch(*to),
            Step::BranchIf(..) => {}
            Step::Branch(to) => return Flow::Branch(*to),
            Step::Return => return Flow::Return,
            Step::Rethrow(handler) => {
                let of = caught.iter().rev().find(|(block, _)| block == handler);
                return Flow::Throws(of.expect("it is open").1, block);
            }
            Step::Block(steps) => {
                return match self.all(steps, block + 1, caught) {
                    Flow::Branch(to) if to == block + 1 => Flow::Next,
                    other => other,
                };
            }
            Step::Loop(steps) => {
                for _ in 0..ROUNDS {
                    match self.all(steps, block + 1, caught) {
                        Flow::Next => {}
                        Flow::Branch(to) if to == block + 1 => {}
                        other => return other,
                    }
                }
            }
            Step::Try(body, end) => {
                let own = block + 1;
                let mut flow = self.all(body, own, caught);
                if let Flow::Throws(value, from) = flow
                    && from >= own
                {
                    flow = match end {
                        End::Delegate(to) => Flow::Throws(value, *to),
                        End::Catch(handler) | End::CatchAll(handler) => {
                            if matches!(end, End::Catch(_)) {
                                self.log.push(value);
                            }
                            caught.push((own, value));
                            let flow = self.all(handler, own, caught);
                            caught.pop();
                            // Outwards from the whole of it.
                            match flow {
                                Flow::Throws(value, from) => Flow::Throws(value, from.min(block)),
                                other => other,
                            }
                        }
                    };
                }
                return match flow {
                    Flow::Branch(to) if to == own => Flow::Next,
                    other => other,
                };
            }
        }
        Flow::Next
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_do_what_they_mean(
        raw in prop::collection::vec(steps(), FUNCTIONS),
    ) {
        let mut functions = Vec::new();
        let mut text = String::from("(type $each (func (param i32)))\n(table $all funcref (elem");
        for function in 0..FUNCTIONS {
            let _ = write!(text, " $f{function}");
        }
        text += "))\n";
        for (function, raw) in raw.iter().enumerate() {
            let mut writer = Writer { text: String::new(), open: vec![Open::Block], function };
            functions.push(writer.all(raw));
            // A local for each depth of loops.
            let locals = "i32 ".repeat(40);
            let _ = writeln!(
                text,
                "(func $f{function} (type $each) (local {locals})\n{})",
                writer.text
            );
        }
        text += r#"(func (export "run") (param i32) (result i32)
            try (call $f0 (local.get 0)) catch $panic return end
            i32.const 0)"#;
        let plain = without_exceptions(&wasm(&module(&text)));
        let mut running = Running::new(&plain);
        for argument in 0..16 {
            let mut meaning = Meaning {
                functions: &functions,
                argument,
                log: Vec::new(),
                left: 10_000,
            };
            let result = meaning.call(0).err().unwrap_or(0);
            prop_assume!(meaning.left > 0);
            prop_assert_eq!(running.call(argument), (meaning.log, Ok(result)), "{}", text);
        }
    }
}
