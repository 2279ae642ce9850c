//! WASI preview 1 for guests that only compute: stdin, stdout, stderr, arguments, environment, clocks, randomness.
//!
//! Files, directories and sockets do not exist; the calls for them are there, since libraries import them unused, and answer
//! with the error number that says so. The calls are one table, for every engine.

pub(crate) mod errno;

mod given;
mod polling;
mod refused;
mod streams;

use crate::world::{Calling, Stop};
use errno::Answer;
pub(crate) use streams::{keep_message, keep_output};

/// The module that guests import the calls from.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// A type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Four bytes.
    I32,
    /// Eight bytes.
    I64,
}

/// A call's parameters, and whether it returns an error number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    /// The parameters.
    pub(crate) params: Vec<Kind>,
    /// Whether it returns an error number; all but `proc_exit` do.
    pub(crate) returns: bool,
}

/// A call that guests may import.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    /// One that works.
    Works(fn(&mut dyn Calling, &[u64]) -> Answer),
    /// One that is refused, by its name.
    Refused(String),
}

impl Call {
    /// The call of this name, if it is imported with its own signature.
    ///
    /// A refused call is taken with any parameters, as it reads but the first.
    pub(crate) fn find(name: &str, imported: &Signature) -> Option<Self> {
        if let Some((_, params, run)) = WORKING.iter().find(|(known, ..)| *known == name) {
            let returns = name != "proc_exit";
            let same = imported.params == *params && imported.returns == returns;
            return same.then_some(Self::Works(*run));
        }
        (refused::errno(name).is_some() && imported.returns).then(|| Self::Refused(name.to_owned()))
    }

    /// Makes the call.
    pub(crate) fn make(&self, caller: &mut dyn Calling, args: &[u64]) -> Result<i32, Stop> {
        let errno = match self {
            Self::Works(run) => run(caller, args)?,
            Self::Refused(name) => refused::refuse(caller, name, args)?,
        };
        Ok(errno.0.into())
    }
}

/// Name, parameters and deed of a call that works.
type Working = (
    &'static str,
    &'static [Kind],
    fn(&mut dyn Calling, &[u64]) -> Answer,
);

/// Signatures: `wasi_snapshot_preview1.witx`.
const WORKING: &[Working] = {
    use Kind::{I32, I64};
    &[
        ("args_get", &[I32; 2], given::args),
        ("args_sizes_get", &[I32; 2], given::args_sizes),
        ("environ_get", &[I32; 2], given::environ),
        ("environ_sizes_get", &[I32; 2], given::environ_sizes),
        ("clock_res_get", &[I32; 2], given::clock_resolution),
        ("clock_time_get", &[I32, I64, I32], given::clock_time),
        ("random_get", &[I32; 2], given::random),
        ("proc_exit", &[I32], given::exit),
        ("sched_yield", &[], given::step_aside),
        ("poll_oneoff", &[I32; 4], polling::poll),
        ("fd_read", &[I32; 4], streams::read),
        ("fd_write", &[I32; 4], streams::write),
        ("fd_close", &[I32], streams::close),
        ("fd_fdstat_get", &[I32; 2], streams::describe),
        ("fd_fdstat_set_flags", &[I32; 2], streams::set_flags),
        ("fd_filestat_get", &[I32; 2], streams::file_status),
    ]
};

/// The low words of the arguments: addresses, lengths, descriptors.
fn words<const N: usize>(args: &[u64]) -> [u32; N] {
    let mut words = [0; N];
    for (word, arg) in words.iter_mut().zip(args) {
        *word = u32::try_from(arg & u64::from(u32::MAX)).unwrap_or_default();
    }
    words
}
