//! Accounts come by being created or by being sent something, and go by being deleted.

use super::{Acting, Done, Place};
use crate::fees;
use crate::runtime::Runtime;
use crate::verifier::nonce_bound;
use near_crypto::PublicKey;
use near_primitives::account::id::AccountType;
use near_primitives::account::{AccessKey, AccessKeyPermission, Account, AccountContract};
use near_primitives::errors::ActionErrorKind as E;
use near_primitives::receipt::Receipt;
use near_primitives::types::{AccountId, Balance};

impl Runtime {
    pub(super) fn create_account(&self, acting: &mut Acting<'_>) -> Done {
        let account_id = acting.id();
        if acting.account.is_some() {
            return Err(E::AccountAlreadyExists { account_id });
        }
        if account_id.get_account_type().is_implicit() {
            return Err(E::OnlyImplicitAccountCreationAllowed { account_id });
        }
        self.check_creator(&account_id, acting.receipt.predecessor_id())?;
        acting.actor = account_id;
        acting.account = Some(self.empty_account(Balance::ZERO));
        Ok(())
    }

    /// Short top-level names are the registrar's; everything else is its parent's.
    fn check_creator(&self, account_id: &AccountId, creator: &AccountId) -> Done {
        let rules = &self.config.account_creation_config;
        if !account_id.is_top_level() {
            if account_id.is_sub_account_of(creator) {
                return Ok(());
            }
            return Err(E::CreateAccountNotAllowed {
                account_id: account_id.clone(),
                predecessor_id: creator.clone(),
            });
        }
        let is_short = account_id.len() < usize::from(rules.min_allowed_top_level_account_length);
        if is_short && creator != self.registrar() {
            return Err(E::CreateAccountOnlyByRegistrar {
                account_id: account_id.clone(),
                registrar_account_id: self.registrar().clone(),
                predecessor_id: creator.clone(),
            });
        }
        Ok(())
    }

    pub(super) fn empty_account(&self, balance: Balance) -> Account {
        let bytes = self.config.fees.storage_usage_config.num_bytes_account;
        Account::new(balance, Balance::ZERO, AccountContract::None, bytes)
    }

    pub(super) fn transfer(&self, acting: &mut Acting<'_>, deposit: Balance, place: Place) -> Done {
        let is_refund = acting.receipt.predecessor_id().is_system();
        if acting.account.is_none()
            && place.is_only
            && !is_refund
            && self.create_implicit(acting, deposit)
        {
            return Ok(());
        }
        let account = acting.existing()?;
        account.set_amount(account.amount().saturating_add(deposit));
        if is_refund {
            restore_allowance(acting, deposit);
        }
        Ok(())
    }

    /// Makes the account that an implicit name stands for, and says whether the name is one.
    fn create_implicit(&self, acting: &mut Acting<'_>, deposit: Balance) -> bool {
        let id = acting.id();
        let mut account = self.empty_account(deposit);
        match id.get_account_type() {
            AccountType::NearImplicitAccount => {
                let Ok(public_key) = PublicKey::from_near_implicit_account(&id) else {
                    return false;
                };
                let nonce = nonce_bound(acting.scene.block.height.saturating_sub(1));
                let key = AccessKey {
                    nonce,
                    permission: AccessKeyPermission::FullAccess,
                };
                let bytes = fees::key_storage(&self.config, &public_key, &key);
                account.set_storage_usage(account.storage_usage().saturating_add(bytes));
                acting.state.set_access_key(&id, &public_key, &key);
            }
            // Their contracts (Ethereum's wallet, what the name is the hash of) are not there yet; the balance is.
            AccountType::EthImplicitAccount | AccountType::NearDeterministicAccount => {}
            AccountType::NamedAccount | AccountType::UniversalAccount => return false,
        }
        acting.account = Some(account);
        true
    }

    pub(super) fn delete_account(acting: &mut Acting<'_>, beneficiary: &AccountId) -> Done {
        let id = acting.id();
        let code_bytes = acting.state.local_code_bytes(&id);
        let account = acting.own()?;
        if !account.locked().is_zero() {
            return Err(E::DeleteAccountStaking { account_id: id });
        }
        let bytes_without_code = account.storage_usage().saturating_sub(code_bytes);
        if bytes_without_code > Account::MAX_ACCOUNT_DELETION_STORAGE_USAGE {
            return Err(E::DeleteAccountWithLargeState { account_id: id });
        }
        let balance = account.amount();
        if !balance.is_zero() {
            acting
                .effects
                .receipts
                .push(Receipt::new_balance_refund(beneficiary, balance));
        }
        acting.state.remove_account(&id);
        acting.account = None;
        acting.actor = acting.receipt.predecessor_id().clone();
        Ok(())
    }
}

/// A refund of gas also refills the allowance of the key that paid for it.
fn restore_allowance(acting: &mut Acting<'_>, refund: Balance) {
    let (id, public_key) = (
        acting.action_receipt.signer_id(),
        acting.action_receipt.signer_public_key(),
    );
    if id != acting.receipt.receiver_id() {
        return;
    }
    let Some(mut key) = acting.state.access_key(id, public_key) else {
        return;
    };
    if let Some(allowance) = key
        .permission
        .function_call_permission_mut()
        .and_then(|p| p.allowance.as_mut())
    {
        *allowance = allowance.saturating_add(refund);
        acting.state.set_access_key(id, public_key, &key);
    }
}
