//! A chain with two people and a contract, and short words for what they do.

use localnet::{Chain, Config, Genesis, signer};
use near_primitives::account::AccessKey;
use near_primitives::action::{
    Action, AddKeyAction, CreateAccountAction, DeployContractAction, FunctionCallAction,
    TransferAction,
};
use near_primitives::errors::{
    ActionErrorKind, ActionsValidationError, InvalidTxError, TxExecutionError,
};
use near_primitives::hash::CryptoHash;
use near_primitives::transaction::{SignedTransaction, Transaction, TransactionV0};
use near_primitives::types::{AccountId, Balance, Gas};
use near_primitives::views::{FinalExecutionOutcomeWithReceiptView, FinalExecutionStatus};

pub(crate) const ALICE: &str = "alice.test";
pub(crate) const BOB: &str = "bob.test";
pub(crate) const CONTRACT: &str = "contract.test";

pub(crate) struct World {
    pub(crate) chain: Chain,
    nonce: u64,
}

pub(crate) fn id(name: &str) -> AccountId {
    name.parse().unwrap()
}

pub(crate) fn code() -> Vec<u8> {
    wat::parse_str(include_str!("contract.wat")).unwrap()
}

pub(crate) fn near(amount: u128) -> Balance {
    Balance::from_near(amount)
}

pub(crate) fn call(method: &str, args: &[u8]) -> Action {
    call_with(method, args, Gas::from_teragas(30), Balance::ZERO)
}

pub(crate) fn call_with(method: &str, args: &[u8], gas: Gas, deposit: Balance) -> Action {
    Action::FunctionCall(Box::new(FunctionCallAction {
        method_name: method.to_owned(),
        args: args.to_vec(),
        gas,
        deposit,
    }))
}

pub(crate) fn transfer(deposit: Balance) -> Action {
    Action::Transfer(TransferAction { deposit })
}

pub(crate) fn create() -> Action {
    Action::CreateAccount(CreateAccountAction {})
}

pub(crate) fn deploy(code: &[u8]) -> Action {
    Action::DeployContract(DeployContractAction {
        code: code.to_vec(),
    })
}

pub(crate) fn add_key(of: &str, access_key: AccessKey) -> Action {
    let public_key = signer(&id(of)).public_key();
    Action::AddKey(Box::new(AddKeyAction {
        public_key,
        access_key,
    }))
}

/// Genesis with [`ALICE`], [`BOB`] and [`CONTRACT`], each with 1,000 NEAR.
pub(crate) fn genesis() -> Genesis {
    [ALICE, BOB, CONTRACT]
        .into_iter()
        .fold(Genesis::sandbox(0), |genesis, name| {
            genesis.with_account(&id(name), near(1000))
        })
}

impl World {
    /// The contract is deployed.
    pub(crate) fn new() -> Self {
        Self::with(Config::in_memory(genesis()))
    }

    pub(crate) fn with(config: Config) -> Self {
        let mut world = Self {
            chain: Chain::new(config).unwrap(),
            nonce: 0,
        };
        world.nonce = world.chain.height() * 10_000;
        if world.chain.height() == 1 {
            world.run(CONTRACT, CONTRACT, vec![deploy(&code())]);
        }
        world
    }

    pub(crate) fn sign(&mut self, from: &str, to: &str, actions: Vec<Action>) -> SignedTransaction {
        let block_hash = self.chain.head().hash;
        self.sign_with(from, from, to, actions, block_hash)
    }

    /// Signs for one account with the key named for another.
    pub(crate) fn sign_with(
        &mut self,
        from: &str,
        key: &str,
        to: &str,
        actions: Vec<Action>,
        block_hash: CryptoHash,
    ) -> SignedTransaction {
        let signer = signer(&id(key));
        let known = self
            .chain
            .state()
            .access_key(&id(from), &signer.public_key());
        self.nonce += 1;
        let tx = Transaction::V0(TransactionV0 {
            signer_id: id(from),
            public_key: signer.public_key(),
            nonce: known.map_or(0, |key| key.nonce) + self.nonce,
            receiver_id: id(to),
            block_hash,
            actions,
        });
        SignedTransaction::new(signer.sign(tx.get_hash_and_size().0.as_ref()), tx)
    }

    pub(crate) fn submit(
        &mut self,
        from: &str,
        to: &str,
        actions: Vec<Action>,
    ) -> Result<CryptoHash, InvalidTxError> {
        let tx = self.sign(from, to, actions);
        self.chain.submit(tx)
    }

    /// Why a transaction is refused.
    pub(crate) fn refusal(&mut self, from: &str, to: &str, actions: Vec<Action>) -> InvalidTxError {
        self.submit(from, to, actions).unwrap_err()
    }

    /// Which rule on actions a transaction breaks.
    pub(crate) fn broken_rule(&mut self, to: &str, actions: Vec<Action>) -> ActionsValidationError {
        match self.refusal(ALICE, to, actions) {
            InvalidTxError::ActionsValidation(rule) => rule,
            other => panic!("{other:?}"),
        }
    }

    /// Hands in a transaction and makes blocks until it is over.
    pub(crate) fn run(
        &mut self,
        from: &str,
        to: &str,
        actions: Vec<Action>,
    ) -> FinalExecutionOutcomeWithReceiptView {
        let hash = self.submit(from, to, actions).unwrap();
        self.chain.settle();
        assert_eq!(self.chain.audit(), self.chain.total_supply());
        self.outcome(&hash)
    }

    pub(crate) fn outcome(&self, hash: &CryptoHash) -> FinalExecutionOutcomeWithReceiptView {
        self.chain.tx_status(hash).unwrap().outcome.unwrap()
    }

    /// What a transaction returned.
    pub(crate) fn value(&mut self, from: &str, to: &str, actions: Vec<Action>) -> Vec<u8> {
        value(&self.run(from, to, actions))
    }

    /// Why an action failed.
    pub(crate) fn failure(
        &mut self,
        from: &str,
        to: &str,
        actions: Vec<Action>,
    ) -> ActionErrorKind {
        failure(&self.run(from, to, actions))
    }

    pub(crate) fn balance(&self, of: &str) -> Balance {
        self.chain.balance(&id(of))
    }
}

pub(crate) fn value(outcome: &FinalExecutionOutcomeWithReceiptView) -> Vec<u8> {
    match &outcome.final_outcome.status {
        FinalExecutionStatus::SuccessValue(value) => value.clone(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn failure(outcome: &FinalExecutionOutcomeWithReceiptView) -> ActionErrorKind {
    match &outcome.final_outcome.status {
        FinalExecutionStatus::Failure(TxExecutionError::ActionError(error)) => error.kind.clone(),
        other => panic!("{other:?}"),
    }
}
