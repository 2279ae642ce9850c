//! Gas by function: what each stack of calls used for itself.

use std::collections::HashMap;

use borsh::{BorshDeserialize, BorshSerialize};

/// Different stacks that are told apart; what is deeper or later counts for the last known caller.
pub(crate) const MAX_STACKS: usize = 20_000;

/// The deepest stack that is told apart.
pub(crate) const MAX_DEPTH: usize = 256;

/// The functions on the stack, the outermost first, and the gas that the innermost used itself.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Stack {
    /// Numbers of functions in the original module.
    pub functions: Vec<u32>,
    /// Gas.
    pub gas: u64,
}

/// Takes the gas of a profiled module apart, by its calls of `enter` and `leave`.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    /// Stacks by their caller's place here and their innermost function.
    places: HashMap<(usize, u32), usize>,
    stacks: Vec<Stack>,
    /// The places of the stack that is running, the outermost first.
    running: Vec<usize>,
    /// Gas left when it was last looked at.
    left: Option<i64>,
}

impl Profile {
    /// A function begins, with this much gas left.
    pub(crate) fn enter(&mut self, function: u32, left: i64) {
        self.account(left);
        let caller = self.running.last().copied().unwrap_or(usize::MAX);
        let depth = self.running.len();
        let place = match self.places.get(&(caller, function)) {
            Some(place) => *place,
            None if self.stacks.len() < MAX_STACKS && depth < MAX_DEPTH => {
                let mut functions = self
                    .stacks
                    .get(caller)
                    .map(|stack| stack.functions.clone())
                    .unwrap_or_default();
                functions.push(function);
                let place = self.stacks.len();
                self.stacks.push(Stack { functions, gas: 0 });
                self.places.insert((caller, function), place);
                place
            }
            None => caller,
        };
        self.running.push(place);
    }

    /// The function that runs ends.
    pub(crate) fn leave(&mut self, left: i64) {
        self.account(left);
        self.running.pop();
    }

    /// What was used, now that the guest has ended.
    pub(crate) fn finish(mut self, left: i64) -> Vec<Stack> {
        self.account(left);
        self.stacks.retain(|stack| stack.gas > 0);
        self.stacks
    }

    /// Counts what was used since the last look for whoever is running.
    fn account(&mut self, left: i64) {
        let before = self.left.replace(left).unwrap_or(left);
        let used = u64::try_from(before.saturating_sub(left)).unwrap_or_default();
        let innermost = self.running.last().copied().unwrap_or_default();
        if let Some(stack) = self.stacks.get_mut(innermost) {
            stack.gas = stack.gas.saturating_add(used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gas_counts_for_the_innermost_function_of_each_stack() {
        let mut profile = Profile::default();

        profile.enter(7, 100);
        profile.enter(8, 90);
        profile.leave(70);
        profile.enter(8, 65);
        profile.leave(64);
        profile.leave(60);
        let stacks = profile.finish(60);

        let expected = [(vec![7], 10 + 5 + 4), (vec![7, 8], 20 + 1)];
        let found: Vec<_> = stacks
            .into_iter()
            .map(|stack| (stack.functions, stack.gas))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn stacks_deeper_than_are_told_apart_count_for_their_callers() {
        let mut profile = Profile::default();

        for depth in 0..1_000 {
            profile.enter(1, 10_000 - depth);
        }
        let stacks = profile.finish(9_000);

        assert_eq!(stacks.len(), MAX_DEPTH);
        assert_eq!(stacks.iter().map(|stack| stack.gas).sum::<u64>(), 1_000);
    }
}
