//! The notice that a ported crate carries.

use super::error::places;
use super::ported::RuleReport;
use super::source::Port;
use super::target::P1;
use super::upstream::Upstream;

/// The notice's file name.
pub const FILE: &str = "WASMEDGE-PORT.md";

/// What was taken, what was changed, and why.
pub(super) fn text(port: &Port, upstream: &Upstream, rules: &[RuleReport]) -> String {
    let checksum = upstream
        .checksum
        .as_deref()
        .unwrap_or("not from a registry");
    let mut text = format!(
        "# {name} {version}, changed for WasmEdge\n\n\
         This is a modified copy of the crate `{name}`, made by cargo-wasmedge. The licence of \
         the original holds; its licence files are kept.\n\n\
         - Original: `{name}` {version}, SHA-256 of the archive: {checksum}\n\
         - Why: {why}\n\
         - Every change applies to `cfg({p1})` only.\n\n\
         Besides what is listed here, `Cargo.toml` is given an empty `[workspace]`, and lints \
         are allowed there and on top of the root module.\n\n## Changes\n\n",
        name = upstream.name,
        version = upstream.version,
        why = port.why().trim(),
        p1 = P1,
    );
    if rules.is_empty() {
        text.push_str("None.\n");
    }
    for rule in rules {
        text.push_str(&format!("- `{}`: {}\n", rule.name, rule.why.trim()));
        if rule.count() == 0 {
            text.push_str("  - nothing to change in this release\n");
        }
        for place in &rule.places {
            let item = place.item.as_ref().map(|item| format!(", `{item}`"));
            text.push_str(&format!(
                "  - {}{}: {}\n",
                place.file,
                item.unwrap_or_default(),
                places(place.count)
            ));
        }
    }
    text
}
