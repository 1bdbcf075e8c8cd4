//! Random programs that panic, from a seed: Rust's text, valid, for `prelude.rs`.
//!
//! * `types`: the types of values, and how they are written;
//! * `scope`: which variables there are at a place, and what may be done with them;
//! * `expressions` and `statements`: what is written there.
//!
//! A program has many functions, since most of the time goes into compiling one. Which of
//! them run, and how, the dice of the prelude say.

mod expressions;
mod scope;
mod statements;
mod types;

use std::fmt::Write as _;

use fastrand::Rng;

use self::scope::Scope;
use self::types::Ty;

/// How many there are of each kind in a program.
const FUNCTIONS: usize = 22;
const GENERICS: usize = 4;
const FUTURES: usize = 5;
const KINDS: usize = 4;

/// How much is written into a body, in expressions and statements.
const BUDGET: i32 = 45;

/// The text of the program with this seed, without its prelude.
pub(crate) fn program(seed: u64) -> String {
    let mut rng = Rng::with_seed(seed);
    let signatures = Signatures::new(&mut rng);
    let mut text = String::new();
    let mut writer = |fill: &dyn Fn(&mut Writer<'_>)| {
        let mut writer = Writer::new(&mut rng, &signatures);
        fill(&mut writer);
        text += &writer.text;
    };
    for at in 0..FUNCTIONS {
        writer(&|writer| writer.function(at));
    }
    for at in 0..GENERICS {
        writer(&|writer| writer.generic(at));
    }
    for at in 0..FUTURES {
        writer(&|writer| writer.future(at));
    }
    for at in 0..KINDS {
        writer(&|writer| writer.kind(at));
    }
    writer(&|writer| writer.program());
    text
}

/// A function of the program: what it takes, and gives.
#[derive(Debug, Clone)]
struct Signature {
    takes: Vec<Ty>,
    gives: Ty,
    /// It is called through C's calling convention, where panics may pass.
    is_c: bool,
}

/// What a program can call.
#[derive(Debug)]
struct Signatures {
    functions: Vec<Signature>,
    futures: Vec<Signature>,
    /// The fields of the kinds of objects.
    kinds: Vec<Vec<Ty>>,
}

impl Signatures {
    fn new(rng: &mut Rng) -> Signatures {
        let list = |rng: &mut Rng, most| -> Vec<Ty> {
            (0..rng.usize(..=most)).map(|_| Ty::any(rng, 2)).collect()
        };
        let mut functions: Vec<Signature> = Vec::new();
        for _ in 0..FUNCTIONS {
            // Some are alike, for pointers to them.
            let mut signature = match functions.is_empty() || rng.u8(..3) > 0 {
                true => Signature {
                    takes: list(rng, 3),
                    gives: Ty::any(rng, 2),
                    is_c: false,
                },
                false => functions[rng.usize(..functions.len())].clone(),
            };
            let is_plain = |ty: &Ty| matches!(ty, Ty::U32 | Ty::U64 | Ty::F64 | Ty::Unit);
            signature.is_c = rng.u8(..3) == 0
                && signature.takes.iter().all(is_plain)
                && is_plain(&signature.gives);
            functions.push(signature);
        }
        let futures = (0..FUTURES).map(|_| Signature {
            takes: list(rng, 2),
            gives: Ty::any(rng, 2),
            is_c: false,
        });
        let futures = futures.collect();
        let kinds = (0..KINDS).map(|_| list(rng, 3)).collect();
        Signatures {
            functions,
            futures,
            kinds,
        }
    }
}

/// Writes one item of the program.
struct Writer<'a> {
    rng: &'a mut Rng,
    signatures: &'a Signatures,
    text: String,
    scope: Scope,
    /// What `return` gives here.
    gives: Ty,
    /// Whether `return` can stand here.
    can_return: bool,
    budget: i32,
    /// Names that were given.
    names: u32,
    /// Whether something can be awaited here.
    is_async: bool,
    /// The first future that may be called: a future has those in it that it calls.
    futures_from: usize,
    /// The first generic function that may be called: one that calls itself, with a closure,
    /// has no end for the compiler.
    generics_from: usize,
}

