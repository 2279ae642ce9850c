//! The clients against servers on loopback: fakes that fail as they are told to, and the localnet.

mod blocks;
mod chain;
mod coordinator;
mod fake_node;
mod localnet;
mod sender;
