//! Lists of what each owner has: pages are read and entries taken out without reading the rest.

use borsh::{BorshDeserialize, BorshSerialize};
use near_sdk::store::LookupMap;

use crate::storage::{Entry, Page};

/// Lists by owner; see [`Entry`].
pub(super) type Roll<K, T> = LookupMap<(K, u32), Entry<T>>;

/// What can name an owner.
pub(super) trait Owner: Copy + Ord + BorshSerialize {}
impl<K: Copy + Ord + BorshSerialize> Owner for K {}

/// What can be listed.
pub(super) trait Item: Copy + BorshSerialize + BorshDeserialize {}
impl<T: Copy + BorshSerialize + BorshDeserialize> Item for T {}

/// How many `owner` has.
pub(super) fn count<K: Owner, T: Item>(roll: &Roll<K, T>, owner: K) -> u32 {
    roll.get(&(owner, 0)).map_or(0, |first| first.count)
}

/// Lists `item` last and says where that is.
pub(super) fn push<K: Owner, T: Item>(roll: &mut Roll<K, T>, owner: K, item: T) -> u32 {
    let position = count(roll, owner);
    roll.set((owner, position), Some(Entry { item, count: 0 }));
    set_count(roll, owner, position.saturating_add(1));
    position
}

/// Takes out what is at `position`; the last takes its place and is returned, unless it was the last itself.
pub(super) fn remove<K: Owner, T: Item>(
    roll: &mut Roll<K, T>,
    owner: K,
    position: u32,
) -> Option<T> {
    let last = count(roll, owner).saturating_sub(1);
    let moved = roll.get(&(owner, last)).map(|entry| entry.item);
    let moved = moved.filter(|_| position < last);
    if let Some(item) = moved {
        roll.set((owner, position), Some(Entry { item, count: 0 }));
    }
    roll.set((owner, last), None);
    if last > 0 {
        set_count(roll, owner, last);
    }
    moved
}

/// What is on `page` of the list of `owner`.
pub(super) fn page<K: Owner, T: Item>(roll: &Roll<K, T>, owner: K, page: Page) -> Vec<T> {
    let positions = page.positions(count(roll, owner));
    positions
        .filter_map(|position| roll.get(&(owner, position)).map(|entry| entry.item))
        .collect()
}

/// Forgets the whole list of `owner` and says what it was.
pub(super) fn clear<K: Owner, T: Item>(roll: &mut Roll<K, T>, owner: K) -> Vec<T> {
    let mut items = Vec::new();
    for position in 0..count(roll, owner) {
        items.extend(roll.get(&(owner, position)).map(|entry| entry.item));
        roll.set((owner, position), None);
    }
    items
}

fn set_count<K: Owner, T: Item>(roll: &mut Roll<K, T>, owner: K, count: u32) {
    if let Some(first) = roll.get_mut(&(owner, 0)) {
        first.count = count;
    }
}