impl Writer<'_> {
    fn new<'a>(rng: &'a mut Rng, signatures: &'a Signatures) -> Writer<'a> {
        Writer {
            rng,
            signatures,
            text: String::new(),
            scope: Scope::default(),
            gives: Ty::Unit,
            can_return: true,
            budget: BUDGET,
            names: 0,
            is_async: false,
            futures_from: 0,
            generics_from: 0,
        }
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.rng.usize(..sides) == 0
    }

    fn number(&mut self) -> u32 {
        self.rng.u32(..10_000)
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    /// Parameters as they are written, and variables for them.
    fn parameters(&mut self, takes: &[Ty]) -> String {
        let mut list = String::new();
        for ty in takes {
            let name = self.name();
            let _ = write!(list, "mut {name}: {}, ", ty.name());
            self.scope.add(name, ty.clone());
        }
        list
    }

    /// A body that gives `gives`, and comes to an end when the fuel does. It begins with
    /// `opening`.
    fn body(&mut self, gives: &Ty, opening: &str) -> String {
        self.gives = gives.clone();
        let made = self.made(gives);
        let block = self.block(gives, 6);
        format!("{{\nif !fuel() {{ return {made}; }}\n{opening}{block}\n}}\n")
    }

    fn function(&mut self, at: usize) {
        let Signature { takes, gives, is_c } = self.signatures.functions[at].clone();
        let list = self.parameters(&takes);
        let body = self.body(&gives, "");
        let attribute = match self.rng.u8(..4) {
            0 => "#[inline(never)]\n",
            1 => "#[inline(always)]\n",
            _ => "",
        };
        let c = if is_c { "extern \"C-unwind\" " } else { "" };
        let gives = gives.name();
        self.text = format!("{attribute}{c}fn f{at}({list}) -> {gives} {body}");
    }

    fn generic(&mut self, at: usize) {
        self.generics_from = at + 1;
        let list = self.parameters(&[Ty::Generic]);
        let n = self.number();
        let opening = format!(
            "let given = {{ let _noted = Noted({n}); given({n}) }};\n\
             log(more(&given));\nif flip(2) {{ return given; }}\n"
        );
        let body = self.body(&Ty::Generic, &opening);
        self.text = format!(
            "fn g{at}<T: Val>({list}given: impl FnOnce(u32) -> T, more: &mut dyn FnMut(&T) -> u32) \
             -> T {body}"
        );
    }

    fn future(&mut self, at: usize) {
        let Signature { takes, gives, .. } = self.signatures.futures[at].clone();
        (self.is_async, self.futures_from) = (true, at + 1);
        let list = self.parameters(&takes);
        let body = self.body(&gives, "");
        let gives = gives.name();
        self.text = format!("async fn a{at}({list}) -> {gives} {body}");
    }

    fn kind(&mut self, at: usize) {
        let fields = self.signatures.kinds[at].clone();
        let mut text = format!("struct Kind{at} {{ noted: Noted, ");
        let mut looks = String::from("self.noted.peek()");
        for (field, ty) in fields.iter().enumerate() {
            let _ = write!(text, "m{field}: {}, ", ty.name());
            looks = format!("mix({looks}, self.m{field}.peek())");
        }
        let _ = write!(text, "}}\nimpl Does for Kind{at} {{\n");
        for (head, gives) in [
            ("does(&self", Ty::U64),
            ("changes(&mut self", Ty::pair(Ty::U32, Ty::F64)),
            ("ends(mut self: Box<Self>", Ty::Text),
        ] {
            self.scope = Scope::default();
            self.budget = BUDGET / 2;
            let list = self.parameters(&[Ty::U32]);
            // Its own fields, where they are its to change.
            if !head.contains("&self") {
                for (field, ty) in fields.iter().enumerate() {
                    self.scope.add_field(format!("self.m{field}"), ty.clone());
                }
            }
            let body = self.body(&gives, "");
            let _ = write!(text, "fn {head}, {list}) -> {} {body}", gives.name());
        }
        let _ = write!(text, "fn looks(&self) -> u32 {{ {looks} }}\n}}\n");
        self.text = text;
    }

    /// The function that calls the others.
    fn program(&mut self) {
        let mut text = String::from("fn program(seed: u32) {\nfor round in 0..6 {\n");
        text += "let n = match (seed + round * 5) % FUNCTIONS {\n";
        for at in 0..FUNCTIONS {
            let Signature { takes, .. } = &self.signatures.functions[at];
            let list: Vec<String> = takes.iter().map(|ty| self.made(ty)).collect();
            let _ = writeln!(text, "{at} => catch(|| f{at}({}).fold()),", list.join(", "));
        }
        let _ = write!(
            text,
            "_ => 0,\n}};\nlog(n);\n}}\n}}\nconst FUNCTIONS: u32 = {FUNCTIONS};\n\
             fn main() {{ prelude::main(program) }}\n"
        );
        self.text = text;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_always_the_same_program() {
        assert_eq!(program(3), program(3));
        assert_ne!(program(3), program(4));
    }

    #[test]
    fn programs_panic_and_catch_in_many_ways() {
        let text: String = (0..20).map(program).collect();
        for used in [
            "panic!",
            "panic_any",
            "resume_unwind",
            "catch_unwind",
            "catch(",
            "locked(",
            "each(",
            "Defer(",
            "borrowed(",
            "block_on(",
            "poll_some(",
            ".await",
            "continue",
            "break",
            "return",
            "Box::new(Kind",
            ".ends(",
            "extern \"C-unwind\"",
            "black_box(f",
            "g0(",
            "Bomb(",
            "sort_by",
            "retain",
            "while let",
            "u128",
        ] {
            assert!(text.contains(used), "{used}");
        }
    }
}
