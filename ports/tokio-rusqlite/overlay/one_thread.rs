//! Connections on the only thread there is.
//!
//! Natively a thread takes one message after the other out of a connection's channel. Here
//! whoever waits does: tokio's scheduler, above all, once the caller awaits the answer. The
//! messages of one connection are carried out in order, those of several in turn. A
//! connection ends as natively: when it is closed, or nobody can send to it any more.

use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, TryRecvError};

use super::{Connection, Message};

/// A connection that natively a thread would own.
struct Served {
    connection: rusqlite::Connection,
    messages: Receiver<Message>,
}

/// Each is taken out while it is served: a message is code of others, which may wait.
static SERVED: Mutex<VecDeque<Served>> = Mutex::new(VecDeque::new());

/// Serves `connection` from now on.
pub(super) fn connect(connection: rusqlite::Connection) -> Connection {
    let (sender, messages) = crossbeam_channel::unbounded();
    lock().push_back(Served {
        connection,
        messages,
    });
    wasmedge_host::thread::on_idle(serve);
    Connection { sender }
}

fn lock() -> MutexGuard<'static, VecDeque<Served>> {
    SERVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries out one message, of the connection that has waited longest. `false` where there
/// is none.
fn serve() -> bool {
    let all = lock().len();
    for _ in 0..all {
        let Some(served) = lock().pop_front() else {
            return false;
        };
        match served.messages.try_recv() {
            Ok(message) => {
                if let Some(served) = served.carry_out(message) {
                    lock().push_back(served);
                }
                return true;
            }
            Err(TryRecvError::Empty) => lock().push_back(served),
            // Dropped, which closes the database.
            Err(TryRecvError::Disconnected) => {}
        }
    }
    false
}

impl Served {
    /// `None`: the connection is closed.
    fn carry_out(self, message: Message) -> Option<Served> {
        let Served {
            mut connection,
            messages,
        } = self;
        match message {
            // A panic would end the connection's thread, and nobody else.
            Message::Execute(call) => {
                catch_unwind(AssertUnwindSafe(|| call(&mut connection))).ok()?
            }
            Message::Close(answer) => match connection.close() {
                Ok(()) => {
                    let _ = answer.send(Ok(()));
                    return None;
                }
                Err((open, error)) => {
                    connection = open;
                    let _ = answer.send(Err(error));
                }
            },
        }
        Some(Served {
            connection,
            messages,
        })
    }
}
