//! What the conditions of a crate say for and against a port by evidence.

use globset::GlobSet;

use super::condition::{Condition, differ_on_guest};
use super::error::Result;
use super::evidence::{condition, platform};
use super::rules::{Action, CfgRule};
use super::source::Port;
use super::tokens::{Kind, lex, lex_pattern, may_hold};
use super::upstream::Upstream;
use super::work::glob_set;
use super::{cfg, manifest, twins};

/// Where a condition stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The file, relative to the crate.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// What the conditions of a crate say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gates {
    /// The first that the rules change on the guest.
    pub first: Option<Gate>,
    /// The file with two items that are alike but for the words that speak for it.
    pub twins: Option<String>,
    /// The first that speaks against it.
    pub unless: Option<Gate>,
}

impl Port {
    /// What the conditions in the crate's sources say.
    ///
    /// # Errors
    /// A file that cannot be read. One that is no Rust says nothing.
    pub fn gates(&self, upstream: &Upstream) -> Result<Gates> {
        let evidence = self.evidence();
        let against = evidence.map_or(&[][..], |of| &of.unless);
        let look = Look {
            rules: self.switches()?,
            words: evidence.map_or(&[][..], |of| &of.differ_in),
            against: against
                .iter()
                .map(|text| Ok((lex_pattern(text)?, condition(text)?)))
                .collect::<anyhow::Result<_>>()?,
        };
        let mut gates = Gates::default();
        for (file, bytes) in &upstream.read()? {
            let Ok(text) = std::str::from_utf8(bytes) else {
                continue;
            };
            if file == manifest::FILE {
                look.at_manifest(text, &mut gates)?;
            } else if look.rules.globs.is_match(file) {
                look.at_source(file, text, &mut gates);
            }
        }
        Ok(gates)
    }

    /// What the rules of kind `cfg` do.
    pub(super) fn switches(&self) -> anyhow::Result<Switches> {
        let mut files = Vec::new();
        let mut all = Vec::new();
        for rule in &self.file.rules {
            if let Action::Cfg(CfgRule {
                predicate,
                becomes,
                files: globs,
                ..
            }) = &rule.action
            {
                files.extend(globs.iter().cloned());
                all.push(Switch {
                    tokens: lex_pattern(predicate)?,
                    predicate: condition(predicate)?,
                    becomes: condition(becomes)?,
                });
            }
        }
        Ok(Switches {
            globs: glob_set(&files)?,
            all,
        })
    }
}

/// What the rules of kind `cfg` do to a condition.
pub(super) struct Switches {
    globs: GlobSet,
    all: Vec<Switch>,
}

struct Switch {
    tokens: Vec<Kind>,
    predicate: Condition,
    becomes: Condition,
}

impl Switches {
    pub fn switched(&self, condition: &Condition) -> Condition {
        let each = self.all.iter();
        each.fold(condition.clone(), |condition, switch| {
            condition.replaced(&switch.predicate, &switch.becomes)
        })
    }

    /// Whether a condition has one of the predicates.
    pub fn concern(&self, condition: &Condition) -> bool {
        self.all.iter().any(|each| condition.has(&each.predicate))
    }
}

/// What is looked for.
struct Look<'a> {
    rules: Switches,
    /// What speaks against a crate.
    against: Vec<(Vec<Kind>, Condition)>,
    /// The words of twins.
    words: &'a [String],
}

impl Look<'_> {
    /// At the tables of `[target]`.
    fn at_manifest(&self, text: &str, gates: &mut Gates) -> anyhow::Result<()> {
        let document = manifest::parse(text.as_bytes())?;
        let targets = document.get("target").and_then(|item| item.as_table_like());
        for (key, _) in targets.iter().flat_map(|table| table.iter()) {
            if platform(key).is_some_and(|table| self.is_against(&table)) {
                let before = text.split(key).next().unwrap_or_default();
                gates.unless.get_or_insert(gate(manifest::FILE, before));
            }
        }
        Ok(())
    }

    fn at_source(&self, file: &str, text: &str, gates: &mut Gates) {
        let rules = self.rules.all.iter().map(|switch| &switch.tokens);
        let mut all = rules.chain(self.against.iter().map(|(tokens, _)| tokens));
        // A cheap look first: most files have no such condition.
        if !all.any(|tokens| may_hold(text, tokens)) {
            return;
        }
        let Ok(tokens) = lex(text) else {
            return;
        };
        let mut changed = Vec::new();
        for at in cfg::conditions(&tokens, 0..tokens.len()) {
            let kinds: Vec<Kind> = tokens[at.clone()].iter().map(|t| t.kind.clone()).collect();
            // What macros write may be no condition yet.
            let Ok(condition) = Condition::parse(&kinds) else {
                continue;
            };
            let here = || gate(file, &text[..tokens[at.start].range.start]);
            if self.is_against(&condition) {
                gates.unless.get_or_insert_with(here);
            }
            if differ_on_guest(&condition, &self.rules.switched(&condition)) {
                gates.first.get_or_insert_with(here);
                changed.push((at, condition));
            }
        }
        if twins::differ_in(&tokens, &changed, self.words) {
            gates.twins.get_or_insert_with(|| file.to_owned());
        }
    }

    fn is_against(&self, condition: &Condition) -> bool {
        self.against.iter().any(|(_, each)| condition.has(each))
    }
}

fn gate(file: &str, before: &str) -> Gate {
    Gate {
        file: file.to_owned(),
        line: before.matches('\n').count() + 1,
    }
}
