//! Sending transactions and following them.

mod progress;

use near_jsonrpc_primitives::types::transactions::{
    RpcSendTransactionRequest, RpcTransactionError, RpcTransactionResponse,
    RpcTransactionStatusRequest, TimeoutErrorCause, TransactionInfo,
};
use near_primitives::hash::CryptoHash;
use near_primitives::transaction::SignedTransaction;
use near_primitives::views::TxExecutionStatus;
use serde_json::{Value, json};

use super::{Node, Reader, RpcError, params};
use crate::server::Error;
pub(super) use progress::Detail;
use progress::{Seen, reached};

/// Hands a transaction in and does not say what became of it.
pub(super) async fn broadcast_async(node: &Node, params: Value) -> Result<Value, RpcError> {
    let request = read_transaction(params)?;
    params::answer(hand_in_unseen(node, request.signed_transaction).await?)
}

/// Hands a transaction in and waits until its receipts have run.
pub(super) async fn broadcast_commit(node: &Node, params: Value) -> Result<Value, RpcError> {
    let request = read_transaction(params)?;
    commit(
        node,
        request.signed_transaction,
        TxExecutionStatus::default(),
    )
    .await
}

/// Hands a transaction in and waits as long as the caller wishes; not to wait is [`broadcast_async`].
pub(super) async fn send(node: &Node, params: Value) -> Result<Value, RpcError> {
    let RpcSendTransactionRequest {
        signed_transaction,
        wait_until,
    } = read_transaction(params)?;
    if wait_until == TxExecutionStatus::None {
        hand_in_unseen(node, signed_transaction).await?;
        return params::answer(RpcTransactionResponse {
            final_execution_outcome: None,
            final_execution_status: TxExecutionStatus::None,
        });
    }
    commit(node, signed_transaction, wait_until).await
}

/// What became of a transaction, named by its hash or by itself.
pub(super) async fn status(node: &Node, params: Value, detail: Detail) -> Result<Value, RpcError> {
    let params = match params::two(params) {
        Ok((hash, sender)) => json!({ "tx_hash": hash, "sender_account_id": sender }),
        Err(params) => params::single(params, "signed_tx_base64"),
    };
    let RpcTransactionStatusRequest {
        transaction_info,
        wait_until,
    } = params::parse(params)?;
    let (hash, tx) = match transaction_info {
        TransactionInfo::Transaction { signed_tx } => (signed_tx.get_hash(), Some(signed_tx)),
        TransactionInfo::TransactionId { tx_hash, .. } => (tx_hash, None),
    };
    if let Some(tx) = tx {
        refuse_invalid(node, tx).await?;
    }
    follow(node, hash, wait_until, detail).await
}

fn read_transaction(params: Value) -> Result<RpcSendTransactionRequest, RpcError> {
    match params::two(params) {
        Ok(_) => Err(params::refused(
            "Unable to parse send request: too many params passed",
        )),
        Err(params) => params::parse(params::single(params, "signed_tx_base64")),
    }
}

/// A node answers with the hash before it has looked at the transaction, so a bad one vanishes without a word.
async fn hand_in_unseen(node: &Node, tx: SignedTransaction) -> Result<CryptoHash, Error> {
    let hash = tx.get_hash();
    let refused = node
        .chain
        .ask(move |producer| producer.chain().submit(tx).err())
        .await?;
    if let Some(reason) = refused {
        tracing::debug!(%hash, ?reason, "a transaction is not valid");
    }
    Ok(hash)
}

async fn commit(
    node: &Node,
    tx: SignedTransaction,
    wanted: TxExecutionStatus,
) -> Result<Value, RpcError> {
    let hash = tx.get_hash();
    let handed_in = node
        .chain
        .ask(move |producer| producer.chain().submit(tx))
        .await?;
    handed_in.map_err(|context| RpcTransactionError::InvalidTransaction { context })?;
    follow(node, hash, wanted, Detail::Outcome).await
}

/// Tells what is wrong with a transaction that the chain does not know.
async fn refuse_invalid(node: &Node, tx: SignedTransaction) -> Result<(), RpcError> {
    let check = move |reader: Reader<'_>| match reader.chain.transaction(&tx.get_hash()) {
        Some(_) => Ok(()),
        None => reader.chain.check(&tx),
    };
    let checked = node.read(check).await?;
    checked.map_err(|context| RpcTransactionError::InvalidTransaction { context }.into())
}

/// Waits until a transaction has come as far as `wanted`; every block wakes the wait. However short the wait may be, there is one
/// look, so that a time-out tells how far the transaction has come.
async fn follow(
    node: &Node,
    hash: CryptoHash,
    wanted: TxExecutionStatus,
    detail: Detail,
) -> Result<Value, RpcError> {
    let mut last = None;
    let mut heights = node.chain.heights();
    let mut patience = std::pin::pin!(tokio::time::sleep(node.wait_limit));
    loop {
        heights.borrow_and_update();
        let look = move |reader: Reader<'_>| progress::look(reader, hash, detail);
        match node.read(look).await? {
            Seen::Nothing if wanted == TxExecutionStatus::None => {
                return Err(RpcTransactionError::UnknownTransaction {
                    requested_transaction_hash: hash,
                }
                .into());
            }
            Seen::Nothing => {}
            Seen::Invalid(context) => {
                return Err(RpcTransactionError::InvalidTransaction { context }.into());
            }
            Seen::At(response) if reached(&response.final_execution_status, &wanted) => {
                return params::answer(response);
            }
            Seen::At(response) => last = Some(response),
        }
        tokio::select! {
            changed = heights.changed() => changed.map_err(|_| Error::Stopped)?,
            () = &mut patience => return Err(timed_out(last)),
        }
    }
}

fn timed_out(last: Option<Box<RpcTransactionResponse>>) -> RpcError {
    let cause = last.map_or(TimeoutErrorCause::NotObserved, |status| {
        TimeoutErrorCause::Pending { status }
    });
    RpcTransactionError::TimeoutError(Some(cause)).into()
}
