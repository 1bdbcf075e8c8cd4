//! Keeps what was built with the facade apart from what was built without.
//!
//! cargo knows nothing of the facade: a package that gets on it or off it looks
//! unchanged. What cargo does look at is the profile of each package, and it gives
//! each profile a file name of its own. So these packages get a key in their profile
//! that the target has no use for: cargo hands `split-debuginfo` to rustc only where
//! rustc knows the value for the target, and for wasm it knows none.

/// The configuration for the packages of these names.
pub fn separate<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for name in names {
        // All profiles are one of these two, or inherit from one.
        for profile in ["dev", "release"] {
            let name = toml::Value::from(name);
            text += &format!("[profile.{profile}.package.{name}]\nsplit-debuginfo = \"packed\"\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_the_key_in_both_profiles() {
        let text = separate(["app", "a-b"]);
        let parsed: toml::Table = text.parse().unwrap();
        for profile in ["dev", "release"] {
            for name in ["app", "a-b"] {
                let package = &parsed["profile"][profile]["package"][name];
                assert_eq!(package["split-debuginfo"].as_str(), Some("packed"));
            }
        }
    }
}
