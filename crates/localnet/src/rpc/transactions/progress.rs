//! How far a transaction has come, in the node's six words.

use near_jsonrpc_primitives::types::transactions::RpcTransactionResponse;
use near_primitives::errors::InvalidTxError;
use near_primitives::hash::CryptoHash;
use near_primitives::views::{
    FinalExecutionOutcomeViewEnum, FinalExecutionOutcomeWithReceiptView, TxExecutionStatus,
};

use crate::rpc::Reader;

/// How much of the outcome is shown.
#[derive(Clone, Copy, Debug)]
pub(in crate::rpc) enum Detail {
    /// The outcomes.
    Outcome,
    /// The outcomes and the receipts that had them.
    WithReceipts,
}

/// What the chain knows of a transaction.
pub(super) enum Seen {
    Nothing,
    Invalid(InvalidTxError),
    At(Box<RpcTransactionResponse>),
}

/// Looks for a transaction.
pub(super) fn look(reader: Reader<'_>, hash: CryptoHash, detail: Detail) -> Seen {
    let Some(found) = reader.chain.tx_status(&hash) else {
        return Seen::Nothing;
    };
    if let Some(error) = found.error {
        return Seen::Invalid(error);
    }
    let Some(outcome) = found.outcome else {
        return Seen::At(Box::new(RpcTransactionResponse {
            final_execution_outcome: None,
            final_execution_status: TxExecutionStatus::None,
        }));
    };
    let final_execution_status = level(reader, &found.status, &outcome);
    Seen::At(Box::new(RpcTransactionResponse {
        final_execution_outcome: Some(shown(outcome, detail)),
        final_execution_status,
    }))
}

/// Whether a transaction that has come to `level` satisfies a caller that waits for `wanted`.
///
/// The levels are not one ladder: execution and finality are two, and only the upper rungs stand on both.
pub(super) const fn reached(level: &TxExecutionStatus, wanted: &TxExecutionStatus) -> bool {
    use TxExecutionStatus::{Executed, ExecutedOptimistic, Final, Included, IncludedFinal, None};
    match wanted {
        None => true,
        Included => !matches!(level, None),
        IncludedFinal => matches!(level, IncludedFinal | Executed | Final),
        ExecutedOptimistic => matches!(level, ExecutedOptimistic | Executed | Final),
        Executed => matches!(level, Executed | Final),
        Final => matches!(level, Final),
    }
}

/// Joins how far the receipts have run with how far finality has come.
fn level(
    reader: Reader<'_>,
    run: &TxExecutionStatus,
    outcome: &FinalExecutionOutcomeWithReceiptView,
) -> TxExecutionStatus {
    let final_height = reader.final_height();
    let is_final = |hash: &CryptoHash| {
        reader
            .block_by_hash(hash)
            .is_some_and(|block| block.height() <= final_height)
    };
    let outcomes = &outcome.final_outcome;
    let tx_is_final = is_final(&outcomes.transaction_outcome.block_hash);
    let executed = matches!(run, TxExecutionStatus::Executed | TxExecutionStatus::Final);
    match (executed, tx_is_final) {
        // A real node's finality is two blocks behind, so that by then the transaction's receipt has run as well.
        (false, true) if !outcomes.receipts_outcome.is_empty() => TxExecutionStatus::IncludedFinal,
        (false, _) => TxExecutionStatus::Included,
        (true, false) => TxExecutionStatus::ExecutedOptimistic,
        (true, true) => {
            let all_final = outcomes
                .receipts_outcome
                .iter()
                .all(|receipt| is_final(&receipt.block_hash));
            if *run == TxExecutionStatus::Final && all_final {
                TxExecutionStatus::Final
            } else {
                TxExecutionStatus::Executed
            }
        }
    }
}

/// A receipt that its signer sends to itself runs in the transaction's own block and is never sent, so that a node
/// does not list it among the receipts.
fn shown(
    mut outcome: FinalExecutionOutcomeWithReceiptView,
    detail: Detail,
) -> FinalExecutionOutcomeViewEnum {
    match detail {
        Detail::Outcome => {
            FinalExecutionOutcomeViewEnum::FinalExecutionOutcome(outcome.final_outcome)
        }
        Detail::WithReceipts => {
            let tx = &outcome.final_outcome.transaction;
            if tx.signer_id == tx.receiver_id {
                let own = &outcome
                    .final_outcome
                    .transaction_outcome
                    .outcome
                    .receipt_ids;
                outcome
                    .receipts
                    .retain(|receipt| !own.contains(&receipt.receipt_id));
            }
            FinalExecutionOutcomeViewEnum::FinalExecutionOutcomeWithReceipt(outcome)
        }
    }
}
