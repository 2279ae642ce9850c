//! The contracts of a platform, deployed by ordinary transactions.

use anyhow::{Context as _, Result, ensure};
use clients::near::outcome::Status;
use clients::near::{At, CryptoHash, Gas, Node, Sender, sender};
use clients::parts::Parts;
use near_primitives::action::{Action, DeployContractAction, FunctionCallAction};
use protocol::{AccountId, NearToken};
use serde_json::{Value, json};

use super::Accounts;
use crate::contracts;

/// Deploys what is not there yet.
pub(super) async fn deploy(node: &Node, accounts: &Accounts) -> Result<()> {
    let outlayer = json!({"owner_id": accounts.outlayer, "operator_id": accounts.operator});
    deploy_one(node, &accounts.outlayer, contracts::OUTLAYER, &outlayer).await?;
    let client = json!({"outlayer": accounts.outlayer});
    deploy_one(node, &accounts.client, contracts::RANDOM_CLIENT, &client).await
}

async fn deploy_one(node: &Node, account: &AccountId, wasm: &[u8], init: &Value) -> Result<()> {
    if node
        .view_account(At::Latest, account)
        .await?
        .value
        .code_hash
        != CryptoHash::default()
    {
        return Ok(()); // a chain that was kept
    }
    let sender = Sender::new(
        node.clone(),
        account.clone(),
        vec![localnet::secret_key(account)],
        Parts::of_the_machine(),
        sender::Settings::default(),
    )?;
    let actions = vec![
        Action::DeployContract(DeployContractAction {
            code: wasm.to_vec(),
        }),
        Action::FunctionCall(Box::new(FunctionCallAction {
            method_name: "new".into(),
            args: serde_json::to_vec(init)?,
            gas: Gas::from_teragas(50),
            deposit: NearToken::from_yoctonear(0),
        })),
    ];
    let outcome = sender
        .send(account.clone(), actions)
        .await
        .with_context(|| format!("deploy {account}"))?;
    ensure!(
        matches!(outcome.status, Status::Succeeded(_)),
        "deploying {account} ended with {:?}",
        outcome.status
    );
    Ok(())
}
