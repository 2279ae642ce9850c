//! Names of profiles.

use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};

use super::Error;
use crate::id::serde_as_text;

/// The longest name.
///
/// Unit: bytes.
const MAX_BYTES: usize = 128;

/// The name of a set of secrets, unique for its owner and accessor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Profile(String);

impl Profile {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Profile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '"' | '\\');
        let fits = !text.is_empty() && text.len() <= MAX_BYTES;
        if fits && !text.chars().any(odd) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::Profile)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(Profile);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profiles_name_is_short_and_printable() {
        for good in ["default", "prod-2", "7", "süß", &"a".repeat(128)] {
            assert!(good.parse::<Profile>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "a\u{0}", "a\n", "\"", "\\", &"a".repeat(129)] {
            assert_eq!(bad.parse::<Profile>(), Err(Error::Profile), "{bad:?}");
        }
    }
}
