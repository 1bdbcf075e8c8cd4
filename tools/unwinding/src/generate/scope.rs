//! Which variables there are at a place, and which of them can be moved from there.

use fastrand::Rng;

use super::types::Ty;

#[derive(Debug, Clone)]
struct Variable {
    name: String,
    ty: Ty,
    /// It was moved, or may have been.
    is_gone: bool,
    /// It was moved in the closure that is being written, though it may have a value again.
    was_moved: bool,
    /// It is a field, or stands outside of a loop or of a closure that runs more than once.
    stays: bool,
}

/// The variables, the innermost last.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    variables: Vec<Variable>,
    /// Loops and blocks that can be left from here, with what a block gives.
    pub labels: Vec<(String, Option<Ty>)>,
}

/// Where a scope was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark(usize);

impl Scope {
    pub(super) fn add(&mut self, name: String, ty: Ty) {
        self.variables.push(Variable {
            name,
            ty,
            is_gone: false,
            was_moved: false,
            stays: false,
        });
    }

    /// A place that is never moved from.
    pub(super) fn add_field(&mut self, name: String, ty: Ty) {
        self.variables.push(Variable {
            name,
            ty,
            is_gone: false,
            was_moved: false,
            stays: true,
        });
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.variables.len())
    }

    /// Leaves what was opened at the mark.
    pub(super) fn leave(&mut self, mark: Mark) {
        self.variables.truncate(mark.0);
    }

    /// What is there now cannot be moved any more: it is used once more, later. Gives what
    /// [`Scope::thaw`] takes.
    pub(super) fn freeze(&mut self) -> Vec<bool> {
        let stayed = self.variables.iter().map(|variable| variable.stays);
        let stayed = stayed.collect();
        for variable in &mut self.variables {
            variable.stays = true;
        }
        stayed
    }

    pub(super) fn thaw(&mut self, stayed: &[bool]) {
        for (variable, stayed) in self.variables.iter_mut().zip(stayed) {
            variable.stays = *stayed;
        }
    }

    /// Of two ways through the program, of which one is taken: what is gone after one of
    /// them is gone.
    pub(super) fn join(&mut self, other: &Scope) {
        for (variable, other) in self.variables.iter_mut().zip(&other.variables) {
            variable.is_gone |= other.is_gone;
            variable.was_moved |= other.was_moved;
        }
    }

    /// A variable of the type, which is moved.
    pub(super) fn take(&mut self, rng: &mut Rng, ty: &Ty) -> Option<String> {
        let at = self.choose(rng, |one| one.ty == *ty && !one.stays)?;
        self.variables[at].is_gone = true;
        self.variables[at].was_moved = true;
        Some(self.variables[at].name.clone())
    }

    /// Any variable, which is moved.
    pub(super) fn take_any(&mut self, rng: &mut Rng) -> Option<String> {
        let at = self.choose(rng, |one| !one.stays)?;
        self.variables[at].is_gone = true;
        self.variables[at].was_moved = true;
        Some(self.variables[at].name.clone())
    }

    /// A variable to look at, or to change.
    pub(super) fn look(&self, rng: &mut Rng) -> Option<(String, Ty)> {
        let at = self.choose(rng, |_| true)?;
        Some((
            self.variables[at].name.clone(),
            self.variables[at].ty.clone(),
        ))
    }

    /// The same, of this type.
    pub(super) fn look_for(&self, rng: &mut Rng, ty: &Ty) -> Option<String> {
        let at = self.choose(rng, |one| one.ty == *ty)?;
        Some(self.variables[at].name.clone())
    }

    /// Whether a variable has a value still.
    pub(super) fn is_there(&self, name: &str) -> bool {
        let is_it = |variable: &&Variable| variable.name == name;
        self.variables
            .iter()
            .rfind(is_it)
            .is_some_and(|one| !one.is_gone)
    }

    /// The variable was given a value.
    pub(super) fn assigned(&mut self, name: &str) {
        for variable in &mut self.variables {
            if variable.name == name {
                variable.is_gone = false;
            }
        }
    }

    /// Enters a closure that runs once. Gives what [`Scope::leave_closure`] takes.
    pub(super) fn enter_closure(&mut self) -> Vec<bool> {
        let before = self.variables.iter_mut();
        before
            .map(|variable| std::mem::take(&mut variable.was_moved))
            .collect()
    }

    /// What was moved in the closure is gone: it was moved into it.
    pub(super) fn leave_closure(&mut self, before: &[bool]) {
        for (variable, before) in self.variables.iter_mut().zip(before) {
            variable.is_gone |= variable.was_moved;
            variable.was_moved |= before;
        }
    }

    fn choose(&self, rng: &mut Rng, suits: impl Fn(&Variable) -> bool) -> Option<usize> {
        let suitable = self.variables.iter().enumerate();
        let suitable = suitable.filter(|(_, one)| !one.is_gone && suits(one));
        let suitable: Vec<usize> = suitable.map(|(at, _)| at).collect();
        match suitable.is_empty() {
            true => None,
            false => Some(suitable[rng.usize(..suitable.len())]),
        }
    }
}
