//! The program as other tools start a node: `--home D init --fast`, then `--home D run --rpc-addr A --network-addr B`.
//!
//! near-sandbox, near-workspaces and their JavaScript kin run whatever `NEAR_SANDBOX_BIN_PATH` names with these command
//! lines, and edit the folder's `config.json` and `genesis.json` in between. People say `localnet run`.

mod cli;
mod home;

pub use cli::Cli;
pub use home::Home;
