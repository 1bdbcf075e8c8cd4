//! The settings in words: `cargo wasmedge help settings`, and the generated parts
//! of `docs/settings.md`.

use std::fmt::Write as _;

use super::inherited::{Fate, RULES};
use super::layer::{PRECEDENCE, TABLE};
use super::table::{SETTINGS, Setting};
use super::variables::{SetBy, VARIABLES};

/// The text of `cargo wasmedge help settings`.
pub fn help() -> String {
    let mut text =
        "Settings of `cargo wasmedge`. Each is taken from the first of these that has it:\n"
            .to_owned();
    for (at, place) in PRECEDENCE.iter().enumerate() {
        writeln!(text, "  {}. {place}", at + 1).expect(TO_A_STRING);
    }
    text += "\nRelative paths start at the manifest's folder, those in flags and variables at the\n\
             working directory. A list in a variable is split as a shell splits words; one that\n\
             begins with `[` is a list of TOML.\n";
    for setting in SETTINGS {
        let what = setting.text().replace("\n ", "\n     ");
        writeln!(
            text,
            "\n{}\n     {what}\n     Value:    {}\n     Default:  {}\n     Variable: {}\n     Example:  {}",
            setting.key(),
            setting.value,
            setting.default,
            setting.variable(),
            setting.example,
        )
        .expect(TO_A_STRING);
    }
    text
}

/// The generated parts of `docs/settings.md`, each with its name.
pub fn reference() -> [(&'static str, String); 5] {
    [
        ("precedence", precedence()),
        ("table", table()),
        ("settings", settings()),
        ("variables", variables(&[SetBy::User, SetBy::Command])),
        ("variables of programs", variables(&[SetBy::Guest])),
    ]
}

/// The generated part of `docs/environment.md`.
pub fn environment() -> (&'static str, String) {
    let mut text = "| variables | | |\n|---|---|---|\n".to_owned();
    for rule in RULES {
        let names: Vec<String> = rule.names.iter().map(|name| format!("`{name}`")).collect();
        let fate = match rule.fate {
            Fate::Passed => "seen, also with `inherit-env = false`",
            Fate::Inherited => "seen",
            Fate::LeftOut => "left out",
        };
        writeln!(text, "| {} | {fate} | {} |", names.join(", "), rule.why).expect(TO_A_STRING);
    }
    writeln!(text, "| all others | seen | |").expect(TO_A_STRING);
    ("variables", text)
}

const TO_A_STRING: &str = "a string takes everything";

fn precedence() -> String {
    let mut text = String::new();
    for (at, place) in PRECEDENCE.iter().enumerate() {
        writeln!(text, "{}. {place}", at + 1).expect(TO_A_STRING);
    }
    text
}

/// All settings at a glance.
fn table() -> String {
    let mut text = "| key | variable | value | default |\n|---|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        writeln!(
            text,
            "| [`{key}`](#{key}) | `{}` | {} | {} |",
            setting.variable(),
            setting.value,
            setting.default,
            key = setting.key(),
        )
        .expect(TO_A_STRING);
    }
    text
}

/// A section for each.
fn settings() -> String {
    let section = |setting: &Setting| {
        let words: Vec<&str> = setting.text().lines().map(str::trim).collect();
        format!(
            "### {}\n\n{}\n\n```toml\n[package.metadata.{TABLE}]\n{}\n```\n",
            setting.key(),
            words.join("\n"),
            setting.example,
        )
    };
    let sections: Vec<String> = SETTINGS.iter().map(section).collect();
    sections.join("\n")
}

fn variables(set_by: &[SetBy]) -> String {
    let mut text = "| variable | for |\n|---|---|\n".to_owned();
    for variable in VARIABLES {
        if set_by.contains(&variable.set_by) {
            let names: Vec<String> = variable
                .name
                .split(", ")
                .map(|name| format!("`{name}`"))
                .collect();
            let by = match variable.set_by {
                SetBy::Command => "Set by the command for what it starts. ",
                SetBy::User | SetBy::Guest => "",
            };
            writeln!(text, "| {} | {by}{} |", names.join(", "), variable.text).expect(TO_A_STRING);
        }
    }
    text
}
