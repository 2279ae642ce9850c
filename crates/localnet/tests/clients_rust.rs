//! Clients as others use them, unmodified, against the localnet.
//!
//! near-jsonrpc-client talks to a node in this process. near-workspaces starts the program itself, as it would start a
//! real node: that test is also the check that `init` and `run` are what near-sandbox expects.

#![cfg(test)]

#[path = "clients/node.rs"]
mod node;

use localnet::{Server, signer};
use near_jsonrpc_client::methods::{self, query::RpcQueryRequest, tx::TransactionInfo};
use near_jsonrpc_client::{JsonRpcClient, errors::JsonRpcError};
use near_jsonrpc_primitives::types::query::{QueryResponseKind, RpcQueryError};
use near_jsonrpc_primitives::types::transactions::RpcTransactionError;
use near_primitives::action::{Action, TransferAction};
use near_primitives::errors::InvalidTxError;
use near_primitives::hash::CryptoHash;
use near_primitives::transaction::SignedTransaction;
use near_primitives::types::{AccountId, Balance, BlockReference, Finality};
use near_primitives::views::{FinalExecutionStatus, QueryRequest, TxExecutionStatus};

async fn connect() -> (Server, JsonRpcClient) {
    let server = node::start().await;
    let client = JsonRpcClient::connect(server.rpc_url());
    (server, client)
}

/// A transfer, made as clients make one: with the nonce and the block hash the node tells.
async fn transfer(client: &JsonRpcClient, near: u128) -> SignedTransaction {
    let from: AccountId = "test".parse().unwrap();
    let signer = signer(&from);
    let request = QueryRequest::ViewAccessKey {
        account_id: from.clone(),
        public_key: signer.public_key(),
    };
    let answer = client
        .call(RpcQueryRequest {
            block_reference: BlockReference::latest(),
            request,
        })
        .await
        .unwrap();
    let QueryResponseKind::AccessKey(key) = answer.kind else {
        panic!("{answer:?} is not an access key")
    };
    let actions = vec![Action::Transfer(TransferAction {
        deposit: Balance::from_near(near),
    })];
    let to = "near".parse().unwrap();
    let nonce = key.nonce.saturating_add(1);
    SignedTransaction::from_actions(nonce, from, to, &signer, actions, answer.block_hash)
}

#[tokio::test]
async fn near_jsonrpc_client_sends_a_transaction_and_follows_it() {
    let (_server, client) = connect().await;
    let signed_transaction = transfer(&client, 1).await;
    let tx_hash = signed_transaction.get_hash();

    let sent = client
        .call(methods::send_tx::RpcSendTransactionRequest {
            signed_transaction,
            wait_until: TxExecutionStatus::Final,
        })
        .await
        .unwrap();
    let transaction_info = TransactionInfo::TransactionId {
        tx_hash,
        sender_account_id: "test".parse().unwrap(),
    };
    let later = client
        .call(methods::tx::RpcTransactionStatusRequest {
            transaction_info,
            wait_until: TxExecutionStatus::None,
        })
        .await
        .unwrap();

    let sent = sent.final_execution_outcome.unwrap().into_outcome();
    assert_eq!(sent.status, FinalExecutionStatus::SuccessValue(vec![]));
    assert_eq!(later.final_execution_status, TxExecutionStatus::Final);
    assert_eq!(
        later
            .final_execution_outcome
            .unwrap()
            .into_outcome()
            .transaction
            .hash,
        tx_hash
    );
}

#[tokio::test]
async fn near_jsonrpc_client_reads_typed_errors() {
    let (_server, client) = connect().await;
    let signed_transaction = transfer(&client, 1_000_000_000).await;
    let query = |request| RpcQueryRequest {
        block_reference: Finality::Final.into(),
        request,
    };
    let key = signer(&"nobody".parse().unwrap()).public_key();

    let poor = client
        .call(methods::broadcast_tx_commit::RpcBroadcastTxCommitRequest { signed_transaction })
        .await;
    let nobody = client
        .call(query(QueryRequest::ViewAccount {
            account_id: "nobody".parse().unwrap(),
        }))
        .await;
    let no_key = client
        .call(query(QueryRequest::ViewAccessKey {
            account_id: "test".parse().unwrap(),
            public_key: key,
        }))
        .await;

    let poor = poor.unwrap_err();
    assert!(
        matches!(
            poor.handler_error(),
            Some(RpcTransactionError::InvalidTransaction {
                context: InvalidTxError::NotEnoughBalance { .. }
            })
        ),
        "{poor}"
    );
    assert!(matches!(
        nobody.unwrap_err().handler_error(),
        Some(RpcQueryError::UnknownAccount { .. })
    ));
    assert!(matches!(
        no_key.unwrap_err().handler_error(),
        Some(RpcQueryError::UnknownAccessKey { .. })
    ));
}

