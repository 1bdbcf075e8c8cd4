//! Changes to a finished program: a module of WebAssembly in, a module out.
//!
//! Being made to the finished program, they reach std and every crate in it, and need
//! no flag of rustc. Each is a pass of its own, and knows nothing of the others:
//!
//! * [`imports`]: the stubs of functions that a plugin of WasmEdge has become imports;
//! * [`lower`]: what WasmEdge compiles badly becomes what it compiles well;
//! * [`unwind`]: exception handling, which it does not compile at all, becomes branches.
//!
//! [`moved`] has where the code was before, for debug information.

pub(crate) mod imports;
pub(crate) mod lower;
pub(crate) mod moved;
pub(crate) mod unwind;
