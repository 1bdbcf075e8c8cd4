//! The types of values. All of them have the prelude's `Val`.

use fastrand::Rng;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ty {
    Unit,
    U32,
    U64,
    U128,
    F64,
    Text,
    Noted,
    Bomb,
    Catches,
    Three,
    Either,
    /// An array: it is given through memory.
    Wide,
    Object,
    /// A generic function's own.
    Generic,
    Pair(Box<Ty>, Box<Ty>),
    Maybe(Box<Ty>),
    List(Box<Ty>),
    Deque(Box<Ty>),
    Map(Box<Ty>),
    Shared(Box<Ty>),
}

impl Ty {
    /// One that is nested so deep at most.
    pub(super) fn any(rng: &mut Rng, depth: usize) -> Ty {
        let simple = [
            Ty::Unit,
            Ty::U32,
            Ty::U32,
            Ty::U64,
            Ty::U128,
            Ty::F64,
            Ty::Text,
            Ty::Noted,
            Ty::Noted,
            Ty::Bomb,
            Ty::Catches,
            Ty::Three,
            Ty::Either,
            Ty::Wide,
            Ty::Object,
        ];
        if depth == 0 || rng.u8(..5) < 3 {
            return simple[rng.usize(..simple.len())].clone();
        }
        let inner = Box::new(Ty::any(rng, depth - 1));
        match rng.u8(..6) {
            0 => Ty::Pair(inner, Box::new(Ty::any(rng, depth - 1))),
            1 => Ty::Maybe(inner),
            2 => Ty::Deque(inner),
            3 => Ty::Map(inner),
            4 => Ty::Shared(inner),
            _ => Ty::List(inner),
        }
    }

    pub(super) fn pair(one: Ty, other: Ty) -> Ty {
        Ty::Pair(Box::new(one), Box::new(other))
    }

    pub(super) fn name(&self) -> String {
        match self {
            Ty::Unit => "()".to_owned(),
            Ty::U32 => "u32".to_owned(),
            Ty::U64 => "u64".to_owned(),
            Ty::U128 => "u128".to_owned(),
            Ty::F64 => "f64".to_owned(),
            Ty::Text => "String".to_owned(),
            Ty::Noted => "Noted".to_owned(),
            Ty::Bomb => "Bomb".to_owned(),
            Ty::Catches => "Catches".to_owned(),
            Ty::Three => "Three".to_owned(),
            Ty::Either => "Either".to_owned(),
            Ty::Wide => "[u64; 6]".to_owned(),
            Ty::Object => "Box<dyn Does>".to_owned(),
            Ty::Generic => "T".to_owned(),
            Ty::Pair(one, other) => format!("({}, {})", one.name(), other.name()),
            Ty::Maybe(inner) => format!("Option<{}>", inner.name()),
            Ty::List(inner) => format!("Vec<{}>", inner.name()),
            Ty::Deque(inner) => format!("VecDeque<{}>", inner.name()),
            Ty::Map(inner) => format!("BTreeMap<u32, {}>", inner.name()),
            Ty::Shared(inner) => format!("Rc<{}>", inner.name()),
        }
    }
}
