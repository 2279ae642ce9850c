//! Letting time pass, as a sandbox node lets it pass.
//!
//! Asked to fast-forward, nearcore makes hardly any blocks: it pretends to have seen a higher head, so that the next block is
//! made there, and the heights in between stay without a block for ever. Only where an epoch ends, and on a node that was set
//! up with `init --fast` that is every 60 heights, it makes the last two blocks of the old epoch and the first two of the new
//! one, so that epochs follow each other (`sandbox_process_fast_forward` in nearcore's `client_actor.rs`). Whatever waits for a
//! height, as the time-out of a yield does, therefore happens in the first block that there is at or above it, up to 56 heights
//! late: callbacks of yields of 200 blocks were seen to come 210 to 250 blocks on.
//!
//! The one difference: there is always a block at the height that was asked for. A node makes that block, one higher, when it
//! next makes one.

use super::Chain;
use super::produce::Step;

/// Heights in an epoch. Source: nearcore's `FAST_EPOCH_LENGTH`, for `neard init --fast`.
pub(crate) const EPOCH_LENGTH: u64 = 60;

/// Heights before the end of an epoch from which blocks are made as usual. Source: nearcore's fast-forward.
const BEFORE_THE_END: u64 = 3;

impl Chain {
    /// Goes on by so many heights, in chain time faster than by [`Chain::produce`]. Most of them are left without a block, the
    /// last is not.
    pub fn fast_forward(&mut self, heights: u64) {
        let goal = self.height().saturating_add(heights);
        while self.height() < goal {
            let left = goal.saturating_sub(self.height());
            let heights = stride(self.height(), left);
            self.produce_after(Step::Forward { heights });
        }
    }
}

/// How far above this height the next block is, with so many heights left to go.
const fn stride(height: u64, left: u64) -> u64 {
    let into_epoch = height % EPOCH_LENGTH;
    let end = EPOCH_LENGTH.saturating_sub(BEFORE_THE_END);
    if into_epoch == 0 || into_epoch >= end {
        1
    } else if into_epoch.saturating_add(left) >= EPOCH_LENGTH {
        end.saturating_sub(into_epoch).saturating_add(1)
    } else {
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Genesis};

    #[test]
    fn blocks_are_made_where_epochs_end_and_where_it_stops() {
        let mut chain = Chain::new(Config::in_memory(Genesis::empty("test", 0))).unwrap();

        chain.fast_forward(249);

        let heights: Vec<_> = chain.blocks.iter().map(|block| block.height()).collect();
        let ends = [60, 120, 180, 240]
            .into_iter()
            .flat_map(|end| end - 2..=end + 1);
        let expected: Vec<_> = [1].into_iter().chain(ends).chain([250]).collect();
        assert_eq!(heights, expected);
    }
}
