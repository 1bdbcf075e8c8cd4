//! What a page has its reader do.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A command, and what the page shows that it prints.
    Command { typed: String, shown: String },
    /// What `src/main.rs` becomes.
    Program(String),
}

/// The steps of a page, in its order: blocks of the kinds `console` and `rust`.
pub(crate) fn steps(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut block: Option<(String, String)> = None;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) => {
                block = Some((kind.to_string(), String::new()));
            }
            Event::Text(text) => {
                if let Some((_, code)) = &mut block {
                    *code += &text;
                }
            }
            Event::End(TagEnd::CodeBlock) => match block.take() {
                Some((kind, code)) if kind == "console" => steps.extend(commands(&code)),
                Some((kind, code)) if kind == "rust" => steps.push(Step::Program(code)),
                _ => {}
            },
            _ => {}
        }
    }
    steps
}

/// Each begins behind a prompt.
fn commands(block: &str) -> Vec<Step> {
    let mut commands: Vec<(String, Vec<&str>)> = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("$ ") {
            Some(typed) => commands.push((typed.to_owned(), Vec::new())),
            None => {
                if let Some((_, shown)) = commands.last_mut() {
                    shown.push(line);
                }
            }
        }
    }
    let steps = commands.into_iter().map(|(typed, shown)| Step::Command {
        typed,
        shown: shown.join("\n"),
    });
    steps.collect()
}
