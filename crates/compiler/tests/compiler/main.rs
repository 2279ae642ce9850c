//! The compiler as its callers see it: real repositories, real builds, a real server.

#![cfg(test)]

mod builds;
mod corpus;
mod docker;
mod failures;
mod far_end;
mod hostile;
mod languages;
mod modules;
mod names;
mod origin;
mod prebuilt;
mod sealed;
