//! ECIES v1: `0x01 ‖ ephemeral X25519 key (32) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`, in base64 where it travels as text.
//!
//! The cipher is ChaCha20-Poly1305 without associated data, under HKDF-SHA256 of the shared secret without salt, with `INFO`.
//! Source: interface page, 5.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::AeadInPlace as _;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use crate::error::Error;

/// The version that is written, and the only one that is read.
const VERSION: u8 = 1;

/// What the cipher's key is derived for.
const INFO: &[u8] = b"outlayer-keystore-v1";

/// Bytes that sealing adds: version, ephemeral key, nonce, tag.
pub const OVERHEAD_BYTES: usize = 1 + 32 + 12 + 16;

/// The longest sealed form, in bytes. Source: interface page, 5: "at most 10 MB".
pub const MAX_SEALED_BYTES: usize = 10 * 1024 * 1024;

/// The longest sealed form as base64.
pub const MAX_SEALED_TEXT: usize = MAX_SEALED_BYTES.div_ceil(3) * 4;

/// A key to seal to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// A key that opens what was sealed to its public key.
pub struct SecretKey(StaticSecret);

/// What was sealed. Its form is right; whether it opens is for the key to say.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

/// Seals `plaintext`, so that only the key behind `to` opens it.
pub fn seal(
    to: &PublicKey,
    plaintext: &[u8],
    chance: &mut (impl CryptoRng + ?Sized),
) -> Result<Sealed, Error> {
    let length = plaintext.len().saturating_add(OVERHEAD_BYTES);
    if length > MAX_SEALED_BYTES {
        return Err(TOO_LARGE);
    }
    let ephemeral = SecretKey::random(chance);
    let mut nonce = [0; 12];
    chance.fill_bytes(&mut nonce);
    // What is encrypted in place is no secret any more when it is done, and the room is there from the start: no copy is left.
    let mut sealed = Vec::with_capacity(length);
    sealed.push(VERSION);
    sealed.extend_from_slice(&ephemeral.public_key().0);
    sealed.extend_from_slice(&nonce);
    let head = sealed.len();
    sealed.extend_from_slice(plaintext);
    let (_, body) = sealed.split_at_mut(head);
    let tag = ephemeral
        .cipher(to)
        .and_then(|cipher| {
            cipher
                .encrypt_in_place_detached((&nonce).into(), &[], body)
                .ok()
        })
        .ok_or(Error::BadPublicKey)?;
    sealed.extend_from_slice(&tag);
    Ok(Sealed(sealed))
}

const TOO_LARGE: Error = Error::TooLarge {
    cap_bytes: MAX_SEALED_BYTES,
};

impl PublicKey {
    /// The key in these bytes, unless it is one under which everybody could read.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, Error> {
        let key = Self(bytes);
        // Points of small order come to the same shared secret with every key: zero.
        let harmless = SecretKey::from_bytes([1; 32]).shared(&key).is_some();
        (harmless && key.is_canonical())
            .then_some(key)
            .ok_or(Error::BadPublicKey)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether the bytes are the one way to write this point. X25519 itself ignores the top bit and reduces the rest, so that an
    /// altered key would pass for the same.
    fn is_canonical(&self) -> bool {
        let [first, middle @ .., last] = &self.0;
        let reduced = *last < 0x7f || *first < 0xed || middle.iter().any(|byte| *byte != 0xff);
        *last <= 0x7f && reduced
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| Error::BadPublicKey)?;
        Self::from_bytes(bytes)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl SecretKey {
    /// A new key.
    pub fn random(chance: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        chance.fill_bytes(bytes.as_mut());
        Self::from_bytes(*bytes)
    }

    /// The key in these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(StaticSecret::from(bytes))
    }

    /// What others seal to.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(x25519_dalek::PublicKey::from(&self.0).to_bytes())
    }

    /// What was sealed to this key, if nobody altered it.
    pub fn open(&self, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Error> {
        let parts = sealed.parts().ok_or(Error::TooShort)?;
        let cipher = Some(parts.ephemeral)
            .filter(PublicKey::is_canonical)
            .and_then(|ephemeral| self.cipher(&ephemeral))
            .ok_or(Error::DoesNotOpen)?;
        let mut plaintext = Zeroizing::new(parts.ciphertext.to_vec());
        cipher
            .decrypt_in_place_detached(parts.nonce.into(), &[], &mut plaintext, parts.tag.into())
            .map_err(|_| Error::DoesNotOpen)?;
        Ok(plaintext)
    }

    fn shared(&self, other: &PublicKey) -> Option<x25519_dalek::SharedSecret> {
        let shared = self
            .0
            .diffie_hellman(&x25519_dalek::PublicKey::from(other.0));
        shared.was_contributory().then_some(shared)
    }

    fn cipher(&self, other: &PublicKey) -> Option<ChaCha20Poly1305> {
        let shared = self.shared(other)?;
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, shared.as_bytes())
            .expand(INFO, key.as_mut())
            .ok()?;
        Some(ChaCha20Poly1305::new((&*key).into()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public_key())
    }
}

struct Parts<'a> {
    ephemeral: PublicKey,
    nonce: &'a [u8; 12],
    ciphertext: &'a [u8],
    tag: &'a [u8; 16],
}

impl Sealed {
    /// Takes bytes of the right form.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        match bytes.first() {
            _ if bytes.len() > MAX_SEALED_BYTES => Err(TOO_LARGE),
            None => Err(Error::TooShort),
            Some(&VERSION) if bytes.len() < OVERHEAD_BYTES => Err(Error::TooShort),
            Some(&VERSION) => Ok(Self(bytes)),
            Some(other) => Err(Error::UnknownVersion(*other)),
        }
    }

    /// Reads base64 with padding.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_SEALED_TEXT {
            return Err(TOO_LARGE);
        }
        let bytes = STANDARD.decode(text).map_err(|_| Error::BadBase64)?;
        Self::from_bytes(bytes)
    }

    /// Base64 with padding.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.0)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn parts(&self) -> Option<Parts<'_>> {
        let (_, rest) = self.0.split_first()?;
        let (ephemeral, rest) = rest.split_first_chunk::<32>()?;
        let (nonce, rest) = rest.split_first_chunk::<12>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<16>()?;
        Some(Parts {
            ephemeral: PublicKey(*ephemeral),
            nonce,
            ciphertext,
            tag,
        })
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}
