//! The clients against servers on loopback: fakes that fail as they are told to, and the localnet.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]

#[cfg(test)]
mod blocks;
#[cfg(test)]
mod chain;
#[cfg(test)]
mod coordinator;
#[cfg(test)]
mod fake_node;
#[cfg(test)]
mod localnet;
#[cfg(test)]
mod sender;
