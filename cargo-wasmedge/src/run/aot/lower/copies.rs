//! `memory.copy` of a few bytes, as loads and stores.
//!
//! All loads come before the first store: the two places may overlap. None is wider
//! than 8 bytes, so that the program needs no feature of wasm that it has not.

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, MemArgTarget, ValType};

/// Longer copies are worth a call of the runtime.
const MOST: u32 = 128;

// The locals of `function`.
const TO: u32 = 0;
const FROM: u32 = 1;
const LENGTH: u32 = 2;
const TO_END: u32 = 3;
const FROM_END: u32 = 4;

/// Whether a copy of this length, if it is one, is made where it stands.
pub(super) fn is_short(length: i32) -> bool {
    (1..=MOST as i32).contains(&length)
}

/// Copies `length` bytes. The stack has where to and where from; locals `local` and
/// the next are free.
pub(super) fn inline(code: &mut InstructionSink<'_>, local: u32, length: u32) {
    let (to, from) = (local, local + 1);
    code.local_set(from).local_set(to);
    let size = [8, 4, 2, 1].into_iter().find(|&size| size <= length);
    let size = size.unwrap_or(1);
    // The last may begin before the one before it ends.
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

/// `(to, from, length)`: what is called in the place of a copy.
pub(super) fn function() -> Function {
    let mut function = Function::new([(2, ValType::I32)]);
    let mut code = function.instructions();
    // Most are of 17 bytes and more: nobody copies a register this way.
    above(&mut code, 16, |code| {
        above(code, MOST, |code| {
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

/// What is done when the length is above `limit`.
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
        1 => code.i32_load8_u(place(at)),
        2 => code.i32_load16_u(place(at)),
        4 => code.i32_load(place(at)),
        _ => code.i64_load(place(at)),
    };
}

fn store(code: &mut InstructionSink<'_>, size: u32, at: u32) {
    match size {
        1 => code.i32_store8(place(at)),
        2 => code.i32_store16(place(at)),
        4 => code.i32_store(place(at)),
        _ => code.i64_store(place(at)),
    };
}

/// Nothing is known of how an address is aligned.
fn place(offset: u32) -> MemArg {
    MemArg {
        offset: offset.into(),
        align: 0,
        target: MemArgTarget::default(),
        ordering: None,
    }
}
