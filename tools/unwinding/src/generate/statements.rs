//! Statements, and blocks of them.

use super::Writer;
use super::types::Ty;

impl Writer<'_> {
    /// A block that gives the type.
    pub(super) fn block(&mut self, ty: &Ty, depth: usize) -> String {
        let mark = self.scope.mark();
        let count = self.rng.usize(1..5);
        let mut text = String::from("{\n");
        for _ in 0..count {
            text += &self.statement(depth);
        }
        text += &self.expression(ty, depth);
        text += "\n}";
        self.scope.leave(mark);
        text
    }

    /// Some statements, with variables of their own.
    pub(super) fn statements(&mut self, depth: usize) -> String {
        let mark = self.scope.mark();
        let mut text = String::new();
        for _ in 0..self.rng.usize(1..4) {
            text += &self.statement(depth);
        }
        self.scope.leave(mark);
        format!("{{ {text} }}\n")
    }

    fn statement(&mut self, depth: usize) -> String {
        self.budget -= 1;
        let Some(depth) = depth.checked_sub(1).filter(|_| self.budget > 0) else {
            return format!("log({});\n", self.number());
        };
        match self.rng.u8(..20) {
            0..=4 => {
                let ty = Ty::any(self.rng, 2);
                let value = self.expression(&ty, depth);
                let name = self.name();
                let text = format!("let mut {name}: {} = {value};\n", ty.name());
                self.scope.add(name, ty);
                text
            }
            5 => match self.scope.take_any(self.rng) {
                Some(name) => format!("drop({name});\n"),
                None => self.may_panic(),
            },
            6 => match self.scope.take_any(self.rng) {
                // It is dropped here or at the end of its block.
                Some(name) => format!("if flip(2) {{ log(6); drop({name}); log(7); }}\n"),
                None => self.may_panic(),
            },
            7 | 8 => match self.scope.look(self.rng) {
                Some((name, ty)) => {
                    let value = self.expression(&ty, depth);
                    self.scope.assigned(&name);
                    format!("{name} = {value};\n")
                }
                None => self.may_panic(),
            },
            9 | 10 => {
                let sides = self.rng.u32(2..4);
                let [one, other] = self.either(|writer| writer.statements(depth));
                format!("if flip({sides}) {{ {one} }} else {{ {other} }}\n")
            }
            11 | 12 => self.repeated(depth),
            13 => {
                let value = self.expression(&Ty::U32, depth);
                let name = self.name();
                // Its value stands in no variable of the program's.
                format!(
                    "let {name} = Defer(|| {{ log(70); if flip(6) {{ panic!(); }} 71 }});\nlog({value});\n"
                )
            }
            14 => self.left(depth),
            15 => match self.scope.look(self.rng) {
                Some((name, _)) => format!("log({name}.peek());\n"),
                None => self.may_panic(),
            },
            16 => {
                let value = self.expression(&Ty::U32, depth);
                let one = self.sometimes(|writer| writer.statements(depth));
                format!("match ({value}) % 3 {{ 0 => log(80), 1 => {{ {one} }} _ => {{}} }}\n")
            }
            17 if self.is_async => {
                let n = self.number();
                format!("log(later({n}).await);\n")
            }
            _ => self.may_panic(),
        }
    }

    fn repeated(&mut self, depth: usize) -> String {
        let label = format!("'{}", self.name());
        let head = match self.rng.u8(..3) {
            0 => format!("for at in 0..roll({})", self.rng.u32(1..5)),
            1 => "while fuel() && !flip(3)".to_owned(),
            _ => {
                let list = Ty::List(Box::new(Ty::Noted));
                match self.scope.look_for(self.rng, &list) {
                    Some(name) => format!("while let Some(_one) = {name}.pop()"),
                    None => {
                        let list = self.expression(&list, depth);
                        format!("for _one in {list}")
                    }
                }
            }
        };
        let stayed = self.scope.freeze();
        self.scope.labels.push((label.clone(), None));
        let body = self.statements(depth);
        self.scope.labels.pop();
        self.scope.thaw(&stayed);
        format!("{label}: {head} {{ if !fuel() {{ break; }} {body} }}\n")
    }

    /// A loop, a block or the function is left.
    fn left(&mut self, depth: usize) -> String {
        let sides = self.rng.u32(2..6);
        let labels = self.scope.labels.len();
        if labels > 0 && !self.one_in(4) {
            let (label, gives) = self.scope.labels[self.rng.usize(..labels)].clone();
            return match gives {
                Some(ty) => {
                    let value = self.sometimes(|writer| writer.expression(&ty, depth));
                    format!("if flip({sides}) {{ break {label} {value}; }}\n")
                }
                None if self.one_in(2) => format!("if flip({sides}) {{ continue {label}; }}\n"),
                None => format!("if flip({sides}) {{ break {label}; }}\n"),
            };
        }
        if !self.can_return {
            return self.may_panic();
        }
        let gives = self.gives.clone();
        let value = self.sometimes(|writer| writer.expression(&gives, depth));
        format!("if flip({sides}) {{ return {value}; }}\n")
    }

    /// A statement that panics, or not.
    pub(super) fn may_panic(&mut self) -> String {
        let n = self.number();
        let sides = self.rng.u32(3..10);
        match self.rng.u8(..13) {
            0 => format!("if flip({sides}) {{ panic!(\"number {{}}\", roll({sides})); }}\n"),
            1 => format!("if flip({sides}) {{ panic!(); }}\n"),
            2 => format!("if flip({sides}) {{ panic_any({n}_u32); }}\n"),
            3 => format!("if flip({sides}) {{ panic_any({n}_u64); }}\n"),
            4 => format!("if flip({sides}) {{ panic_any(Noted({n})); }}\n"),
            5 => format!("log([{n}, 1, 2][roll(4) as usize]);\n"),
            6 => format!("log({n} / roll({sides}));\n"),
            7 => "log(\"é!\"[roll(3) as usize..].len() as u32);\n".to_owned(),
            8 => "log((u32::MAX - 2).checked_add(roll(4)).expect(\"a sum\"));\n".to_owned(),
            9 => format!("assert!(!flip({sides}), \"{n}\");\n"),
            10 => format!("assert_eq!(roll({sides}).min(1), 1);\n"),
            11 => {
                "([0_u8; 4])[..].copy_from_slice(&[1; 5][..4 + roll(4) as usize / 3]);\n".to_owned()
            }
            _ => format!("log({n});\n"),
        }
    }
}
