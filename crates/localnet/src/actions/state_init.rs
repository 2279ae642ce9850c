//! Deterministic accounts: their name is the hash of the code and data they start with (NEP-616).

use super::{Acting, Done};
use crate::actions::contracts::length;
use crate::fees;
use crate::runtime::Runtime;
use near_primitives::action::DeterministicStateInitAction;
use near_primitives::receipt::Receipt;
use near_primitives::trie_key::TrieKey;
use near_primitives::types::Balance;

impl Runtime {
    /// Sets an account up unless it is already, and gives back what its storage does not need of the deposit.
    pub(super) fn init_state(
        &self,
        acting: &mut Acting<'_>,
        action: &DeterministicStateInitAction,
    ) -> Done {
        // The account does not act for itself now, as it does after being created: nobody may add a key to it.
        if acting.account.is_none() {
            acting.account = Some(self.empty_account(Balance::ZERO));
        }
        if acting.existing()?.contract().is_none() {
            self.install(acting, action)?;
        }
        let account = acting.existing()?;
        let lack =
            fees::storage_lack(&self.config, account, account.amount()).unwrap_or(Balance::ZERO);
        let needed = lack.min(action.deposit);
        account.set_amount(account.amount().saturating_add(needed));
        let refund = action.deposit.saturating_sub(needed);
        if !refund.is_zero() {
            let to = acting.receipt.balance_refund_receiver();
            acting
                .effects
                .receipts
                .push(Receipt::new_balance_refund(to, refund));
        }
        Ok(())
    }

    fn install(&self, acting: &mut Acting<'_>, action: &DeterministicStateInitAction) -> Done {
        Self::use_global(acting, action.state_init.code())?;
        let account_id = acting.id();
        let mut bytes = 0_u64;
        for (key, value) in action.state_init.data() {
            let record = self.config.fees.storage_usage_config.num_extra_bytes_record;
            bytes = [record, length(key), length(value)]
                .into_iter()
                .fold(bytes, u64::saturating_add);
            let key = TrieKey::ContractData {
                account_id: account_id.clone(),
                key: key.clone(),
            };
            acting.state.set_raw(&key, value.clone());
        }
        let account = acting.existing()?;
        account.set_storage_usage(account.storage_usage().saturating_add(bytes));
        Ok(())
    }
}
