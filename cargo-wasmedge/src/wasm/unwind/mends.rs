//! What is mended in programs of compilers with known faults. The `producers` section
//! names the compiler; without it a program means what it says.

use semver::Version;
use wasmparser::ProducersSectionReader;

/// The first rustc without the faults.
const MENDED: Version = Version::new(1, 97, 0);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mends {
    /// LLVM puts a `delegate` around a `try` with handlers for the exceptions that these
    /// do not catch (llvm/llvm-project#187302). There are none where all exceptions are of
    /// one kind. But what the handlers themselves throw goes past the right place: some
    /// destructors do not run. So such a `delegate` is as if it were not there.
    pub delegates: bool,
    /// A panic in a destructor that runs because of a panic aborts, natively. rustc did
    /// not say so for wasm (rust-lang/rust#155249), and the first panic would be lost. So an
    /// exception that leaves a `catch_all`, other than the one that it caught, traps.
    pub cleanups: bool,
}

impl Mends {
    pub(super) fn for_producers(section: ProducersSectionReader<'_>) -> anyhow::Result<Mends> {
        for field in section {
            let field = field?;
            if field.name != "processed-by" {
                continue;
            }
            for value in field.values {
                let value = value?;
                if value.name == "rustc" {
                    return Ok(Mends::for_rustc(value.version));
                }
            }
        }
        Ok(Mends::default())
    }

    /// `version` is as rustc says it: `1.97.1 (8bab26f4f 2026-07-14)`.
    fn for_rustc(version: &str) -> Mends {
        let number = version.split(' ').next().unwrap_or_default();
        let has_faults = Version::parse(number).is_ok_and(|version| version < MENDED);
        Mends {
            delegates: has_faults,
            cleanups: has_faults,
        }
    }
}
