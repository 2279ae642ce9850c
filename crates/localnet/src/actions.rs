//! What each action does to an account.

mod accounts;
mod call;
mod contracts;
mod delegate;
mod keys;
mod stake;
mod state_init;

use crate::receipts::Scene;
use crate::runtime::Runtime;
use crate::state::State;
use near_primitives::account::Account;
use near_primitives::action::Action;
use near_primitives::errors::{ActionError, ActionErrorKind};
use near_primitives::profile_data_v3::ProfileDataV3;
use near_primitives::receipt::{Receipt, VersionedActionReceipt};
use near_primitives::types::{AccountId, Balance, Gas};
use near_vm_runner::logic::ReturnData;
use near_vm_runner::logic::types::PromiseResult;
use std::sync::Arc;

type Done = Result<(), ActionErrorKind>;

/// A receipt that is being run.
pub(crate) struct Acting<'a> {
    pub(crate) state: State,
    pub(crate) account: Option<Account>,
    pub(crate) effects: Effects,
    pub(crate) receipt: &'a Receipt,
    pub(crate) action_receipt: &'a VersionedActionReceipt<'a>,
    /// Who acts: the sender, until it creates the account, when the account acts for itself.
    actor: AccountId,
    results: Arc<[PromiseResult]>,
    scene: &'a Scene<'a>,
}

/// What the actions of a receipt bring about beside the state.
#[derive(Debug)]
pub(crate) struct Effects {
    pub(crate) gas_burnt: Gas,
    pub(crate) gas_used: Gas,
    pub(crate) tokens_burnt: Balance,
    pub(crate) minted: Balance,
    pub(crate) created_account: bool,
    pub(crate) logs: Vec<String>,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) profile: ProfileDataV3,
    pub(crate) result: Result<ReturnData, ActionError>,
}

impl Effects {
    /// Burns gas.
    pub(crate) const fn charge(&mut self, gas: Gas) {
        self.gas_burnt = self.gas_burnt.saturating_add(gas);
        self.gas_used = self.gas_used.saturating_add(gas);
    }
}

/// Where an action stands among those of its receipt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) index: usize,
    pub(crate) is_last: bool,
    pub(crate) is_only: bool,
}

impl<'a> Acting<'a> {
    pub(crate) fn new(
        runtime: &Runtime,
        state: State,
        receipt: &'a Receipt,
        action_receipt: &'a VersionedActionReceipt<'a>,
        results: Arc<[PromiseResult]>,
        scene: &'a Scene<'a>,
    ) -> Self {
        let base = runtime
            .config
            .fees
            .fee(near_parameters::ActionCosts::new_action_receipt)
            .exec_fee()
            .gas;
        let effects = Effects {
            gas_burnt: base,
            gas_used: base,
            tokens_burnt: Balance::ZERO,
            minted: Balance::ZERO,
            created_account: false,
            logs: Vec::new(),
            receipts: Vec::new(),
            profile: ProfileDataV3::default(),
            result: Ok(ReturnData::None),
        };
        let account = state.account(receipt.receiver_id());
        let actor = receipt.predecessor_id().clone();
        Self {
            state,
            account,
            effects,
            receipt,
            action_receipt,
            actor,
            results,
            scene,
        }
    }

    fn id(&self) -> AccountId {
        self.receipt.receiver_id().clone()
    }

    /// The account, or the node's error if there is none.
    fn existing(&mut self) -> Result<&mut Account, ActionErrorKind> {
        let account_id = self.receipt.receiver_id();
        self.account
            .as_mut()
            .ok_or_else(|| ActionErrorKind::AccountDoesNotExist {
                account_id: account_id.clone(),
            })
    }

    /// The account, if whoever acts may change it.
    fn own(&mut self) -> Result<&mut Account, ActionErrorKind> {
        if self.account.is_some() && self.actor != *self.receipt.receiver_id() {
            return Err(ActionErrorKind::ActorNoPermission {
                account_id: self.id(),
                actor_id: self.actor.clone(),
            });
        }
        self.existing()
    }
}

impl Runtime {
    /// Does one action; on an error the receipt as a whole is undone by whoever runs it.
    pub(crate) fn apply_action(
        &self,
        acting: &mut Acting<'_>,
        action: &Action,
        place: Place,
    ) -> Done {
        match action {
            Action::CreateAccount(_) => self.create_account(acting),
            Action::Transfer(a) => self.transfer(acting, a.deposit, place),
            Action::DeleteAccount(a) => Self::delete_account(acting, &a.beneficiary_id),
            Action::AddKey(a) => self.add_key(acting, &a.public_key, &a.access_key),
            Action::DeleteKey(a) => self.delete_key(acting, &a.public_key),
            Action::DeployContract(a) => self.deploy(acting, &a.code),
            Action::DeployGlobalContract(a) => self.deploy_global(acting, a),
            Action::UseGlobalContract(a) => {
                acting.own()?;
                Self::use_global(acting, &a.contract_identifier)
            }
            Action::DeterministicStateInit(a) => self.init_state(acting, a),
            Action::FunctionCall(a) => self.function_call(acting, a, place),
            Action::Stake(a) => Self::stake(acting, a),
            Action::Delegate(_) | Action::DelegateV2(_) => self.delegate(acting, action),
            // Refused by validation, which every receipt has passed.
            Action::TransferToGasKey(_)
            | Action::WithdrawFromGasKey(_)
            | Action::UniversalStateInit(_) => Err(ActionErrorKind::ActorNoPermission {
                account_id: acting.id(),
                actor_id: acting.actor.clone(),
            }),
        }
    }
}
