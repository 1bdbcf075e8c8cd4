//! One function without exception handling.

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Function, Instruction, ValType};
use wasmparser::{FunctionBody, Operator};

use super::facts::Facts;
use super::frames::{Frame, Frames, Way};
use super::module::{Plain, Written};
use super::throws::Throws;

/// How the function ends for an exception that leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// None does.
    None,
    /// Its caller looks at the global.
    ToCaller,
    /// Its only caller is the host.
    Trap,
}

/// An open block of the program.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// The label of ours that a branch to it means. Labels are counted from the
    /// function's own, which is 0.
    label: u32,
    /// In a `try`: the label that leads to its handler.
    handler: u32,
    /// In a `try`: the local with the exception that was caught.
    caught: Option<u32>,
}

impl Open {
    /// What is no `try`.
    fn plain(label: u32) -> Open {
        Open {
            label,
            handler: 0,
            caught: None,
        }
    }
}

/// The rewriting of one function.
struct Rewriting<'a, 'b> {
    plain: &'a mut Plain<'b>,
    facts: &'b Facts,
    throws: &'b Throws,
    out: Function,
    frames: Frames,
    /// In step with the frames.
    open: Vec<Open>,
    /// How many labels of ours there are.
    labels: u32,
    /// Of the block that is left to leave the function.
    exit: u32,
    /// The first local for exceptions that were caught.
    locals: u32,
    /// Where each operator begins, in the new function and in the old file.
    places: Places,
}

/// New place and old one.
pub(super) type Places = Vec<(usize, u64)>;

/// The function with the number `function`, and where its operators were.
pub(super) fn rewrite(
    plain: &mut Plain<'_>,
    function: u32,
    body: &FunctionBody<'_>,
    exit: Exit,
) -> Written<(Function, Places)> {
    let (facts, throws) = (plain.facts, plain.throws);
    let ty = facts.signature(facts.functions[function as usize]);
    let mut locals = Vec::new();
    let mut own = ty.params().len() as u32;
    for pair in body.get_locals_reader()? {
        let (count, ty) = pair?;
        locals.push((count, plain.val_type(ty)?));
        own += count;
    }
    let read = body.get_operators_reader()?.into_iter_with_offsets();
    let mut operators: Vec<Operator<'_>> = Vec::new();
    let mut offsets = Vec::new();
    for operator in read {
        let (operator, offset) = operator?;
        operators.push(operator);
        offsets.push(offset);
    }
    let tries = deepest(&operators);
    if tries > 0 {
        locals.push((tries, ValType::I32));
    }
    let mut rewriting = Rewriting {
        facts,
        throws,
        out: Function::new(locals),
        frames: Frames::new(&operators, facts.mends),
        open: vec![Open::plain(0)],
        labels: 1,
        exit: 0,
        locals: own,
        places: Places::with_capacity(operators.len()),
        plain,
    };
    if exit != Exit::None {
        rewriting.exit = rewriting.block(BlockType::Empty);
    }
    rewriting.operators(&operators, &offsets)?;
    if exit != Exit::None {
        // What the function gives lies on the stack.
        rewriting.put(Instruction::Return);
        rewriting.put(Instruction::End);
        rewriting.leave(ty, exit)?;
    }
    rewriting.put(Instruction::End);
    Ok((rewriting.out, rewriting.places))
}

/// How many `try` are open at most.
fn deepest(operators: &[Operator<'_>]) -> u32 {
    let mut open = Vec::new();
    let (mut tries, mut most) = (0, 0);
    for operator in operators {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                open.push(0);
            }
            Operator::Try { .. } => {
                open.push(1);
                tries += 1;
                most = most.max(tries);
            }
            Operator::End | Operator::Delegate { .. } => tries -= open.pop().unwrap_or(0),
            _ => {}
        }
    }
    most
}

impl Rewriting<'_, '_> {
    fn put(&mut self, instruction: Instruction<'_>) {
        self.out.instruction(&instruction);
    }

    /// Opens a block of ours and gives its label.
    fn block(&mut self, ty: BlockType) -> u32 {
        self.put(Instruction::Block(ty));
        self.labels += 1;
        self.labels - 1
    }

