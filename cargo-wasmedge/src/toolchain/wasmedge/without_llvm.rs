//! A WasmEdge that cannot compile, and is a tenth of the size.
//!
//! Debian's libwasmedge is linked with LLVM, which is 130 MB and brings a theorem prover
//! along. WasmEdge calls it to compile, never to run what was compiled before. The loader
//! wants every function of it that libwasmedge names, though. So in the place of LLVM goes
//! a library that has these names. What is called of it when a program starts and ends are
//! constructors and destructors of LLVM's options, which keep the address of some object
//! and look at nothing: every function gives the address of zeros.
//!
//! Whoever uses it starts WasmEdge with it once, before relying on it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use object::elf::{SHT_DYNSYM, STT_TLS};
use object::read::elf::{ElfFile64, Sym as _};

use crate::toolchain::env::Env;
use crate::toolchain::process;

/// What the file of LLVM's library begins with, whatever its version.
const LLVM: &str = "libLLVM";

/// How long the C compiler may take, for 600 functions of one line.
const COMPILE: Duration = Duration::from_secs(60);

/// What a library takes from LLVM.
#[derive(Debug, Default, PartialEq, Eq)]
struct Taken {
    /// LLVM's file.
    file: String,
    /// The version of the symbols.
    version: String,
    symbols: BTreeSet<(String, Kind)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Function,
    Object,
    /// An object of each thread.
    ThreadLocal,
}

/// Writes a library into `folder` that stands in for the LLVM that `libwasmedge` is linked
/// with. Gives the name of its file; `None` where there is nothing to stand in for.
///
/// # Errors
/// libwasmedge is none that is known here, or there is no C compiler.
pub fn stand_in(libwasmedge: &Path, folder: &Path, env: &Env) -> anyhow::Result<Option<String>> {
    let shown = libwasmedge.display();
    let content = fs::read(libwasmedge).with_context(|| format!("cannot read {shown}"))?;
    let Some(taken) = taken(&content).with_context(|| shown.to_string())? else {
        return Ok(None);
    };
    let work = tempfile::tempdir()?;
    let (source, map) = (work.path().join("stand-in.c"), work.path().join("map"));
    fs::write(&source, c(&taken))?;
    fs::write(&map, format!("{} {{ global: *; }};\n", taken.version))?;
    let compiler = env.var("CC").unwrap_or("cc".as_ref());
    let mut command = env.command(compiler);
    command.args(["-shared", "-fPIC", "-nostdlib", "-O1", "-w", "-o"]);
    command.arg(folder.join(&taken.file)).arg(&source);
    command.arg(format!("-Wl,-soname,{}", taken.file));
    command.arg(format!("-Wl,--version-script={}", map.display()));
    let done = process::ask(&mut command, COMPILE)
        .with_context(|| format!("the C compiler `{}`", Path::new(compiler).display()))?;
    if !done.success() {
        bail!("the C compiler: {}", done.why());
    }
    Ok(Some(taken.file))
}

/// What the library with this content takes from LLVM; `None`: nothing, by this name.
fn taken(library: &[u8]) -> anyhow::Result<Option<Taken>> {
    let elf = ElfFile64::<object::Endianness>::parse(library)?;
    let (endian, sections) = (elf.endian(), elf.elf_section_table());
    let Some(versions) = sections.versions(endian, library)? else {
        return Ok(None);
    };
    let symbols = sections.symbols(endian, library, SHT_DYNSYM)?;
    let mut taken = Taken::default();
    for (index, symbol) in symbols.enumerate() {
        let version = versions.version_index(endian, index).index();
        let Ok(Some(version)) = versions.version(version) else {
            continue;
        };
        let text = |bytes| String::from_utf8(Vec::from(bytes));
        let file = text(version.file().unwrap_or_default())?;
        if !symbol.is_undefined(endian) || !file.starts_with(LLVM) {
            continue;
        }
        let version = text(version.name())?;
        if !taken.file.is_empty() && (&taken.file, &taken.version) != (&file, &version) {
            bail!("it takes from {} and from {file}", taken.file);
        }
        (taken.file, taken.version) = (file, version);
        let name = text(symbol.name(endian, symbols.strings())?)?;
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            bail!("it takes `{name}`, which is no name in C");
        }
        // Virtual tables and type information, which are written to by nobody.
        let is_object = ["_ZTV", "_ZTI", "_ZTS"]
            .iter()
            .any(|sign| name.starts_with(sign));
        let kind = match () {
            () if symbol.st_type() == STT_TLS => Kind::ThreadLocal,
            () if is_object => Kind::Object,
            () => Kind::Function,
        };
        taken.symbols.insert((name, kind));
    }
    Ok((!taken.symbols.is_empty()).then_some(taken))
}

