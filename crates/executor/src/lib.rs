//! An artifact, an input and limits to an outcome and a meter, in a process of its own.
//!
//! [`Executor::execute`] is all that callers need. What a guest does to itself is an [`Outcome`], a value; an [`Error`] is our own
//! fault, and may be tried again. Untrusted bytes are looked at, compiled and run only inside child processes, which
//! [`child::main`] is the whole of: one child compiles a module once ([`metering`] makes it count its instructions), and every
//! execution has a child for itself, killed and reaped before its outcome is told.

pub mod child;

mod artifact;
mod cache;
mod engine;
mod executor;
mod outcome;
mod process;
mod run;
mod wire;

pub use artifact::Artifact;
pub use executor::{Error, Executor};
pub use metering::METERING_VERSION;
pub use outcome::{Execution, Outcome, TrapKind};
pub use process::Program;
pub use run::{Clock, CompileLimits, Limits, Randomness, Run, Settings};