    fn end(&mut self) {
        self.put(Instruction::End);
        self.labels -= 1;
    }

    fn depth(&self, label: u32) -> u32 {
        self.labels - 1 - label
    }

    /// The depth that a branch so far out has now.
    fn branch(&self, depth: u32) -> u32 {
        self.depth(self.open[self.frames.number(depth)].label)
    }

    fn get(&mut self) {
        self.put(Instruction::GlobalGet(self.facts.exception()));
    }

    fn set(&mut self) {
        self.put(Instruction::GlobalSet(self.facts.exception()));
    }

    fn trap_if(&mut self) {
        self.put(Instruction::If(BlockType::Empty));
        self.put(Instruction::Unreachable);
        self.put(Instruction::End);
    }

    /// The label that leads the way.
    fn label(&self, way: Way) -> u32 {
        match way.catcher {
            Some(frame) => self.open[frame].handler,
            None => self.exit,
        }
    }

    fn operators(&mut self, operators: &[Operator<'_>], offsets: &[u64]) -> Written<()> {
        // In a handler that nothing gets to, since there was one before it: how many
        // blocks are open in it.
        let mut dead: Option<u32> = None;
        for (at, operator) in operators.iter().enumerate() {
            if let Some(depth) = &mut dead {
                match operator {
                    Operator::Block { .. }
                    | Operator::Loop { .. }
                    | Operator::If { .. }
                    | Operator::Try { .. } => *depth += 1,
                    Operator::Delegate { .. } => *depth -= 1,
                    Operator::End if *depth > 0 => *depth -= 1,
                    Operator::End => dead = None,
                    _ => {}
                }
                if dead.is_some() {
                    continue;
                }
            }
            self.places.push((self.out.byte_len(), offsets[at]));
            let is_second = matches!(self.frames.open.last(), Some(Frame::Handler { .. }));
            match operator {
                Operator::Catch { .. } | Operator::CatchAll if is_second => {
                    dead = Some(0);
                    continue;
                }
                _ => self.operator(at, operator, operators.get(at + 1))?,
            }
        }
        Ok(())
    }

    fn operator(
        &mut self,
        at: usize,
        operator: &Operator<'_>,
        next: Option<&Operator<'_>>,
    ) -> Written<()> {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                self.copy(operator)?;
                self.labels += 1;
                self.open.push(Open::plain(self.labels - 1));
                self.frames.step(at, operator);
            }
            Operator::Try { blockty } => self.enter(at, operator, *blockty)?,
            Operator::Catch { .. } | Operator::CatchAll => self.handler(at, operator),
            Operator::Delegate { .. } | Operator::End => {
                self.frames.step(at, operator);
                if self.open.pop().is_some_and(|open| open.caught.is_some()) {
                    self.locals -= 1;
                }
                // The function's own end is the caller's to write.
                if !self.open.is_empty() {
                    self.end();
                }
            }
            Operator::Br { relative_depth } => {
                let depth = self.branch(*relative_depth);
                self.put(Instruction::Br(depth));
            }
            Operator::BrIf { relative_depth } => {
                let depth = self.branch(*relative_depth);
                self.put(Instruction::BrIf(depth));
            }
            Operator::BrTable { targets } => {
                let depths = targets.targets().map(|target| Ok(self.branch(target?)));
                let depths: Vec<u32> = depths.collect::<Written<_>>()?;
                let default = self.branch(targets.default());
                self.put(Instruction::BrTable(depths.into(), default));
            }
            Operator::BrOnNull { relative_depth } => {
                let depth = self.branch(*relative_depth);
                self.put(Instruction::BrOnNull(depth));
            }
            Operator::BrOnNonNull { relative_depth } => {
                let depth = self.branch(*relative_depth);
                self.put(Instruction::BrOnNonNull(depth));
            }
            Operator::Throw { .. } => {
                self.set();
                // 0 is no exception.
                self.get();
                self.put(Instruction::I32Eqz);
                self.trap_if();
                let way = self.frames.way(None);
                self.go(way);
            }
            Operator::Rethrow { relative_depth } => {
                let handler = self.frames.number(*relative_depth);
                let way = self.frames.way(Some(handler));
                self.caught(handler);
                self.set();
                if let Some(cleanup) = way.leaves {
                    self.caught(handler);
                    self.caught(cleanup);
                    self.put(Instruction::I32Ne);
                    self.trap_if();
                }
                let depth = self.depth(self.label(way));
                self.put(Instruction::Br(depth));
            }
            call if self.throws.call(call, self.facts) => {
                self.copy(call)?;
                let way = self.frames.way(None);
                if matches!(next, Some(Operator::Unreachable)) {
                    // It does not return in another way.
                    self.go(way);
                    return Ok(());
                }
                self.get();
                if way.leaves.is_some() {
                    self.trap_if();
                } else {
                    let depth = self.depth(self.label(way));
                    self.put(Instruction::BrIf(depth));
                }
            }
            other => self.copy(other)?,
        }
        Ok(())
    }

    /// Goes on with an exception that is another one than any that was caught here.
    fn go(&mut self, way: Way) {
        if way.leaves.is_some() {
            self.put(Instruction::Unreachable);
        } else {
            let depth = self.depth(self.label(way));
            self.put(Instruction::Br(depth));
        }
    }

    fn copy(&mut self, operator: &Operator<'_>) -> Written<()> {
        let instruction = self.plain.instruction(operator.clone())?;
        self.out.instruction(&instruction);
        Ok(())
    }

    /// A `try`: a block, and with handlers one in it, behind which the handler stands.
    fn enter(
        &mut self,
        at: usize,
        operator: &Operator<'_>,
        ty: wasmparser::BlockType,
    ) -> Written<()> {
        let plain = self.plain.block_type(ty)?;
        let label = self.block(plain);
        self.frames.step(at, operator);
        let mut handler = 0;
        if self.frames.open.last() == Some(&Frame::Body) {
            let taker = self.facts.takers.get(&self.facts.params(ty));
            let ty = taker.map_or(BlockType::Empty, |ty| BlockType::FunctionType(*ty));
            handler = self.block(ty);
        }
        self.open.push(Open {
            label,
            handler,
            caught: Some(self.locals),
        });
        self.locals += 1;
        Ok(())
    }

    fn handler(&mut self, at: usize, operator: &Operator<'_>) {
        // Without an exception the body goes on behind the handler, with its results.
        let depth = self.branch(0);
        self.put(Instruction::Br(depth));
        self.end();
        self.frames.step(at, operator);
        let frame = self.frames.number(0);
        self.get();
        if let Some(local) = self.open[frame].caught {
            self.put(Instruction::LocalSet(local));
        }
        self.put(Instruction::I32Const(0));
        self.set();
        if matches!(operator, Operator::Catch { .. }) {
            self.caught(frame);
        }
    }

    /// Puts the exception on the stack that the frame's handler has caught.
    fn caught(&mut self, frame: usize) {
        if let Some(local) = self.open[frame].caught {
            self.put(Instruction::LocalGet(local));
        }
    }

    /// What stands behind the block that is left with an exception.
    fn leave(&mut self, ty: &wasmparser::FuncType, exit: Exit) -> Written<()> {
        if exit == Exit::Trap {
            self.put(Instruction::I32Const(0));
            self.set();
            self.put(Instruction::Unreachable);
            return Ok(());
        }
        for result in ty.results() {
            let value = match result {
                wasmparser::ValType::I32 => Instruction::I32Const(0),
                wasmparser::ValType::I64 => Instruction::I64Const(0),
                wasmparser::ValType::F32 => Instruction::F32Const(0_f32.into()),
                wasmparser::ValType::F64 => Instruction::F64Const(0_f64.into()),
                wasmparser::ValType::V128 => Instruction::V128Const(0),
                wasmparser::ValType::Ref(ty) => {
                    Instruction::RefNull(self.plain.heap_type(ty.heap_type())?)
                }
            };
            self.put(value);
        }
        Ok(())
    }
}
