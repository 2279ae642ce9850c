//! What the chain calls. Each method names its caller, has the modules beside this one decide, carries the decision out and
//! logs one event.

mod admin;
mod callback;
mod cancel;
mod operator;
mod request;
mod transfer;
mod views;

use borsh::BorshSerialize;
use near_sdk::store::key::Identity;
use near_sdk::store::{IterableMap, LookupMap};
use near_sdk::{BorshStorageKey, FunctionError, PanicOnDefault, env, near};
use protocol::{AccountId, NearToken, RequestId};

use crate::announce::{self, Change};
use crate::ledger::{Holdings, Ledger};
use crate::pending::Record;
use crate::refusal::Refusal;
use crate::settings::{Settings, not_allowed};
use crate::tally::Tally;

/// The contract's state.
#[near(contract_state)]
#[derive(Debug, PanicOnDefault)]
pub struct Outlayer {
    settings: Settings,
    ledger: Ledger,
    tally: Tally,
    pending: IterableMap<RequestId, Record, Identity>,
    /// What pending requests bring to their guests.
    inputs: LookupMap<RequestId, String>,
    /// Answers too large for a resume, until the callback returns them.
    answers: LookupMap<RequestId, Vec<u8>>,
    /// Refunds that could not be paid.
    unclaimed: LookupMap<AccountId, NearToken>,
}

/// Where in the account's storage things are; append only.
#[derive(BorshSerialize, BorshStorageKey)]
enum StorageKey {
    Pending,
    Inputs,
    Answers,
    Unclaimed,
}

impl FunctionError for Refusal {
    fn panic(&self) -> ! {
        env::panic_str(&self.to_string())
    }
}

#[near]
impl Outlayer {
    /// A new contract; the owner answers requests unless an operator is named.
    #[init]
    #[handle_result]
    pub fn new(
        owner_id: AccountId,
        operator_id: Option<AccountId>,
        event_standard: Option<String>,
        event_version: Option<String>,
    ) -> Result<Self, Refusal> {
        let settings = Settings::new(owner_id, operator_id, event_standard, event_version)?;
        let contract = Self {
            settings,
            ledger: Ledger::default(),
            tally: Tally::default(),
            pending: IterableMap::with_hasher(StorageKey::Pending),
            inputs: LookupMap::new(StorageKey::Inputs),
            answers: LookupMap::new(StorageKey::Answers),
            unclaimed: LookupMap::new(StorageKey::Unclaimed),
        };
        contract.log_change(&Change::SettingsChanged([&contract.settings]));
        Ok(contract)
    }
}

impl Outlayer {
    /// What the account has, without what is `attached` to the present call.
    fn holdings(attached: NearToken) -> Holdings {
        Holdings {
            balance: env::account_balance().saturating_sub(attached),
            storage_bytes: env::storage_usage(),
            byte_price: env::storage_byte_cost(),
        }
    }

    fn log_change(&self, change: &Change<'_>) {
        log(&announce::changed(&self.settings, change));
    }
}

/// The only place that logs.
fn log(line: &str) {
    env::log_str(line);
}

/// Refuses a caller other than the contract itself.
fn require_self() -> Result<(), Refusal> {
    if env::predecessor_account_id() == env::current_account_id() {
        return Ok(());
    }
    Err(not_allowed("only the contract itself may do this"))
}
