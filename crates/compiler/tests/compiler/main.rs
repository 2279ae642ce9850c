//! The compiler as its callers see it: real repositories, real builds, a real server.

#![cfg(test)]

mod builds;
mod failures;
mod hostile;
mod modules;
mod names;
mod origin;
