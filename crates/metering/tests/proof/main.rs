//! What `docs/gas.md` promises, shown by running rewritten modules on four engines.

mod engines;
mod gas;
