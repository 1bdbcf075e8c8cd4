//! Which functions may throw: the least set that holds those with a `throw` that they do
//! not catch, and those that call one of the set without catching it.
//!
//! A function that is called indirectly is any one of that type whose address is taken.
//! Imported functions do not throw: the host knows nothing of the program's exceptions.

use std::collections::{BTreeSet, HashMap};

use wasmparser::{Operator, Parser, Payload};

use super::facts::Facts;
use super::frames::Frames;

pub(super) struct Throws {
    functions: Vec<bool>,
    /// Types, as [`Facts::same`] has them.
    types: BTreeSet<u32>,
}

/// Who throws if another one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Callee {
    Function(u32),
    Type(u32),
}

impl Throws {
    pub(super) fn of(program: &[u8], facts: &Facts) -> anyhow::Result<Throws> {
        let mut callers: HashMap<Callee, Vec<u32>> = HashMap::new();
        let mut found = Vec::new();
        let mut function = facts.imported as u32;
        for payload in Parser::new(0).parse_all(program) {
            let Payload::CodeSectionEntry(body) = payload? else {
                continue;
            };
            let operators = body.get_operators_reader()?.into_iter();
            let operators: Vec<Operator<'_>> = operators.collect::<Result<_, _>>()?;
            let mut frames = Frames::new(&operators, facts.mends);
            for (at, operator) in operators.iter().enumerate() {
                match Thrower::of(operator, facts) {
                    Some(thrower) if thrower.escapes(&frames) => match thrower {
                        Thrower::Itself(_) => found.push(function),
                        Thrower::Call(callee) | Thrower::TailCall(callee) => {
                            callers.entry(callee).or_default().push(function);
                        }
                    },
                    _ => {}
                }
                frames.step(at, operator);
            }
            function += 1;
        }
        let mut throws = Throws {
            functions: vec![false; facts.functions.len()],
            types: BTreeSet::new(),
        };
        while let Some(function) = found.pop() {
            if std::mem::replace(&mut throws.functions[function as usize], true) {
                continue;
            }
            found.extend(
                callers
                    .remove(&Callee::Function(function))
                    .unwrap_or_default(),
            );
            let ty = facts.same(facts.functions[function as usize]);
            if facts.taken.contains(&function) && throws.types.insert(ty) {
                found.extend(callers.remove(&Callee::Type(ty)).unwrap_or_default());
            }
        }
        Ok(throws)
    }

    /// Whether the function may throw.
    pub(super) fn function(&self, function: u32) -> bool {
        self.functions[function as usize]
    }

    /// Whether the call may throw. A tail call does so in its caller's place.
    pub(super) fn call(&self, operator: &Operator<'_>, facts: &Facts) -> bool {
        match Thrower::of(operator, facts) {
            Some(Thrower::Call(Callee::Function(function))) => self.function(function),
            Some(Thrower::Call(Callee::Type(ty))) => self.types.contains(&ty),
            _ => false,
        }
    }
}

/// An operator that may throw.
enum Thrower {
    /// `throw`, or `rethrow` of what the block so far out has caught.
    Itself(Option<u32>),
    Call(Callee),
    /// The function is left before it is called.
    TailCall(Callee),
}

impl Thrower {
    fn of(operator: &Operator<'_>, facts: &Facts) -> Option<Thrower> {
        Some(match *operator {
            Operator::Throw { .. } => Thrower::Itself(None),
            Operator::Rethrow { relative_depth } => Thrower::Itself(Some(relative_depth)),
            Operator::Call { function_index } => Thrower::Call(Callee::Function(function_index)),
            Operator::CallIndirect { type_index, .. } => {
                Thrower::Call(Callee::Type(facts.same(type_index)))
            }
            Operator::ReturnCall { function_index } => {
                Thrower::TailCall(Callee::Function(function_index))
            }
            Operator::ReturnCallIndirect { type_index, .. } => {
                Thrower::TailCall(Callee::Type(facts.same(type_index)))
            }
            _ => return None,
        })
    }

    /// Whether what it throws leaves the function.
    fn escapes(&self, frames: &Frames) -> bool {
        let way = match self {
            Thrower::TailCall(_) => return true,
            Thrower::Call(_) | Thrower::Itself(None) => frames.way(None),
            // It may be the exception that the cleanup has caught.
            Thrower::Itself(Some(depth)) => {
                return frames.way(Some(frames.number(*depth))).catcher.is_none();
            }
        };
        way.catcher.is_none() && way.leaves.is_none()
    }
}
