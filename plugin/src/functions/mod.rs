//! The functions of the host module `tokio_wasmedge`. [`FUNCTIONS`] is the one list of them:
//! docs/plugin.md is compared with it.
//!
//! Each is safe with any arguments. Arguments are taken as the guest passes them: checked
//! where they are used, and never trusted.

mod data;
mod events;
mod options;
mod readiness;
mod sockets;

use crate::{ABI, Call, Outcome};

/// The host module's name.
pub const MODULE: &str = "tokio_wasmedge";

/// The most parameters that a function has.
pub const MOST_PARAMETERS: usize = 6;

/// The type of a parameter. Every result is an `i64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// 32 bits: a number, an address, a length.
    I32,
    /// 64 bits: a time, a value of the guest's.
    I64,
}

/// A function that guests can import.
#[derive(Clone, Copy)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Names and types of its parameters.
    pub parameters: &'static [(&'static str, Type)],
    /// The number of the interface that has it first.
    pub since: u32,
    /// Calls it. Of each argument as many bits count as its type has.
    pub call: fn(&Call<'_>, &[u64; MOST_PARAMETERS]) -> Outcome,
}

trait Argument {
    const TYPE: Type;
    fn of(bits: u64) -> Self;
}

impl Argument for u32 {
    const TYPE: Type = Type::I32;
    fn of(bits: u64) -> u32 {
        bits as u32
    }
}

impl Argument for i32 {
    const TYPE: Type = Type::I32;
    fn of(bits: u64) -> i32 {
        bits as i32
    }
}

impl Argument for u64 {
    const TYPE: Type = Type::I64;
    fn of(bits: u64) -> u64 {
        bits
    }
}

impl Argument for i64 {
    const TYPE: Type = Type::I64;
    fn of(bits: u64) -> i64 {
        bits as i64
    }
}

macro_rules! functions {
    ($($since:literal $name:ident($($parameter:ident: $type:ty),*) = $module:ident::$function:ident;)*) => {
        /// All functions.
        pub static FUNCTIONS: &[Function] = &[$(Function {
            name: stringify!($name),
            parameters: &[$((stringify!($parameter), <$type as Argument>::TYPE)),*],
            since: $since,
            call: |call, arguments| {
                let mut _rest = arguments.iter().copied();
                $module::$function(call $(, <$type>::of(_rest.next().unwrap_or_default()))*)
            },
        }),*];

        /// For who looks at the library and does not load it: [`ABI`], the versions of
        /// WasmEdge that load it, and the functions, names with the types of their
        /// parameters.
        pub(crate) const LIST: &str = concat!(
            "tokio_wasmedge plugin: interface=1 wasmedge=0.14-0.17\0",
            "tokio_wasmedge functions:",
            $(" ", stringify!($name), "(", $(stringify!($type), ",",)* ")"),*,
            "\0",
        );
    };
}

functions! {
    1 version() = own::version;
    1 socket(family: i32, kind: i32, flags: u32) = sockets::socket;
    1 pair(kind: i32, flags: u32, out: u32) = sockets::pair;
    1 bind(socket: u32, address: u32, len: u32) = sockets::bind;
    1 listen(socket: u32, backlog: i32) = sockets::listen;
    1 accept(socket: u32, flags: u32, peer: u32) = sockets::accept;
    1 connect(socket: u32, address: u32, len: u32) = sockets::connect;
    1 local_address(socket: u32, out: u32) = sockets::local_address;
    1 peer_address(socket: u32, out: u32) = sockets::peer_address;
    1 shutdown(socket: u32, how: i32) = sockets::shutdown;
    1 set_nonblocking(socket: u32, on: u32) = sockets::set_nonblocking;
    1 is_nonblocking(socket: u32) = sockets::is_nonblocking;
    1 duplicate(socket: u32) = sockets::duplicate;
    1 close(descriptor: u32) = sockets::close;
    1 recv(socket: u32, at: u32, len: u32, flags: i32) = data::recv;
    1 send(socket: u32, at: u32, len: u32, flags: i32) = data::send;
    1 recv_message(socket: u32, iovecs: u32, count: u32, flags: i32, from: u32, out_flags: u32) = data::recv_message;
    1 send_message(socket: u32, iovecs: u32, count: u32, flags: i32, address: u32, len: u32) = data::send_message;
    1 get_option(socket: u32, level: i32, name: i32, at: u32, len: u32) = options::get;
    1 set_option(socket: u32, level: i32, name: i32, at: u32, len: u32) = options::set;
    1 epoll_create() = readiness::create;
    1 epoll_add(epoll: u32, descriptor: u32, interest: u32, data: u64) = readiness::add;
    1 epoll_modify(epoll: u32, descriptor: u32, interest: u32, data: u64) = readiness::modify;
    1 epoll_remove(epoll: u32, descriptor: u32) = readiness::remove;
    1 epoll_wait(epoll: u32, events: u32, max: u32, timeout: i64) = readiness::wait;
    1 poll(entries: u32, count: u32, timeout: i64) = readiness::poll;
    1 event_create() = events::create;
    1 event_signal(event: u32) = events::signal;
    1 event_take(event: u32) = events::take;
    1 stdin_open() = events::stdin_open;
    1 signals_open() = events::signals_open;
    1 signals_add(signals: u32, signal: i32) = events::signals_add;
    1 signals_take(signals: u32) = events::signals_take;
    1 random(at: u32, len: u32) = events::random;
}

// The edge passes no more than this.
const _: () = {
    let mut i = 0;
    while i < FUNCTIONS.len() {
        assert!(FUNCTIONS[i].parameters.len() <= MOST_PARAMETERS);
        i += 1;
    }
};

/// The number of the interface in the low 16 bits; above them, what is allowed.
pub fn version(call: &Call<'_>) -> Outcome {
    let unix = if call.state.allow_unix { MAY_UNIX } else { 0 };
    Ok(i64::from(ABI) | unix)
}

/// In the answer of `version`: Unix sockets may be opened.
pub const MAY_UNIX: i64 = 1 << 16;

mod own {
    pub(super) use super::version;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_says_which_interface_it_has() {
        let said = format!("tokio_wasmedge plugin: interface={ABI} ");
        assert!(LIST.starts_with(&said), "{LIST}");
    }
}
