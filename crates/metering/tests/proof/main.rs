//! What `docs/gas.md` promises, shown by running rewritten modules on four engines.

mod agree;
mod components;
mod differential;
mod engines;
mod gas;
mod mutations;
mod naive;
mod spec;
