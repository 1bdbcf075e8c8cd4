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

/// What holds on the guest of the words that say something of the target.
const ON_GUEST: [&str; 7] = [
    GUEST,
    "target_arch = \"wasm32\"",
    "target_endian = \"little\"",
    "target_family = \"wasm\"",
    "target_os = \"wasi\"",
    "target_pointer_width = \"32\"",
    "target_vendor = \"unknown\"",
];

/// Words that are not for the target to say, but do not hold in what an app has of a crate.
const NEVER: [&str; 3] = ["doc", "docsrs", "test"];

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

    /// The same with `by` wherever `what` is an operand.
    pub fn replaced(&self, what: &Condition, by: &Condition) -> Condition {
        if self == what {
            return by.clone();
        }
        let all = |each: &[Condition]| each.iter().map(|one| one.replaced(what, by)).collect();
        match self {
            Condition::All(each) => Condition::All(all(each)),
            Condition::Any(each) => Condition::Any(all(each)),
            Condition::Not(inner) => Condition::Not(Box::new(inner.replaced(what, by))),
            Condition::Word(_) | Condition::Fixed(_) => self.clone(),
        }
    }

    /// Whether `what` is an operand.
    pub fn has(&self, what: &Condition) -> bool {
        self == what
            || match self {
                Condition::All(each) | Condition::Any(each) => each.iter().any(|one| one.has(what)),
                Condition::Not(inner) => inner.has(what),
                Condition::Word(_) | Condition::Fixed(_) => false,
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

/// Whether a condition can hold on the guest, with some features of the crate or others.
pub(super) fn can_hold_on_guest(condition: &Condition) -> bool {
    let can = |world: &World| condition.holds(world);
    on_guest(&[condition], can)
}

/// Whether two conditions can differ on the guest, with some features or others.
pub(super) fn differ_on_guest(one: &Condition, other: &Condition) -> bool {
    let differ = |world: &World| one.holds(world) != other.holds(world);
    on_guest(&[one, other], differ)
}

/// Whether something is so in a world of the guest. Of what has more words than can be
/// looked at it is taken for granted.
fn on_guest(conditions: &[&Condition], is_so: impl Fn(&World) -> bool) -> bool {
    let mut world = World::new();
    for condition in conditions {
        condition.words(&mut world);
    }
    let mut free = Vec::new();
    for (word, holds) in &mut world {
        let of_target = word.starts_with("target_") || word.starts_with("panic");
        *holds = ON_GUEST.contains(&word.as_str());
        if !of_target && !NEVER.contains(&word.as_str()) {
            free.push(word.clone());
        }
    }
    if free.len() > MOST_WORDS {
        return true;
    }
    (0..1_u32 << free.len()).any(|bits| {
        for (at, word) in free.iter().enumerate() {
            world.insert(word.clone(), bits >> at & 1 == 1);
        }
        is_so(&world)
    })
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
    fn what_is_so_on_the_guest() {
        let can_hold = |text| can_hold_on_guest(&condition(text));
        for (text, can) in [
            ("target_arch = \"wasm32\"", true),
            (
                "all(target_arch = \"wasm32\", target_os = \"unknown\")",
                false,
            ),
            ("all(wasm, feature = \"js\", not(unix))", true),
            ("not(target_family = \"wasm\")", false),
            ("all(feature = \"js\", not(feature = \"js\"))", false),
            ("test", false),
            (
                "any(windows, target_pointer_width = \"64\", panic = \"unwind\")",
                false,
            ),
        ] {
            assert_eq!(can_hold(text), can, "{text}");
        }
        let arch = condition("target_arch = \"wasm32\"");
        let differ = |text| {
            let one = condition(text);
            let other = one.replaced(&arch, &Condition::Fixed(false));
            assert_eq!(one.has(&arch), one != other, "{text}");
            differ_on_guest(&one, &other)
        };
        for (text, wanted) in [
            ("target_arch = \"wasm32\"", true),
            ("not(target_arch = \"wasm32\")", true),
            (
                "all(target_arch = \"wasm32\", target_os = \"unknown\")",
                false,
            ),
            (
                "all(target_arch = \"wasm32\", not(target_os = \"wasi\"))",
                false,
            ),
            (
                "not(all(target_arch = \"wasm32\", target_os = \"wasi\"))",
                true,
            ),
            ("any(target_arch = \"wasm32\", target_os = \"wasi\")", false),
            ("all(test, not(target_arch = \"wasm32\"))", false),
            ("all(feature = \"web\", target_arch = \"wasm32\")", true),
            ("feature = \"web\"", false),
        ] {
            assert_eq!(differ(text), wanted, "{text}");
        }
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
