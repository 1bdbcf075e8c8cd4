//! The cargo subcommand: a thin shell over the library.

fn main() {
    std::process::exit(cargo_wasmedge::cli::main(std::env::args_os()));
}
