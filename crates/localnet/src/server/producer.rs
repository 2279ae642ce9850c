//! Who makes blocks and when.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::{ChainThread, Config, Pace};
use crate::chain::Chain;

/// The chain with its pace: lives on the chain's thread and nowhere else.
pub(crate) struct Producer {
    chain: Chain,
    pace: Pace,
    paused: bool,
    finality_lag: u64,
    /// Height of the newest block made because work waited; the blocks that make it final are made on demand too.
    last_work: u64,
    heights: watch::Sender<u64>,
}

impl Producer {
    pub(super) fn new(chain: Chain, config: &Config) -> Self {
        let height = chain.height();
        Self {
            chain,
            pace: config.pace,
            paused: false,
            finality_lag: config.chain.finality_lag,
            last_work: 0,
            heights: watch::Sender::new(height),
        }
    }

    pub(crate) const fn chain(&mut self) -> &mut Chain {
        &mut self.chain
    }

    pub(super) fn heights(&self) -> watch::Receiver<u64> {
        self.heights.subscribe()
    }

    pub(super) const fn pause(&mut self) {
        self.paused = true;
    }

    pub(super) const fn resume(&mut self) {
        self.paused = false;
    }

    /// Whether a block should be made now: something waits to run, or what ran waits to become final.
    pub(super) fn wants_block(&self) -> bool {
        self.pace.follows_work()
            && !self.paused
            && (self.chain.busy()
                || (self.last_work > 0
                    && self.chain.height() < self.last_work.saturating_add(self.finality_lag)))
    }

    pub(crate) fn produce(&mut self) {
        let working = self.chain.busy();
        self.chain.produce();
        if working {
            self.last_work = self.chain.height();
        }
        self.announce();
    }

    /// Goes on by so many heights, in chain time faster than otherwise, and most of them without a block.
    pub(super) fn fast_forward(&mut self, heights: u64) {
        let before = self.chain.height();
        self.chain.fast_forward(heights);
        let after = self.chain.block_after(before);
        let mut made = std::iter::successors(after, |block| self.chain.block_after(block.height()));
        if made.any(|block| !block.txs.is_empty() || !block.ran.is_empty()) {
            self.last_work = self.chain.height();
        }
        self.announce();
    }

    /// A turn of the timer: a block, unless one was made since the last turn and the pace follows work anyway.
    fn tick(&mut self, seen: u64) -> u64 {
        let idle = self.chain.height() == seen || !self.pace.follows_work();
        if idle && !self.paused {
            self.produce();
        }
        self.chain.height()
    }

    /// Wakes whoever waits for a block, however the block was made.
    pub(super) fn announce(&self) {
        let height = self.chain.height();
        self.heights
            .send_if_modified(|known| std::mem::replace(known, height) != height);
    }
}

/// Makes a block each interval until the node stops.
pub(super) async fn tick(chain: ChainThread, every: Duration, stopped: watch::Receiver<bool>) {
    let mut turns = interval(every);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = chain.height();
    let mut stop = std::pin::pin!(super::told(stopped));
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = turns.tick() => {}
        }
        match chain.ask(move |producer| producer.tick(seen)).await {
            Ok(height) => seen = height,
            Err(_) => return,
        }
    }
}
