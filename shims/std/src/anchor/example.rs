//! As the program of this name: see `src/bin`.

fn main() {}
