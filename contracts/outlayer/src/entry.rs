//! What the chain calls. Each method names its caller, has the modules beside this one decide, carries the decision out and
//! logs one event.

mod admin;
mod callback;
mod cancel;
mod operator;
mod projects;
mod request;
mod roll;
mod secrets;
mod transfer;
mod versions;
mod views;

use borsh::BorshSerialize;
use near_sdk::store::key::Identity;
use near_sdk::store::{IterableMap, LookupMap};
use near_sdk::{BorshStorageKey, FunctionError, PanicOnDefault, env, near};
use protocol::project::ProjectUuid;
use protocol::{AccountId, NearToken, RequestId};

use crate::announce::{self, Change};
use crate::ledger::{Holdings, Ledger};
use crate::pending::Record;
use crate::projects::{ProjectRecord, VersionRecord};
use crate::refusal::Refusal;
use crate::secrets as secret;
use crate::settings::{Settings, not_allowed};
use crate::storage::Digest;
use crate::tally::Tally;

use self::roll::Roll;

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
    /// Profiles of secrets, by the digest of accessor, name and owner.
    secrets: LookupMap<Digest, secret::Record>,
    /// Their sealed bytes.
    sealed: LookupMap<Digest, Vec<u8>>,
    /// Which profiles an owner has.
    secrets_of: Roll<Digest, Digest>,
    projects: LookupMap<ProjectUuid, ProjectRecord>,
    /// What projects are called, by the digest of the name.
    project_names: LookupMap<Digest, ProjectUuid>,
    /// Which projects an owner has.
    projects_of: Roll<Digest, ProjectUuid>,
    /// Versions of projects, by the digest of the version's key.
    versions: LookupMap<(ProjectUuid, Digest), VersionRecord>,
    /// Which versions a project has.
    versions_of: Roll<ProjectUuid, Digest>,
}

/// Where in the account's storage things are; append only.
#[derive(BorshSerialize, BorshStorageKey)]
enum StorageKey {
    Pending,
    Inputs,
    Answers,
    Unclaimed,
    Secrets,
    Sealed,
    SecretsOf,
    Projects,
    ProjectNames,
    ProjectsOf,
    Versions,
    VersionsOf,
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
            secrets: LookupMap::new(StorageKey::Secrets),
            sealed: LookupMap::new(StorageKey::Sealed),
            secrets_of: LookupMap::new(StorageKey::SecretsOf),
            projects: LookupMap::new(StorageKey::Projects),
            project_names: LookupMap::new(StorageKey::ProjectNames),
            projects_of: LookupMap::new(StorageKey::ProjectsOf),
            versions: LookupMap::new(StorageKey::Versions),
            versions_of: LookupMap::new(StorageKey::VersionsOf),
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

/// A text's place in a key.
fn digest(text: &[u8]) -> Digest {
    env::sha256_array(text)
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
