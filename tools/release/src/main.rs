//! `cargo xtask release`: makes everything that a release consists of, and says the commands
//! that publish it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use cargo_wasmedge::cli::completions;
use cargo_wasmedge::port::{Ports, Support};
use clap::Parser;
use semver::Version;
use tools_common::Repo;
use tools_release::archive::{Entries, Entry, tar_gz};
use tools_release::branches::pins::Pins;
use tools_release::epoch::Epoch;
use tools_release::versions::PACKAGE;
use tools_release::{binary, branches, changelog, checksums, package, publish, versions};

/// Make everything that a release consists of
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Tool {
    /// Make everything that a release consists of, and publish nothing
    Release(Args),
}

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Everything is written into one folder: the package, an archive for each target, the dated
changelog, the branches for [patch] (patch.git), SHA256SUMS. Two runs at one commit give
the same bytes. SOURCE_DATE_EPOCH is used in the place of the commit's time.")]
struct Args {
    /// Take the checkout as it is, and date the changelog in the output folder only
    #[arg(long)]
    dry_run: bool,

    /// Where to write to: a new folder, or one that this command made
    #[arg(long, value_name = "FOLDER", default_value = "target/dist")]
    out: PathBuf,

    /// A target to make an archive for (may be repeated); without it, this machine's
    #[arg(long, value_name = "TARGET")]
    target: Vec<String>,

    /// Leave the branches out: they are the same for all targets
    #[arg(long)]
    no_branches: bool,

    /// Leave the package and the archives out: nothing is built then
    #[arg(long, conflicts_with = "no_branches")]
    no_archives: bool,

    /// Only write which upstream releases the branches hold: the newest that are covered
    #[arg(long)]
    write_pins: bool,
}

fn main() -> ExitCode {
    let Tool::Release(args) = Tool::parse();
    tools_common::exit_code(run(&args).map(|()| true))
}

fn run(args: &Args) -> Result<()> {
    let repo = Repo::open()?;
    if args.write_pins {
        return write_pins(&repo);
    }
    let documents = documents(&repo)?;
    let version = versions::agreed(&repo.root, &documents)?;
    let epoch = Epoch::of_checkout(&repo.root)?;
    let tag = format!("v{version}");
    let commit = git(&repo, &["rev-parse", "HEAD"])?;
    repo.shell.status(
        "Releasing",
        format_args!("{PACKAGE} {version} of {}, commit {commit}", epoch.day()),
    );
    let log = fs::read_to_string(repo.root.join("CHANGELOG.md"))?;
    let dated = changelog::dated(&log, &version.to_string(), &epoch.day())?;
    if !args.dry_run {
        is_ready(&repo, log == dated, &version)?;
    }
    let out = std::path::absolute(&args.out)?;
    begin(&out)?;
    let notes = changelog::notes(&dated, &version.to_string())?;
    fs::write(out.join("CHANGELOG.md"), &dated)?;
    fs::write(out.join("NOTES.md"), notes)?;

    if !args.no_archives {
        archives(&repo, args, &version, epoch, &dated, &out)?;
    }
    let mut made = Vec::new();
    if !args.no_branches {
        let (pins, folder) = (Pins::read(&repo.root)?, out.join(branches::REPOSITORY));
        let root = &repo.root;
        made = branches::make(root, &folder, &pins, &version, epoch, &repo.shell)?;
        let lines = made
            .iter()
            .map(|each| format!("{} {}\n", each.commit, each.name));
        fs::write(out.join("BRANCHES"), lines.collect::<String>())?;
    }
    checksums::write(&out)?;
    anstream::println!(
        "{}",
        fs::read_to_string(out.join(checksums::FILE))?.trim_end()
    );
    repo.shell.status("Made", out.display());
    repo.shell.note(format_args!(
        "nothing was published, and nothing is tagged; the commands that do it for {tag}:"
    ));
    let names: Vec<String> = made.into_iter().map(|branch| branch.name).collect();
    anstream::println!("{}", publish::commands(&version, &commit, &out, &names));
    Ok(())
}

