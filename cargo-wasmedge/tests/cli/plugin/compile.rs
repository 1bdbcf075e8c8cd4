//! `cargo wasmedge compile`, with the plugin's functions and without.

use super::{LATER, OLD, plugin, program, set_up};
use crate::fake::{Fake, stderr};

const SETTING: &str = "CARGO_WASMEDGE_PLUGIN";

#[test]
fn what_is_compiled_has_the_plugins_functions_if_the_setting_insists() {
    let fake = Fake::new("1.97.1");
    let built = program(&fake, "release", OLD);
    let before = std::fs::read(&built).unwrap();
    let library = set_up(&fake, &plugin());
    let path = library.to_str().unwrap();
    for (setting, imports) in [
        ("auto", false),
        ("never", false),
        ("require", true),
        (path, true),
    ] {
        let mut command = fake.command(["compile".as_ref(), built.as_os_str()]);
        command.args(["-o", "app.so"]).env(SETTING, setting);
        let output = command.output().unwrap();
        let said = stderr(&output);
        assert!(output.status.success(), "{said}");
        // The script copies what it gets.
        let content = std::fs::read(fake.app().join("app.so")).unwrap();
        let import = b"\x0etokio_wasmedge\x07version";
        let has = content.windows(import.len()).any(|bytes| bytes == import);
        assert_eq!(has, imports, "{setting}");
        let told = said.contains(&format!("Run with WASMEDGE_PLUGIN_PATH={path} "));
        assert_eq!(told, imports, "{said}");
        // Who runs it here with the plugin may expect it there.
        let noted = said.contains("note: it is compiled without the plugin");
        assert_eq!(noted, setting == "auto", "{said}");
    }
    assert_eq!(std::fs::read(&built).unwrap(), before);
}

#[test]
fn without_a_plugin_that_will_do_nothing_is_compiled_for_it() {
    let fake = Fake::new("1.97.1");
    let built = program(&fake, "release", LATER);
    for (library, why) in [
        (None, "which is not set up"),
        (Some(plugin()), "lacks `fly`"),
    ] {
        if let Some(library) = library {
            set_up(&fake, &library);
        }
        let mut command = fake.command(["compile".as_ref(), built.as_os_str()]);
        let output = command.env(SETTING, "require").output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(96), "{said}");
        assert!(said.contains(why), "{said}");
        assert!(said.ends_with("help: cargo wasmedge setup\n"), "{said}");
        assert!(!built.with_extension("so").exists());
    }
}
