//! Stands in for tokio's utilities.

use std::sync::Arc;
use std::task::{Wake, Waker};

/// A waker whose data is the address of `wake`, as tokio's is.
pub fn waker_ref<W: Wake + Send + Sync + 'static>(wake: &Arc<W>) -> Waker {
    Waker::from(wake.clone())
}

pub mod atomic_cell {
    use std::sync::Mutex;

    pub struct AtomicCell<T>(Mutex<Option<Box<T>>>);

    impl<T> AtomicCell<T> {
        pub fn new(value: Option<Box<T>>) -> AtomicCell<T> {
            AtomicCell(Mutex::new(value))
        }

        pub fn take(&self) -> Option<Box<T>> {
            self.0.lock().unwrap().take()
        }

        pub fn set(&self, value: Box<T>) {
            *self.0.lock().unwrap() = Some(value);
        }
    }
}
