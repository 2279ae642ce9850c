//! The key that answers are signed with. Workers know it, so that nobody on the way can answer in our place.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey};
use sealing::MasterKey;

/// Signs answers.
pub(crate) struct Signer(SigningKey);

impl Signer {
    /// The key that follows from the master key.
    pub(crate) fn of(master: &MasterKey) -> Self {
        Self(SigningKey::from_bytes(&master.identity()))
    }

    /// As NEAR writes it.
    pub(crate) fn public_key(&self) -> String {
        let key = self.0.verifying_key();
        format!("ed25519:{}", bs58::encode(key.as_bytes()).into_string())
    }

    /// A signature, as NEAR writes it.
    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        let signature = self.0.sign(bytes).to_bytes();
        format!("ed25519:{}", bs58::encode(signature).into_string())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public_key())
    }
}
