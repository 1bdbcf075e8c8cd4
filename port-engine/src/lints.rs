//! The lints that a crate asks for on top of its root module.
//!
//! cargo caps the lints of what comes from a registry. A ported crate is a folder of ours, and
//! there `#![deny(warnings)]` is an error of the app's build as soon as a newer compiler has a
//! new lint, or a rule leaves an import without a use.

use super::tokens::{Edit, edited, lex};

/// Attributes that have the compiler speak of a lint.
const LEVELS: [&str; 3] = ["deny", "forbid", "warn"];

/// The root module with its lints allowed, as cargo's cap has it; `None`: it asks for none.
pub(super) fn allowed(text: &str) -> anyhow::Result<Option<String>> {
    if !LEVELS.iter().any(|level| text.contains(level)) {
        return Ok(None);
    }
    let tokens = lex(text)?;
    let mut edits = Vec::new();
    let mut at = 0;
    while let [hash, bang, open, ..] = &tokens[at..] {
        if !(hash.is_punct('#') && bang.is_punct('!') && open.is_open('[')) {
            break;
        }
        let close = open.pair;
        for pair in tokens[at + 3..close].windows(2) {
            let is_level = LEVELS.iter().any(|level| pair[0].is_ident(level));
            // Behind a condition, too: `cfg_attr(…, deny(…))`.
            if is_level && pair[1].is_open('(') {
                edits.push(Edit {
                    range: pair[0].range.clone(),
                    text: "allow".to_owned(),
                });
            }
        }
        at = close + 1;
    }
    match edits.is_empty() {
        true => Ok(None),
        false => edited(text, edits).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lints_on_top_are_allowed_and_nothing_else_changes() {
        let text = "//! Denies: deny(warnings).\n#![deny(warnings, missing_docs)]\n\
                    #![cfg_attr(docsrs, warn(a), feature(doc_cfg))]\n/* b */ #! [ forbid (unsafe_code) ]\n\
                    #![doc = \"warn(c)\"]\n#![allow(d)]\nuse std::io;\n#[deny(e)]\nmod f { #![warn(g)] }\n";
        let expected = text
            .replace("#![deny(warnings", "#![allow(warnings")
            .replace("warn(a)", "allow(a)")
            .replace("forbid (", "allow (");
        assert_eq!(allowed(text).unwrap(), Some(expected));
    }

    #[test]
    fn a_crate_that_asks_for_none_stays_as_it_is() {
        for text in [
            "",
            "#",
            "//! Only a word about deny(warnings).\npub fn a() {}\n",
            "#![no_std]\n#[warn(a)]\npub fn a() {}\n",
            "#![deny]\n",
        ] {
            assert_eq!(allowed(text).unwrap(), None, "{text}");
        }
    }
}
