//! A chain in a folder goes on where it stopped, however it stopped.

use crate::world::{
    ALICE, BOB, CONTRACT, World, call, call_with, genesis, id, near, transfer, value,
};
use localnet::Config;
use near_primitives::types::{Balance, Gas};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

fn in_folder(folder: &Path) -> Config {
    Config {
        folder: Some(folder.to_owned()),
        ..Config::in_memory(genesis())
    }
}

#[test]
fn a_chain_goes_on_where_it_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::with(in_folder(folder.path()));
    let asked = call_with("wait", b"", Gas::from_teragas(100), Balance::ZERO);
    let asked = world.submit(ALICE, CONTRACT, vec![asked]).unwrap();
    world.chain.settle();
    let (head, supply, bob) = (
        world.chain.head().hash,
        world.chain.total_supply(),
        world.balance(BOB),
    );
    drop(world);

    let mut world = World::with(in_folder(folder.path()));
    let again = (
        world.chain.head().hash,
        world.chain.total_supply(),
        world.balance(BOB),
    );
    world.run(ALICE, CONTRACT, vec![call("answer", b"still here")]);

    assert_eq!(again, (head, supply, bob));
    assert_eq!(value(&world.outcome(&asked)), b"still here");
}

#[test]
fn receipts_under_way_arrive_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::with(in_folder(folder.path()));
    let before = world.balance(BOB);
    world.submit(ALICE, BOB, vec![transfer(near(7))]).unwrap();
    world.chain.produce();
    drop(world);

    let mut world = World::with(in_folder(folder.path()));
    let on_the_way = world.balance(BOB);
    world.chain.settle();

    assert_eq!(on_the_way, before);
    assert_eq!(world.balance(BOB), before.saturating_add(near(7)));
    assert_eq!(world.chain.audit(), world.chain.total_supply());
}

#[test]
fn a_torn_last_block_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("blocks.log");
    let mut world = World::with(in_folder(folder.path()));
    world.run(ALICE, BOB, vec![transfer(near(1))]);
    let (whole, head) = (
        std::fs::metadata(&log).unwrap().len(),
        world.chain.head().hash,
    );
    world.chain.produce();
    drop(world);
    OpenOptions::new()
        .write(true)
        .open(&log)
        .unwrap()
        .set_len(whole + 20)
        .unwrap();

    let torn = World::with(in_folder(folder.path())).chain.head().hash;
    OpenOptions::new()
        .append(true)
        .open(&log)
        .unwrap()
        .write_all(&[7; 64])
        .unwrap();
    let mut world = World::with(in_folder(folder.path()));
    world.run(ALICE, BOB, vec![transfer(near(1))]);

    assert_eq!(torn, head);
    assert_eq!(world.chain.audit(), world.chain.total_supply());
}

#[test]
fn one_folder_serves_one_chain_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let _first = World::with(in_folder(folder.path()));

    let second = localnet::Chain::new(in_folder(folder.path()));

    assert!(matches!(second, Err(localnet::chain::Error::Log(_))));
}

#[test]
fn headers_roots_and_changes_are_the_same_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::with(in_folder(folder.path()));
    world.run(ALICE, BOB, vec![transfer(near(1))]);
    world.chain.fast_forward(100);
    let seen = |world: &World| {
        let block = world.chain.block_at(4).unwrap();
        let changes = serde_json::to_value(block.state_changes()).unwrap();
        (
            block.header.clone(),
            block.state.root(),
            block.outcome_tree.root(),
            changes,
        )
    };
    let before = seen(&world);
    drop(world);

    let mut world = World::with(in_folder(folder.path()));
    let after = seen(&world);
    world.chain.produce();

    assert_eq!(after, before);
    let (head, last) = (
        world.chain.head(),
        world.chain.block_at(world.chain.height() - 1).unwrap(),
    );
    assert_eq!(*head.header.prev_hash(), last.hash);
    assert_eq!(head.chunk.prev_state_root(), last.state.root());
}

#[test]
fn blocks_kept_by_another_version_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("blocks.log"), b"NEARlog\x01whatever").unwrap();

    let refused = localnet::Chain::new(in_folder(folder.path())).unwrap_err();

    let localnet::chain::Error::Log(reason) = refused else {
        panic!("{refused:?}")
    };
    let told = reason.to_string();
    assert!(
        told.contains("blocks.log was kept by another version"),
        "{told}"
    );
    assert!(told.contains("remove it to start a new chain"), "{told}");
}

#[test]
fn old_blocks_are_let_go() {
    let mut world = World::with(Config {
        keep_blocks: 300,
        ..Config::in_memory(genesis())
    });
    let hash = world.submit(ALICE, BOB, vec![transfer(near(1))]).unwrap();
    world.chain.settle();
    let known_before = world.chain.tx_status(&hash).is_some();

    (0..1000).for_each(|_| world.chain.produce());

    assert!(known_before);
    assert!(world.chain.tx_status(&hash).is_none());
    assert!(world.chain.block_at(1).is_none());
    assert_eq!(world.chain.genesis().height(), world.chain.height() - 299);
    assert!(world.chain.account(&id(ALICE)).is_some());
}
