//! A DAO whose `get_policy` has the shape of Sputnik's: roles, each for everyone, for named accounts, or for so many delegated votes.

use near_sdk::json_types::U128;
use near_sdk::store::IterableMap;
use near_sdk::{AccountId, PanicOnDefault, env, near, require};

#[near(contract_state)]
#[derive(PanicOnDefault)]
pub struct Contract {
    owner_id: AccountId,
    roles: IterableMap<String, RoleKind>,
    delegations: IterableMap<AccountId, U128>,
}

/// For whom a role is.
#[near(serializers = [borsh, json])]
#[derive(Clone)]
pub enum RoleKind {
    Everyone,
    Group(Vec<AccountId>),
    Member(U128),
}

#[near(serializers = [json])]
pub struct Role {
    name: String,
    kind: RoleKind,
    permissions: Vec<String>,
}

#[near(serializers = [json])]
pub struct Policy {
    roles: Vec<Role>,
}

#[near]
impl Contract {
    /// A DAO without roles.
    #[init]
    pub fn new(owner_id: AccountId) -> Self {
        Self {
            owner_id,
            roles: IterableMap::new(b"r"),
            delegations: IterableMap::new(b"d"),
        }
    }

    /// Says for whom a role is.
    pub fn set_role(&mut self, name: String, kind: RoleKind) {
        self.check_owner();
        self.roles.insert(name, kind);
    }

    /// Gives an account so many votes.
    pub fn delegate(&mut self, account_id: AccountId, amount: U128) {
        self.check_owner();
        self.delegations.insert(account_id, amount);
    }

    /// Who may do what.
    pub fn get_policy(&self) -> Policy {
        let roles = self.roles.iter().map(|(name, kind)| Role {
            name: name.clone(),
            kind: kind.clone(),
            permissions: vec!["*:VoteApprove".to_owned()],
        });
        Policy {
            roles: roles.collect(),
        }
    }

    /// How many votes an account has.
    pub fn delegation_balance_of(&self, account_id: AccountId) -> U128 {
        self.delegations
            .get(&account_id)
            .copied()
            .unwrap_or(U128(0))
    }

    fn check_owner(&self) {
        require!(
            env::predecessor_account_id() == self.owner_id,
            "only the owner"
        );
    }
}
