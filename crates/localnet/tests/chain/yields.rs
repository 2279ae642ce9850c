//! Yields: resumed, resumed too often, and run out.

use crate::world::{ALICE, CONTRACT, World, call, call_with, value};
use near_primitives::hash::CryptoHash;
use near_primitives::types::{Balance, Gas};
use near_primitives::views::FinalExecutionStatus;

fn wait() -> Vec<near_primitives::action::Action> {
    vec![call_with(
        "wait",
        b"",
        Gas::from_teragas(100),
        Balance::ZERO,
    )]
}

#[test]
fn a_yield_is_resumed_with_what_it_is_given() {
    let mut world = World::new();
    let asked = world.submit(ALICE, CONTRACT, wait()).unwrap();
    world.chain.settle();

    let helped = world.value(ALICE, CONTRACT, vec![call("answer", b"forty-two")]);

    assert_eq!(helped, [1]);
    assert_eq!(value(&world.outcome(&asked)), b"forty-two");
}

#[test]
fn a_yield_is_resumed_only_once() {
    let mut world = World::new();
    world.submit(ALICE, CONTRACT, wait()).unwrap();
    world.chain.settle();
    world.value(ALICE, CONTRACT, vec![call("answer", b"first")]);

    let helped = world.value(ALICE, CONTRACT, vec![call("answer", b"second")]);

    assert_eq!(helped, [0]);
}

#[test]
fn the_second_resume_in_one_call_does_not_help() {
    let mut world = World::new();

    let helped = world.value(
        ALICE,
        CONTRACT,
        vec![call_with(
            "wait_and_answer_twice",
            b"",
            Gas::from_teragas(100),
            Balance::ZERO,
        )],
    );

    assert_eq!(helped, [1, 0]);
}

#[test]
fn a_yield_runs_out_after_200_blocks() {
    let mut world = World::new();
    let asked = world.submit(ALICE, CONTRACT, wait()).unwrap();
    world.chain.settle();

    world.chain.fast_forward(199);
    let before = world.outcome(&asked).final_outcome.status;
    world.chain.fast_forward(2);
    world.chain.settle();

    assert_eq!(before, FinalExecutionStatus::Started);
    assert_eq!(value(&world.outcome(&asked)), b"nobody came");
    assert_eq!(world.chain.audit(), world.chain.total_supply());
}

/// How many blocks after its yield a callback ran.
fn blocks_to_the_callback(world: &World, asked: &CryptoHash) -> u64 {
    let ran = world.outcome(asked).final_outcome.receipts_outcome;
    let mut heights = ran
        .iter()
        .map(|outcome| world.chain.outcome_block(&outcome.id).unwrap().height());
    let yielded = heights.next().unwrap();
    heights.next().unwrap() - yielded
}

#[test]
fn ordinary_blocks_bring_the_time_out_200_to_202_blocks_on() {
    let mut world = World::new();
    let asked = world.submit(ALICE, CONTRACT, wait()).unwrap();
    world.chain.settle();

    (0..210).for_each(|_| world.chain.produce());

    let blocks = blocks_to_the_callback(&world, &asked);
    assert!((200..=202).contains(&blocks), "{blocks}");
}

#[test]
fn fast_forwarding_in_one_go_brings_the_time_out_210_to_250_blocks_on() {
    let mut world = World::new();
    let asked = world.submit(ALICE, CONTRACT, wait()).unwrap();
    world.chain.settle();

    world.chain.fast_forward(300);
    world.chain.settle();

    let blocks = blocks_to_the_callback(&world, &asked);
    assert!((210..=250).contains(&blocks), "{blocks}");
    assert_eq!(value(&world.outcome(&asked)), b"nobody came");
}

#[test]
fn a_payload_of_1024_bytes_is_resumed_and_one_more_fails() {
    let mut world = World::new();
    world.submit(ALICE, CONTRACT, wait()).unwrap();
    world.chain.settle();

    let too_much = world.failure(ALICE, CONTRACT, vec![call("answer", &[b'x'; 1025])]);
    let helped = world.value(ALICE, CONTRACT, vec![call("answer", &[b'x'; 1024])]);

    assert!(
        format!("{too_much:?}").contains("Yield resume payload is 1025 bytes"),
        "{too_much:?}"
    );
    assert_eq!(helped, [1]);
}

#[test]
fn fast_forwarding_takes_three_tenths_of_a_second_a_block() {
    let mut world = World::new();
    let before = world.chain.head().ctx.timestamp;

    world.chain.fast_forward(10);

    assert_eq!(world.chain.head().ctx.timestamp - before, 3_000_000_000);
}
