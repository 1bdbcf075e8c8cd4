//! What a cfg condition means: its truth in each world, and whether two agree.
//!
//! A rule replaces a condition wherever it stands, below any number of `not`s. That
//! keeps `A` and `not(A)` opposites. It changes nothing on other targets only if the
//! new condition is as true there as the old one: [`differs_elsewhere`] looks.

use std::collections::BTreeMap;

use anyhow::{bail, ensure};

use super::tokens::Kind;

/// The word that holds on the guest and nowhere else: upstream has no other `p1`.
const GUEST: &str = "target_env = \"p1\"";

/// How many different words a rule may have; each doubles the worlds to look at.
const MOST_WORDS: usize = 12;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// `unix`, or `target_os = "wasi"`.
    Word(String),
    /// `true` or `false`.
    Fixed(bool),
}

/// Which words hold.
pub(super) type World = BTreeMap<String, bool>;

impl Condition {
    /// Reads all of `tokens`.
    ///
    /// # Errors
    /// They are no condition.
    pub fn parse(tokens: &[Kind]) -> anyhow::Result<Condition> {
        let (condition, rest) = parse(tokens)?;
        ensure!(rest.is_empty(), "a condition ends before its text does");
        Ok(condition)
    }

    /// Whether it holds; words that the world does not know do not.
    pub fn holds(&self, world: &World) -> bool {
        match self {
            Condition::All(all) => all.iter().all(|each| each.holds(world)),
            Condition::Any(any) => any.iter().any(|each| each.holds(world)),
            Condition::Not(inner) => !inner.holds(world),
            Condition::Word(word) => world.get(word).copied().unwrap_or(false),
            Condition::Fixed(holds) => *holds,
        }
    }

    fn words(&self, found: &mut World) {
        match self {
            Condition::All(each) | Condition::Any(each) => {
                each.iter().for_each(|inner| inner.words(found));
            }
            Condition::Not(inner) => inner.words(found),
            Condition::Word(word) => {
                found.insert(word.clone(), false);
            }
            Condition::Fixed(_) => {}
        }
    }
}

/// A world without the guest in which one of the two holds and the other does not:
/// the words that hold in it. `None`: there is none.
///
/// # Errors
/// More words than can be looked at.
pub(super) fn differs_elsewhere(
    one: &Condition,
    other: &Condition,
) -> anyhow::Result<Option<Vec<String>>> {
    let mut world = World::new();
    one.words(&mut world);
    other.words(&mut world);
    world.remove(GUEST);
    let words: Vec<String> = world.keys().cloned().collect();
    ensure!(
        words.len() <= MOST_WORDS,
        "a condition has more than {MOST_WORDS} different words"
    );
    for bits in 0..1_u32 << words.len() {
        for (at, word) in words.iter().enumerate() {
            world.insert(word.clone(), bits >> at & 1 == 1);
        }
        if one.holds(&world) != other.holds(&world) {
            let holding = words.into_iter().filter(|word| world[word]);
            return Ok(Some(holding.collect()));
        }
    }
    Ok(None)
}

fn parse(tokens: &[Kind]) -> anyhow::Result<(Condition, &[Kind])> {
    let [Kind::Ident(word), rest @ ..] = tokens else {
        bail!("a condition begins with a word");
    };
    match (word.as_str(), rest) {
        ("true", _) => Ok((Condition::Fixed(true), rest)),
        ("false", _) => Ok((Condition::Fixed(false), rest)),
        (_, [Kind::Punct('='), Kind::Literal(value), rest @ ..]) => {
            Ok((Condition::Word(format!("{word} = {value}")), rest))
        }
        (_, [Kind::Open('('), inner @ ..]) => {
            let (mut operands, rest) = operands(inner)?;
            let condition = match word.as_str() {
                "all" => Condition::All(operands),
                "any" => Condition::Any(operands),
                "not" if operands.len() == 1 => Condition::Not(Box::new(operands.remove(0))),
                _ => bail!("`{word}(…)` is no condition: there are `all`, `any` and `not`"),
            };
            Ok((condition, rest))
        }
        // The short form of a family.
        ("unix" | "windows", _) => {
            let word = format!("target_family = \"{word}\"");
            Ok((Condition::Word(word), rest))
        }
        _ => Ok((Condition::Word(word.clone()), rest)),
    }
}

/// What is between an open bracket and its pair, and what is behind that.
fn operands(mut tokens: &[Kind]) -> anyhow::Result<(Vec<Condition>, &[Kind])> {
    let mut found = Vec::new();
    loop {
        if let [Kind::Close(')'), rest @ ..] = tokens {
            return Ok((found, rest));
        }
        let (operand, rest) = parse(tokens)?;
        found.push(operand);
        tokens = match rest {
            [Kind::Punct(','), rest @ ..] => rest,
            [Kind::Close(')'), ..] => rest,
            _ => bail!("a comma is missing in a condition"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::lex_pattern;
    use super::*;

    fn condition(text: &str) -> Condition {
        Condition::parse(&lex_pattern(text).unwrap()).unwrap()
    }

    fn differs(one: &str, other: &str) -> Option<Vec<String>> {
        differs_elsewhere(&condition(one), &condition(other)).unwrap()
    }

    #[test]
    fn truth() {
        let world = World::from([("a".to_string(), true)]);
        for (text, holds) in [
            ("a", true),
            ("b", false),
            ("not(b)", true),
            ("all(a, not(b),)", true),
            ("any(b, not(a))", false),
            ("all()", true),
            ("any()", false),
            ("not(all(a, any(b, true)))", false),
        ] {
            assert_eq!(condition(text).holds(&world), holds, "{text}");
        }
        for text in [
            "",
            "all(a b)",
            "not(a, b)",
            "some(a)",
            "a b",
            "a = b",
            "\"a\"",
        ] {
            let tokens: Vec<Kind> = lex_pattern(text).unwrap_or_default();
            assert!(Condition::parse(&tokens).is_err(), "{text}");
        }
    }

    #[test]
    fn what_only_the_guest_sees_is_no_difference() {
        let guest = "all(target_os = \"wasi\", target_env = \"p1\")";
        assert_eq!(differs("unix", &format!("any(unix, {guest})")), None);
        assert_eq!(differs("wasm", &format!("all(wasm, not({guest}))")), None);
        assert_eq!(differs("target_env = \"p1\"", "any()"), None);
        assert_eq!(differs("target_family = \"unix\"", "unix"), None);
    }

    #[test]
    fn a_difference_on_another_target_is_told() {
        let wasi = "target_os = \"wasi\"";
        let told = differs("unix", &format!("any(unix, {wasi})")).unwrap();
        assert_eq!(told, [wasi]);
        assert_eq!(differs("a", "any()").unwrap(), ["a"]);
        // Nothing holds in the world that tells these apart.
        assert_eq!(differs("not(a)", "a").unwrap(), Vec::<String>::new());
    }
}
