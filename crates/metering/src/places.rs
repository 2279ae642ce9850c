//! Where in the original module an instruction of the rewritten one comes from, so that its DWARF can name the source line.

/// For each function, in the order of the code section, its instructions that may trap or call, as pairs of distances from the
/// last one: in the rewritten body, and in the original's code section. All numbers are LEB128.
///
/// The form is compact because real modules have a load or store in every sixth instruction or so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(Vec<u8>);

/// Collects one function's pairs.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    bytes: Vec<u8>,
    last: (u32, u32),
}

impl Pairs {
    /// Notes that the instruction at `rewritten` of the body was at `original` of the code section.
    pub(crate) fn push(&mut self, rewritten: u32, original: u32) {
        write(&mut self.bytes, rewritten.saturating_sub(self.last.0));
        write(&mut self.bytes, original.saturating_sub(self.last.1));
        self.last = (rewritten, original);
    }
}

impl Places {
    /// Reads a table that was kept with [`Places::as_bytes`].
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

    /// Where the instruction at `offset` of the `function`th defined function's rewritten body was in the original's code
    /// section: the address that DWARF gives it.
    ///
    /// Taken from the last pair at or before `offset`: an engine may fold a load into the arithmetic that uses it, and then
    /// names the latter. `None` if the table says nothing.
    pub fn original(&self, function: u32, offset: u32) -> Option<u32> {
        let mut table = self.0.as_slice();
        for _ in 0..function {
            let length = usize::try_from(read(&mut table)?).ok()?;
            table = table.get(length..)?;
        }
        let length = usize::try_from(read(&mut table)?).ok()?;
        let mut pairs = table.get(..length)?;
        let (mut rewritten, mut original) = (0_u32, 0_u32);
        let mut found = None;
        while !pairs.is_empty() {
            rewritten = rewritten.checked_add(read(&mut pairs)?)?;
            original = original.checked_add(read(&mut pairs)?)?;
            if rewritten > offset {
                break;
            }
            found = Some(original);
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
        let mut table = Places::default();
        table.push(&Pairs::default());
        let mut pairs = Pairs::default();
        pairs.push(10, 300);
        pairs.push(1_000, 307);
        table.push(&pairs);

        let found = [9, 10, 999, 1_000, u32::MAX].map(|offset| table.original(1, offset));

        assert_eq!(found, [None, Some(300), Some(300), Some(307), Some(307)]);
        assert_eq!(table.original(0, 10), None);
        assert_eq!(table.original(2, 10), None);
    }

    #[test]
    fn a_damaged_table_names_no_place() {
        let table = Places::from_bytes(vec![0xff; 9]);

        assert_eq!(table.original(0, 10), None);
        assert_eq!(table.original(u32::MAX, 10), None);
    }
}
