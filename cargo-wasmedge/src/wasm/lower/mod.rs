//! What a program is changed to before WasmEdge compiles it.
//!
//! WasmEdge's compiler calls its runtime for two instructions that a program uses
//! all the time. `call_indirect`, which every waker, every `dyn` and every task goes
//! through, takes about 17 ns there; [`calls`] makes it a jump. `memory.copy`, every
//! move of a large value, takes about 30 ns however short it is; [`copies`] makes
//! short ones loads and stores (docs/benchmarks.md has the effect).
//!
//! What a program does stays the same as long as it does not trap. A copy that reaches
//! beyond the memory's end traps as before, but a part of it may have been written by
//! then. An empty copy from or to beyond the end no longer traps.

mod calls;
mod copies;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, Function, FunctionSection, Module, TypeSection, ValType};
use wasmparser::{CustomSectionReader, FuncType, Operator, Parser, Payload, TypeRef};

/// Part of the key under which compiled programs are cached. It is raised whenever
/// this module's output for a program changes.
pub(crate) const REVISION: u32 = 1;

/// The program with its indirect calls and short copies lowered.
///
/// # Errors
/// It is no module of wasm, or one with what is not known here.
pub(crate) fn lower(program: &[u8]) -> anyhow::Result<Vec<u8>> {
    let facts = Facts::of(program)?;
    let mut lowered = Module::new();
    Lowering::new(facts)?.parse_core_module(&mut lowered, Parser::new(0), program)?;
    let lowered = lowered.finish();
    wasmparser::Validator::new().validate_all(&lowered)?;
    Ok(lowered)
}

/// What has to be known of a module before it is rewritten.
struct Facts {
    /// `None`: no function type, or one of a recursion group, where types with the same
    /// parameters and results may still differ.
    types: Vec<Option<FuncType>>,
    /// The type of each function, those that are imported first.
    functions: Vec<u32>,
    imported: usize,
    table: calls::Table,
    /// Whether the first memory has addresses of 32 bits.
    has_memory32: Option<bool>,
}

impl Facts {
    fn of(program: &[u8]) -> anyhow::Result<Facts> {
        let mut facts = Facts {
            types: Vec::new(),
            functions: Vec::new(),
            imported: 0,
            table: calls::Table::default(),
            has_memory32: None,
        };
        for payload in Parser::new(0).parse_all(program) {
            let payload = payload?;
            facts.table.note(&payload)?;
            match payload {
                Payload::TypeSection(section) => {
                    for group in section {
                        let is_plain = |group: &wasmparser::RecGroup| {
                            let mut types = group.types();
                            let first = types.next();
                            first.is_some_and(|ty| ty.is_final && ty.supertype_idxs.is_empty())
                                && types.next().is_none()
                        };
                        let group = group?;
                        let is_plain = is_plain(&group);
                        facts.types.extend(group.into_types().map(
                            |ty| match ty.composite_type.inner {
                                wasmparser::CompositeInnerType::Func(ty) if is_plain => Some(ty),
                                _ => None,
                            },
                        ));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        match import?.ty {
                            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => facts.functions.push(ty),
                            TypeRef::Memory(ty) => facts.note_memory(ty),
                            _ => {}
                        }
                    }
                    facts.imported = facts.functions.len();
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        facts.functions.push(ty?);
                    }
                }
                Payload::MemorySection(section) => {
                    for ty in section {
                        facts.note_memory(ty?);
                    }
                }
                _ => {}
            }
        }
        Ok(facts)
    }

    fn note_memory(&mut self, ty: wasmparser::MemoryType) {
        self.has_memory32.get_or_insert(!ty.memory64);
    }

    fn signature(&self, ty: u32) -> Option<&FuncType> {
        self.types.get(ty as usize)?.as_ref()
    }
}

/// The rewriting of one module.
struct Lowering {
    facts: Facts,
    /// The index of the function that is called instead of `memory.copy`.
    copy: Option<u32>,
    /// For each type of indirect calls the index of the function that is called instead.
    calls: Vec<(u32, u32)>,
    /// How many of the module's own functions were rewritten.
    done: usize,
}

