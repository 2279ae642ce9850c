//! What tells a generated secret from one that a user gave its name.
//!
//! A user seals to a public key, so the keystore cannot tell from an envelope who made it. So the keystore writes beside the
//! secrets that it generated a mark over them that only it can make; without the right mark they are refused. The mark's name is
//! none that a secret may bear, and no guest sees it.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::master::keyed;

/// The mark's name in a sealed object; it holds an `=`, so that no secret is called so.
pub(crate) const NAME: &str = "generated=";

/// Makes and checks the marks of one seed.
pub struct MarkKey(Zeroizing<[u8; 32]>);

impl MarkKey {
    pub(crate) const fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// The mark of these secrets, which are told in the order of their names.
    pub(crate) fn mark<'a>(&self, generated: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        hex::encode(self.mac(generated).finalize().into_bytes())
    }

    /// Whether `mark` is the mark of these secrets; takes as long when it is as when it is not.
    pub(crate) fn is_mark<'a>(
        &self,
        mark: &str,
        generated: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> bool {
        let mut claimed = [0; 32];
        hex::decode_to_slice(mark, &mut claimed).is_ok()
            && self.mac(generated).verify_slice(&claimed).is_ok()
    }

    fn mac<'a>(&self, generated: impl Iterator<Item = (&'a str, &'a str)>) -> Hmac<Sha256> {
        let mut mac = keyed(&self.0);
        for part in generated.flat_map(|(name, value)| [name, value]) {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            mac.update(&length.to_le_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

impl fmt::Debug for MarkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MarkKey(…)")
    }
}
