//! The port engine on small crates that the tests write themselves.

mod cfg;
mod facade;
mod manifest;
mod mismatch;
mod publish;
mod readers;
mod sources;
mod toy;
