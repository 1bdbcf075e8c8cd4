//! From what WasmEdge tells of a trap to the functions that were active.
//!
//! WasmEdge prints `calling stack:` with indices of functions, and says nothing of
//! where in them it was. What it prints is this (0.15.0 to 0.17.1):
//!
//! * *interpreted:* the functions that called, outermost first, 256 at most. The first
//!   stands for the call of the program itself. The function that trapped is not among
//!   them; another line has the place. A function whose first instruction is the call is
//!   left out.
//! * *compiled:* the functions that return addresses lie in, innermost first, 256 at most.
//!   At both ends are addresses of WasmEdge's own code, under the number of whatever
//!   function lies last in memory. Functions that the compiler has merged into their
//!   caller are left out.
//!
//! What is left out is put back where the calls in the program allow one way only.

use std::collections::HashMap;

use super::program::Program;

/// How many functions WasmEdge tells at most.
const TOLD: usize = 256;

/// How many functions in a row may have been left out.
const LEFT_OUT: usize = 8;

/// What WasmEdge calls: a command, or a reactor's beginning.
const ENTRIES: [&str; 2] = ["_start", "_initialize"];

/// An active function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Active {
    /// The function's index.
    pub(super) function: u32,
    /// Where it may have been, as offsets in the file: the calls that fit.
    pub(super) places: Vec<u64>,
    /// Whether WasmEdge did not tell what lies between it and the next one inside of it,
    /// or, if it is the last one, outside of it.
    pub(super) gap: bool,
}

/// The active functions, innermost first. `told` is what WasmEdge printed, `trap` the
/// place of the trap in the file, if it is known.
pub(super) fn active(program: &Program<'_>, told: &[u32], trap: Option<u64>) -> Vec<Active> {
    let trapped = trap.and_then(|place| program.function_at(place));
    let is_interpreted = trapped.is_some();
    let mut calling = match is_interpreted {
        true => interpreted(told, program),
        false => compiled(told, program),
    };
    // The end that is lost is the inner one when interpreted, else the outer one.
    let is_cut = is_interpreted && told.len() >= TOLD;
    let known = calling.len();
    calling.extend(trapped);

    let mut stack: Vec<Active> = Vec::new();
    for (index, &function) in calling.iter().enumerate() {
        let gap = is_cut && index == known;
        match stack.last_mut() {
            Some(outer) if gap => outer.gap = true,
            Some(outer) => {
                let outer = outer.function;
                for between in left_out(program, outer, function, is_interpreted) {
                    called(program, &mut stack, between);
                }
            }
            None => {}
        }
        called(program, &mut stack, function);
    }
    if let (Some(place), Some(inner)) = (trap, stack.last_mut())
        && is_interpreted
    {
        inner.places = vec![place];
    }
    // Of compiled code the outer end is lost.
    if let (Some(outer), false) = (stack.first_mut(), is_interpreted) {
        outer.gap |= told.len() >= TOLD;
    }
    stack.reverse();
    stack
}

fn called(program: &Program<'_>, stack: &mut Vec<Active>, function: u32) {
    if let Some(outer) = stack.last_mut()
        && !outer.gap
    {
        outer.places = program.call_sites(outer.function, function);
    }
    stack.push(Active {
        function,
        places: Vec::new(),
        gap: false,
    });
}

/// Outermost first, without what stands for WasmEdge's own call.
fn interpreted(told: &[u32], program: &Program<'_>) -> Vec<u32> {
    match told {
        [first, second, ..] if first == second && !program.calls_directly(*first, *first) => {
            told[1..].to_vec()
        }
        // The program's first function has trapped itself.
        [_] => Vec::new(),
        _ => told.to_vec(),
    }
}

/// Outermost first, without WasmEdge's own code and what ahead-of-time compilation added.
fn compiled(told: &[u32], program: &Program<'_>) -> Vec<u32> {
    let entry = ENTRIES.iter().find_map(|name| program.export(name));
    let outer = told.iter().rposition(|&function| Some(function) == entry);
    let mut functions = &told[..outer.map_or(told.len(), |at| at + 1)];
    // Addresses of WasmEdge's own code, all under one number.
    let own = match told {
        [.., last] if functions.len() < told.len() => Some(*last),
        [first, second, ..] if first == second => Some(*first),
        _ => None,
    };
    while let [first, rest @ ..] = functions
        && Some(*first) == own
    {
        functions = rest;
    }
    // The code that all traps have in common lies behind the last function.
    if let [first, rest @ ..] = functions
        && first + 1 == program.len()
        && !rest.is_empty()
    {
        functions = rest;
    }
    let is_known = |function: &u32| *function < program.len();
    functions.iter().copied().filter(is_known).rev().collect()
}

/// The functions by which `caller` called `callee`, where it cannot have done so itself
/// and one way is the only shortest one.
fn left_out(program: &Program<'_>, caller: u32, callee: u32, is_interpreted: bool) -> Vec<u32> {
    if !program.call_sites(caller, callee).is_empty() {
        return Vec::new();
    }
    // By function: the shortest ways to it, counted, and the step before.
    let mut ways: HashMap<u32, (usize, u32)> = HashMap::from([(caller, (1, caller))]);
    let mut edge = vec![caller];
    for _ in 0..=LEFT_OUT {
        let mut next: HashMap<u32, (usize, u32)> = HashMap::new();
        for &from in &edge {
            let (count, _) = ways[&from];
            let calls = program.calls(from);
            let mut callees: Vec<u32> = match is_interpreted && from != caller {
                true => calls.leading.into_iter().collect(),
                false => calls.direct.iter().map(|(_, callee)| *callee).collect(),
            };
            callees.sort_unstable();
            callees.dedup();
            for to in callees.into_iter().filter(|to| !ways.contains_key(to)) {
                let way = next.entry(to).or_insert((0, from));
                way.0 += count;
            }
        }
        edge = next.keys().copied().collect();
        ways.extend(next);
        if let Some(&(count, before)) = ways.get(&callee) {
            let steps = std::iter::successors(Some(before), |step| Some(ways[step].1));
            let mut between: Vec<u32> = steps.take_while(|step| *step != caller).collect();
            between.reverse();
            return match count {
                1 => between,
                _ => Vec::new(),
            };
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
