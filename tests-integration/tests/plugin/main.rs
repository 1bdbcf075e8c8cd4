//! WasmEdge's plugin, which is for Linux.

#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod guests;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    command::add(guests::suite()).run()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
