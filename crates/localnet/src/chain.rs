//! Blocks: what ran in each, the state after each, and where every transaction stands.

mod audit;
mod block;
mod changes;
mod forward;
mod header;
mod index;
mod merkle;
mod produce;
mod status;
mod views;

use crate::folder;
use crate::genesis::{ChainTime, Config};
use crate::persist::Log;
use crate::runtime::{BlockContext, Runtime};
use crate::state::State;
use header::{Ancestors, Validator};
use index::Index;
use near_primitives::account::{Account, AccountContract};
use near_primitives::errors::InvalidTxError;
use near_primitives::hash::{CryptoHash, hash};
use near_primitives::receipt::Receipt;
use near_primitives::state_record::StateRecord;
use near_primitives::transaction::SignedTransaction;
use near_primitives::trie_key::TrieKey;
use near_primitives::types::{AccountId, Balance};
use near_vm_runner::logic::VMOutcome;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use crate::runtime::EPOCH_HEIGHT;
pub use block::Block;
pub(crate) use forward::EPOCH_LENGTH;
pub(crate) use header::{SHARD, stake};
pub use merkle::MerkleTree;
use produce::Step;
pub(crate) use produce::outcome_tree;
pub use status::TxStatus;

/// The price of gas, which never moves here. Unit: yoctoNEAR a gas. Source: mainnet's `min_gas_price`.
pub const GAS_PRICE: Balance = Balance::from_yoctonear(100_000_000);

/// How long after the block it names a transaction is good. Unit: blocks. Source: a sandbox's genesis.
pub const TRANSACTION_VALIDITY_BLOCKS: u64 = 100;

/// A state has to outlive the yields made in it, and their time-outs.
const LEAST_KEPT_BLOCKS: u64 = 300;

