//! The commands of a document, and where they are checked.
//!
//! ````markdown
//! <!-- checked: elsewhere: the check `demo` -->
//! ```console
//! $ cargo demo
//! ```
//! ````
//!
//! `<!-- checked: run -->` says what holds without a comment, too: the commands are run.

use anyhow::{Result, bail};

/// A block of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// How it is known that the commands work.
    pub(crate) checked: Checked,
    /// The commands with their lines, continued lines joined.
    pub(crate) commands: Vec<(usize, String)>,
}

/// How it is known that commands work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    /// They are run here, in the folder that the commands before them lead to.
    Run,
    /// They are not run here, for this reason.
    Elsewhere(String),
}

/// The blocks of commands in the text of a document.
///
/// # Errors
/// A comment that says nothing we know, or that stands above no block of commands. The
/// error names `document` and the line.
pub(crate) fn blocks(document: &str, text: &str) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fence: Option<Fence> = None;
    let mut comment: Option<(usize, Checked)> = None;
    for (line, text) in text
        .lines()
        .enumerate()
        .map(|(at, text)| (at + 1, text.trim()))
    {
        if let Some(open) = &mut fence {
            if open.is_closed_by(text) {
                fence = None;
            } else if let (true, Some(block)) = (open.has_commands, blocks.last_mut()) {
                open.take(block, line, text);
            }
            continue;
        }
        fence = Fence::opened_by(text);
        let above = comment.take();
        if fence.as_ref().is_some_and(|fence| fence.has_commands) {
            blocks.push(Block {
                checked: above.map_or(Checked::Run, |(_, checked)| checked),
                commands: Vec::new(),
            });
            continue;
        }
        stands_alone(document, above)?;
        if let Some(said) = text.strip_prefix("<!-- checked") {
            let Some(checked) = checked(said) else {
                bail!(
                    "{document}:{line}: `{text}` says nothing we know\n  help: \
                     `<!-- checked: run -->` or `<!-- checked: elsewhere: REASON -->`"
                );
            };
            comment = Some((line, checked));
        }
    }
    stands_alone(document, comment)?;
    Ok(blocks)
}

/// Complains of a comment that is above no block.
fn stands_alone(document: &str, comment: Option<(usize, Checked)>) -> Result<()> {
    if let Some((line, _)) = comment {
        bail!("{document}:{line}: no block of the kind `console` is directly below this comment");
    }
    Ok(())
}

/// What a comment says behind the word `checked`.
fn checked(said: &str) -> Option<Checked> {
    let said = said.strip_prefix(':')?.strip_suffix("-->")?.trim();
    if said == "run" {
        return Some(Checked::Run);
    }
    let reason = said.strip_prefix("elsewhere:")?.trim();
    (!reason.is_empty()).then(|| Checked::Elsewhere(reason.to_owned()))
}

/// An open code block.
struct Fence {
    /// The characters that it was opened with.
    marks: String,
    has_commands: bool,
    /// Whether the command of the last line goes on.
    continued: bool,
}

impl Fence {
    fn opened_by(line: &str) -> Option<Fence> {
        let mark = line.chars().next().filter(|mark| "`~".contains(*mark))?;
        let info = line.trim_start_matches(mark);
        let marks = &line[..line.len() - info.len()];
        (marks.len() >= 3).then(|| Fence {
            marks: marks.to_owned(),
            has_commands: info.split_whitespace().next() == Some("console"),
            continued: false,
        })
    }

    /// A block that shows a block has more marks than that, and ends with as many.
    fn is_closed_by(&self, line: &str) -> bool {
        line.strip_prefix(&self.marks)
            .is_some_and(|rest| rest.chars().all(|mark| self.marks.starts_with(mark)))
    }

    /// Takes a line of commands or of what they print.
    fn take(&mut self, block: &mut Block, line: usize, text: &str) {
        let text = match text.strip_prefix("$ ") {
            Some(command) => {
                block.commands.push((line, String::new()));
                command
            }
            None if self.continued => text,
            None => return,
        };
        self.continued = text.ends_with('\\');
        let text = text.trim_end_matches('\\').trim_end();
        if let Some((_, command)) = block.commands.last_mut() {
            if !command.is_empty() {
                command.push(' ');
            }
            *command += text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Block> {
        blocks("README.md", text).unwrap()
    }

    fn error(text: &str) -> String {
        blocks("README.md", text).unwrap_err().to_string()
    }

    #[test]
    fn commands_are_what_stands_behind_a_prompt_in_console_blocks() {
        let text = "```console\n$ cargo a\noutput\n$ cargo b \\\n    --c\n```\n\
                    ```text\n$ not this\n```\n$ nor this\n";
        let commands = vec![(2, "cargo a".to_owned()), (4, "cargo b --c".to_owned())];
        let checked = Checked::Run;
        assert_eq!(all(text), [Block { checked, commands }]);
    }

    #[test]
    fn a_comment_above_a_block_says_where_it_is_checked() {
        let text = "# Title\n<!-- checked: run -->\n```console\n$ cargo a\n```\n\n\
                    1. In a list:\n   <!-- checked: elsewhere: the check `demo` -->\n   \
                    ```console\n   $ cargo demo\n   ```\n```console\n$ cargo b\n```\n";
        let found: Vec<_> = all(text).into_iter().map(|block| block.checked).collect();
        let elsewhere = Checked::Elsewhere("the check `demo`".to_owned());
        assert_eq!(found, [Checked::Run, elsewhere, Checked::Run]);
        assert_eq!(all(text)[1].commands, [(10, "cargo demo".to_owned())]);
    }

    #[test]
    fn a_comment_with_an_unknown_word_names_file_and_line() {
        for comment in [
            "<!-- checked: later -->",
            "<!-- checked: elsewhere -->",
            "<!-- checked: elsewhere: -->",
            "<!-- checked: run",
            "<!-- checked run -->",
        ] {
            let said = error(&format!("a\n\n{comment}\n```console\n$ cargo a\n```\n"));
            let expected = format!("README.md:3: `{comment}` says nothing we know");
            assert!(said.starts_with(&expected), "{said}");
        }
    }

    #[test]
    fn a_comment_belongs_directly_above_a_block_of_commands() {
        let comment = "<!-- checked: run -->";
        for below in ["\n```console\n$ a\n```\n", "```sh\na\n```\n", "words\n", ""] {
            let said = error(&format!("{comment}\n{below}"));
            assert!(said.starts_with("README.md:1: no block"), "{said}");
        }
    }

    #[test]
    fn what_a_block_shows_is_no_comment_and_no_block() {
        let text = "````markdown\n<!-- checked: later -->\n```console\n$ cargo a\n```\n````\n\
                    ~~~text\n```console\n$ cargo b\n~~~\n";
        assert_eq!(all(text), []);
    }
}
