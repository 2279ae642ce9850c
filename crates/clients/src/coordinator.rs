//! The coordinator's HTTP interface, typed: what a worker says to it ([`Worker`]) and what it shows to anyone ([`Public`]).
//!
//! Nothing is tried again in here: a caller knows better than a client what a failed call means to it, and asks
//! [`Error::is_transient`].

mod error;
mod public;
mod transport;
mod worker;

pub use error::Error;
pub use public::{JobsQuery, Public};
pub use worker::Worker;
