//! The blocks that are open at a place in a function, and where an exception goes from
//! there.

use std::collections::HashMap;

use wasmparser::Operator;

use super::mends::Mends;

/// How a `try` ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Catches,
    /// `delegate`, to this block counted from the `try` outwards.
    Delegates(u32),
    /// As a block: an exception in it goes on outwards.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// A block, a loop, an `if`, or a `try` without handlers. The outermost is the
    /// function.
    Plain,
    /// The part of a `try` whose exceptions its handlers catch.
    Body,
    /// An exception in it goes on from the frame with this number.
    Delegates(usize),
    /// A handler. `catch_all` is what destructors have that run because of a panic.
    Handler { cleanup: bool },
}

/// Where an exception goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    /// The frame whose handler catches it. `None`: it leaves the function.
    pub catcher: Option<usize>,
    /// The frame of the cleanup that it would leave, where that is not to be
    /// ([`Mends::cleanups`]).
    pub leaves: Option<usize>,
}

pub(super) struct Frames {
    pub open: Vec<Frame>,
    ends: HashMap<usize, End>,
    mends: Mends,
}

impl Frames {
    /// For the body of a function, before its first operator.
    pub(super) fn new(operators: &[Operator<'_>], mends: Mends) -> Frames {
        Frames {
            open: vec![Frame::Plain],
            ends: ends(operators, mends),
            mends,
        }
    }

    /// Goes past the operator with the number `at`.
    pub(super) fn step(&mut self, at: usize, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                self.open.push(Frame::Plain);
            }
            Operator::Try { .. } => {
                let frame = match self.ends.get(&at) {
                    Some(End::Catches) => Frame::Body,
                    Some(End::Delegates(depth)) => Frame::Delegates(self.number(*depth)),
                    Some(End::Nothing) | None => Frame::Plain,
                };
                self.open.push(frame);
            }
            Operator::Catch { .. } | Operator::CatchAll => {
                if let Some(last) = self.open.last_mut() {
                    *last = Frame::Handler {
                        cleanup: matches!(operator, Operator::CatchAll),
                    };
                }
            }
            Operator::End | Operator::Delegate { .. } => {
                self.open.pop();
            }
            _ => {}
        }
    }

    /// The number of the frame that `depth` means here.
    pub(super) fn number(&self, depth: u32) -> usize {
        self.open.len() - 1 - depth as usize
    }

    /// Where an exception goes that is thrown here. `rethrown`: it is the one that the
    /// handler with this number has caught.
    pub(super) fn way(&self, rethrown: Option<usize>) -> Way {
        let (mut leaves, mut is_normal) = (None, false);
        // Frames from here on inwards are skipped by a `delegate`.
        let mut skipped = self.open.len();
        for (number, frame) in self.open.iter().enumerate().rev() {
            if let Frame::Handler { cleanup } = *frame
                && rethrown != Some(number)
            {
                // What comes after a handler with a tag is normal code again, and may
                // stand within a cleanup without being a part of it.
                match cleanup {
                    true if !is_normal => leaves = leaves.or(Some(number)),
                    false => is_normal |= leaves.is_none(),
                    true => {}
                }
            }
            if number >= skipped {
                continue;
            }
            match *frame {
                Frame::Body => {
                    return Way {
                        catcher: Some(number),
                        leaves: leaves.filter(|_| self.mends.cleanups),
                    };
                }
                Frame::Delegates(to) => skipped = to + 1,
                Frame::Plain | Frame::Handler { .. } => {}
            }
        }
        Way {
            catcher: None,
            leaves: leaves.filter(|_| self.mends.cleanups),
        }
    }
}

/// How each `try` ends, by the number of its operator.
fn ends(operators: &[Operator<'_>], mends: Mends) -> HashMap<usize, End> {
    let mut ends = HashMap::new();
    // Each open block, and whether a `try` with handlers stands in it.
    let mut open: Vec<(usize, bool)> = Vec::new();
    for (at, operator) in operators.iter().enumerate() {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                open.push((at, false));
            }
            Operator::Try { .. } => {
                ends.insert(at, End::Nothing);
                open.push((at, false));
            }
            Operator::Catch { .. } | Operator::CatchAll => {
                if let Some((at, _)) = open.last() {
                    ends.insert(*at, End::Catches);
                }
                for (_, has_handlers) in &mut open {
                    *has_handlers = true;
                }
            }
            Operator::Delegate { relative_depth } => {
                if let Some((at, has_handlers)) = open.pop()
                    && !(has_handlers && mends.delegates)
                {
                    ends.insert(at, End::Delegates(*relative_depth));
                }
            }
            Operator::End => {
                open.pop();
            }
            _ => {}
        }
    }
    ends
}
