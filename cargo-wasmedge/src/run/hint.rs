//! Says that a program is interpreted, where that makes it far slower than a
//! developer expects: a debug build that does cryptography.
//!
//! Most debug builds do well interpreted, and start at once. A TLS handshake in one
//! takes seconds. Which it is, the names of the program's functions tell.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use wasmparser::BinaryReader;

use crate::shell::Shell;

/// Parts of functions' names, and what such a program does. Names of protocols and
/// algorithms that are made to cost time, not of apps.
const SLOW: [(&str, &str); 4] = [
    ("rustls", "a TLS handshake in it takes seconds"),
    ("SSL_do_handshake", "a TLS handshake in it takes seconds"),
    ("argon2", "hashing a password in it takes seconds"),
    ("bcrypt", "hashing a password in it takes seconds"),
];

/// Tells the user of a slow `program` that cargo started, if it is not one of many.
pub(super) fn tell(program: &Path, shell: &Shell) {
    if shell.is_quiet() || is_test(program) {
        return;
    }
    let Some(what) = slow_part(program).unwrap_or(None) else {
        return;
    };
    shell.note(format_args!(
        "{} is a debug build, and interpreted: {what}\n  \
         help: `--release` compiles it, as does the setting `aot = \"always\"`",
        program.file_name().unwrap_or_default().to_string_lossy(),
    ));
}

/// Tests and benchmarks: there are many of them, and they are to be short.
fn is_test(program: &Path) -> bool {
    let folder = program.parent().and_then(Path::file_name);
    folder == Some(OsStr::new("deps")) || std::env::var_os("NEXTEST").is_some()
}

/// What in the program is slow, as far as its functions have names.
fn slow_part(program: &Path) -> io::Result<Option<&'static str>> {
    let mut file = File::open(program)?;
    let Some(names) = custom_section(&mut file, "name")? else {
        return Ok(None);
    };
    let is_named = |part: &str| memchr::memmem::find(&names, part.as_bytes()).is_some();
    let found = SLOW.iter().find(|(part, _)| is_named(part));
    Ok(found.map(|(_, what)| *what))
}

/// The content of a custom section. Others are skipped and not read: those with debug
/// information are large.
fn custom_section(file: &mut (impl Read + Seek), wanted: &str) -> io::Result<Option<Vec<u8>>> {
    /// An id, a size and a name of this length at most.
    const HEAD: usize = 64;
    let mut at = b"\0asm\x01\0\0\0".len() as u64;
    loop {
        file.seek(SeekFrom::Start(at))?;
        let mut head = Vec::with_capacity(HEAD);
        file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        if head.is_empty() {
            return Ok(None);
        }
        let mut reader = BinaryReader::new(&head, 0);
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let id = reader.read_u8().map_err(invalid)?;
        let size = u64::from(reader.read_var_u32().map_err(invalid)?);
        let body = at + reader.original_position();
        at = body + size;
        if id == 0 && reader.read_string().is_ok_and(|name| name == wanted) {
            let mut content = Vec::new();
            file.seek(SeekFrom::Start(body))?;
            file.by_ref().take(size).read_to_end(&mut content)?;
            return Ok(Some(content));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, wat::parse_str(text).unwrap()).unwrap();
        file
    }

    #[test]
    fn the_names_of_functions_tell() {
        let slow = |text| slow_part(program(text).path()).unwrap();
        assert_eq!(
            slow("(module (@custom \"x\" \"rustls\") (func $_ZN6rustls6client4send17h0E))"),
            Some("a TLS handshake in it takes seconds")
        );
        assert_eq!(
            slow("(module (func $_ZN6argon26hasher17h0E))"),
            Some("hashing a password in it takes seconds")
        );
        // In data or in another section it is only text.
        assert_eq!(
            slow(
                "(module (memory 1) (data (i32.const 0) \"rustls\") (func $main) (@custom \"y\" \"rustls\"))"
            ),
            None
        );
        assert_eq!(slow("(module (func))"), None, "no names");
    }

    #[test]
    fn what_is_no_module_is_no_matter() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, [0xff; 100]).unwrap();
        assert!(!matches!(slow_part(file.path()), Ok(Some(_))));
        std::fs::write(&file, "").unwrap();
        assert!(matches!(slow_part(file.path()), Ok(None)));
    }
}
