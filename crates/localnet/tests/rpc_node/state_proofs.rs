//! Proofs of state, checked by somebody who knows a state root and nearcore's encoding of trie nodes, and nothing else.

use std::collections::HashMap;

use borsh::{BorshDeserialize, BorshSerialize};
use near_primitives::hash::{CryptoHash, hash};
use near_primitives::serialize::{from_base64, to_base64};
use near_primitives::state::ValueRef;
use serde_json::{Value, json};

use super::node::{Node, function_call};

/// A stored node, as borsh has it: nearcore's `RawTrieNode`, but for the children of branches, which are read by hand.
#[derive(BorshSerialize, BorshDeserialize)]
enum Stored {
    Leaf(Vec<u8>, ValueRef),
    Branch(Children),
    BranchWithValue(ValueRef, Children),
    Extension(Vec<u8>, CryptoHash),
}

#[derive(BorshSerialize)]
struct Children(Vec<(u8, CryptoHash)>);

impl BorshDeserialize for Children {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let mask = u16::deserialize_reader(reader)?;
        let nibbles = (0..16).filter(|nibble| mask >> nibble & 1 == 1);
        let children = nibbles.map(|nibble| Ok((nibble, CryptoHash::deserialize_reader(reader)?)));
        children.collect::<std::io::Result<_>>().map(Self)
    }
}

fn nibbles(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .collect()
}

/// What a path of a leaf or an extension stands for.
fn path(encoded: &[u8]) -> Vec<u8> {
    let odd = (encoded[0] & 0x10 != 0).then_some(encoded[0] & 15);
    odd.into_iter().chain(nibbles(&encoded[1..])).collect()
}

/// All values under a prefix, by their keys, as far as the root vouches for them. Panics if the proof does not say all of them.
fn prove(root: CryptoHash, proof: &[Vec<u8>], prefix: &[u8]) -> HashMap<Vec<u8>, ValueRef> {
    let by_hash: HashMap<_, _> = proof.iter().map(|node| (hash(node), node)).collect();
    let prefix = nibbles(prefix);
    let mut found = HashMap::new();
    let mut open = vec![(Vec::new(), root)];
    while let Some((above, name)) = open.pop() {
        let matters = above.starts_with(&prefix) || prefix.starts_with(&above);
        if !matters {
            continue;
        }
        let (stored, _memory): (Stored, u64) = borsh::from_slice(by_hash[&name]).unwrap();
        let (here, value, below) = match stored {
            Stored::Leaf(rest, value) => ([above, path(&rest)].concat(), Some(value), vec![]),
            Stored::Branch(children) => (above, None, children.0),
            Stored::BranchWithValue(value, children) => (above, Some(value), children.0),
            Stored::Extension(rest, child) => {
                open.push(([above, path(&rest)].concat(), child));
                continue;
            }
        };
        if let Some(value) = value.filter(|_| here.starts_with(&prefix)) {
            let key = here.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
            found.insert(key, value);
        }
        open.extend(
            below
                .into_iter()
                .map(|(nibble, child)| ([here.as_slice(), &[nibble]].concat(), child)),
        );
    }
    found
}

/// The key of a contract's storage in the trie: column 9, the account, a comma, the contract's own key.
fn trie_key(key: &[u8]) -> Vec<u8> {
    [b"\x09app.test,", key].concat()
}

fn proof_of(answer: &Value) -> Vec<Vec<u8>> {
    let nodes = answer["proof"].as_array().unwrap().iter();
    nodes
        .map(|node| from_base64(node.as_str().unwrap()).unwrap())
        .collect()
}

/// A node whose contract has three keys, and the root of that state with the header that vouches for it.
async fn filled() -> (Node, CryptoHash) {
    let node = Node::with_contract().await;
    node.send("test", "app.test", vec![function_call("put", b"value")])
        .await;
    node.result("sandbox_patch_state", json!({ "records": [
        { "Data": { "account_id": "app.test", "data_key": to_base64(b"kind"), "value": to_base64(b"x") } },
        { "Data": { "account_id": "app.test", "data_key": to_base64(b"other"), "value": to_base64(b"y") } },
    ] })).await;
    let after = node.server.produce_block().await.unwrap();
    let next = node.result("block", json!({ "block_id": after })).await;
    let root: CryptoHash =
        serde_json::from_value(next["chunks"][0]["prev_state_root"].clone()).unwrap();
    let in_header = CryptoHash::hash_borsh(root);
    assert_eq!(next["header"]["prev_state_root"], in_header.to_string());
    (node, root)
}

fn ask(prefix: &[u8]) -> Value {
    json!({ "request_type": "view_state", "account_id": "app.test", "prefix_base64": to_base64(prefix), "include_proof": true })
}

#[tokio::test]
async fn a_proof_convinces_one_who_knows_only_the_state_root() {
    let (node, root) = filled().await;

    let answer = node.query(ask(b"")).await;

    let proven = prove(root, &proof_of(&answer), &trie_key(b""));
    assert_eq!(proven.len(), 3);
    for item in answer["values"].as_array().unwrap() {
        let [key, value] =
            ["key", "value"].map(|part| from_base64(item[part].as_str().unwrap()).unwrap());
        assert_eq!(proven[&trie_key(&key)], ValueRef::new(&value));
    }
}

#[tokio::test]
async fn a_proof_of_a_prefix_is_of_the_keys_under_it() {
    let (node, root) = filled().await;

    let answer = node.query(ask(b"ki")).await;

    let proven = prove(root, &proof_of(&answer), &trie_key(b"ki"));
    assert_eq!(proven.into_keys().collect::<Vec<_>>(), [trie_key(b"kind")]);
}

#[tokio::test]
async fn a_proof_shows_that_there_is_nothing() {
    let (node, root) = filled().await;

    let answer = node.query(ask(b"missing")).await;

    assert_eq!(answer["values"], json!([]));
    assert!(prove(root, &proof_of(&answer), &trie_key(b"missing")).is_empty());
}

#[tokio::test]
async fn the_typed_view_gives_the_same_proof() {
    let (node, _) = filled().await;
    let by_query = node.query(ask(b"")).await;
    let mut request = ask(b"");
    request.as_object_mut().unwrap().remove("request_type");
    request["finality"] = json!("optimistic");

    let typed = node.result("EXPERIMENTAL_view_state", request).await;

    assert_eq!(typed["proof"], by_query["proof"]);
}

#[tokio::test]
async fn nobody_who_did_not_ask_gets_a_proof() {
    let (node, _) = filled().await;
    let mut request = ask(b"");
    request["include_proof"] = json!(false);

    let by_query = node.query(request).await;
    let by_path = node.result("query", json!(["contract/app.test", ""])).await;

    assert_eq!(by_query.get("proof"), None);
    assert_eq!(by_path.get("proof"), None);
    assert_eq!(by_path["values"], by_query["values"]);
}

#[tokio::test]
async fn a_page_has_no_proof() {
    let (node, _) = filled().await;
    let mut request = ask(b"");
    request["limit"] = json!(1);
    request["finality"] = json!("final");

    let (_, error) = node.error("query", request).await;

    assert!(
        error["data"].as_str().unwrap().contains("paginat"),
        "{error}"
    );
}

#[tokio::test]
async fn the_state_root_is_the_same_again_for_the_same_state() {
    let (first, root) = filled().await;
    let (second, again) = filled().await;

    assert_eq!(root, again);
    assert_eq!(first.server.height(), second.server.height());
}
