//! Finding, setting up and the doctor, with made-up programs: shell scripts in
//! a folder of the test's own, and no network.
#![cfg(unix)]

#[cfg(target_os = "linux")]
mod debian;
mod doctor;
#[cfg(target_os = "linux")]
mod fake_debian;
mod machine;
mod rust;
mod setup;
mod wasmedge;
