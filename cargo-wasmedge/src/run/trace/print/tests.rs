//! Backtraces of a program without debug information.

use super::*;

/// The functions of a program, and its backtrace with the first one innermost.
fn printed(functions: &[&str], style: Style) -> String {
    let mut distinct = functions.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let bodies = distinct.iter().map(|name| format!("(func $\"{name}\")"));
    let text = format!("(module {})", bodies.collect::<String>());
    let bytes = wat::parse_str(text).unwrap();
    let program = Program::new(&bytes).unwrap();
    let active = functions.iter().map(|name| Active {
        function: distinct.iter().position(|it| it == name).unwrap() as u32,
        places: Vec::new(),
        gap: *name == "cut",
    });
    let stack: Vec<Active> = active.collect();
    let lines = Lines::new(&program);
    backtrace(&program, &lines, &stack, style, Path::new("/app"))
}

const PANIC: [&str; 8] = [
    "abort",
    "_ZN3std3sys9backtrace26__rust_end_short_backtrace17h0123456789abcdefE",
    "_RNvCsjJ6pmSBbkgH_7___rustc17rust_begin_unwind",
    "_ZN3app5inner17h0123456789abcdefE",
    "_ZN3app4main17h0123456789abcdefE",
    "_ZN3std3sys9backtrace28__rust_begin_short_backtrace17h0123456789abcdefE",
    "_ZN3std2rt10lang_start17h0123456789abcdefE",
    "_start",
];

#[test]
fn a_short_backtrace_of_a_panic_has_what_concerns_the_program() {
    assert_eq!(
        printed(&PANIC, Style::Short),
        "   0: __rustc::rust_begin_unwind\n   1: app::inner\n   2: app::main\n"
    );
}

#[test]
fn without_the_marks_it_goes_from_std_to_what_calls_main() {
    for mark in ["begin_short", "end_short", "_short_"] {
        let all = PANIC.into_iter();
        let merged: Vec<&str> = all.filter(|it| !it.contains(mark)).collect();
        assert!(merged.len() < PANIC.len());
        assert_eq!(
            printed(&merged, Style::Short),
            printed(&PANIC, Style::Short)
        );
    }
}

#[test]
fn a_full_backtrace_has_all_with_hashes() {
    let text = printed(&PANIC, Style::Full);
    assert_eq!(text.lines().count(), PANIC.len());
    assert!(
        text.contains(" - app::inner::h0123456789abcdef\n"),
        "{text}"
    );
}

#[test]
fn a_trap_that_is_no_panic_has_a_title_and_begins_with_itself() {
    assert_eq!(
        printed(&PANIC[3..], Style::Short),
        "stack backtrace:\n   0: app::inner\n   1: app::main\n\
         note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\n"
    );
    assert_eq!(printed(&["f"], Style::Short), "stack backtrace:\n   0: f\n");
}

#[test]
fn a_function_that_calls_itself_is_listed_three_times() {
    let mut stack = vec!["cut"];
    stack.extend(["f"; 6]);
    stack.push("g");
    assert_eq!(
        printed(&stack, Style::Short),
        "stack backtrace:\n   0: cut\n      [... frames that WasmEdge did not tell ...]\n   \
         1: f\n   2: f\n   3: f\n      [... the same 3 more times ...]\n   7: g\n"
    );
}

#[test]
fn files_are_named_from_the_current_directory_in_a_short_backtrace() {
    let shown = |file: &str, style| shown_file(file, style, Path::new("/app"));
    assert_eq!(shown("/app/src/main.rs", Style::Short), "./src/main.rs");
    assert_eq!(shown("/app/src/main.rs", Style::Full), "/app/src/main.rs");
    assert_eq!(shown("/apple/main.rs", Style::Short), "/apple/main.rs");
}

#[test]
fn each_line_that_it_may_have_been_is_named() {
    let place = |line| ("/app/a.rs".to_owned(), line, 5);
    let mut frame = Frame {
        function: 1,
        name: "f".to_owned(),
        places: vec![place(1), place(2)],
        gap: false,
    };
    let written = |frame: &Frame| {
        let mut text = String::new();
        write_frame(&mut text, 0, frame, Style::Short, Path::new("/app"));
        text
    };
    assert_eq!(
        written(&frame),
        "   0: f\n             at ./a.rs:1:5 or :2:5\n"
    );
    frame.places.extend([place(3), place(4)]);
    assert!(written(&frame).ends_with(" or :3:5 or elsewhere\n"));
}
