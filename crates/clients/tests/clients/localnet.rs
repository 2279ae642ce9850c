//! Sender and block sources against nearcore's own contract VM.

use std::sync::Arc;

use clients::events::{
    Block, Follow, FollowSettings, Indexer, Neardata, Position, ReadBlocks, Receipts,
};
use clients::near::sender::Settings;
use clients::near::{Call, Gas, Node, Sender, Settings as NodeSettings, Status, Until};
use clients::parts::Parts;
use futures::future::join_all;
use localnet::{Config as ChainConfig, Genesis, Server, ServerConfig, secret_key};
use near_primitives::action::{Action, DeployContractAction};
use near_primitives::types::AccountId;
use near_primitives::types::Balance;

/// `log` logs its input, `fail` logs and panics, `forward` calls `log` of the contract that its input names, `ask` yields,
/// `answer` resumes the last yield, and `on_answer` runs either way.
const CONTRACT: &str = r#"(module
  (import "env" "input" (func $input (param i64)))
  (import "env" "read_register" (func $read (param i64 i64)))
  (import "env" "register_len" (func $len (param i64) (result i64)))
  (import "env" "log_utf8" (func $log (param i64 i64)))
  (import "env" "panic_utf8" (func $panic (param i64 i64)))
  (import "env" "storage_write" (func $write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "storage_read" (func $fetch (param i64 i64 i64) (result i64)))
  (import "env" "promise_create" (func $create (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_yield_create" (func $yield (param i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_yield_resume" (func $resume (param i64 i64 i64 i64) (result i32)))
  (import "env" "promise_return" (func $return (param i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "on_answer")
  (data (i32.const 16) "log")
  (data (i32.const 32) "asked")
  (data (i32.const 48) "answered")
  (data (i32.const 64) "never seen")
  (func (export "log")
    (call $input (i64.const 0))
    (call $read (i64.const 0) (i64.const 1024))
    (call $log (call $len (i64.const 0)) (i64.const 1024)))
  (func (export "fail")
    (call $log (i64.const 10) (i64.const 64))
    (call $panic (i64.const 10) (i64.const 64)))
  (func (export "forward")
    (call $input (i64.const 0))
    (call $read (i64.const 0) (i64.const 1024))
    (call $return (call $create (call $len (i64.const 0)) (i64.const 1024) (i64.const 3) (i64.const 16)
      (i64.const 5) (i64.const 32) (i64.const 2048) (i64.const 30000000000000))))
  (func (export "ask")
    (local $promise i64)
    (call $log (i64.const 5) (i64.const 32))
    (local.set $promise (call $yield (i64.const 9) (i64.const 0) (i64.const 0) (i64.const 0)
      (i64.const 30000000000000) (i64.const 0) (i64.const 1)))
    (drop (call $write (i64.const 3) (i64.const 16) (i64.const -1) (i64.const 1) (i64.const 2)))
    (call $return (local.get $promise)))
  (func (export "answer")
    (drop (call $fetch (i64.const 3) (i64.const 16) (i64.const 3)))
    (call $read (i64.const 3) (i64.const 3072))
    (drop (call $resume (i64.const 32) (i64.const 3072) (i64.const 3) (i64.const 16))))
  (func (export "on_answer") (call $log (i64.const 8) (i64.const 48))))"#;

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

struct Town {
    server: Server,
    node: Node,
}

impl Town {
    /// `outlayer.test` and `client.test` with the contract, and `alice.test` without.
    async fn start() -> Self {
        let genesis = ["outlayer.test", "client.test", "alice.test"]
            .into_iter()
            .fold(Genesis::sandbox(0), |genesis, name| {
                genesis.with_account(&id(name), Balance::from_near(10_000))
            });
        let config = ServerConfig::over(ChainConfig::in_memory(genesis));
        let server = Server::start(config).await.unwrap();
        let settings = NodeSettings::new(vec![server.rpc_url().parse().unwrap()]);
        let town = Self {
            node: Node::connect(&settings).unwrap(),
            server,
        };
        for name in ["outlayer.test", "client.test"] {
            let code = wat::parse_str(CONTRACT).unwrap();
            let deploy = Action::DeployContract(DeployContractAction { code });
            let outcome = town
                .sender(name)
                .send(id(name), vec![deploy])
                .await
                .unwrap();
            assert!(
                matches!(outcome.status, Status::Succeeded(_)),
                "{outcome:?}"
            );
        }
        town
    }

    fn sender(&self, account: &str) -> Sender {
        let keys = vec![secret_key(&id(account))];
        let settings = Settings {
            until: Until::Final,
            ..Settings::default()
        };
        let parts = Parts::of_the_machine();
        Sender::new(self.node.clone(), id(account), keys, parts, settings).unwrap()
    }

    fn sources(&self) -> (Neardata, Indexer, Receipts) {
        let contract = id("outlayer.test");
        let feed = self.server.feed_url().parse().unwrap();
        let limits = clients::near::ChainLimits::DEFAULT;
        (
            Neardata::new(&feed, contract.clone()).unwrap(),
            Indexer::new(self.node.clone(), contract.clone()),
            Receipts::new(self.node.clone(), contract, &limits),
        )
    }
}

fn call(receiver: &str, method: &str, args: &str) -> Call {
    Call {
        receiver: id(receiver),
        method: method.into(),
        args: args.into(),
        gas: Gas::from_teragas(100),
        deposit: Balance::ZERO,
    }
}

/// All blocks above `height`, with no gap between them.
async fn read(source: impl ReadBlocks + 'static, height: u64) -> Vec<Block> {
    let start = Position { height, hash: None };
    let mut follow = Follow::after(
        Arc::new(source),
        start,
        Parts::of_the_machine(),
        FollowSettings::default(),
    );
    let mut blocks = Vec::new();
    while let Some(block) = follow.try_next().await.unwrap() {
        blocks.push(block);
    }
    blocks
}

fn logs(blocks: &[Block]) -> Vec<String> {
    let receipts = blocks.iter().flat_map(|block| &block.receipts);
    receipts.flat_map(|receipt| receipt.logs.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_calls_of_one_key_land_once_each() {
    let town = Town::start().await;
    let alice = town.sender("alice.test");

    let calls =
        (0..500).map(|number| alice.call(call("outlayer.test", "log", &format!("call {number}"))));
    let outcomes = join_all(calls).await;

    assert!(
        outcomes.iter().all(
            |outcome| matches!(outcome, Ok(done) if matches!(done.status, Status::Succeeded(_)))
        )
    );
    let (feed, ..) = town.sources();
    let mut seen = logs(&read(feed, 0).await);
    let mut expected: Vec<_> = (0..500).map(|number| format!("call {number}")).collect();
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_three_sources_give_the_same_blocks() {
    let town = Town::start().await;
    let (alice, owner) = (town.sender("alice.test"), town.sender("outlayer.test"));
    alice
        .call(call("outlayer.test", "log", "direct"))
        .await
        .unwrap();
    alice.call(call("outlayer.test", "fail", "")).await.unwrap();
    alice
        .call(call("client.test", "forward", "outlayer.test"))
        .await
        .unwrap();
    owner
        .call(call("outlayer.test", "log", "to itself"))
        .await
        .unwrap();
    alice
        .call(call("outlayer.test", "nothing", ""))
        .await
        .unwrap();
    // Every call is waited for to its last refund, so that the next block is that of the next transaction, and the one after
    // that has the yield.
    let start = town.server.height();
    let (answered, _) = tokio::join!(alice.call(call("outlayer.test", "ask", "")), async {
        town.server.wait_for_height(start + 2).await.unwrap();
        let answer = call("outlayer.test", "answer", "");
        owner.call(answer).await.unwrap()
    });
    answered.unwrap();
    let half = town.server.height();
    let (expired, _) = tokio::join!(alice.call(call("outlayer.test", "ask", "")), async {
        town.server.wait_for_height(half + 2).await.unwrap();
        town.server.fast_forward(220).await.unwrap()
    });
    expired.unwrap();
    join_all(
        (0..20).map(|number| alice.call(call("outlayer.test", "log", &format!("many {number}")))),
    )
    .await;

    let (feed, indexer, receipts) = town.sources();
    let (by_feed, by_indexer, by_receipts) = (
        read(feed, 0).await,
        read(indexer, 0).await,
        read(receipts, 0).await,
    );

    let mut seen = logs(&by_feed);
    seen.truncate(7);
    assert_eq!(
        seen,
        [
            "direct",
            "asked",
            "to itself",
            "asked",
            "answered",
            "asked",
            "answered"
        ]
    );
    assert_eq!(logs(&by_feed).len(), 27);
    assert_same(&by_indexer, &by_feed);
    assert_same(&in_any_order(by_receipts), &in_any_order(by_feed.clone()));
    // A reader that starts between a yield and its time-out looks back far enough to see it end.
    let (.., receipts) = town.sources();
    let later = by_feed
        .into_iter()
        .filter(|block| block.height > half + 2)
        .collect();
    assert_same(
        &in_any_order(read(receipts, half + 2).await),
        &in_any_order(later),
    );
}

/// The localnet's transactions come without the proofs that tell the order of receipts within a block.
fn in_any_order(mut blocks: Vec<Block>) -> Vec<Block> {
    for block in &mut blocks {
        block.receipts.sort_by_key(|receipt| receipt.receipt_id);
    }
    blocks
}

/// Block by block, so that a difference can be read.
fn assert_same(left: &[Block], right: &[Block]) {
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(right) {
        assert_eq!(left, right);
    }
}
