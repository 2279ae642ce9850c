//! Values that only the keystore has ever seen.

use std::str::FromStr;

use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::error::Error;

/// How many secrets one call generates at most. Source: interface page, 5.
pub const MAX_GENERATED: usize = 16;

/// How long a password is when nobody says.
const PASSWORD_LENGTH: usize = 32;

/// The shortest password and the longest.
const PASSWORD_LENGTHS: std::ops::RangeInclusive<usize> = 8..=128;

/// What passwords are made of: 64 characters, so that six bits choose one and none is likelier than another.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// So many random bytes, as twice as many hexadecimal digits: 16, 32 or 64.
    Hex(usize),
    /// An Ed25519 key pair as NEAR writes it: `ed25519:` and base58 of the seed and the public key.
    Ed25519,
    /// The seed of an Ed25519 key, 64 hexadecimal digits.
    Ed25519Seed,
    /// A password of so many characters.
    Password(usize),
}

impl FromStr for Generation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "hex16" => Ok(Self::Hex(16)),
            "hex32" => Ok(Self::Hex(32)),
            "hex64" => Ok(Self::Hex(64)),
            "ed25519" => Ok(Self::Ed25519),
            "ed25519_seed" => Ok(Self::Ed25519Seed),
            "password" => Ok(Self::Password(PASSWORD_LENGTH)),
            _ => text
                .strip_prefix("password:")
                .filter(|length| length.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|length| length.parse().ok())
                .filter(|length| PASSWORD_LENGTHS.contains(length))
                .map(Self::Password)
                .ok_or(Error::UnknownGeneration),
        }
    }
}

impl Generation {
    /// A new value.
    pub fn value(self, chance: &mut (impl CryptoRng + ?Sized)) -> Zeroizing<String> {
        match self {
            Self::Hex(bytes) => hex(bytes, chance),
            Self::Ed25519Seed => hex(32, chance),
            Self::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                chance.fill_bytes(seed.as_mut());
                let pair = Zeroizing::new(SigningKey::from_bytes(&seed).to_keypair_bytes());
                let written = Zeroizing::new(bs58::encode(pair.as_ref()).into_string());
                Zeroizing::new(["ed25519:", written.as_str()].concat())
            }
            Self::Password(length) => {
                let mut bytes = Zeroizing::new(vec![0; length]);
                chance.fill_bytes(bytes.as_mut());
                let chosen = bytes
                    .iter()
                    .filter_map(|byte| ALPHABET.get(usize::from(byte & 0x3f)));
                let mut password = Zeroizing::new(String::with_capacity(length));
                password.extend(chosen.map(|byte| char::from(*byte)));
                password
            }
        }
    }
}

fn hex(bytes: usize, chance: &mut (impl CryptoRng + ?Sized)) -> Zeroizing<String> {
    let mut random = Zeroizing::new(vec![0; bytes]);
    chance.fill_bytes(random.as_mut());
    Zeroizing::new(hex::encode(random.as_slice()))
}
