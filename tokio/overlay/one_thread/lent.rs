//! References that callers further down on the stack have lent.

use std::cell::RefCell;
use std::ptr::NonNull;

/// A list of borrowed values, each of which is on it for as long as a function runs.
///
/// It belongs to one thread (it is not `Sync`), and functions of one thread end in the
/// reverse order of their beginning. So what is on the list has been lent by a call that
/// is still on the stack, and whoever looks at it is above that call.
pub(crate) struct Lent<T> {
    values: RefCell<Vec<NonNull<T>>>,
}

impl<T> Lent<T> {
    pub(crate) const fn new() -> Lent<T> {
        Lent {
            values: RefCell::new(Vec::new()),
        }
    }

    /// Lends `value` while `f` runs, also if `f` panics.
    pub(crate) fn lend<R>(&self, value: &T, f: impl FnOnce() -> R) -> R {
        struct Pop<'a, T>(&'a Lent<T>);
        impl<T> Drop for Pop<'_, T> {
            fn drop(&mut self) {
                self.0.values.borrow_mut().pop();
            }
        }
        self.values.borrow_mut().push(NonNull::from(value));
        let _pop = Pop(self);
        f()
    }

    /// Calls `f` with the value that was lent as the `n`th, counted from the bottom of
    /// the stack; `None` where there are not so many.
    pub(crate) fn with<R>(&self, n: usize, f: impl FnOnce(&T) -> R) -> Option<R> {
        let value = self.values.borrow().get(n).copied()?;
        // SAFETY: the call of `lend` that put the value on the list is still on this
        // thread's stack, below this one, and holds a reference to it. It cannot return
        // before `f` does.
        Some(f(unsafe { value.as_ref() }))
    }
}
