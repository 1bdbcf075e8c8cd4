//! Expressions of a type.

use super::types::Ty;
use super::{FUNCTIONS, GENERICS, KINDS, Signature, Writer};

impl Writer<'_> {
    /// A value that is made of a number.
    pub(super) fn made(&mut self, ty: &Ty) -> String {
        let n = self.number();
        format!("<{}>::make({n})", ty.name())
    }

    fn leaf(&mut self, ty: &Ty) -> String {
        if !self.one_in(3)
            && let Some(name) = self.scope.take(self.rng, ty)
        {
            return name;
        }
        self.made(ty)
    }

    /// An expression, nested so deep at most.
    pub(super) fn expression(&mut self, ty: &Ty, depth: usize) -> String {
        self.budget -= 1;
        let Some(depth) = depth.checked_sub(1).filter(|_| self.budget > 0) else {
            return self.leaf(ty);
        };
        match self.rng.u8(..24) {
            0 | 1 => self.leaf(ty),
            2..=4 => self.call(ty, depth),
            5 => {
                let sides = self.rng.u32(2..4);
                let [one, other] = self.either(|writer| writer.block(ty, depth));
                format!("if flip({sides}) {one} else {other}")
            }
            6 | 7 => {
                let block = self.once(ty, depth);
                format!("catch(|| -> {} {block})", ty.name())
            }
            8 => self.caught(ty, depth),
            9 => self.labeled(ty, depth),
            10 => {
                let value = self.expression(ty, depth);
                let panics = self.may_panic();
                format!("{{ let v = {value}; {panics} v }}")
            }
            11 => match self.scope.look_for(self.rng, ty) {
                Some(name) => {
                    let value = self.expression(ty, depth);
                    // It may have been moved to make the value.
                    match self.scope.is_there(&name) {
                        true => format!("{{ let v = {value}; std::mem::replace(&mut {name}, v) }}"),
                        false => value,
                    }
                }
                None => self.own(ty, depth),
            },
            12 => self.generic_call(ty, depth),
            13 => self.future_call(ty, depth),
            14 => {
                let value = self.expression(ty, depth);
                let body = self.many_times(|writer| writer.statements(3));
                format!(
                    "locked({value}, |held| {{ log(held.peek());\n{body} *held = {}; }})",
                    { self.made(ty) }
                )
            }
            15 => {
                let value = self.expression(ty, depth);
                let sides = self.rng.u32(3..9);
                format!("Some({value}).filter(|_| !flip({sides})).unwrap()")
            }
            16 => self.block(ty, depth),
            _ => self.own(ty, depth),
        }
    }

    /// What only the type has.
    fn own(&mut self, ty: &Ty, depth: usize) -> String {
        match ty {
            Ty::Unit => {
                let statements = self.statements(2);
                format!("{{ {statements} }}")
            }
            Ty::U32 => self.small(depth),
            Ty::U64 => match self.rng.u8(..4) {
                0 => {
                    let object = self.expression(&Ty::Object, depth);
                    let n = self.expression(&Ty::U32, depth);
                    format!("{{ let o = {object}; o.does({n}) }}")
                }
                1 => {
                    let one = self.expression(&Ty::U64, depth);
                    format!("({one}).checked_sub(u64::from(roll(3))).unwrap_or(5)")
                }
                2 => {
                    let list = self.expression(&Ty::Wide, depth);
                    format!("({list})[roll(7) as usize]")
                }
                _ => {
                    let one = self.expression(&Ty::U64, depth);
                    let other = self.expression(&Ty::U64, depth);
                    format!("({one}).wrapping_mul(({other}) | 1)")
                }
            },
            Ty::U128 => {
                let one = self.expression(&Ty::U128, depth);
                let other = self.expression(&Ty::U64, depth);
                format!("({one}).wrapping_add(u128::from({other}))")
            }
            Ty::F64 => {
                let one = self.expression(&Ty::F64, depth);
                let other = self.expression(&Ty::F64, depth);
                match self.one_in(3) {
                    true => {
                        let object = self.expression(&Ty::Object, depth);
                        format!("({one}) + {{ let mut o = {object}; o.changes(roll(99)).1 }}")
                    }
                    false => format!("({one}) * 0.5 + ({other})"),
                }
            }
            Ty::Text => match self.rng.u8(..3) {
                0 => {
                    let object = self.expression(&Ty::Object, depth);
                    let n = self.expression(&Ty::U32, depth);
                    format!("({object}).ends({n})")
                }
                1 => {
                    let n = self.expression(&Ty::U32, depth);
                    let text = self.expression(&Ty::Text, depth);
                    format!("format!(\"{{}} {{}}\", {n}, {text})")
                }
                _ => {
                    let one = self.expression(&Ty::Text, depth);
                    let other = self.expression(&Ty::Text, depth);
                    format!("({one}) + &({other})")
                }
            },
            Ty::Noted | Ty::Bomb | Ty::Catches => {
                let n = self.expression(&Ty::U32, depth);
                format!("{}({n})", ty.name())
            }
            Ty::Three => {
                let first = self.expression(&Ty::Noted, depth);
                let third = self.expression(&Ty::Bomb, depth);
                let second = self.expression(&Ty::Text, depth);
                format!("Three {{ first: {first}, third: {third}, second: {second} }}")
            }
            Ty::Either => {
                let one = self.expression(&Ty::Either, depth);
                let other = self.expression(&Ty::Text, depth);
                format!("Either::Both(Box::new({one}), {other})")
            }
            Ty::Wide => {
                let one = self.expression(&Ty::U64, depth);
                let other = self.expression(&Ty::U64, depth);
                format!("[1, {one}, 2, {other}, 3, u64::from(roll(9))]")
            }
            Ty::Object => self.object(depth),
            Ty::Generic => self.made(ty),
            Ty::Pair(one, other) => {
                let one = self.expression(one, depth);
                let other = self.expression(other, depth);
                format!("({one}, {other})")
            }
            Ty::Maybe(inner) => {
                if self.one_in(3)
                    && let Some(name) = self.scope.look_for(self.rng, ty)
                {
                    return format!("{name}.take()");
                }
                let value = self.expression(inner, depth);
                format!("Some({value})")
            }
            Ty::List(inner) => self.list(inner, depth),
            Ty::Deque(inner) => {
                let list = self.list(inner, depth);
                format!("VecDeque::from({list})")
            }
            Ty::Map(inner) => {
                let value = self.many_times(|writer| writer.block(inner, depth));
                format!(
                    "(0..roll(6)).map(|at| (mix(at, 5) % 8, {value})).collect::<BTreeMap<_, _>>()"
                )
            }
            Ty::Shared(inner) => {
                let value = self.expression(inner, depth);
                format!("{{ let one = Rc::new({value}); let _other = one.clone(); one }}")
            }
        }
    }

    fn small(&mut self, depth: usize) -> String {
        match self.rng.u8(..9) {
            0 => "roll(100)".to_owned(),
            1 | 2 => match self.scope.look(self.rng) {
                Some((name, _)) => format!("{name}.peek()"),
                None => "roll(50)".to_owned(),
            },
            3 => {
                let ty = Ty::any(self.rng, 1);
                let value = self.expression(&ty, depth);
                format!("({value}).fold()")
            }
            4 => {
                let body = self.many_times(|writer| writer.block(&Ty::U32, depth));
                format!("each(roll(4), &mut |at| {body})")
            }
            5 => {
                let one = self.expression(&Ty::U32, depth);
                format!("({one}) / roll(8)")
            }
            6 => {
                let ty = Ty::any(self.rng, 1);
                let value = self.expression(&ty, depth);
                let n = self.once(&Ty::U32, depth);
                let held = if self.one_in(2) {
                    "borrow_mut"
                } else {
                    "borrow"
                };
                format!(
                    "borrowed({value}, |cell| {{ let held = cell.{held}(); \
                     if flip(5) {{ drop(cell.borrow_mut()); }} mix({n}, held.peek()) }})"
                )
            }
            _ => {
                let one = self.expression(&Ty::U32, depth);
                let other = self.expression(&Ty::U32, depth);
                format!("mix({one}, {other})")
            }
        }
    }

    fn list(&mut self, inner: &Ty, depth: usize) -> String {
        let ty = Ty::List(Box::new(inner.clone()));
        match self.rng.u8(..6) {
            0 => {
                let count = self.rng.usize(..4);
                let all: Vec<String> = (0..count).map(|_| self.expression(inner, depth)).collect();
                format!("<{}>::from([{}])", ty.name(), all.join(", "))
            }
            1 => {
                let list = self.expression(&ty, depth);
                let compares = self.many_times(|writer| writer.statements(2));
                format!(
                    "{{ let mut l = {list}; l.sort_by(|one, other| {{ {compares} \
                     one.peek().cmp(&other.peek()) }}); l }}"
                )
            }
            2 => {
                let list = self.expression(&ty, depth);
                let keeps = self.many_times(|writer| writer.statements(2));
                format!(
                    "{{ let mut l = {list}; l.retain(|one| {{ {keeps} \
                     one.peek() % 4 != roll(4) }}); l }}"
                )
            }
            3 => {
                let list = self.expression(&ty, depth);
                let panics = self.may_panic();
                format!(
                    "{{ let mut l = {list}; let middle = l.len() / 2; \
                     for one in l.drain(middle..) {{ log(one.peek()); {panics} }} l }}"
                )
            }
            _ => {
                let value = self.many_times(|writer| writer.block(inner, depth));
                format!("(0..roll(5)).map(|at| {value}).collect::<Vec<_>>()")
            }
        }
    }

    fn object(&mut self, depth: usize) -> String {
        let kind = self.rng.usize(..KINDS);
        let noted = self.expression(&Ty::Noted, depth);
        let mut fields = String::new();
        for (field, ty) in self.signatures.kinds[kind].clone().iter().enumerate() {
            let value = self.expression(ty, depth);
            fields += &format!("m{field}: {value}, ");
        }
        format!("Box::new(Kind{kind} {{ noted: {noted}, {fields}}}) as Box<dyn Does>")
    }

    /// A call of a function that gives the type.
    fn call(&mut self, ty: &Ty, depth: usize) -> String {
        let all = self.signatures.functions.iter().enumerate();
        let suitable = all.filter(|(_, signature)| signature.gives == *ty);
        let suitable: Vec<usize> = suitable.map(|(at, _)| at).collect();
        if suitable.is_empty() {
            return self.own(ty, depth);
        }
        let at = suitable[self.rng.usize(..suitable.len())];
        let Signature { takes, gives, is_c } = self.signatures.functions[at].clone();
        let mut list = Vec::new();
        for ty in &takes {
            list.push(self.expression(ty, depth));
        }
        let list = list.join(", ");
        let alike: Vec<usize> = (0..FUNCTIONS)
            .filter(|other| {
                let other = &self.signatures.functions[*other];
                (&other.takes, &other.gives, other.is_c) == (&takes, &gives, is_c)
            })
            .collect();
        let other = alike[self.rng.usize(..alike.len())];
        match self.rng.u8(..4) {
            0 | 1 => format!("f{at}({list})"),
            2 => format!(
                "black_box(f{at} as {})({list})",
                pointer(&takes, &gives, is_c)
            ),
            _ => {
                let ty = pointer(&takes, &gives, is_c);
                format!("(if flip(2) {{ f{at} as {ty} }} else {{ f{other} }})({list})")
            }
        }
    }

    fn generic_call(&mut self, ty: &Ty, depth: usize) -> String {
        if self.generics_from == GENERICS {
            return self.own(ty, depth);
        }
        let at = self.rng.usize(self.generics_from..GENERICS);
        let value = self.expression(ty, depth);
        let given = self.once(ty, depth);
        // Both closures are there at once: only one of them has the variables.
        let scope = std::mem::take(&mut self.scope);
        let more = self.many_times(|writer| writer.statements(2));
        self.scope = scope;
        format!(
            "g{at}({value}, |n| -> {} {given}, &mut |one| {{ {more} one.peek() }})",
            ty.name()
        )
    }

    /// The future is awaited, or driven here, or dropped before its end.
    fn future_call(&mut self, ty: &Ty, depth: usize) -> String {
        let from = self.futures_from;
        let all = self.signatures.futures.iter().enumerate().skip(from);
        let suitable: Vec<usize> = match self.one_in(3) {
            true => all.map(|(at, _)| at).collect(),
            false => all
                .filter(|(_, one)| one.gives == *ty)
                .map(|(at, _)| at)
                .collect(),
        };
        let (future, gives) = if suitable.is_empty() {
            (self.future_block(ty, depth), ty.clone())
        } else {
            let at = suitable[self.rng.usize(..suitable.len())];
            let Signature { takes, gives, .. } = self.signatures.futures[at].clone();
            let mut list = Vec::new();
            for ty in &takes {
                list.push(self.expression(ty, depth));
            }
            (format!("a{at}({})", list.join(", ")), gives)
        };
        if gives != *ty {
            let times = self.rng.u32(..4);
            let made = self.made(ty);
            return format!("{{ log(poll_some({times}, {future})); {made} }}");
        }
        match self.is_async && !self.one_in(3) {
            true => format!("({future}).await"),
            false => format!("block_on({future})"),
        }
    }

    fn future_block(&mut self, ty: &Ty, depth: usize) -> String {
        let block = self.closed(ty, true, |writer| {
            let before = writer.scope.enter_closure();
            let block = writer.block(ty, depth);
            writer.scope.leave_closure(&before);
            block
        });
        // What `return` gives is not known without.
        format!(
            "async {{ let all = async {block}; let all: {} = all.await; all }}",
            ty.name()
        )
    }

    /// A panic is caught, and may go on.
    fn caught(&mut self, ty: &Ty, depth: usize) -> String {
        let block = self.once(ty, depth);
        let sides = self.rng.u32(2..5);
        let made = self.sometimes(|writer| {
            let statements = writer.statements(2);
            let value = writer.expression(ty, depth);
            format!("{statements} if flip({sides}) {{ resume_unwind(p); }} {value}")
        });
        format!(
            "match catch_unwind(AssertUnwindSafe(|| -> {} {block})) {{\nOk(v) => v,\n\
             Err(p) => {{ log(payload(&*p)); {made} }}\n}}",
            ty.name()
        )
    }

    fn labeled(&mut self, ty: &Ty, depth: usize) -> String {
        let label = format!("'{}", self.name());
        self.scope.labels.push((label.clone(), Some(ty.clone())));
        let block = self.block(ty, depth);
        self.scope.labels.pop();
        format!("{label}: {block}")
    }

    /// The body of a closure that runs once.
    fn once(&mut self, ty: &Ty, depth: usize) -> String {
        self.closed(ty, false, |writer| {
            let before = writer.scope.enter_closure();
            let block = writer.block(ty, depth);
            writer.scope.leave_closure(&before);
            block
        })
    }

    /// The body of a closure that may run more than once. It does not return early: what
    /// it gives is left to who writes it.
    fn many_times(&mut self, write: impl FnOnce(&mut Self) -> String) -> String {
        let stayed = self.scope.freeze();
        let can_return = std::mem::replace(&mut self.can_return, false);
        let gives = self.gives.clone();
        let text = self.closed(&gives, false, write);
        self.can_return = can_return;
        self.scope.thaw(&stayed);
        text
    }

    /// Something that no loop around it can be left from.
    fn closed(
        &mut self,
        gives: &Ty,
        is_async: bool,
        write: impl FnOnce(&mut Self) -> String,
    ) -> String {
        let labels = std::mem::take(&mut self.scope.labels);
        let outer = std::mem::replace(&mut self.gives, gives.clone());
        let was_async = std::mem::replace(&mut self.is_async, is_async);
        let text = write(self);
        self.scope.labels = labels;
        self.gives = outer;
        self.is_async = was_async;
        text
    }

    /// What is not always done.
    pub(super) fn sometimes(&mut self, write: impl FnOnce(&mut Self) -> String) -> String {
        let before = self.scope.clone();
        let text = write(self);
        self.scope.join(&before);
        text
    }

    /// Two ways, of which one is taken.
    pub(super) fn either(&mut self, mut write: impl FnMut(&mut Self) -> String) -> [String; 2] {
        let before = self.scope.clone();
        let one = write(self);
        let after = std::mem::replace(&mut self.scope, before);
        let other = write(self);
        self.scope.join(&after);
        [one, other]
    }
}

fn pointer(takes: &[Ty], gives: &Ty, is_c: bool) -> String {
    let list: Vec<String> = takes.iter().map(Ty::name).collect();
    let c = if is_c { "extern \"C-unwind\" " } else { "" };
    format!("{c}fn({}) -> {}", list.join(", "), gives.name())
}
