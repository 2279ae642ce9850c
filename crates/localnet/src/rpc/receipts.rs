//! Receipts by their ids, and the transactions they come from.

use near_jsonrpc_primitives::types::receipts::{
    ReceiptReference, RpcReceiptError, RpcReceiptRequest, RpcReceiptToTxError,
    RpcReceiptToTxRequest, RpcReceiptToTxResponse,
};
use near_primitives::views::ReceiptView;
use serde_json::Value;

use super::{Reader, RpcError, params};

pub(super) fn receipt(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcReceiptRequest {
        receipt_reference: ReceiptReference { receipt_id },
    } = params::parse(params)?;
    let receipt = reader
        .chain
        .receipt(&receipt_id)
        .ok_or(RpcReceiptError::UnknownReceipt { receipt_id })?;
    params::answer(ReceiptView::from(receipt.clone()))
}

/// The transaction a receipt descends from. Hints of where to search are not needed here.
pub(super) fn transaction(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcReceiptToTxRequest {
        receipt_reference: ReceiptReference { receipt_id },
        ..
    } = params::parse(params)?;
    let origin = reader.chain.transaction_of(&receipt_id);
    let tx = origin.and_then(|hash| reader.chain.transaction(&hash));
    let tx = tx.ok_or(RpcReceiptToTxError::UnknownReceipt { receipt_id })?;
    params::answer(RpcReceiptToTxResponse {
        transaction_hash: tx.get_hash(),
        sender_account_id: tx.transaction.signer_id().clone(),
    })
}
