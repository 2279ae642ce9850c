//! Yielded promises: they wait to be resumed, and after a set number of blocks are resumed with nothing.
//!
//! What waits is in the state, under the keys of a node, so that it lives as long as the state does.

use crate::state::State;
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::{
    DataReceipt, PromiseYieldIndices, PromiseYieldTimeout, Receipt, ReceiptEnum, ReceiptV0,
    ReceivedData,
};
use near_primitives::trie_key::TrieKey;
use near_primitives::types::{AccountId, PromiseYieldStatus};
use near_primitives::utils::create_receipt_id_from_receipt_id;

/// The yield that waits for this, with its data in place; `None` if it is over, or resumed just before it ran out.
pub(crate) fn resume(
    state: &mut State,
    receiver_id: AccountId,
    data_id: CryptoHash,
    data: Option<Vec<u8>>,
) -> Option<Receipt> {
    let status = TrieKey::PromiseYieldStatus {
        receiver_id: receiver_id.clone(),
        data_id,
    };
    if data.is_none() && state.get(&status) == Some(PromiseYieldStatus::ResumeInitiated) {
        return None;
    }
    let receipt = state.take::<Receipt>(&TrieKey::PromiseYieldReceipt {
        receiver_id: receiver_id.clone(),
        data_id,
    })?;
    state.remove(&status);
    let name = TrieKey::DataIdToYieldId {
        receiver_id: receiver_id.clone(),
        data_id,
    };
    if let Some(yield_id) = state.take(&name) {
        state.remove(&TrieKey::YieldIdToDataId {
            receiver_id: receiver_id.clone(),
            yield_id,
        });
    }
    state.set(
        &TrieKey::ReceivedData {
            receiver_id,
            data_id,
        },
        &ReceivedData { data },
    );
    Some(receipt)
}

/// Notes when a yield runs out. All wait equally long, so the queue is in order.
pub(crate) fn expect(state: &mut State, timeout: &PromiseYieldTimeout) {
    let mut queue = queue(state);
    state.set(
        &TrieKey::PromiseYieldTimeout {
            index: queue.next_available_index,
        },
        timeout,
    );
    queue.next_available_index = queue.next_available_index.saturating_add(1);
    state.set(&TrieKey::PromiseYieldIndices, &queue);
}

/// Takes the yields that have run out by a height, and makes the receipts that end them.
pub(crate) fn time_out(state: &mut State, height: u64) -> Vec<Receipt> {
    let mut queue = queue(state);
    let before = queue.first_index;
    let mut ended = Vec::new();
    while queue.first_index < queue.next_available_index {
        let key = TrieKey::PromiseYieldTimeout {
            index: queue.first_index,
        };
        match state.get::<PromiseYieldTimeout>(&key) {
            Some(timeout) if timeout.expires_at > height => break,
            Some(timeout) => ended.extend(end(state, timeout, height, ended.len())),
            None => {}
        }
        state.remove(&key);
        queue.first_index = queue.first_index.saturating_add(1);
    }
    if queue.first_index != before {
        state.set(&TrieKey::PromiseYieldIndices, &queue);
    }
    ended
}

fn end(state: &State, timeout: PromiseYieldTimeout, height: u64, index: usize) -> Option<Receipt> {
    let (receiver_id, data_id) = (timeout.account_id, timeout.data_id);
    let waits = state.has(&TrieKey::PromiseYieldReceipt {
        receiver_id: receiver_id.clone(),
        data_id,
    });
    waits.then(|| {
        Receipt::V0(ReceiptV0 {
            predecessor_id: receiver_id.clone(),
            receiver_id,
            receipt_id: create_receipt_id_from_receipt_id(&data_id, height, index),
            receipt: ReceiptEnum::PromiseResume(DataReceipt {
                data_id,
                data: None,
            }),
        })
    })
}

fn queue(state: &State) -> PromiseYieldIndices {
    state.get(&TrieKey::PromiseYieldIndices).unwrap_or_default()
}
