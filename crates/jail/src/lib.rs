//! A process that can do nothing but compute, and a server that forks such processes.
//!
//! [`enter()`] turns the calling process into a jailed one: namespaces, an empty root, no capabilities, landlock, a list of allowed
//! system calls, limits. [`server::serve`] does the same to a program that then forks children which each answer one request, and
//! [`client`] is the host's side of it. [`room`] is a jail with something in it: files to read, folders to write to, programs to run; for
//! builds of strangers' sources; and a [`Fence`] keeps what fetches them to its files. `docs/sandbox.md` says what each layer stops and which test shows it.
//!
//! Made for `x86_64` Linux 5.13 or newer; works in a static musl program and with glibc, as root and as an ordinary user. Everything
//! goes to the kernel through [`sys`], since the structures of the two C libraries differ and the kernel's do not.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("the jail is made of Linux system calls, numbered for x86_64");

pub mod calls;
pub mod client;
pub mod deadline;
mod enter;
mod fence;
pub mod filter;
pub mod frame;
mod layer;
mod layers;
mod limits;
mod mapped;
pub mod room;
mod sealed;
pub mod server;
mod socket;
mod sys;
mod watch;
pub mod wire;

pub use deadline::Deadline;
pub use enter::{MissingLayers, Plan, enter};
pub use fence::Fence;
pub use layer::{Lack, Layer, Missing, Report};
pub use limits::{Limits, lower_cpu, lower_memory};
pub use mapped::Mapped;
pub use sealed::{NotSealed, check_sealed, program, sealed};
