//! Uses all of `wasmedge_wasi_socket` as it was published: `signatures` by type,
//! `checks` by what it does.
//!
//! `old-api` lists the checks; `old-api CHECK ARGUMENT …` carries one out, and
//! prints what came of it.

#[cfg(target_os = "wasi")]
mod checks;
#[cfg(target_os = "wasi")]
mod signatures;

#[cfg(target_os = "wasi")]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let Some((name, args)) = args.split_first() else {
        println!("signatures {}", signatures::count());
        for (name, _) in checks::ALL {
            println!("{name}");
        }
        return;
    };
    match checks::ALL.iter().find(|(known, _)| known == name) {
        Some((_, check)) => match check(args) {
            Ok(()) => println!("{name}: ok"),
            Err(error) => println!("{name}: {error}"),
        },
        None => println!("no such check: {name}"),
    }
}

#[cfg(not(target_os = "wasi"))]
fn main() {}
