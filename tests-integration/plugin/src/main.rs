//! Calls every function of the plugin, and says what is wrong. Which functions were called
//! is printed at the end, so that none is forgotten.
//!
//! ```text
//! plugin-guest all [unix]   everything that needs no other program
//! plugin-guest stdin        waits for standard input
//! plugin-guest signals      waits for signals
//! ```

#![cfg_attr(not(target_os = "wasi"), allow(unused))]

#[cfg(target_os = "wasi")]
mod checks;
#[cfg(target_os = "wasi")]
mod host;

#[cfg(target_os = "wasi")]
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["all"] => checks::all(false),
        ["all", "unix"] => checks::all(true),
        ["stdin"] => checks::outside::stdin(),
        ["signals"] => checks::outside::signals(),
        _ => panic!("no such command: {words:?}"),
    }
    println!("called: {}", host::called().join(" "));
}

#[cfg(not(target_os = "wasi"))]
fn main() {
    eprintln!("this is for WasmEdge");
}
