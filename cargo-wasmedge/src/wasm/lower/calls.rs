//! `call_indirect` as a jump to direct calls.
//!
//! A table that the module's code never changes, and that is neither imported nor
//! exported, holds what its element segments say. For each type that is called through
//! it one function is added, which takes the arguments and the index into the table and
//! calls the function there directly. Any other index, such as that of an empty element
//! or of a function of another type, it leaves to `call_indirect`, which traps as before.

use std::collections::BTreeMap;

use wasm_encoder::{BlockType, Function};
use wasmparser::{ElementItems, ElementKind, ExternalKind, Operator, Payload, TypeRef};

use super::Facts;

/// Larger tables are left alone: the jump table of each type may be as long.
const MAX_SIZE: u64 = 1 << 20;

/// A module's first table.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// How many elements it has; `None`: there was no table so far.
    size: Option<u32>,
    /// The functions in it, by index.
    functions: BTreeMap<u32, u32>,
    /// The types that it is called with.
    called: Vec<u32>,
    /// It may hold something else than what was noted.
    may_change: bool,
}

impl Table {
    /// Notes what a part of the module says of it.
    pub(super) fn note(&mut self, payload: &Payload<'_>) -> anyhow::Result<()> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    self.may_change |= matches!(import?.ty, TypeRef::Table(_));
                }
            }
            Payload::TableSection(section) => {
                let Some(table) = section.clone().into_iter().next().transpose()? else {
                    return Ok(());
                };
                self.size = Some(table.ty.initial.min(MAX_SIZE) as u32);
                self.may_change |= table.ty.table64 || table.ty.initial > MAX_SIZE;
                self.may_change |= !matches!(table.init, wasmparser::TableInit::RefNull);
            }
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    self.may_change |= export?.kind == ExternalKind::Table;
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
            // A passive or declared segment gets into a table by instructions only.
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
                    // Out of bounds: the program will not start.
                    self.may_change = true;
                    return Ok(());
                }
                for (index, function) in (first..).zip(functions) {
                    self.functions.insert(index, function?);
                }
            }
            _ => self.may_change = true,
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
            | Operator::TableCopy { .. } => self.may_change = true,
            _ => {}
        }
    }

    /// The types of calls that can be lowered.
    pub(super) fn called_types(&self) -> impl Iterator<Item = u32> {
        let called = match self.may_change {
            true => &[],
            false => &self.called[..],
        };
        called.iter().copied()
    }
}

/// `(arguments…, index)`: what is called instead of `call_indirect` with type `ty`.
pub(super) fn function(facts: &Facts, ty: u32) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    let signature = facts.signature(ty);
    let index = signature.map_or(0, |ty| ty.params().len() as u32);
    let type_of = |function: u32| {
        let ty = facts.functions.get(function as usize)?;
        facts.signature(*ty)
    };
    let known: Vec<(u32, u32)> = (facts.table.functions.iter())
        .map(|(&index, &function)| (index, function))
        .filter(|&(_, function)| signature.is_some() && type_of(function) == signature)
        .collect();

    if let (Some(&(first, _)), Some(&(last, _))) = (known.first(), known.last()) {
        // The outermost block ends where `call_indirect` is.
        let unknown = known.len() as u32;
        let mut jumps = vec![unknown; (last - first) as usize + 1];
        for (block, &(index, _)) in known.iter().enumerate() {
            jumps[(index - first) as usize] = block as u32;
        }
        for _ in 0..=known.len() {
            code.block(BlockType::Empty);
        }
        code.local_get(index).i32_const(first as i32).i32_sub();
        code.br_table(jumps, unknown);
        for &(_, function) in &known {
            code.end();
            for argument in 0..index {
                code.local_get(argument);
            }
            code.call(function).return_();
        }
        code.end();
    }
    for argument in 0..=index {
        code.local_get(argument);
    }
    code.call_indirect(0, ty).end();
    function
}
