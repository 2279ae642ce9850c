//! Messages that a wallet signs off the chain, by NEP-413. The tag keeps them from ever being transactions.

use borsh::BorshSerialize;
use sha2::{Digest as _, Sha256};

/// 2^31 + 413: no transaction begins with it. Source: NEP-413.
const TAG: u32 = 2_147_484_061;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Payload<'a> {
    /// What the wallet shows.
    pub message: &'a str,
    /// Chosen anew for each message.
    pub nonce: [u8; 32],
    /// To whom it is addressed.
    pub recipient: &'a str,
    /// Where a wallet in a browser returns to.
    pub callback_url: Option<&'a str>,
}

impl Payload<'_> {
    /// The hash that the signature is over.
    pub fn hash(&self) -> [u8; 32] {
        let written = borsh::to_vec(&(TAG, self));
        // Writing into memory does not fail.
        Sha256::digest(written.unwrap_or_default()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same in Python: `sha256(pack("<I", 2147484061) + s("hi") + bytes(32) + s("outlayer.near") + b"\0")`, `s` a string with
    /// its length in four bytes before it.
    #[test]
    fn the_hash_is_that_of_the_standard() {
        let payload = Payload {
            message: "hi",
            nonce: [0; 32],
            recipient: "outlayer.near",
            callback_url: None,
        };

        assert_eq!(
            hex::encode(payload.hash()),
            "85f4f16643e888ec4a26121d91b2b9510c728da9102f37da4107b3fe793caf5f"
        );
    }
}
