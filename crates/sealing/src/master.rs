//! The master key. Every other key is an HMAC under it, so that nothing else need be kept.

use std::fmt;

use hmac::{Hmac, Mac as _};
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::envelope::{PublicKey, SecretKey};
use crate::error::Error;
use crate::mark::MarkKey;
use crate::seed::Seed;

/// Before a seed, for the keys that secrets are sealed to. Source: interface page, 5.
const ECIES: &str = "ecies:";

/// Before a seed, for the keys that mark generated secrets.
const GENERATED: &str = "generated:";

/// For the key that a keystore signs its answers with.
const IDENTITY: &str = "identity";

/// The key that all others come from.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// A new key.
    pub fn random(chance: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        chance.fill_bytes(bytes.as_mut());
        Self(bytes)
    }

    /// The key in these bytes. One byte 32 times is no key but a mistake.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Result<Self, Error> {
        let alike = bytes.windows(2).all(|pair| pair.first() == pair.last());
        (!alike).then_some(Self(bytes)).ok_or(Error::BadMasterKey)
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text, bytes.as_mut()).map_err(|_| Error::BadMasterKey)?;
        Self::from_bytes(bytes)
    }

    /// What opens secrets of this seed.
    pub fn secret_key(&self, seed: &Seed) -> SecretKey {
        SecretKey::from_bytes(*self.derive(&[ECIES, seed.as_str()]))
    }

    /// What secrets of this seed are sealed to.
    pub fn public_key(&self, seed: &Seed) -> PublicKey {
        self.secret_key(seed).public_key()
    }

    /// What marks generated secrets of this seed.
    pub fn mark_key(&self, seed: &Seed) -> MarkKey {
        MarkKey::new(self.derive(&[GENERATED, seed.as_str()]))
    }

    /// The secret half of the Ed25519 key that a keystore signs its answers with.
    pub fn identity(&self) -> Zeroizing<[u8; 32]> {
        self.derive(&[IDENTITY])
    }

    fn derive(&self, text: &[&str]) -> Zeroizing<[u8; 32]> {
        let mut mac = keyed(&self.0);
        for part in text {
            mac.update(part.as_bytes());
        }
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

/// HMAC under a key. It pads a key to a block with zeros; done here, there is no length left that could be wrong.
pub(crate) fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; 64]);
    for (padded, byte) in block.iter_mut().zip(key) {
        *padded = *byte;
    }
    Hmac::new((&*block).into())
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}
