//! The runtimes of this thread, of which there are mostly one.

use super::super::{Core, Handle};
use crate::runtime::{blocking, scheduler, Callback};
use crate::util::atomic_cell::AtomicCell;

use std::cell::RefCell;
use std::sync::{Arc, Weak};

/// A runtime of this thread.
struct Known {
    handle: Weak<Handle>,
    slot: Weak<AtomicCell<Core>>,
    flavor: Flavor,
}

/// What a runtime was built as.
enum Flavor {
    CurrentThread,
    /// Natively it has threads of its own. Here it counts as having one, which does this
    /// when it ends.
    MultiThread {
        before_stop: Option<Callback>,
    },
}

tokio_thread_local! {
    static RUNTIMES: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

/// Where a scheduler keeps its core while nobody runs it. The list of this
/// thread's runtimes finds it there.
pub(crate) struct CoreSlot(Arc<AtomicCell<Core>>);

impl CoreSlot {
    /// Puts a new runtime's core in, and the runtime on the list.
    pub(super) fn new(handle: &Arc<Handle>, core: Option<Box<Core>>) -> CoreSlot {
        let slot = Arc::new(AtomicCell::new(core));
        RUNTIMES.with(|runtimes| {
            runtimes.borrow_mut().push(Known {
                handle: Arc::downgrade(handle),
                slot: Arc::downgrade(&slot),
                flavor: Flavor::CurrentThread,
            });
        });
        CoreSlot(slot)
    }

    pub(in super::super) fn take(&self) -> Option<Box<Core>> {
        self.0.take()
    }

    /// `block_on` is over, and what follows it may take long: what tasks have
    /// written is sent first.
    pub(in super::super) fn set(&self, core: Box<Core>) {
        wasmedge_host::coalesce::before_blocking();
        self.0.set(core);
    }
}

impl Drop for CoreSlot {
    /// The runtime ends, and with it what counts as its worker. Its tasks are gone by
    /// now; what they have written is sent.
    fn drop(&mut self) {
        wasmedge_host::coalesce::before_blocking();
        let slot = Arc::as_ptr(&self.0);
        let known = RUNTIMES.try_with(|runtimes| {
            let mut runtimes = runtimes.borrow_mut();
            let mut all = runtimes.iter();
            let at = all.position(|known| known.slot.as_ptr() == slot)?;
            Some(runtimes.swap_remove(at))
        });
        if let Ok(Some(Known {
            flavor:
                Flavor::MultiThread {
                    before_stop: Some(before_stop),
                },
            ..
        })) = known
        {
            before_stop();
        }
    }
}

/// Marks a runtime as one that goes on though nobody is in its `block_on`. It
/// counts as having one worker, which starts now and stops with the runtime.
pub(crate) fn put_in_background(
    handle: &scheduler::Handle,
    after_start: Option<&(dyn Fn() + Send + Sync)>,
    before_stop: Option<Callback>,
) {
    let handle = Arc::as_ptr(handle.as_current_thread());
    RUNTIMES.with(|runtimes| {
        let mut runtimes = runtimes.borrow_mut();
        if let Some(known) = runtimes
            .iter_mut()
            .find(|known| known.handle.as_ptr() == handle)
        {
            known.flavor = Flavor::MultiThread { before_stop };
        }
    });
    if let Some(after_start) = after_start {
        after_start();
    }
}

/// Whether a runtime was built as a multi-thread one.
pub(crate) fn is_in_background(handle: &scheduler::Handle) -> bool {
    let handle = Arc::as_ptr(handle.as_current_thread());
    RUNTIMES.with(|runtimes| {
        let runtimes = runtimes.borrow();
        let mut all = runtimes.iter();
        all.any(|known| known.is_in_background() && known.handle.as_ptr() == handle)
    })
}

/// How many there are.
pub(super) fn number_of_runtimes() -> usize {
    RUNTIMES.with(|runtimes| runtimes.borrow().len())
}

impl Known {
    fn is_in_background(&self) -> bool {
        matches!(self.flavor, Flavor::MultiThread { .. })
    }
}

/// A runtime of this thread, while it lives.
pub(super) struct Alive {
    pub(super) handle: Arc<Handle>,
    pub(super) slot: Arc<AtomicCell<Core>>,
    pub(super) in_background: bool,
}

impl Alive {
    /// The `n`th one.
    pub(super) fn get(n: usize) -> Option<Alive> {
        RUNTIMES.with(|runtimes| {
            let runtimes = runtimes.borrow();
            let known = runtimes.get(n)?;
            Some(Alive {
                handle: known.handle.upgrade()?,
                slot: known.slot.upgrade()?,
                in_background: known.is_in_background(),
            })
        })
    }

    /// Whether natively it could go on by itself: a multi-thread runtime, whose
    /// timers and sockets others may wait for though it has no task, or closures.
    pub(super) fn has_work(&self) -> bool {
        self.in_background || blocking::one_thread::is_waiting(&self.handle.blocking_spawner)
    }
}
