//! Contract calls per second of the chain alone: signed transactions in, outcomes out, no network and no clients.

use anyhow::{Context as _, Result, ensure};
use localnet::{Chain, Config, Genesis, secret_key, signer};
use near_primitives::action::{Action, DeployContractAction, FunctionCallAction};
use near_primitives::hash::CryptoHash;
use near_primitives::transaction::{
    ExecutionStatus, SignedTransaction, Transaction, TransactionV0,
};
use near_primitives::types::{AccountId, Balance, Gas};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::contracts;

/// Transactions that are submitted before blocks are made of them.
const BATCH: u64 = 500;

/// Executes `calls` calls that each read the contract's state; calls per second.
pub(super) fn per_second(calls: u32) -> Result<f64> {
    let mut caller = Caller::new()?;
    let mut last = CryptoHash::default();
    // Signing is the client's work, so it is done before the clock runs.
    let mut left = u64::from(calls);
    let mut spent = std::time::Duration::ZERO;
    while left > 0 {
        let batch: Vec<_> = (0..left.min(BATCH))
            .map(|_| caller.sign(call("stats", &json!({}))))
            .collect::<Result<_>>()?;
        let began = Instant::now();
        for transaction in batch {
            last = caller.chain.submit(transaction)?;
        }
        caller.chain.settle();
        spent = spent.saturating_add(began.elapsed());
        left = left.saturating_sub(BATCH);
    }
    let status = caller
        .chain
        .tx_status(&last)
        .context("the last call is known")?;
    ensure!(
        format!("{status:?}").contains("SuccessValue"),
        "the last call did not succeed"
    );
    Ok(f64::from(calls) / spent.as_secs_f64())
}

/// An account that calls a contract over and over.
struct Caller {
    chain: Chain,
    account: AccountId,
    contract: AccountId,
    nonce: u64,
}

impl Caller {
    fn new() -> Result<Self> {
        let account: AccountId = "alice.test".parse()?;
        let contract: AccountId = "client.test".parse()?;
        let genesis = [&account, &contract]
            .into_iter()
            .fold(Genesis::sandbox(0), |genesis, id| {
                genesis.with_account(id, localnet::genesis::GENESIS_BALANCE)
            });
        let mut caller = Self {
            chain: Chain::new(Config::in_memory(genesis))?,
            account,
            contract,
            nonce: 0,
        };
        let deploy = Action::DeployContract(DeployContractAction {
            code: contracts::RANDOM_CLIENT.to_vec(),
        });
        let init = call("new", &json!({"outlayer": "outlayer.test"}));
        let transaction = caller.sign_for(&caller.contract.clone(), vec![deploy, init])?;
        let deployed = caller.chain.submit(transaction)?;
        caller.chain.settle();
        let outcome = caller
            .chain
            .outcome(&deployed)
            .context("the contract is deployed")?;
        ensure!(
            !matches!(outcome.outcome.status, ExecutionStatus::Failure(_)),
            "the contract cannot be deployed"
        );
        Ok(caller)
    }

    fn sign(&mut self, action: Action) -> Result<SignedTransaction> {
        self.sign_for(&self.account.clone(), vec![action])
    }

    fn sign_for(&mut self, account: &AccountId, actions: Vec<Action>) -> Result<SignedTransaction> {
        self.nonce = self.nonce.checked_add(1).context("nonces run out")?;
        let transaction = Transaction::V0(TransactionV0 {
            signer_id: account.clone(),
            public_key: secret_key(account).public_key(),
            nonce: self.nonce,
            receiver_id: self.contract.clone(),
            block_hash: self.chain.head().hash,
            actions,
        });
        let signature = signer(account).sign(transaction.get_hash_and_size().0.as_ref());
        Ok(SignedTransaction::new(signature, transaction))
    }
}

fn call(method: &str, args: &Value) -> Action {
    Action::FunctionCall(Box::new(FunctionCallAction {
        method_name: method.into(),
        args: args.to_string().into_bytes(),
        gas: Gas::from_teragas(30),
        deposit: Balance::ZERO,
    }))
}
