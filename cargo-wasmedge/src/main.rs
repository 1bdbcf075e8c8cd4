//! The cargo subcommand: parses its own flags, calls the library.
fn main() {}
