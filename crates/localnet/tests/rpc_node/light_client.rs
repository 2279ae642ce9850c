//! Proofs for light clients, checked as a light client checks them: with hashes, signatures and nothing of the localnet's.
//!
//! The steps are those of NEAR's specification of light clients.

use near_crypto::Signature;
use near_primitives::block_header::{ApprovalInner, BlockHeaderInnerLite};
use near_primitives::hash::{CryptoHash, hash};
use near_primitives::merkle::{Direction, MerklePath, combine_hash};
use near_primitives::types::validator_stake::ValidatorStake;
use near_primitives::views::validator_stake_view::ValidatorStakeView;
use near_primitives::views::{BlockHeaderInnerLiteView, ExecutionOutcomeWithIdView};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::node::{Node, function_call, nowhere, transfer};

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn climb(path: &MerklePath, leaf: CryptoHash) -> CryptoHash {
    path.iter().fold(leaf, |below, item| match item.direction {
        Direction::Left => combine_hash(&item.hash, &below),
        Direction::Right => combine_hash(&below, &item.hash),
    })
}

/// The hash of a block, from what a light client is told of it.
fn block_hash(lite: &Value) -> CryptoHash {
    combine_hash(&inner_hash(lite), &read(&lite["prev_block_hash"]))
}

fn inner_hash(lite: &Value) -> CryptoHash {
    let inner: BlockHeaderInnerLite = read::<BlockHeaderInnerLiteView>(&lite["inner_lite"]).into();
    let inner = hash(&borsh::to_vec(&inner).unwrap());
    combine_hash(&inner, &read(&lite["inner_rest_hash"]))
}

async fn header(node: &Node, block_id: &Value) -> Value {
    node.result("block", json!({ "block_id": block_id })).await["header"].take()
}

/// A node on which something happened in several blocks, and what a transaction in the middle came to.
async fn busy() -> (Node, Value) {
    let node = Node::with_contract().await;
    node.send("test", "near", vec![transfer(1)]).await;
    let sent = node
        .send("test", "app.test", vec![function_call("hello", b"")])
        .await;
    node.send("test", "near", vec![transfer(1)]).await;
    node.blocks(3).await;
    (node, sent)
}

#[tokio::test]
async fn a_light_client_is_convinced_of_an_outcome_by_the_head_alone() {
    let (node, sent) = busy().await;
    let head = header(&node, &json!(node.server.height())).await;
    let ask = json!({ "type": "transaction", "transaction_hash": sent["transaction"]["hash"], "sender_id": "test",
        "light_client_head": head["hash"] });

    let proof = node.result("EXPERIMENTAL_light_client_proof", ask).await;

    let outcome: ExecutionOutcomeWithIdView = read(&proof["outcome_proof"]);
    let shard_root = climb(&outcome.proof, CryptoHash::hash_borsh(outcome.to_hashes()));
    let shard_root = CryptoHash::hash_borsh(shard_root);
    let outcome_root = climb(&read(&proof["outcome_root_proof"]), shard_root);
    let lite = &proof["block_header_lite"];
    assert_eq!(lite["inner_lite"]["outcome_root"], outcome_root.to_string());
    let ancestors = climb(&read(&proof["block_proof"]), block_hash(lite));
    assert_eq!(head["block_merkle_root"], ancestors.to_string());
    assert_eq!(outcome.id.to_string(), sent["transaction"]["hash"]);
}

#[tokio::test]
async fn a_block_hash_is_the_hash_of_its_header() {
    let (node, _) = busy().await;
    let head = header(&node, &json!(node.server.height())).await;

    for height in 1..node.server.height() {
        let header = header(&node, &json!(height)).await;
        let proof = node
            .result(
                "EXPERIMENTAL_light_client_block_proof",
                json!({ "block_hash": header["hash"], "light_client_head": head["hash"] }),
            )
            .await;

        let hash = block_hash(&proof["block_header_lite"]);
        assert_eq!(header["hash"], hash.to_string());
        let ancestors = climb(&read(&proof["block_proof"]), hash);
        assert_eq!(head["block_merkle_root"], ancestors.to_string());
    }
}

#[tokio::test]
async fn each_outcome_of_a_transaction_has_its_path_to_the_next_header() {
    let (node, sent) = busy().await;
    let params = json!({ "tx_hash": sent["transaction"]["hash"], "sender_account_id": "test", "wait_until": "FINAL" });

    for method in ["tx", "EXPERIMENTAL_tx_status"] {
        let status = node.result(method, params.clone()).await;
        let receipts = status["receipts_outcome"].as_array().unwrap();
        for outcome in receipts.iter().chain([&status["transaction_outcome"]]) {
            let outcome: ExecutionOutcomeWithIdView = read(outcome);
            let here = header(&node, &json!(outcome.block_hash)).await;
            let next = json!(here["height"].as_u64().unwrap() + 1);
            let next = node.result("block", json!({ "block_id": next })).await;

            let shard_root = climb(&outcome.proof, CryptoHash::hash_borsh(outcome.to_hashes()));
            assert_eq!(next["chunks"][0]["outcome_root"], shard_root.to_string());
            let root = CryptoHash::hash_borsh(shard_root);
            assert_eq!(next["header"]["outcome_root"], root.to_string());
        }
    }
}

#[tokio::test]
async fn the_next_light_client_block_is_final_and_signed() {
    let node = Node::start().await;
    let first = header(&node, &json!(1)).await["hash"].clone();
    node.blocks(6).await;
    let ask = json!({ "last_block_hash": first });

    let next = node.result("next_light_client_block", ask).await;

    // Block 7 has the approvals of block 6, and block 6 those of block 5, which is final by that.
    assert_eq!(next["inner_lite"]["height"], 5);
    let shown = header(&node, &json!(5)).await;
    assert_eq!(shown["hash"], block_hash(&next).to_string());
    let validators: Vec<ValidatorStakeView> = read(&next["next_bps"]);
    let validators: Vec<ValidatorStake> = validators
        .into_iter()
        .map(ValidatorStakeView::into_validator_stake)
        .collect();
    let set = CryptoHash::hash_borsh(&validators);
    assert_eq!(next["inner_lite"]["next_bp_hash"], set.to_string());
    let next_hash = combine_hash(&read(&next["next_block_inner_hash"]), &block_hash(&next));
    let mut approved = borsh::to_vec(&ApprovalInner::Endorsement(next_hash)).unwrap();
    approved.extend(7_u64.to_le_bytes());
    let approvals: Vec<Option<Signature>> = read(&next["approvals_after_next"]);
    let signature = approvals[0].as_ref().unwrap();
    assert!(signature.verify(&approved, validators[0].public_key()));
}

#[tokio::test]
async fn a_light_client_that_knows_the_newest_final_block_is_told_nothing() {
    let node = Node::start().await;
    node.blocks(6).await;
    let known = header(&node, &json!(5)).await["hash"].clone();

    let next = node
        .result(
            "next_light_client_block",
            json!({ "last_block_hash": known }),
        )
        .await;

    assert_eq!(next, json!({}));
}

#[tokio::test]
async fn a_proof_of_something_unknown_is_refused() {
    let node = Node::start().await;
    let head = node.result("block", json!({ "finality": "final" })).await["header"]["hash"].clone();

    let (_, error) = node
        .error(
            "EXPERIMENTAL_light_client_proof",
            json!({ "type": "receipt", "receipt_id": nowhere(),
            "receiver_id": "test", "light_client_head": head }),
        )
        .await;

    assert_eq!(error["cause"]["name"], "UNKNOWN_TRANSACTION_OR_RECEIPT");
}
