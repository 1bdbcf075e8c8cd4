//! What the doctor says of the plugin.

use super::{ABOUT, HERE, OTHER, library, plugin, set_up};
use crate::fake::{Fake, stderr};

/// The line of the plugin: status, detail, and what mends it.
fn says(fake: &Fake, setting: &str) -> (String, String, Option<String>) {
    let mut command = fake.command(["doctor", "--json"]);
    let output = command
        .env("CARGO_WASMEDGE_PLUGIN", setting)
        .output()
        .unwrap();
    let checks = serde_json::from_slice(&output.stdout);
    let checks: Vec<serde_json::Value> = checks.unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let mut of_plugin = checks.iter().filter(|check| check["name"] == "plugin");
    let check = of_plugin.next().unwrap();
    assert_eq!(of_plugin.count(), 0);
    let text = |key: &str| check[key].as_str().map(str::to_owned);
    let status = text("status").unwrap();
    assert_eq!(output.status.code() == Some(96), status == "missing");
    (status, text("detail").unwrap(), text("mend"))
}

#[cfg(target_os = "linux")]
#[test]
fn the_doctor_says_which_mode_the_next_program_has() {
    let fake = Fake::new("1.97.1");
    let setup = Some("cargo wasmedge setup".to_owned());
    let (status, detail, mend) = says(&fake, "auto");
    assert_eq!((&*status, &mend), ("warn", &setup));
    assert!(
        detail.starts_with("not set up, so programs run without it"),
        "{detail}"
    );
    assert!(detail.contains("one epoll"), "{detail}");
    let (status, detail, mend) = says(&fake, "never");
    assert_eq!((&*status, mend), ("ok", None));
    assert_eq!(
        detail,
        "programs run without it (the setting `plugin`: never)"
    );
    let (status, _, mend) = says(&fake, "require");
    assert_eq!((&*status, &mend), ("missing", &setup));

    let file = set_up(&fake, &plugin());
    let elsewhere = fake.path("elsewhere.so");
    std::fs::write(&elsewhere, plugin()).unwrap();
    let (status, detail, mend) = says(&fake, elsewhere.to_str().unwrap());
    assert_eq!((&*status, mend), ("ok", None));
    let place = format!(
        "interface 1, for WasmEdge 0.14 to 0.17 ({})",
        elsewhere.display()
    );
    assert!(detail.starts_with(&place), "{detail}");
    assert!(detail.contains("programs run with it (the setting `plugin`: a library)"));
    // Who put this one there?
    let (status, detail, mend) = says(&fake, "auto");
    assert_eq!((&*status, &mend), ("warn", &setup));
    let file = file.display();
    let place = format!("({file}, of other sources than this command's)");
    assert!(detail.contains(&place), "{detail}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_doctor_says_why_a_plugin_will_not_do() {
    let fake = Fake::new("1.97.1");
    let later = library(HERE, "interface=9 wasmedge=0.18-0.19", "version() ");
    for (content, why) in [
        (
            library(OTHER, ABOUT, "version() "),
            "is for another machine",
        ),
        (later, "fits WasmEdge 0.18 to 0.19, and this is 0.17.1"),
        (Vec::new(), "is not the plugin"),
    ] {
        set_up(&fake, &content);
        for (setting, status, then) in [
            ("auto", "warn", "programs run without it"),
            ("require", "missing", "programs do not run"),
        ] {
            let (is, detail, mend) = says(&fake, setting);
            assert_eq!(is, status, "{detail}");
            assert!(detail.contains(why) && detail.contains(then), "{detail}");
            assert!(mend.is_some());
        }
    }
}
