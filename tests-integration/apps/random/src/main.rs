//! Prints random bytes in hexadecimal: `random COUNT` 32 bytes from each release
//! of getrandom COUNT times, `random --stream BYTES` one long answer, `random --c` what C
//! code is given by `getentropy`, and `random --raw` what the system itself gives (on WASI).

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--stream", bytes] => {
            let mut stream = vec![0; bytes.parse()?];
            getrandom::fill(&mut stream).map_err(|error| error.to_string())?;
            println!("{}", hex(&stream));
        }
        ["--c"] => println!("{}", hex(&of_c()?)),
        ["--raw"] => println!("{}", hex(&raw())),
        [count] => {
            for _ in 0..count.parse()? {
                let mut keys = [[0; 32]; 4];
                // Their errors are of different traits.
                getrandom::fill(&mut keys[0]).map_err(|error| error.to_string())?;
                getrandom_3::fill(&mut keys[1]).map_err(|error| error.to_string())?;
                getrandom_2::getrandom(&mut keys[2]).map_err(|error| error.to_string())?;
                getrandom_1::getrandom(&mut keys[3]).map_err(|error| error.to_string())?;
                for key in keys {
                    println!("{}", hex(&key));
                }
            }
        }
        _ => return Err("usage: random COUNT | --stream BYTES | --c | --raw".into()),
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    // Interpreted, `format!` for each byte takes minutes.
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// The call of OpenSSL and AWS-LC.
fn of_c() -> Result<[u8; 32], &'static str> {
    extern "C" {
        fn getentropy(buffer: *mut u8, length: usize) -> i32;
    }
    let mut key = [0; 32];
    // SAFETY: `key` has as many bytes.
    match unsafe { getentropy(key.as_mut_ptr(), key.len()) } {
        0 => Ok(key),
        _ => Err("getentropy gives nothing"),
    }
}

#[cfg(target_os = "wasi")]
fn raw() -> Vec<u8> {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    extern "C" {
        fn random_get(buffer: *mut u8, length: usize) -> i32;
    }
    let mut key = vec![0; 32];
    // SAFETY: the host writes `key.len()` bytes to `key`.
    let errno = unsafe { random_get(key.as_mut_ptr(), key.len()) };
    assert_eq!(errno, 0);
    key
}

#[cfg(not(target_os = "wasi"))]
fn raw() -> Vec<u8> {
    Vec::new()
}
