//! What a guest runs in: an engine without a compiler, WASI, its limits, and how it ended.
//!
//! The program `outlayer-guest` is this crate in a [`jail`]: a server that forks a process for every execution. Nothing here
//! compiles, opens files or speaks to anybody but the executor that started it.

pub mod component;
pub mod engine;
pub mod interpreted;
pub mod native;
pub mod server;
pub mod wire;

mod clock;
mod end;
mod late;
mod memory;
mod outcome;
mod profile;
mod run;
mod tape;
mod wasi;
mod world;

pub use outcome::{Outcome, TrapKind};
pub use profile::Stack;
pub use run::{Clock, Limits, Run, SecretEnv, Seed};
pub use world::World;
