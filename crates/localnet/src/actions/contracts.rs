//! Code: an account's own, or a global contract that many accounts run.

use super::{Acting, Done};
use crate::runtime::Runtime;
use crate::state::State;
use near_primitives::account::{Account, AccountContract};
use near_primitives::action::{
    DeployGlobalContractAction, GlobalContractDeployMode, GlobalContractIdentifier,
};
use near_primitives::errors::ActionErrorKind as E;
use near_primitives::hash::hash;
use near_primitives::trie_key::{GlobalContractCodeIdentifier, TrieKey};
use near_primitives::types::AccountId;
use near_vm_runner::ContractCode;

impl Runtime {
    pub(super) fn deploy(&self, acting: &mut Acting<'_>, code: &[u8]) -> Done {
        let id = acting.id();
        let mut account = acting.own()?.clone();
        let code = ContractCode::new(code.to_vec(), None);
        replace_contract(
            &mut acting.state,
            &id,
            &mut account,
            AccountContract::Local(*code.hash()),
        );
        account.set_storage_usage(account.storage_usage().saturating_add(length(code.code())));
        acting.state.set_raw(
            &TrieKey::ContractCode { account_id: id },
            code.code().to_vec(),
        );
        acting.account = Some(account);
        self.compile_ahead(&code);
        Ok(())
    }

    pub(super) fn deploy_global(
        &self,
        acting: &mut Acting<'_>,
        action: &DeployGlobalContractAction,
    ) -> Done {
        let account_id = acting.id();
        let per_byte = self
            .config
            .fees
            .storage_usage_config
            .global_contract_storage_amount_per_byte;
        let amount =
            per_byte.saturating_mul(u128::try_from(action.code.len()).unwrap_or(u128::MAX));
        let account = acting.own()?;
        let left = account.amount().checked_sub(amount);
        let left = left.ok_or_else(|| E::LackBalanceForState {
            account_id: account_id.clone(),
            amount,
        })?;
        account.set_amount(left);
        acting.effects.tokens_burnt = acting.effects.tokens_burnt.saturating_add(amount);
        let identifier = match action.deploy_mode {
            GlobalContractDeployMode::CodeHash => {
                GlobalContractCodeIdentifier::CodeHash(hash(&action.code))
            }
            GlobalContractDeployMode::AccountId => {
                GlobalContractCodeIdentifier::AccountId(account_id)
            }
        };
        acting.state.set_raw(
            &TrieKey::GlobalContractCode { identifier },
            action.code.to_vec(),
        );
        self.compile_ahead(&ContractCode::new(action.code.to_vec(), None));
        Ok(())
    }

    /// Makes the account run a global contract, of which it stores only the name.
    pub(super) fn use_global(
        acting: &mut Acting<'_>,
        identifier: &GlobalContractIdentifier,
    ) -> Done {
        let id = acting.id();
        let key = TrieKey::GlobalContractCode {
            identifier: identifier.clone().into(),
        };
        if !acting.state.has(&key) {
            return Err(E::GlobalContractDoesNotExist {
                identifier: identifier.clone(),
            });
        }
        let mut account = acting.existing()?.clone();
        let contract = match identifier {
            GlobalContractIdentifier::CodeHash(hash) => AccountContract::Global(*hash),
            GlobalContractIdentifier::AccountId(id) => AccountContract::GlobalByAccount(id.clone()),
        };
        let bytes = contract.identifier_storage_usage();
        replace_contract(&mut acting.state, &id, &mut account, contract);
        account.set_storage_usage(account.storage_usage().saturating_add(bytes));
        acting.account = Some(account);
        Ok(())
    }
}

/// Sets the contract, giving back the storage of what was there before.
fn replace_contract(
    state: &mut State,
    id: &AccountId,
    account: &mut Account,
    new: AccountContract,
) {
    let bytes = match account.contract().as_ref() {
        AccountContract::None => 0,
        AccountContract::Local(_) => state.local_code_bytes(id),
        global => global.identifier_storage_usage(),
    };
    account.set_storage_usage(account.storage_usage().saturating_sub(bytes));
    state.remove(&TrieKey::ContractCode {
        account_id: id.clone(),
    });
    // Fails only for an account without state, which this chain does not make.
    drop(account.set_contract(new));
}

pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
