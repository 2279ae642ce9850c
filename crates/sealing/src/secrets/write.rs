//! Writes a JSON object of strings into one buffer that is as long as it must be, so that no copy is left behind.

use zeroize::Zeroizing;

/// The object.
pub(super) fn object<'a>(
    entries: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Zeroizing<Vec<u8>> {
    let mut length = 2usize;
    tokens(entries.clone(), |token| {
        length = length.saturating_add(token.len());
    });
    let mut json = Zeroizing::new(Vec::with_capacity(length));
    json.push(b'{');
    tokens(entries, |token| json.extend_from_slice(token));
    json.push(b'}');
    json
}

/// Tells everything between the braces, piece by piece.
fn tokens<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>, mut tell: impl FnMut(&[u8])) {
    for (index, (name, value)) in entries.enumerate() {
        if index > 0 {
            tell(b",");
        }
        string(name, &mut tell);
        tell(b":");
        string(value, &mut tell);
    }
}

fn string(text: &str, tell: &mut impl FnMut(&[u8])) {
    tell(b"\"");
    for part in text.split_inclusive(|ch: char| matches!(ch, '"' | '\\' | '\0'..='\u{1f}')) {
        let last = part.as_bytes().split_last();
        match last {
            Some((ch @ (b'"' | b'\\'), plain)) => {
                tell(plain);
                tell(&[b'\\', *ch]);
            }
            Some((ch @ 0..=0x1f, plain)) => {
                tell(plain);
                tell(format!("\\u{ch:04x}").as_bytes());
            }
            _ => tell(part.as_bytes()),
        }
    }
    tell(b"\"");
}
