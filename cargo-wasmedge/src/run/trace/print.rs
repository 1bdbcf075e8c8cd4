//! A backtrace in std's form.
//!
//! `RUST_BACKTRACE=1` leaves out what std's own does: its panic machinery, what is
//! outside of `main`, hashes. `full` shows all, with the numbers that WasmEdge knows the
//! functions by.

use std::fmt::Write as _;
use std::path::Path;

use super::Style;
use super::lines::{At, Lines};
use super::program::Program;
use super::stack::Active;

/// The marks that std puts around what interests a reader.
const END: &str = "__rust_end_short_backtrace";
const BEGIN: &str = "__rust_begin_short_backtrace";

/// The innermost function that a reader sees of a panic, where [`END`] was merged.
const UNWIND: &str = "rust_begin_unwind";

/// What calls `main`, where the compiler has merged the function with the mark into it.
const START: &str = "std::rt::lang_start";

/// So many different lines are named where it is not known which of them it was.
const ALTERNATIVES: usize = 3;

/// How often a function that calls itself is listed.
const REPEATED: usize = 3;

/// A line of the backtrace, with where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    function: u32,
    name: String,
    places: Vec<(String, u32, u32)>,
    gap: bool,
}

/// The text for `stack`, innermost first. Files in `cwd` are named from there.
pub(super) fn backtrace(
    program: &Program<'_>,
    lines: &Lines<'_>,
    stack: &[Active],
    style: Style,
    cwd: &Path,
) -> String {
    let mut frames: Vec<Frame> = stack
        .iter()
        .flat_map(|active| frames_of(program, lines, active, style))
        .collect();
    let is_panic = frames
        .iter()
        .any(|frame| frame.name.contains(END) || frame.name.contains(UNWIND));
    let mut text = String::new();
    // In a panic std has printed the title, and the note at the end.
    if !is_panic {
        text.push_str("stack backtrace:\n");
    }
    let mut omits = false;
    if style == Style::Short {
        omits = shorten(&mut frames);
    }
    let mut number = 0;
    while !frames.is_empty() {
        let first = frames[0].clone();
        let again = frames.iter().take_while(|frame| **frame == first).count();
        let listed = again.min(REPEATED);
        for _ in 0..listed {
            write_frame(&mut text, number, &first, style, cwd);
            number += 1;
        }
        if again > listed {
            let more = again - listed;
            let _ = writeln!(text, "      [... the same {more} more times ...]");
            number += more;
        }
        if first.gap {
            text.push_str("      [... frames that WasmEdge did not tell ...]\n");
        }
        frames.drain(..again);
    }
    if omits && !is_panic {
        text.push_str(
            "note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\n",
        );
    }
    text
}

/// Leaves what is inside of `BEGIN` and outside of `END`; whether there was more.
fn shorten(frames: &mut Vec<Frame>) -> bool {
    let all = frames.len();
    if !frames.iter().any(|frame| frame.name.contains(BEGIN))
        && let Some(start) = frames
            .iter()
            .position(|frame| frame.name.starts_with(START))
    {
        frames.truncate(start);
    }
    let has_end = frames.iter().any(|frame| frame.name.contains(END));
    if !has_end && let Some(unwind) = frames.iter().position(|it| it.name.contains(UNWIND)) {
        frames.drain(..unwind);
    }
    let mut shown = !has_end;
    frames.retain(|frame| {
        let mark = [(END, true), (BEGIN, false)]
            .into_iter()
            .find(|(mark, _)| frame.name.contains(mark));
        if let Some((_, inside)) = mark {
            shown = inside;
            return false;
        }
        shown
    });
    frames.len() < all
}

/// The function, and before it what was inlined there.
fn frames_of(
    program: &Program<'_>,
    lines: &Lines<'_>,
    active: &Active,
    style: Style,
) -> Vec<Frame> {
    let own = || match program.name(active.function) {
        Some(name) => demangled(name, style),
        None => "<unknown>".to_owned(),
    };
    let frame = |name: Option<&str>, places: Vec<(String, u32, u32)>| Frame {
        function: active.function,
        name: name.map_or_else(own, |name| demangled(name, style)),
        places,
        gap: false,
    };
    let mut at: Vec<Vec<At>> = active
        .places
        .iter()
        .map(|&place| lines.at(program.address(place)))
        .filter(|at| !at.is_empty())
        .collect();
    at.sort();
    at.dedup();
    let names =
        |at: &[At]| -> Vec<Option<String>> { at.iter().map(|at| at.name.clone()).collect() };
    let mut frames: Vec<Frame> = match at.as_slice() {
        [] => vec![frame(None, Vec::new())],
        // All have the same functions inlined, though lines may differ.
        [first, rest @ ..] if rest.iter().all(|other| names(other) == names(first)) => (0..first
            .len())
            .map(|depth| {
                let outermost = depth + 1 == first.len();
                let name = first[depth].name.as_deref().filter(|_| !outermost);
                let places = at.iter().filter_map(|at| at[depth].location.clone());
                frame(name, distinct(places))
            })
            .collect(),
        all => {
            let outer = all.iter().filter_map(|at| at.last()?.location.clone());
            vec![frame(None, distinct(outer))]
        }
    };
    if let Some(outer) = frames.last_mut() {
        outer.gap = active.gap;
    }
    frames
}

fn distinct(places: impl Iterator<Item = (String, u32, u32)>) -> Vec<(String, u32, u32)> {
    let mut places: Vec<_> = places.collect();
    places.sort();
    places.dedup();
    places
}

fn demangled(name: &str, style: Style) -> String {
    let name = rustc_demangle::demangle(name);
    match style {
        Style::Short => format!("{name:#}"),
        Style::Full => name.to_string(),
    }
}

fn write_frame(text: &mut String, number: usize, frame: &Frame, style: Style, cwd: &Path) {
    let name = &frame.name;
    let _ = match style {
        Style::Short => writeln!(text, "{number:>4}: {name}"),
        Style::Full => writeln!(text, "{number:>4}: {:>10} - {name}", frame.function),
    };
    if frame.places.is_empty() {
        return;
    }
    let mut said: Vec<String> = Vec::new();
    let mut last = "";
    for (file, line, column) in frame.places.iter().take(ALTERNATIVES) {
        let named = match file == last {
            true => String::new(),
            false => shown_file(file, style, cwd),
        };
        last = file;
        said.push(format!("{named}:{line}:{column}"));
    }
    if frame.places.len() > ALTERNATIVES {
        said.push("elsewhere".to_owned());
    }
    let indent = match style {
        Style::Short => 13,
        Style::Full => 31,
    };
    let _ = writeln!(text, "{:indent$}at {}", "", said.join(" or "));
}

/// As std names it: from the current directory in a short backtrace.
fn shown_file(file: &str, style: Style, cwd: &Path) -> String {
    match Path::new(file).strip_prefix(cwd) {
        Ok(rest) if style == Style::Short => Path::new(".").join(rest).display().to_string(),
        _ => file.to_owned(),
    }
}

#[cfg(test)]
mod tests;