/// The package, and an archive for each target.
fn archives(
    repo: &Repo,
    args: &Args,
    version: &Version,
    epoch: Epoch,
    changelog: &str,
    out: &Path,
) -> Result<()> {
    let work = repo.target.join("release-work");
    let packed = package::pack(repo, version, &work.join("package"), args.dry_run)?;
    let name = packed.file.file_name().context("a file")?;
    fs::copy(&packed.file, out.join(name))?;
    let targets = match args.target.as_slice() {
        [] => vec![binary::host_target()?],
        named => named.to_vec(),
    };
    for target in &targets {
        repo.shell.status("Building", format_args!("for {target}"));
        let program = binary::build(
            repo,
            &packed.sources,
            version,
            target,
            &work.join("build"),
            epoch,
        )?;
        let name = format!("{PACKAGE}-{version}-{target}");
        let archive = tar_gz(&name, &entries(repo, program, changelog)?, epoch)?;
        fs::write(out.join(format!("{name}.tar.gz")), archive)?;
    }
    Ok(())
}

/// What is in an archive beside the program.
fn entries(repo: &Repo, program: Vec<u8>, changelog: &str) -> Result<Entries> {
    let mut entries = Entries::from([
        (PACKAGE.to_owned(), Entry::program(program)),
        ("CHANGELOG.md".to_owned(), Entry::file(changelog)),
    ]);
    for name in ["README.md", "LICENSE"] {
        let path = repo.root.join(PACKAGE).join(name);
        entries.insert(name.to_owned(), Entry::file(fs::read(path)?));
    }
    for shell in completions::Shell::ALL {
        let path = format!("completions/{}", shell.file_name());
        entries.insert(path, Entry::file(completions::script(shell)));
    }
    Ok(entries)
}

/// Files that may name the release's number.
fn documents(repo: &Repo) -> Result<Vec<String>> {
    let files = git(repo, &["ls-files"])?;
    let names = files.lines().filter(|name| {
        let is_page = name.ends_with(".md") && *name != "CHANGELOG.md";
        is_page || name.ends_with("Dockerfile") || *name == "action.yml"
    });
    Ok(names.map(str::to_owned).collect())
}

/// What a release needs, and a dry run does not.
fn is_ready(repo: &Repo, is_dated: bool, version: &Version) -> Result<()> {
    let changed = git(repo, &["status", "--porcelain"])?;
    ensure!(
        changed.is_empty(),
        "the checkout has changes that are not committed:\n{changed}\n  help: --dry-run takes it as it is"
    );
    ensure!(
        is_dated,
        "CHANGELOG.md has no heading for {version}\n  \
         help: commit the CHANGELOG.md that --dry-run leaves in the output folder"
    );
    Ok(())
}

/// Empties a folder that an earlier run made.
fn begin(out: &Path) -> Result<()> {
    let is_empty = || fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if out.exists() && !is_empty() {
        if !out.join(checksums::FILE).is_file() {
            bail!(
                "{} is not empty and was not made by this command\n  help: name a new folder with --out",
                out.display()
            );
        }
        fs::remove_dir_all(out)?;
    }
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))
}

fn git(repo: &Repo, args: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    let output = git.args(args).current_dir(&repo.root).output();
    let output = output.context("cannot start git")?;
    ensure!(
        output.status.success(),
        "git {}: {}",
        args.join(" "),
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

fn write_pins(repo: &Repo) -> Result<()> {
    let ports = Ports::from_dir(&repo.root)?;
    let support = Support::from_dir(&repo.root)?;
    let cargo = || repo.cargo::<&str>([]);
    let pins = Pins::newest(&cargo, &ports, &support)?;
    let path = repo.root.join(branches::pins::FILE);
    fs::write(&path, pins.text()).with_context(|| format!("cannot write {}", path.display()))?;
    repo.shell.status(
        "Wrote",
        format_args!("{} releases to {}", pins.packages.len(), path.display()),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflows_give_options_that_there_are() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut seen = 0;
        for name in ["ci.yml", "release.yml"] {
            let text = fs::read_to_string(root.join(".github/workflows").join(name)).unwrap();
            for line in text.lines() {
                let Some((_, words)) = line.split_once("cargo xtask release") else {
                    continue;
                };
                let words = words.replace("${{ matrix.options }}", "--no-branches");
                let words = ["xtask", "release"]
                    .into_iter()
                    .chain(words.split_whitespace());
                Tool::try_parse_from(words).unwrap_or_else(|error| panic!("{name}: {error}"));
                seen += 1;
            }
        }
        assert_eq!(seen, 2);
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("precious"), "x").unwrap();
        let error = begin(temp.path()).unwrap_err().to_string();
        assert!(error.contains("was not made by this command"), "{error}");
        assert!(temp.path().join("precious").is_file());
        // What an earlier run made goes.
        fs::write(temp.path().join(checksums::FILE), "").unwrap();
        begin(temp.path()).unwrap();
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
        begin(&temp.path().join("new")).unwrap();
    }
}
