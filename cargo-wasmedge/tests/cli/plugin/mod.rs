//! WasmEdge's plugin: how it is built, which programs get it, and what is said where it
//! will not do. The library is made up, and WasmEdge is a script.

mod build;
mod compile;
mod doctor;
mod run;

use std::path::PathBuf;

use crate::fake::Fake;

/// A program with these functions, which imports from WASI.
macro_rules! module {
    ($functions:literal) => {
        concat!(
            "(module (import \"wasi_snapshot_preview1\" \"sched_yield\" (func (result i32)))",
            $functions,
            ")"
        )
    };
}

/// The number that ELF has for this machine, and for another one.
const HERE: u16 = if cfg!(target_arch = "x86_64") {
    62
} else {
    183
};
const OTHER: u16 = 243;

const ABOUT: &str = "interface=1 wasmedge=0.14-0.17";

/// Stubs of a function that has been there from the beginning, and of a later one.
const OLD: &str = module!("(func (export \"tokio_wasmedge.version\") (result i64) i64.const -38)");
const LATER: &str = module!(
    "(func (export \"tokio_wasmedge.version\") (result i64) i64.const -38)
     (func (export \"tokio_wasmedge.fly\") (result i64) i64.const -38)"
);

/// A program that was compiled for the plugin.
const IMPORTS: &str = "(module (import \"tokio_wasmedge\" \"version\" (func (result i64))))";

/// A library that says this of itself.
fn library(machine: u16, about: &str, functions: &str) -> Vec<u8> {
    let mut library = b"\x7fELF\x02\x01".to_vec();
    library.resize(18, 0);
    library.extend(machine.to_le_bytes());
    let said =
        format!("....tokio_wasmedge plugin: {about}\0tokio_wasmedge functions: {functions}\0");
    library.extend(said.as_bytes());
    library
}

/// The plugin as it is.
fn plugin() -> Vec<u8> {
    library(HERE, ABOUT, "version() ")
}

/// Puts a library where `setup` would.
fn set_up(fake: &Fake, library: &[u8]) -> PathBuf {
    let folder = fake.path("cache/plugin");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("libtokio_wasmedge_plugin.so");
    std::fs::write(&file, library).unwrap();
    file
}

/// Writes a program into cargo's folder for this profile.
fn program(fake: &Fake, profile: &str, text: &str) -> PathBuf {
    let folder = fake.app().join("target/wasm32-wasip1").join(profile);
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("app.wasm");
    std::fs::write(&program, wat::parse_str(text).unwrap()).unwrap();
    program
}