/// Why a chain does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder of compiled contracts cannot be used.
    #[error("cannot keep compiled contracts in {folder:?}")]
    Compiled {
        /// The folder; a temporary one if none was named.
        folder: Option<PathBuf>,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The blocks kept in the folder cannot be read or added to.
    #[error("cannot open the chain's log")]
    Log(#[from] folder::Error),
}

/// A NEAR chain of one shard in this process.
///
/// ```
/// use localnet::{Chain, Config, Genesis};
///
/// let mut chain = Chain::new(Config::in_memory(Genesis::sandbox(0)))?;
/// chain.fast_forward(10);
/// assert_eq!(chain.height(), 11);
/// # Ok::<_, localnet::chain::Error>(())
/// ```
#[derive(Debug)]
pub struct Chain {
    runtime: Arc<Runtime>,
    state: State,
    blocks: VecDeque<Arc<Block>>,
    ancestors: Ancestors,
    index: Index,
    validator: Validator,
    pool: VecDeque<SignedTransaction>,
    outgoing: Vec<Receipt>,
    total_supply: Balance,
    finality_lag: u64,
    keep_blocks: u64,
    time: ChainTime,
    genesis_time: u64,
    /// How far fast-forwarding has put the clock forward, in nanoseconds.
    forward_ns: u64,
    log: Option<Log>,
}

impl Chain {
    /// Starts a chain, or takes one up where its folder left it.
    pub fn new(config: Config) -> Result<Self, Error> {
        let compiled = config.folder.as_ref().map(|folder| folder.join("compiled"));
        let mut state = State::default();
        let mut total_stake = Balance::ZERO;
        for record in config.genesis.records {
            if let StateRecord::Account { account, .. } = &record {
                total_stake = total_stake.saturating_add(account.locked());
            }
            put_record(&mut state, record);
        }
        let runtime = Runtime::new(&config.genesis.chain_id, total_stake, compiled.as_deref())
            .map_err(|source| Error::Compiled {
                folder: compiled,
                source,
            })?;
        let mut chain = Self {
            runtime: Arc::new(runtime),
            total_supply: state.account_balances(),
            state,
            blocks: VecDeque::new(),
            ancestors: Ancestors::default(),
            index: Index::default(),
            validator: Validator::new(),
            pool: VecDeque::new(),
            outgoing: Vec::new(),
            finality_lag: config.finality_lag,
            keep_blocks: config.keep_blocks.max(LEAST_KEPT_BLOCKS),
            time: config.time,
            genesis_time: config.genesis.time_ns,
            forward_ns: 0,
            log: None,
        };
        if let Some(folder) = &config.folder {
            let (log, records) = Log::open(folder)?;
            chain.take_up(records);
            chain.log = Some(log);
        }
        if chain.blocks.is_empty() {
            chain.produce();
        }
        Ok(chain)
    }

    /// The parameters and the VM; shared, so that a view can run beside the chain.
    pub const fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// The state after the newest block.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What the chain is called.
    pub fn chain_id(&self) -> &str {
        &self.runtime.chain_id
    }

    /// How many blocks below the head the final block is.
    pub const fn finality_lag(&self) -> u64 {
        self.finality_lag
    }

    /// Whether anything waits for the next block; yields do not.
    pub fn busy(&self) -> bool {
        !self.pool.is_empty() || !self.outgoing.is_empty()
    }

    /// Whether a transaction would be accepted now.
    pub fn check(&self, tx: &SignedTransaction) -> Result<(), InvalidTxError> {
        let named = self
            .block_by_hash(tx.transaction.block_hash())
            .ok_or(InvalidTxError::Expired)?;
        if self.height().saturating_sub(named.height()) > TRANSACTION_VALIDITY_BLOCKS {
            return Err(InvalidTxError::Expired);
        }
        self.runtime.validate(tx)?;
        self.runtime
            .accept(&mut self.state.clone(), tx, &self.next_context(Step::Next))
            .map(drop)
    }

    /// Takes in a transaction for the next block; once is enough, twice does no harm.
    pub fn submit(&mut self, tx: SignedTransaction) -> Result<CryptoHash, InvalidTxError> {
        let tx_hash = tx.get_hash();
        if self.index.transaction(&tx_hash).is_none() {
            self.check(&tx)?;
            self.index.pool(tx.clone());
            self.pool.push_back(tx);
        }
        Ok(tx_hash)
    }

    /// Makes blocks until nothing waits but yields, and says how many.
    pub fn settle(&mut self) -> u64 {
        let before = self.height();
        while self.busy() {
            self.produce();
        }
        self.height().saturating_sub(before)
    }

    fn next_context(&self, step: Step) -> BlockContext {
        let height = self.height().saturating_add(step.heights());
        let timestamp = match (self.blocks.back(), step) {
            (None, _) => self.genesis_time,
            (Some(last), Step::Next) => self.time.next(last.ctx.timestamp, self.forward_ns),
            (Some(last), step) => last.ctx.timestamp.saturating_add(step.forward_ns()),
        };
        BlockContext {
            height,
            timestamp,
            gas_price: GAS_PRICE,
            random_seed: hash(&height.to_le_bytes()),
        }
    }

    /// Calls a method of a contract for its answer, on the state after a block; `None` if there is no such account.
    pub fn view_at(
        &self,
        block: &Block,
        id: &AccountId,
        method: &str,
        args: &[u8],
    ) -> Option<VMOutcome> {
        self.runtime
            .view(&block.state, &block.ctx, id, method, args)
    }

    /// The same on the newest block.
    pub fn view(&self, id: &AccountId, method: &str, args: &[u8]) -> Option<VMOutcome> {
        self.runtime
            .view(&self.state, &self.head().ctx, id, method, args)
    }

    /// An account as the newest block left it.
    pub fn account(&self, id: &AccountId) -> Option<Account> {
        self.state.account(id)
    }

    /// What an account holds free; nothing if it does not exist.
    pub fn balance(&self, id: &AccountId) -> Balance {
        self.account(id)
            .map_or(Balance::ZERO, |account| account.amount())
    }

    /// Everything there is: genesis and patches, less what was burnt, and what the protocol added.
    pub const fn total_supply(&self) -> Balance {
        self.total_supply
    }

    /// Writes records over the state and makes a block of it.
    pub fn patch(&mut self, records: Vec<StateRecord>) {
        let before = self.state.account_balances();
        for record in records {
            put_record(&mut self.state, record);
        }
        let after = self.state.account_balances();
        self.total_supply = self
            .total_supply
            .saturating_sub(before)
            .saturating_add(after);
        self.produce();
    }
}

/// Writes one record; kinds that stand for things under way are left out, as a sandbox leaves them out.
fn put_record(state: &mut State, record: StateRecord) {
    match record {
        StateRecord::Account {
            account_id,
            account,
        } => state.set_account(&account_id, &account),
        StateRecord::AccessKey {
            account_id,
            public_key,
            access_key,
        } => {
            state.set(&TrieKey::access_key(account_id, public_key), &access_key);
        }
        StateRecord::Data {
            account_id,
            data_key,
            value,
        } => {
            state.set_raw(
                &TrieKey::ContractData {
                    account_id,
                    key: data_key.into(),
                },
                value.into(),
            );
        }
        StateRecord::Contract { account_id, code } => {
            if let Some(mut account) = state.account(&account_id) {
                // Fails only for an account without state, which this chain does not make.
                drop(account.set_contract(AccountContract::Local(hash(&code))));
                state.set_account(&account_id, &account);
            }
            state.set_raw(&TrieKey::ContractCode { account_id }, code);
        }
        StateRecord::GasKeyNonce { .. }
        | StateRecord::PostponedReceipt(_)
        | StateRecord::ReceivedData { .. }
        | StateRecord::DelayedReceipt(_) => {}
    }
}