impl Lowering {
    fn new(facts: Facts) -> anyhow::Result<Lowering> {
        // Ours come behind the module's own, whose indices stay what they are.
        let mut next = u32::try_from(facts.functions.len())?..;
        let copy = match facts.has_memory32 {
            Some(true) => next.next(),
            _ => None,
        };
        let called = facts.table.called_types();
        let known = called.filter(|&ty| facts.signature(ty).is_some());
        let calls = known.zip(next).collect();
        Ok(Lowering {
            facts,
            calls,
            copy,
            done: 0,
        })
    }

    /// The function that is called instead of `operator`.
    fn lowered(&self, operator: &Operator<'_>) -> Option<u32> {
        match *operator {
            Operator::CallIndirect {
                type_index,
                table_index: 0,
            } => {
                let call = self.calls.iter().find(|(ty, _)| *ty == type_index)?;
                Some(call.1)
            }
            Operator::MemoryCopy {
                dst_mem: 0,
                src_mem: 0,
            } => self.copy,
            _ => None,
        }
    }
}

type Rewritten = Result<(), Error<std::convert::Infallible>>;

impl Reencode for Lowering {
    type Error = std::convert::Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Rewritten {
        utils::parse_type_section(self, types, section)?;
        if self.copy.is_some() {
            types.ty().function([ValType::I32; 3], []);
        }
        for (ty, _) in self.calls.clone() {
            let Some(signature) = self.facts.signature(ty).cloned() else {
                continue;
            };
            let mut signature = self.func_type(signature)?;
            let params = signature.params().iter().copied();
            signature = wasm_encoder::FuncType::new(
                params.chain([ValType::I32]),
                signature.results().iter().copied(),
            );
            types.ty().func_type(&signature);
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Rewritten {
        utils::parse_function_section(self, functions, section)?;
        // The types of ours come behind the module's own, in the same order.
        let first = self.facts.types.len() as u32;
        let ours = self.calls.len() + usize::from(self.copy.is_some());
        for ty in (first..).take(ours) {
            functions.function(ty);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Rewritten {
        utils::parse_code_section(self, code, section)?;
        if self.copy.is_some() {
            code.function(&copies::function());
        }
        for &(ty, _) in &self.calls {
            code.function(&calls::function(&self.facts, ty));
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Rewritten {
        let ty = self.facts.functions.get(self.facts.imported + self.done);
        let signature = ty.and_then(|&ty| self.facts.signature(ty));
        self.done += 1;
        // The index of the first local that is added, for copies. Without the
        // signature it is not known: parameters are locals, too.
        let mut own = signature.map(|ty| ty.params().len() as u32);
        let mut locals = Vec::new();
        for pair in body.get_locals_reader()? {
            let (count, ty) = pair?;
            locals.push((count, self.val_type(ty)?));
            own = own.and_then(|own| own.checked_add(count));
        }
        locals.push((2, ValType::I32));
        let mut function = Function::new(locals);

        let mut operators = body.get_operators_reader()?;
        // A constant is held back: it may be the length of the copy that follows.
        let mut length = None;
        while !operators.eof() {
            let operator = operators.read()?;
            let lowered = self.lowered(&operator);
            if let Some(length) = length.take() {
                let mut code = function.instructions();
                if let (Some(own), true) = (own, lowered.is_some() && lowered == self.copy) {
                    copies::inline(&mut code, own, length);
                    continue;
                }
                code.i32_const(length as i32);
            }
            match (operator, lowered) {
                (Operator::I32Const { value }, _) if copies::is_short(value) => {
                    length = Some(value as u32);
                }
                (_, Some(lowered)) => {
                    function.instructions().call(lowered);
                }
                (operator, None) => {
                    function.instruction(&self.instruction(operator)?);
                }
            }
        }
        code.function(&function);
        Ok(())
    }

    /// Debug information is left out: the code is no longer where it says.
    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Rewritten {
        match section.name().starts_with(".debug_") {
            true => Ok(()),
            false => utils::parse_custom_section(self, module, section),
        }
    }
}

#[cfg(test)]
mod tests;
