//! The runtimes of this thread, of which there are mostly one.

use super::super::{Core, Handle};
use super::ready;
use crate::runtime::{scheduler, Callback};
use crate::util::atomic_cell::AtomicCell;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Names a runtime: by the address of its I/O driver's handle, since that is what whoever
/// unparks it has in hand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(usize);

impl Id {
    pub(super) fn of(handle: &Handle) -> Id {
        Id::of_io(&handle.driver.io)
    }

    pub(super) fn of_io<T>(io: &T) -> Id {
        Id(std::ptr::from_ref(io) as usize)
    }
}

/// A runtime of this thread.
pub(super) struct Known {
    /// Keeps the address that is its name, too.
    handle: Weak<Handle>,
    slot: Weak<AtomicCell<Core>>,
    flavor: Flavor,
    /// When its first timer is due, by the host's clock, if somebody waits for that.
    pub(super) timer: Option<Duration>,
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
    static RUNTIMES: RefCell<BTreeMap<Id, Known>> = const { RefCell::new(BTreeMap::new()) };
    /// How many there are: asked more often than anything else.
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}

/// Where a scheduler keeps its core while nobody runs it. The list of this
/// thread's runtimes finds it there.
pub(crate) struct CoreSlot {
    core: Arc<AtomicCell<Core>>,
    id: Id,
}

impl CoreSlot {
    /// Puts a new runtime's core in, and the runtime on the list.
    pub(super) fn new(handle: &Arc<Handle>, core: Option<Box<Core>>) -> CoreSlot {
        let id = Id::of(handle);
        let core = Arc::new(AtomicCell::new(core));
        handle.driver.share_waits(ready::waker(id));
        let single = match number_of_runtimes() {
            1 => ids().pop(),
            _ => None,
        };
        RUNTIMES.with(|runtimes| {
            let known = Known {
                handle: Arc::downgrade(handle),
                slot: Arc::downgrade(&core),
                flavor: Flavor::CurrentThread,
                timer: None,
            };
            runtimes.borrow_mut().insert(id, known);
        });
        NUMBER.set(NUMBER.get() + 1);
        // What a single one had to do was not noted.
        if let Some(single) = single {
            ready::add(single);
        }
        CoreSlot { core, id }
    }

    /// Somebody runs it: `block_on` begins.
    pub(in super::super) fn take(&self) -> Option<Box<Core>> {
        let core = self.core.take();
        if core.is_some() {
            ready::remove(self.id);
        }
        core
    }

    /// `block_on` is over, and what follows it may take long: what tasks have
    /// written is sent first. Whoever waits next looks what there is left to do.
    pub(in super::super) fn set(&self, core: Box<Core>) {
        wasmedge_host::coalesce::before_blocking();
        self.core.set(core);
        ready::add(self.id);
    }
}

impl Drop for CoreSlot {
    /// The runtime ends, and with it what counts as its worker. Its tasks are gone by
    /// now; what they have written is sent.
    fn drop(&mut self) {
        wasmedge_host::coalesce::before_blocking();
        ready::remove(self.id);
        let Ok(known) = RUNTIMES.try_with(|runtimes| runtimes.borrow_mut().remove(&self.id)) else {
            return;
        };
        let _ = NUMBER.try_with(|number| number.set(number.get() - 1));
        if let Some(Known {
            flavor:
                Flavor::MultiThread {
                    before_stop: Some(before_stop),
                },
            ..
        }) = known
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
    let id = Id::of(handle.as_current_thread());
    with_known(id, |known| {
        known.flavor = Flavor::MultiThread { before_stop };
    });
    if let Some(after_start) = after_start {
        after_start();
    }
}

/// Whether a runtime was built as a multi-thread one.
pub(crate) fn is_in_background(handle: &scheduler::Handle) -> bool {
    let id = Id::of(handle.as_current_thread());
    with_known(id, |known| known.is_in_background()).unwrap_or(false)
}

/// How many there are.
pub(super) fn number_of_runtimes() -> usize {
    NUMBER.try_with(Cell::get).unwrap_or(0)
}

/// All of them.
pub(super) fn ids() -> Vec<Id> {
    RUNTIMES.with(|runtimes| runtimes.borrow().keys().copied().collect())
}

/// Looks at one of them, if it is (still) there.
pub(super) fn with_known<R>(id: Id, f: impl FnOnce(&mut Known) -> R) -> Option<R> {
    let with = |runtimes: &RefCell<BTreeMap<Id, Known>>| runtimes.borrow_mut().get_mut(&id).map(f);
    RUNTIMES.try_with(with).ok().flatten()
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
    pub(super) fn get(id: Id) -> Option<Alive> {
        with_known(id, |known| {
            Some(Alive {
                handle: known.handle.upgrade()?,
                slot: known.slot.upgrade()?,
                in_background: known.is_in_background(),
            })
        })
        .flatten()
    }
}
