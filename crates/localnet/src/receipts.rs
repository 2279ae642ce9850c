//! Receipts: each runs at once, waits for the results it needs, or is a result that something waits for.

mod apply;
mod refunds;

use crate::runtime::{BlockContext, Runtime};
use crate::state::{Change, State};
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::{Receipt, ReceivedData, VersionedReceiptEnum};
use near_primitives::transaction::ExecutionOutcomeWithId;
use near_primitives::trie_key::TrieKey;
use near_primitives::types::{AccountId, Balance, StateChangeCause};

/// What came of taking in one receipt.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// The receipt that ran, if one did, and how it went.
    pub ran: Option<(Receipt, ExecutionOutcomeWithId)>,
    /// For the next block.
    pub outgoing: Vec<Receipt>,
    /// For this block, right after this receipt.
    pub instant: Vec<Receipt>,
    /// Tokens that are no more: gas, global contracts, refunds nobody can take.
    pub burnt: Balance,
    /// Tokens that the protocol adds: the yoctoNEAR a contract without balance attaches to a call.
    pub minted: Balance,
    /// What was written to the state.
    pub changes: Vec<Change>,
}

/// Where receipts run: the block, and the state it started from.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) block: &'a BlockContext,
    pub(crate) base: &'a State,
}

impl Runtime {
    /// Takes in one receipt. Whatever is in it, the chain goes on.
    pub(crate) fn process(
        &self,
        state: &mut State,
        receipt: Receipt,
        scene: &Scene<'_>,
    ) -> Applied {
        let receipt_hash = *receipt.receipt_id();
        match ready(state, receipt) {
            Some(receipt) => self.apply(state, receipt, scene),
            None => Applied {
                changes: state.commit(&StateChangeCause::PostponedReceipt { receipt_hash }),
                ..Applied::default()
            },
        }
    }
}

/// The receipt that can run now that this one is here.
fn ready(state: &mut State, receipt: Receipt) -> Option<Receipt> {
    let receiver_id = receipt.receiver_id().clone();
    match receipt.versioned_receipt() {
        VersionedReceiptEnum::Action(action) => {
            let missing = missing_data(state, &receiver_id, action.input_data_ids());
            if missing.is_empty() {
                return Some(receipt);
            }
            postpone(state, &receipt, &missing);
            None
        }
        VersionedReceiptEnum::PromiseYield(action) => {
            let data_id = *action.input_data_ids().first()?;
            state.set(
                &TrieKey::PromiseYieldReceipt {
                    receiver_id,
                    data_id,
                },
                &receipt,
            );
            None
        }
        VersionedReceiptEnum::Data(data) => {
            let received = ReceivedData {
                data: data.data.clone(),
            };
            state.set(
                &TrieKey::ReceivedData {
                    receiver_id: receiver_id.clone(),
                    data_id: data.data_id,
                },
                &received,
            );
            awaken(state, receiver_id, data.data_id)
        }
        VersionedReceiptEnum::PromiseResume(data) => {
            crate::yields::resume(state, receiver_id, data.data_id, data.data.clone())
        }
        // One shard: a global contract is in place as soon as it is deployed.
        VersionedReceiptEnum::GlobalContractDistribution(_) => None,
    }
}

fn missing_data(
    state: &State,
    receiver_id: &AccountId,
    data_ids: &[CryptoHash],
) -> Vec<CryptoHash> {
    let here = |data_id: &CryptoHash| {
        state.has(&TrieKey::ReceivedData {
            receiver_id: receiver_id.clone(),
            data_id: *data_id,
        })
    };
    data_ids
        .iter()
        .filter(|data_id| !here(data_id))
        .copied()
        .collect()
}

fn postpone(state: &mut State, receipt: &Receipt, missing: &[CryptoHash]) {
    let (receiver_id, receipt_id) = (receipt.receiver_id().clone(), *receipt.receipt_id());
    for data_id in missing {
        let waiting = TrieKey::PostponedReceiptId {
            receiver_id: receiver_id.clone(),
            data_id: *data_id,
        };
        state.set(&waiting, &receipt_id);
    }
    let pending = u32::try_from(missing.len()).unwrap_or(u32::MAX);
    state.set(
        &TrieKey::PendingDataCount {
            receiver_id: receiver_id.clone(),
            receipt_id,
        },
        &pending,
    );
    state.set(
        &TrieKey::PostponedReceipt {
            receiver_id,
            receipt_id,
        },
        receipt,
    );
}

/// The receipt for which this was the last result missing.
fn awaken(state: &mut State, receiver_id: AccountId, data_id: CryptoHash) -> Option<Receipt> {
    let waiting = TrieKey::PostponedReceiptId {
        receiver_id: receiver_id.clone(),
        data_id,
    };
    let receipt_id = state.take::<CryptoHash>(&waiting)?;
    let count = TrieKey::PendingDataCount {
        receiver_id: receiver_id.clone(),
        receipt_id,
    };
    let pending = state.get::<u32>(&count).unwrap_or(1);
    if pending > 1 {
        state.set(&count, &pending.saturating_sub(1));
        return None;
    }
    state.remove(&count);
    state.take(&TrieKey::PostponedReceipt {
        receiver_id,
        receipt_id,
    })
}
