//! An artifact, an input and limits to an outcome and a meter, in a process of its own.
//!
//! [`Executor::execute`] is all that callers need. What a guest does to itself is an [`Outcome`], a value; an [`Error`] is our own
//! fault, and may be tried again. Untrusted bytes are looked at and compiled only in a jailed, single-use process, which
//! [`child::main`] is the whole of; the code is run by the program of the crate [`guest`], which forks a jailed process for every
//! execution, killed and reaped before its outcome is told.

pub mod child;

mod artifact;
mod cache;
mod execution;
mod executor;
mod form;
mod guests;
mod preparing;
mod process;
mod record;
mod remembered;
mod settings;

pub use artifact::Artifact;
pub use cache::checked_code;
pub use execution::Execution;
pub use executor::{Error, Executor, Tenant};
pub use guest::{Clock, Limits, Outcome, Run, SecretEnv, Seed, Stack, TrapKind};
pub use guests::GUEST_PROGRAM;
pub use metering::METERING_VERSION;
pub use process::Program;
pub use record::{BadRecord, Record};
pub use settings::{CompileLimits, Engine, Jail, Settings};
