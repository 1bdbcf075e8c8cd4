//! What a runtime needs of the host, on borrowed file descriptors: the calls
//! that the types in [`net`](crate::net) are made of.

pub mod poll;
pub mod socket;