#[tokio::test]
async fn near_jsonrpc_client_parses_every_answer_it_knows_a_method_for() {
    use near_jsonrpc_client::methods::*;
    let (server, client) = connect().await;
    server.fast_forward(3).await.unwrap();
    let block_reference = || BlockReference::from(Finality::Final);

    let block = client
        .call(block::RpcBlockRequest {
            block_reference: block_reference(),
        })
        .await
        .unwrap();
    let chunk_id = block.chunks[0].chunk_hash;
    let chunk_reference = chunk::ChunkReference::ChunkHash { chunk_id };
    client
        .call(chunk::RpcChunkRequest { chunk_reference })
        .await
        .unwrap();
    client
        .call(gas_price::RpcGasPriceRequest { block_id: None })
        .await
        .unwrap();
    client.call(health::RpcHealthRequest).await.unwrap();
    client
        .call(network_info::RpcNetworkInfoRequest)
        .await
        .unwrap();
    let status = client.call(status::RpcStatusRequest).await.unwrap();
    let epoch_reference = near_primitives::types::EpochReference::Latest;
    client
        .call(validators::RpcValidatorRequest { epoch_reference })
        .await
        .unwrap();
    client
        .call(EXPERIMENTAL_genesis_config::RpcGenesisConfigRequest)
        .await
        .unwrap();
    let request = EXPERIMENTAL_protocol_config::RpcProtocolConfigRequest {
        block_reference: block_reference(),
    };
    let config = client.call(request).await.unwrap();
    let request = EXPERIMENTAL_changes_in_block::RpcStateChangesInBlockRequest {
        block_reference: block_reference(),
    };
    client.call(request).await.unwrap();
    let block_id = None;
    client
        .call(EXPERIMENTAL_validators_ordered::RpcValidatorsOrderedRequest { block_id })
        .await
        .unwrap();

    assert_eq!(status.sync_info.latest_block_height, block.header.height);
    assert_eq!(
        config
            .runtime_config
            .wasm_config
            .limit_config
            .yield_timeout_length_in_blocks,
        200
    );
}

#[tokio::test]
async fn near_jsonrpc_client_sees_a_wait_that_is_too_long_as_a_timeout() {
    let mut config = node::settings();
    config.wait_limit = std::time::Duration::ZERO;
    let server = Server::start(config).await.unwrap();
    let client = JsonRpcClient::connect(server.rpc_url());
    let transaction_info = TransactionInfo::TransactionId {
        tx_hash: CryptoHash::hash_bytes(b"nothing"),
        sender_account_id: "test".parse().unwrap(),
    };

    let wait_until = TxExecutionStatus::Final;
    let error = client
        .call(methods::tx::RpcTransactionStatusRequest {
            transaction_info,
            wait_until,
        })
        .await
        .unwrap_err();

    assert!(matches!(error, JsonRpcError::ServerError(_)), "{error}");
    assert!(
        error.to_string().contains("408") || format!("{error:?}").contains("TimeoutError"),
        "{error:?}"
    );
}

/// Points near-sandbox at our own program for every test that starts a node by it.
fn use_our_program() {
    if std::env::var_os("NEAR_SANDBOX_BIN_PATH").is_none() {
        #[expect(
            unsafe_code,
            reason = "the variable is how near-sandbox is told which node to start"
        )]
        // SAFETY: the one test that needs it calls this first, before anything else reads or writes the environment.
        unsafe {
            std::env::set_var("NEAR_SANDBOX_BIN_PATH", env!("CARGO_BIN_EXE_localnet"));
        }
    }
}

#[tokio::test]
async fn near_workspaces_starts_the_program_and_works_on_it() {
    use_our_program();
    let worker = near_workspaces::sandbox().await.unwrap();

    let alice = worker.dev_create_account().await.unwrap();
    let contract = worker.dev_deploy(&node::contract()).await.unwrap();
    let set = alice
        .call(contract.id(), "set")
        .args(b"value".to_vec())
        .max_gas()
        .transact()
        .await
        .unwrap();
    let got = contract.view("get").await.unwrap();
    let before = worker.view_block().await.unwrap().height();
    worker.fast_forward(50).await.unwrap();
    let after = worker.view_block().await.unwrap().height();
    worker
        .patch_state(contract.id(), b"key", b"patched")
        .await
        .unwrap();
    let patched = contract.view("get").await.unwrap();
    let sub = alice
        .create_subaccount("sub")
        .initial_balance(near_workspaces::types::NearToken::from_near(2))
        .transact()
        .await
        .unwrap();
    let failed = alice
        .call(contract.id(), "no_such_method")
        .transact()
        .await
        .unwrap();

    assert!(set.is_success(), "{set:?}");
    assert_eq!(got.result, b"value");
    assert!(after >= before + 50, "{before} {after}");
    assert_eq!(patched.result, b"patched");
    assert!(sub.is_success());
    assert!(failed.is_failure());
}
