//! `cargo xtask book`: `docs/` as a book of HTML with a search, in `target/book`.
//!
//! The pages are those that readers of the repository see, at the same paths. Links that
//! lead out of `docs/` become links to the repository. What mdBook warns of is an error.

mod links;
mod warnings;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use mdbook_driver::MDBook;

use crate::links::ToRepository;
use crate::warnings::Warnings;

/// The documents as a book
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Tool {
    /// Make a book of HTML from the documents, in target/book
    Book,
}

fn main() -> ExitCode {
    let Tool::Book = Tool::parse();
    match build() {
        Ok(index) => {
            println!("{}", index.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Gives the first page's path.
fn build() -> Result<PathBuf> {
    let warnings = Warnings::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(warnings.clone())
        .with_ansi(false)
        .without_time()
        .init();
    let mut book = MDBook::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))?;
    book.with_preprocessor(ToRepository);
    book.build()?;
    let warned = warnings.text();
    ensure!(warned.is_empty(), "mdBook warns\n{warned}");
    let folder = book.build_dir_for("html");
    let broken = links::broken(&folder)?;
    ensure!(broken.is_empty(), "links\n{}", broken.join("\n"));
    let index = folder.join("index.html");
    ensure!(index.is_file(), "there is no {}", index.display());
    Ok(index.canonicalize()?)
}
