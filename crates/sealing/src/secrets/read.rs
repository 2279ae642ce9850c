//! Reads a JSON object of strings and leaves no copy of a value behind.

use zeroize::Zeroizing;

use crate::error::Error;
use crate::names::MAX_NAME_BYTES;

/// Tells each name and value in turn.
pub(super) fn object(
    json: &[u8],
    mut each: impl FnMut(String, Zeroizing<String>) -> Result<(), Error>,
) -> Result<(), Error> {
    let rest = std::str::from_utf8(json).map_err(|_| Error::Malformed)?;
    let mut reader = Reader { rest };
    reader.expect('{')?;
    if !reader.take('}') {
        loop {
            let name = reader.string()?;
            let name = shown(&name);
            reader.expect(':')?;
            if !reader.is_next('"') {
                return Err(reader.not_a_string(name));
            }
            each(name, reader.string()?)?;
            if reader.take('}') {
                break;
            }
            reader.expect(',')?;
        }
    }
    reader.end()
}

/// A name may be shown, unless it is so long that it is none and may hold what is not to be shown.
fn shown(name: &str) -> String {
    let mut end = name.len().min(MAX_NAME_BYTES.saturating_add(1));
    while !name.is_char_boundary(end) {
        end = end.saturating_add(1);
    }
    name.get(..end).unwrap_or(name).to_owned()
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn is_next(&mut self, token: char) -> bool {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.starts_with(token)
    }

    fn take(&mut self, token: char) -> bool {
        if !self.is_next(token) {
            return false;
        }
        self.rest = self.rest.strip_prefix(token).unwrap_or_default();
        true
    }

    fn expect(&mut self, token: char) -> Result<(), Error> {
        self.take(token).then_some(()).ok_or(Error::Malformed)
    }

    fn end(&mut self) -> Result<(), Error> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.is_empty().then_some(()).ok_or(Error::Malformed)
    }

    /// What stands where a string should.
    fn not_a_string(&self, name: String) -> Error {
        let first = self.rest.chars().next();
        if first.is_some_and(|ch| matches!(ch, '{' | '[' | 't' | 'f' | 'n' | '-' | '0'..='9')) {
            Error::NotAString { name }
        } else {
            Error::Malformed
        }
    }

    fn string(&mut self) -> Result<Zeroizing<String>, Error> {
        self.expect('"')?;
        let raw = self.raw().ok_or(Error::Malformed)?;
        unescape(raw).ok_or(Error::Malformed)
    }

    /// Up to the closing quotation mark.
    fn raw(&mut self) -> Option<&'a str> {
        let mut escaped = false;
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                0..=0x1f => return None,
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    let (raw, after) = self.rest.split_at_checked(at)?;
                    self.rest = after.strip_prefix('"')?;
                    return Some(raw);
                }
                _ => {}
            }
        }
        None
    }
}

/// Undoes the escapes. What comes out is never longer than what went in, so the string does not grow and leave a copy.
fn unescape(raw: &str) -> Option<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(raw.len()));
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let kind = escape.chars().next()?;
        rest = escape.get(kind.len_utf8()..)?;
        text.push(match kind {
            '"' | '\\' | '/' => kind,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => unicode(&mut rest)?,
            _ => return None,
        });
    }
    text.push_str(rest);
    Some(text)
}

/// The character after `\u`: four digits, or a pair of surrogates.
fn unicode(rest: &mut &str) -> Option<char> {
    let first = four_digits(rest)?;
    let units = if (0xd800..0xdc00).contains(&first) {
        *rest = rest.strip_prefix("\\u")?;
        vec![first, four_digits(rest)?]
    } else {
        vec![first]
    };
    char::decode_utf16(units).next()?.ok()
}

fn four_digits(rest: &mut &str) -> Option<u16> {
    let (digits, after) = rest.split_at_checked(4)?;
    *rest = after;
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.then(|| u16::from_str_radix(digits, 16).ok())?
}
