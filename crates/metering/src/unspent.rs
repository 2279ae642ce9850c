//! What a trap gives back: for each instruction that may trap, the cost of what was paid for behind it.

/// For each function, in the order of the code section, pairs of (distance from the last pair, cost not yet run), both as LEB128.
///
/// The distance is in bytes of the rewritten body. The form is compact because real modules have a load or store in every
/// sixth instruction or so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unspent(Vec<u8>);

/// Collects one function's pairs.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    bytes: Vec<u8>,
    last: u32,
}

impl Pairs {
    /// Notes that a trap at `offset` leaves `cost` unrun.
    pub(crate) fn push(&mut self, offset: u32, cost: u32) {
        write(&mut self.bytes, offset.saturating_sub(self.last));
        write(&mut self.bytes, cost);
        self.last = offset;
    }
}

impl Unspent {
    /// Reads a table that was kept with [`Unspent::as_bytes`].
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The table, to be kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Appends the next function's pairs.
    pub(crate) fn push(&mut self, pairs: &Pairs) {
        write(
            &mut self.0,
            u32::try_from(pairs.bytes.len()).unwrap_or(u32::MAX),
        );
        self.0.extend_from_slice(&pairs.bytes);
    }

    /// What is given back when the `function`th defined function traps at `offset` of its body.
    ///
    /// Taken from the last pair at or before `offset`: the engine may fold a load into the arithmetic that uses it, and then
    /// names the latter; it never folds across another instruction that may trap.
    pub fn at(&self, function: u32, offset: u32) -> u32 {
        self.find(function, offset).unwrap_or_default()
    }

    fn find(&self, function: u32, offset: u32) -> Option<u32> {
        let mut table = self.0.as_slice();
        for _ in 0..function {
            let length = usize::try_from(read(&mut table)?).ok()?;
            table = table.get(length..)?;
        }
        let length = usize::try_from(read(&mut table)?).ok()?;
        let mut pairs = table.get(..length)?;
        let mut place = 0_u32;
        let mut found = None;
        while !pairs.is_empty() {
            place = place.checked_add(read(&mut pairs)?)?;
            let cost = read(&mut pairs)?;
            if place > offset {
                break;
            }
            found = Some(cost);
        }
        found
    }
}

/// Appends `value` as LEB128.
fn write(to: &mut Vec<u8>, mut value: u32) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            to.push(low & 0x7f);
            return;
        }
        to.push(low | 0x80);
    }
}

/// Takes a LEB128 number off the front.
fn read(from: &mut &[u8]) -> Option<u32> {
    let mut value = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let (first, rest) = from.split_first()?;
        *from = rest;
        value |= u32::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pair_at_or_before_the_offset_counts() {
        let mut table = Unspent::default();
        table.push(&Pairs::default());
        let mut pairs = Pairs::default();
        pairs.push(10, 300);
        pairs.push(1_000, 7);
        table.push(&pairs);

        let found = [9, 10, 999, 1_000, u32::MAX].map(|offset| table.at(1, offset));

        assert_eq!(found, [0, 300, 300, 7, 7]);
        assert_eq!(table.at(0, 10), 0);
        assert_eq!(table.at(2, 10), 0);
    }

    #[test]
    fn a_damaged_table_gives_nothing_back() {
        let table = Unspent::from_bytes(vec![0xff; 9]);

        assert_eq!(table.at(0, 10), 0);
        assert_eq!(table.at(u32::MAX, 10), 0);
    }
}
