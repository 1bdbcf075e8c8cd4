//! A program that can do without the plugin: it has stubs, which say that there is no such
//! call. Where `cargo wasmedge` is given the plugin, they are its functions.

#![cfg_attr(not(target_os = "wasi"), allow(unused))]

use std::hint::black_box;

/// The answer of a stub. The compiler must not know it, nor what is done with the arguments:
/// what stands in the stub's place may write to where they point.
fn without<A>(name: &'static str, arguments: A) -> i64 {
    black_box((name, arguments));
    // ENOSYS.
    black_box(-38)
}

#[inline(never)]
#[export_name = "tokio_wasmedge.version"]
extern "C" fn version() -> i64 {
    without("version", ())
}

#[inline(never)]
#[export_name = "tokio_wasmedge.random"]
extern "C" fn random(at: *mut u8, len: u32) -> i64 {
    without("random", (at, len))
}

#[cfg(target_os = "wasi")]
fn main() {
    let mut bytes = [0; 32];
    let filled = random(bytes.as_mut_ptr(), 32);
    println!("version {}", version());
    println!("random {filled}, {}", bytes != [0; 32]);
}

#[cfg(not(target_os = "wasi"))]
fn main() {
    eprintln!("this is for WasmEdge");
}
