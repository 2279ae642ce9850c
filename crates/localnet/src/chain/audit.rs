//! Counting every token there is, wherever it is.

use super::Chain;
use crate::fees;
use near_primitives::receipt::{Receipt, VersionedReceiptEnum};
use near_primitives::trie_key::col;
use near_primitives::types::Balance;

impl Chain {
    /// What accounts hold and what receipts under way carry. It equals [`Chain::total_supply`] after every block, or there is
    /// a bug. Reads the whole state.
    pub fn audit(&self) -> Balance {
        let waiting = [col::POSTPONED_RECEIPT, col::PROMISE_YIELD_RECEIPT];
        let waiting = waiting
            .into_iter()
            .flat_map(|column| self.state.trie().with_prefix(&[column]));
        let waiting = waiting.filter_map(|(_, bytes)| borsh::from_slice::<Receipt>(&bytes).ok());
        let sent = self.outgoing.iter().cloned();
        waiting
            .chain(sent)
            .map(|receipt| self.carried_by(&receipt))
            .fold(self.state.account_balances(), Balance::saturating_add)
    }

    /// A receipt's deposits, and the gas that was bought for it.
    fn carried_by(&self, receipt: &Receipt) -> Balance {
        let (VersionedReceiptEnum::Action(action) | VersionedReceiptEnum::PromiseYield(action)) =
            receipt.versioned_receipt()
        else {
            return Balance::ZERO;
        };
        let deposit = fees::deposit(action.actions()).unwrap_or(Balance::ZERO);
        let gas = fees::receipt_gas(
            &self.runtime.config,
            action.actions(),
            receipt.receiver_id(),
        );
        deposit.saturating_add(fees::price(action.gas_price(), gas))
    }
}
