//! What things take of the account's storage, counted before they are stored.
//!
//! An owner's deposit must be known before a byte is written: the view that estimates it and the call that takes it count the
//! same way, here. The chain tests compare the count with what the account really grows by.

use borsh::BorshSerialize;

use crate::pending::to_u64;

/// What the protocol counts for any record. Source: the protocol's parameter `num_extra_bytes_record`.
const RECORD_BYTES: u64 = 40;

/// What each key begins with: which map it belongs to.
const PREFIX_BYTES: u64 = 1;

/// A text of any length in a key, by its sha256: so no key's length depends on a name, and what one thing takes never depends on
/// another.
pub(crate) type Digest = [u8; 32];

/// What a record of a map takes.
pub(crate) fn record_bytes(key: &impl BorshSerialize, value: &impl BorshSerialize) -> u64 {
    RECORD_BYTES
        .saturating_add(PREFIX_BYTES)
        .saturating_add(length(key))
        .saturating_add(length(value))
}

fn length(value: &impl BorshSerialize) -> u64 {
    to_u64(borsh::object_length(value).unwrap_or(usize::MAX))
}

/// One entry of an owner's list.
///
/// The first entry says how many there are. The others have room for that too, so that all are alike and each costs the same,
/// whichever is removed first: a list needs no record of its own that somebody would have to pay for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, borsh::BorshDeserialize)]
pub(crate) struct Entry<T> {
    /// What is listed.
    pub(crate) item: T,
    /// In the first entry, how many there are.
    pub(crate) count: u32,
}

/// What an entry for `item` in a list of `owner` takes.
pub(crate) fn entry_bytes(owner: &impl BorshSerialize, item: &impl BorshSerialize) -> u64 {
    let position_and_count = to_u64(size_of::<u32>()).saturating_mul(2);
    record_bytes(owner, item).saturating_add(position_and_count)
}

/// Which part of a list a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    from: u32,
    limit: u32,
}

impl Page {
    /// The most entries that a page shows, and what it shows unless asked for less. With the largest conditions a page of secrets
    /// has 2 MB and takes 260 Tgas; the protocol lets a view return 4 MiB and take 300 Tgas.
    pub(crate) const MOST: u32 = 100;

    pub(crate) fn new(from: Option<u64>, limit: Option<u64>) -> Self {
        let small = |asked: Option<u64>, usual| {
            asked.map_or(usual, |asked| u32::try_from(asked).unwrap_or(u32::MAX))
        };
        Self {
            from: small(from, 0),
            limit: small(limit, Self::MOST).min(Self::MOST),
        }
    }

    /// The positions that it shows of a list of `count`.
    pub(crate) fn positions(self, count: u32) -> std::ops::Range<u32> {
        let end = self.from.saturating_add(self.limit).min(count);
        self.from.min(end)..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_takes_forty_bytes_and_its_key_and_value() {
        assert_eq!(record_bytes(&7_u64, &"abc".to_owned()), 40 + 1 + 8 + 4 + 3);
        let entry = Entry {
            item: [0_u8; 32],
            count: 1,
        };
        let owner: Digest = [0; 32];
        assert_eq!(
            entry_bytes(&owner, &entry.item),
            record_bytes(&(owner, 0_u32), &entry)
        );
    }

    #[test]
    fn a_page_shows_what_is_there_and_never_more_than_a_hundred() {
        let shown = |from, limit| Page::new(from, limit).positions(250);

        assert_eq!(shown(None, None), 0..100);
        assert_eq!(shown(Some(200), Some(1_000)), 200..250);
        assert_eq!(shown(Some(10), Some(5)), 10..15);
        assert_eq!(shown(Some(250), None), 250..250);
        assert_eq!(shown(Some(u64::MAX), Some(u64::MAX)), 250..250);
        assert_eq!(shown(None, Some(0)), 0..0);
    }
}
