//! Random numbers of C code: the host's are not fit for keys, and libc's `getentropy` is
//! made of them. Ours takes its place in a program with a crate that brings it; where
//! none does, that is an error when the program is linked, not a weak key later.

use std::ffi::OsString;
use std::path::Path;

use super::explain::caller;

/// The call of C libraries that make keys.
const SYMBOL: &str = "getentropy";

/// The crate of ours that defines it.
const OURS: &str = "libwasmedge_random-";

/// Tells the linker that the user accepts the host's numbers.
pub const WEAK_RANDOM_VARIABLE: &str = "CARGO_WASMEDGE_LINKS_WEAK_RANDOM";

/// Whether the linker can be asked what it took from where: LLVM's for wasm, started by
/// rustc itself.
pub(super) fn can_be_asked(args: &[OsString]) -> bool {
    args.first().is_some_and(|arg| arg == "-flavor") && args.get(1).is_some_and(|arg| arg == "wasm")
}

/// The argument that has it written to `file`.
pub(super) fn ask(file: &Path) -> OsString {
    let mut arg = OsString::from("--why-extract=");
    arg.push(file);
    arg
}

/// What is wrong, if anything is. `answer` is a line for each part of an archive that was
/// linked: who calls, the part, what is called.
pub(super) fn judge(answer: &str) -> Option<String> {
    let from = answer.lines().find_map(|line| {
        let mut words = line.split('\t');
        let (by, part, symbol) = (words.next()?, words.next()?, words.next()?);
        let name = Path::new(part.split('(').next()?).file_name()?;
        let is_ours = name.to_str()?.starts_with(OURS);
        (symbol == SYMBOL && !is_ours).then(|| caller(by))
    })?;
    Some(format!(
        "cargo wasmedge: `{SYMBOL}`, called in {from}, would give WasmEdge's own random numbers: \
         they are not fit for keys\n  \
         help: with getrandom in the program they come from a sound generator: \
         cargo add getrandom, and `use getrandom as _;` in the program\n  \
         help: to accept them: the setting `weak-random = true`\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hosts_numbers_are_refused() {
        let line = |part: &str, symbol: &str| {
            format!(
                "reference\textracted\tsymbol\n/t/libsodium-0123456789abcdef.rlib(a.o)\t{part}\t{symbol}\n"
            )
        };
        let host = "/s/self-contained/libc.a(getentropy.c.obj)";
        let said = judge(&line(host, "getentropy")).unwrap();
        assert!(said.contains("called in the crate `sodium`"), "{said}");
        assert!(said.contains("weak-random = true"), "{said}");
        let ours = "/t/deps/libwasmedge_random-0123456789abcdef.rlib(x.o)";
        assert_eq!(judge(&line(ours, "getentropy")), None);
        assert_eq!(judge(&line("/s/libc.a(malloc.o)", "malloc")), None);
        assert_eq!(judge(""), None);
    }
}
