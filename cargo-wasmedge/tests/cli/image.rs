//! `cargo wasmedge image`, as far as it goes with a WasmEdge that is a script.

use crate::fake::{Fake, stderr};

#[test]
fn a_folder_of_the_users_is_left_alone() {
    let fake = Fake::new("1.97.1");
    std::fs::write(
        fake.app().join("app.wasm"),
        wat::parse_str("(module)").unwrap(),
    )
    .unwrap();
    let folder = fake.app().join("app.image");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("notes"), "mine").unwrap();
    let mut command = fake.command(["image", "app.wasm"]);
    let output = command
        .env("CARGO_WASMEDGE_PLUGIN", "never")
        .output()
        .unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let why = "app.image is there, and was not written by `cargo wasmedge image`: \
               name another folder with --output";
    assert!(said.contains(why), "{said}");
    assert_eq!(
        std::fs::read_to_string(folder.join("notes")).unwrap(),
        "mine"
    );
}
