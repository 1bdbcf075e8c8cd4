//! The machine's names, which the host has no call for.
//!
//! The host's name is what the runner says of it, in `/etc/hostname`; without that file
//! what the variable `HOSTNAME` says. The system's is WASI's, as in wasi-libc.

use crate::socket::{cvt, error};
use libc::{c_char, c_int, size_t};
use std::io;

/// As wasi-libc has it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct utsname {
    pub sysname: [c_char; 65],
    pub nodename: [c_char; 65],
    pub release: [c_char; 65],
    pub version: [c_char; 65],
    pub machine: [c_char; 65],
    pub domainname: [c_char; 65],
}

/// # Errors
///
/// `ENOTSUP` where nobody says it.
fn host_name() -> io::Result<Vec<u8>> {
    let of_file = std::fs::read("/etc/hostname").unwrap_or_default();
    let of_file = of_file.trim_ascii();
    if !of_file.is_empty() {
        return Ok(of_file.to_vec());
    }
    let of_variable = std::env::var("HOSTNAME").unwrap_or_default();
    match of_variable.as_str() {
        "" => Err(error(libc::ENOTSUP)),
        name => Ok(name.into()),
    }
}

/// What `uname` calls the node, in whole: `(none)`, as a Linux without a name has it, where
/// nobody says the host's.
pub fn node_name() -> Vec<u8> {
    host_name().unwrap_or_else(|_| b"(none)".to_vec())
}

/// # Errors
///
/// `ENOTSUP` where nobody says the host's name, `ENAMETOOLONG` where it does not fit.
///
/// # Safety
///
/// `name` is valid for writing `len` bytes.
pub unsafe fn gethostname(name: *mut c_char, len: size_t) -> c_int {
    cvt((|| {
        let found = host_name()?;
        if found.len() >= len {
            return Err(error(libc::ENAMETOOLONG));
        }
        // SAFETY: the caller's promise, and the name fits with a zero behind it.
        unsafe {
            found.as_ptr().copy_to(name.cast(), found.len());
            name.add(found.len()).write(0);
        }
        Ok(0)
    })())
}

/// The host has no such call.
///
/// # Safety
///
/// None needed; unsafe as its namesake in libc.
pub unsafe fn sethostname(_name: *const c_char, _len: size_t) -> c_int {
    cvt(Err(error(libc::ENOTSUP)))
}

/// The node's name is [`node_name`], cut to what fits.
///
/// # Safety
///
/// `names` is valid for writing.
pub unsafe fn uname(names: *mut utsname) -> c_int {
    let found = utsname {
        sysname: field(b"wasi"),
        nodename: field(&node_name()),
        release: field(b"0.0.0"),
        version: field(b"0.0.0"),
        machine: field(b"wasm32"),
        domainname: field(b"(none)"),
    };
    // SAFETY: the caller's promise.
    unsafe { names.write(found) };
    0
}

/// Cut to what fits, with a zero behind it.
fn field(text: &[u8]) -> [c_char; 65] {
    let mut field = [0; 65];
    for (place, byte) in field[..64].iter_mut().zip(text) {
        *place = *byte as c_char;
    }
    field
}
