//! `call_indirect` as a jump to direct calls.
//!
//! What is in the table of a module whose own code never changes it, and which nobody
//! else gets, is known. For each type that is called there is one function more, which
//! takes the arguments and the number of the place in the table, and calls what is
//! there directly. Anything else, such as a place that is empty or has a function of
//! another type, it leaves to `call_indirect`, which traps as before.

use std::collections::BTreeMap;

use wasm_encoder::{BlockType, Function};
use wasmparser::{ElementItems, ElementKind, ExternalKind, Operator, Payload, TypeRef};

use super::Facts;

/// A table that is larger is left alone: its jumps would be, too.
const MOST: u64 = 1 << 20;

/// A module's first table.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// How many places it has; `None`: there was no table so far.
    size: Option<u32>,
    /// The functions in it.
    functions: BTreeMap<u32, u32>,
    /// The types that it is called with.
    called: Vec<u32>,
    /// It may have something else in it than was noted.
    changes: bool,
}

impl Table {
    /// Notes what a part of the module says of it.
    pub(super) fn note(&mut self, payload: &Payload<'_>) -> anyhow::Result<()> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    self.changes |= matches!(import?.ty, TypeRef::Table(_));
                }
            }
            Payload::TableSection(section) => {
                let Some(table) = section.clone().into_iter().next().transpose()? else {
                    return Ok(());
                };
                self.size = Some(table.ty.initial.min(MOST) as u32);
                self.changes |= table.ty.table64 || table.ty.initial > MOST;
                self.changes |= !matches!(table.init, wasmparser::TableInit::RefNull);
            }
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    self.changes |= export?.kind == ExternalKind::Table;
                }
            }
            Payload::ElementSection(section) => {
                for element in section.clone() {
                    self.note_element(element?)?;
                }
            }
            Payload::CodeSectionEntry(body) => {
                let mut operators = body.get_operators_reader()?;
                while !operators.eof() {
                    self.note_operator(&operators.read()?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn note_element(&mut self, element: wasmparser::Element<'_>) -> anyhow::Result<()> {
        let ElementKind::Active {
            table_index,
            offset_expr,
        } = element.kind
        else {
            // It gets into a table by instructions only.
            return Ok(());
        };
        if table_index.unwrap_or(0) != 0 {
            return Ok(());
        }
        let mut offset = offset_expr.get_operators_reader();
        match (offset.read()?, offset.read()?, element.items) {
            (Operator::I32Const { value }, Operator::End, ElementItems::Functions(functions)) => {
                let first = value as u32;
                let end = first.checked_add(functions.count());
                if end.is_none_or(|end| Some(end) > self.size) {
                    // The program will not start.
                    self.changes = true;
                    return Ok(());
                }
                for (place, function) in (first..).zip(functions) {
                    self.functions.insert(place, function?);
                }
            }
            _ => self.changes = true,
        }
        Ok(())
    }

    fn note_operator(&mut self, operator: &Operator<'_>) {
        match *operator {
            Operator::CallIndirect {
                type_index,
                table_index: 0,
            } if !self.called.contains(&type_index) => self.called.push(type_index),
            Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableInit { .. }
            | Operator::TableCopy { .. } => self.changes = true,
            _ => {}
        }
    }

    /// The types of calls that can be lowered.
    pub(super) fn called_types(&self) -> impl Iterator<Item = u32> {
        let called = match self.changes {
            true => &[],
            false => &self.called[..],
        };
        called.iter().copied()
    }
}

/// `(arguments…, place)`: what is called in the place of calls of type `ty`.
pub(super) fn function(facts: &Facts, ty: u32) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    let signature = facts.signature(ty);
    let place = signature.map_or(0, |ty| ty.params().len() as u32);
    let type_of = |function: u32| {
        let ty = facts.functions.get(function as usize)?;
        facts.signature(*ty)
    };
    let known: Vec<(u32, u32)> = (facts.table.functions.iter())
        .map(|(&place, &function)| (place, function))
        .filter(|&(_, function)| signature.is_some() && type_of(function) == signature)
        .collect();

    if let (Some(&(first, _)), Some(&(last, _))) = (known.first(), known.last()) {
        // The outermost block ends where `call_indirect` is.
        let unknown = known.len() as u32;
        let mut jumps = vec![unknown; (last - first) as usize + 1];
        for (block, &(place, _)) in known.iter().enumerate() {
            jumps[(place - first) as usize] = block as u32;
        }
        for _ in 0..=known.len() {
            code.block(BlockType::Empty);
        }
        code.local_get(place).i32_const(first as i32).i32_sub();
        code.br_table(jumps, unknown);
        for &(_, function) in &known {
            code.end();
            for argument in 0..place {
                code.local_get(argument);
            }
            code.call(function).return_();
        }
        code.end();
    }
    for argument in 0..=place {
        code.local_get(argument);
    }
    code.call_indirect(0, ty).end();
    function
}