/// The source of the library.
fn c(taken: &Taken) -> String {
    let mut source = "static char zeros[65536];\n".to_owned();
    for (name, kind) in &taken.symbols {
        let line = match kind {
            Kind::Function => format!("void *{name}(void) {{ return zeros; }}"),
            Kind::Object => format!("char {name}[512] __attribute__((aligned(16)));"),
            Kind::ThreadLocal => format!("__thread char {name}[64];"),
        };
        let _ = writeln!(source, "{line}");
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library with a need of LLVM's, made by the C compiler that links these tests.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_library_that_needs_llvm_is_loaded_with_the_stand_in() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let cc = |args: &[&str]| {
            let mut command = std::process::Command::new("cc");
            let done = command.current_dir(folder.path()).args(args).status();
            assert!(done.unwrap().success(), "{args:?}");
        };
        let llvm = "void *LLVMCompile(void){return 0;} __thread char _ZN4llvm2xE[64];";
        fs::write(at("llvm.c"), llvm).unwrap();
        fs::write(at("map"), "LLVM_19.1 { global: *; };").unwrap();
        let (soname, map) = ("-Wl,-soname,libLLVM.so.19.1", "-Wl,--version-script=map");
        cc(&[
            "-shared",
            "-fPIC",
            soname,
            map,
            "-o",
            "libLLVM.so.19.1",
            "llvm.c",
        ]);
        let edge = "extern __thread char _ZN4llvm2xE[64]; extern void *LLVMCompile(void);
                    char *edge(void) { return LLVMCompile() ? _ZN4llvm2xE : 0; }";
        fs::write(at("edge.c"), edge).unwrap();
        cc(&[
            "-shared",
            "-fPIC",
            "-o",
            "libedge.so",
            "edge.c",
            "./libLLVM.so.19.1",
        ]);
        let main = "extern char *edge(void); int main(void) { return edge() ? 7 : 0; }";
        fs::write(at("main.c"), main).unwrap();
        cc(&["-o", "main", "main.c", "./libedge.so", "-Wl,-rpath-link,."]);

        let code = |libraries: &Path| {
            let mut command = std::process::Command::new(at("main"));
            let path = std::env::join_paths([libraries, folder.path()]).unwrap();
            let command = command.env("LD_LIBRARY_PATH", path);
            command.current_dir(folder.path()).status().unwrap().code()
        };
        assert_eq!(code(folder.path()), Some(0));
        let out = tempfile::tempdir().unwrap();
        let env = Env::of_process().unwrap();
        let made = stand_in(&at("libedge.so"), out.path(), &env).unwrap();
        assert_eq!(made.as_deref(), Some("libLLVM.so.19.1"));
        // Its function gives the address of something.
        assert_eq!(code(out.path()), Some(7));
        // And what takes nothing from LLVM needs none.
        let made = stand_in(&at("libLLVM.so.19.1"), out.path(), &env).unwrap();
        assert_eq!(made, None);
    }

    #[test]
    fn every_kind_of_symbol_has_its_line() {
        let symbols = [
            ("LLVMInit".to_owned(), Kind::Function),
            ("_ZTVN4llvm1AE".to_owned(), Kind::Object),
            ("_ZN4llvm1xE".to_owned(), Kind::ThreadLocal),
        ];
        let taken = Taken {
            symbols: symbols.into(),
            ..Taken::default()
        };
        let source = c(&taken);
        for line in [
            "void *LLVMInit(void) { return zeros; }",
            "char _ZTVN4llvm1AE[512] __attribute__((aligned(16)));",
            "__thread char _ZN4llvm1xE[64];",
        ] {
            assert!(source.lines().any(|found| found == line), "{source}");
        }
    }
}
