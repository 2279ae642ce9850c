//! No block is left out, whatever the source does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clients::events::{Block, Error, Follow, FollowSettings, Position, ReadBlocks};
use clients::parts::Parts;

use super::chain::hash_of;

/// Answers what it is told to, in turn.
#[derive(Debug)]
struct Told(Mutex<VecDeque<Result<Option<Block>, Error>>>);

#[async_trait]
impl ReadBlocks for Told {
    async fn final_height(&self) -> Result<u64, Error> {
        Ok(0)
    }

    async fn next_after(&self, _height: u64) -> Result<Option<Block>, Error> {
        self.0.lock().unwrap().pop_front().unwrap_or(Ok(None))
    }
}

fn block(height: u64, prev: u64) -> Block {
    Block {
        height,
        hash: hash_of(height),
        prev_hash: hash_of(prev),
        prev_height: None,
        timestamp_ns: height,
        receipts: Vec::new(),
    }
}

fn follow(told: impl IntoIterator<Item = Result<Option<Block>, Error>>) -> Follow {
    let source = Arc::new(Told(Mutex::new(told.into_iter().collect())));
    let start = Position {
        height: 10,
        hash: Some(hash_of(10)),
    };
    Follow::after(
        source,
        start,
        Parts::without_waiting(1),
        FollowSettings::default(),
    )
}

fn unavailable() -> Error {
    Error::Unavailable {
        address: "http://feed".into(),
        reason: "down".into(),
    }
}

#[tokio::test]
async fn heights_without_a_block_are_passed_over() {
    let mut follow = follow([Ok(Some(block(11, 10))), Ok(None), Ok(Some(block(14, 11)))]);

    let heights = [
        follow.next().await.unwrap().height,
        follow.next().await.unwrap().height,
    ];

    assert_eq!(heights, [11, 14]);
}

#[tokio::test]
async fn a_missing_block_stops_the_reader_where_it_is() {
    let mut follow = follow((0..9).map(|_| Ok(Some(block(12, 11)))));

    let error = follow.next().await.unwrap_err();

    assert!(
        matches!(error, Error::Gap { height: 12, expected, found } if expected == hash_of(10) && found == hash_of(11))
    );
    assert_eq!(follow.position().height, 10);
}

#[tokio::test]
async fn a_block_that_a_source_forgot_for_a_moment_is_read_in_its_turn() {
    let mut follow = follow([
        Ok(Some(block(12, 11))),
        Ok(Some(block(11, 10))),
        Ok(Some(block(12, 11))),
    ]);

    let heights = [
        follow.next().await.unwrap().height,
        follow.next().await.unwrap().height,
    ];

    assert_eq!(heights, [11, 12]);
}

#[tokio::test]
async fn a_block_that_comes_twice_is_not_given_twice() {
    let mut follow = follow([
        Ok(Some(block(11, 10))),
        Ok(Some(block(11, 10))),
        Ok(Some(block(12, 11))),
    ]);

    let heights = [
        follow.next().await.unwrap().height,
        follow.next().await.unwrap().height,
    ];

    assert_eq!(heights, [11, 12]);
}

#[tokio::test]
async fn a_source_that_is_down_is_asked_again() {
    let mut follow = follow([
        Err(unavailable()),
        Err(unavailable()),
        Ok(Some(block(11, 10))),
    ]);

    assert_eq!(follow.next().await.unwrap().height, 11);
}
