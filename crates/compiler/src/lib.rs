//! Source at a commit, or a module behind a URL, to an artifact.
//!
//! [`Compiler::resolve`] turns a branch or a tag into a commit; [`Compiler::compile`] turns a commit into wasm, in two
//! halves: first everything is fetched, with network but without running a line of what is fetched, then it is built
//! without network, through the seam of [`jail`]. A failure is a value with a stable code and a sentence that is safe to
//! show; what the tools printed travels beside it and is for administrators only.
//!
//! What stands between a build and the machine is said in [`jail`].

mod artifact;
mod assemblyscript;
mod c;
mod cargo;
mod compiler;
mod confined;
mod error;
mod fetching;
mod git;
pub mod jail;
mod language;
mod module;
mod once;
mod prebuilt;
mod process;
mod product;
mod programs;
mod progress;
mod repository;
mod settings;
mod toolchain;
mod workbench;

pub use artifact::{Artifact, BuildRecord, Sha256};
pub use compiler::{Compiler, ResolvedSource};
pub use error::Error;
pub use module::{BadGateway, Gateway};
pub use process::ProcessLimits;
pub use progress::{Unwatched, WatchBuild};
pub use repository::Repository;
pub use settings::{Limits, ModuleLimits, Reach, Settings};
pub use toolchain::Toolchain;
