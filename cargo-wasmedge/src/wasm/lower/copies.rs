//! `memory.copy` of a few bytes, as loads and stores.
//!
//! All loads come before the first store: source and destination may overlap. None is
//! wider than 8 bytes: wider ones would need SIMD, which the program may do without.

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, MemArgTarget, ValType};

/// For longer copies the call of the runtime hardly counts.
const MAX_LENGTH: u32 = 128;

// The locals of `function`.
const TO: u32 = 0;
const FROM: u32 = 1;
const LENGTH: u32 = 2;
const TO_END: u32 = 3;
const FROM_END: u32 = 4;

/// Whether a copy of this constant length is made inline.
pub(super) fn is_short(length: i32) -> bool {
    (1..=MAX_LENGTH as i32).contains(&length)
}

/// Copies `length` bytes. The stack holds the destination and the source; `local` and
/// the local after it are free.
pub(super) fn inline(code: &mut InstructionSink<'_>, local: u32, length: u32) {
    let (to, from) = (local, local + 1);
    code.local_set(from).local_set(to);
    let size = [8, 4, 2, 1].into_iter().find(|&size| size <= length);
    let size = size.unwrap_or(1);
    // The last piece may overlap the one before it.
    let pieces: Vec<u32> = (0..length.div_ceil(size))
        .map(|piece| (piece * size).min(length - size))
        .collect();
    for &at in &pieces {
        code.local_get(to).local_get(from);
        load(code, size, at);
    }
    for &at in pieces.iter().rev() {
        store(code, size, at);
    }
}

/// `(to, from, length)`: what is called instead of `memory.copy`.
pub(super) fn function() -> Function {
    let mut function = Function::new([(2, ValType::I32)]);
    let mut code = function.instructions();
    // Longer ones are asked for first. Most have 17 bytes and more: what fits into a
    // register or two is hardly ever copied this way.
    above(&mut code, 16, |code| {
        above(code, MAX_LENGTH, |code| {
            code.local_get(TO).local_get(FROM).local_get(LENGTH);
            code.memory_copy(0, 0).return_();
        });
        above(code, 64, |code| both_ends(code, 8, 8));
        above(code, 32, |code| both_ends(code, 8, 4));
        both_ends(code, 8, 2);
    });
    above(&mut code, 7, |code| both_ends(code, 8, 1));
    above(&mut code, 3, |code| both_ends(code, 4, 1));
    above(&mut code, 1, |code| both_ends(code, 2, 1));
    above(&mut code, 0, |code| both_ends(code, 1, 1));
    code.end();
    function
}

/// Does `then` when the length is above `limit`.
fn above(code: &mut InstructionSink<'_>, limit: u32, then: impl FnOnce(&mut InstructionSink<'_>)) {
    code.local_get(LENGTH).i32_const(limit as i32).i32_gt_u();
    code.if_(BlockType::Empty);
    then(code);
    code.end();
}

/// Copies the first and the last `count * size` bytes, which may overlap, and returns.
fn both_ends(code: &mut InstructionSink<'_>, size: u32, count: u32) {
    for (start, end) in [(TO, TO_END), (FROM, FROM_END)] {
        code.local_get(start).local_get(LENGTH).i32_add();
        code.i32_const((size * count) as i32).i32_sub();
        code.local_set(end);
    }
    for (to, from) in [(TO, FROM), (TO_END, FROM_END)] {
        for piece in 0..count {
            code.local_get(to).local_get(from);
            load(code, size, piece * size);
        }
    }
    for _ in 0..2 {
        for piece in (0..count).rev() {
            store(code, size, piece * size);
        }
    }
    code.return_();
}

fn load(code: &mut InstructionSink<'_>, size: u32, at: u32) {
    match size {
        1 => code.i32_load8_u(memarg(at)),
        2 => code.i32_load16_u(memarg(at)),
        4 => code.i32_load(memarg(at)),
        _ => code.i64_load(memarg(at)),
    };
}

fn store(code: &mut InstructionSink<'_>, size: u32, at: u32) {
    match size {
        1 => code.i32_store8(memarg(at)),
        2 => code.i32_store16(memarg(at)),
        4 => code.i32_store(memarg(at)),
        _ => code.i64_store(memarg(at)),
    };
}

/// Without alignment: nothing is known of the address.
fn memarg(offset: u32) -> MemArg {
    MemArg {
        offset: offset.into(),
        align: 0,
        target: MemArgTarget::default(),
        ordering: None,
    }
}
