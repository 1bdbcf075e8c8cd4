//! Stands in for what tokio keeps for each thread: the current runtime and scheduler.

use std::cell::{Cell, RefCell};
use std::ptr;

use super::scheduler;

#[path = "../../overlay/context.rs"]
pub mod one_thread;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum EnterRuntime {
    Entered { allow_block_in_place: bool },
    NotEntered,
}

impl EnterRuntime {
    pub fn is_entered(self) -> bool {
        self != EnterRuntime::NotEntered
    }
}

pub struct Context {
    pub runtime: Cell<EnterRuntime>,
    current: RefCell<Vec<scheduler::Handle>>,
    scheduler: Cell<*const scheduler::Context>,
}

thread_local! {
    pub static CONTEXT: Context = const {
        Context {
            runtime: Cell::new(EnterRuntime::NotEntered),
            current: RefCell::new(Vec::new()),
            scheduler: Cell::new(ptr::null()),
        }
    };
}

/// Puts back what was there before, also in the face of a panic.
struct Undo<F: FnMut()>(F);

impl<F: FnMut()> Drop for Undo<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// The runtime that was current before becomes so again when this is dropped.
pub struct SetCurrentGuard(());

impl Drop for SetCurrentGuard {
    fn drop(&mut self) {
        CONTEXT.with(|context| context.current.borrow_mut().pop());
    }
}

pub fn try_set_current(handle: &scheduler::Handle) -> Option<SetCurrentGuard> {
    CONTEXT.with(|context| context.current.borrow_mut().push(handle.clone()));
    Some(SetCurrentGuard(()))
}

pub fn with_current<R>(f: impl FnOnce(&scheduler::Handle) -> R) -> Result<R, ()> {
    let current = CONTEXT.with(|context| context.current.borrow().last().cloned());
    current.as_ref().map(f).ok_or(())
}

pub fn set_scheduler<R>(scheduler: &scheduler::Context, f: impl FnOnce() -> R) -> R {
    let before = CONTEXT.with(|context| context.scheduler.replace(scheduler));
    let _undo = Undo(|| CONTEXT.with(|context| context.scheduler.set(before)));
    f()
}

pub fn with_scheduler<R>(f: impl FnOnce(Option<&scheduler::Context>) -> R) -> R {
    let (entered, scheduler) = CONTEXT.with(|context| {
        let entered = context.runtime.get().is_entered();
        (entered, context.scheduler.get())
    });
    if !entered {
        return f(None);
    }
    // SAFETY: null, or set by a `set_scheduler` that is still on this thread's stack and
    // holds the reference that the pointer was made of.
    f(unsafe { scheduler.as_ref() })
}

/// Runs `f` as the `block_on` of a runtime. Nobody may wait in it unless it asks to.
pub fn enter_runtime<R>(handle: &scheduler::Handle, f: impl FnOnce() -> R) -> R {
    let entered = EnterRuntime::Entered {
        allow_block_in_place: false,
    };
    let before = CONTEXT.with(|context| context.runtime.replace(entered));
    assert!(!before.is_entered(), "a runtime within a task");
    let _undo = Undo(|| CONTEXT.with(|context| context.runtime.set(before)));
    let _current = try_set_current(handle);
    f()
}

/// Runs `f` as the code of a blocked thread: whoever polls a future may wait in it.
pub fn leave_runtime<R>(f: impl FnOnce() -> R) -> R {
    let before = CONTEXT.with(|context| context.runtime.replace(EnterRuntime::NotEntered));
    let _undo = Undo(|| CONTEXT.with(|context| context.runtime.set(before)));
    f()
}
