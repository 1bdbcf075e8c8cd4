//! The machine's names.

extern crate wasmedge_libc as libc;

use std::ffi::{c_char, CStr};

fn host_name(room: usize) -> Result<String, std::io::Error> {
    let mut name = vec![1; room];
    // SAFETY: the length is that of the buffer.
    match unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) } {
        0 => {
            let name = CStr::from_bytes_until_nul(&name).unwrap();
            Ok(name.to_str().unwrap().to_owned())
        }
        _ => Err(std::io::Error::last_os_error()),
    }
}

fn text(field: &[c_char]) -> &str {
    // SAFETY: the system ends each with a zero.
    unsafe { CStr::from_ptr(field.as_ptr()) }.to_str().unwrap()
}

#[test]
fn the_host_has_one_name() {
    let name = host_name(256).unwrap();
    assert!(!name.is_empty());
    // The runner's copy, or the kernel's own word.
    let file = match cfg!(target_os = "wasi") {
        true => "/etc/hostname",
        false => "/proc/sys/kernel/hostname",
    };
    if let Ok(said) = std::fs::read_to_string(file) {
        assert_eq!(name, said.trim());
    }
    // SAFETY: zeros are a value of this type.
    let mut names: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is valid.
    assert_eq!(unsafe { libc::uname(&mut names) }, 0);
    assert_eq!(text(&names.nodename), name);
    assert!(!text(&names.sysname).is_empty() && !text(&names.machine).is_empty());
    assert!(!text(&names.release).is_empty() && !text(&names.version).is_empty());
}

#[test]
fn a_name_is_not_cut_off_unseen() {
    let name = host_name(256).unwrap();
    assert_eq!(host_name(name.len() + 1).unwrap(), name);
    assert_eq!(
        host_name(name.len()).unwrap_err().raw_os_error(),
        Some(libc::ENAMETOOLONG)
    );
}
