//! What a release consists of, made without publishing anything.
//!
//! * [`epoch`]: the one time that everything is dated with;
//! * [`versions`]: what has the release's number in it agrees;
//! * [`changelog`]: "Unreleased" becomes the release;
//! * [`package`]: what is published, verified;
//! * [`binary`]: the program, built from the package;
//! * [`archive`]: a `.tar.gz` that is the same each time;
//! * [`checksums`]: of every file;
//! * [`branches`]: the ported crates, for `[patch]` of plain cargo;
//! * [`publish`]: the commands that are left to do.
//!
//! All of it goes into one folder, and two runs at one commit give the same bytes: nothing
//! in it has the time, the user, or a folder of the machine.

pub mod archive;
pub mod binary;
pub mod branches;
pub mod changelog;
pub mod checksums;
pub mod epoch;
pub mod package;
pub mod publish;
pub mod versions;
