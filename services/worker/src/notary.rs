//! Signs for this worker what it has built and what it asks, and believes another's build only if its key belongs to the operator.
//!
//! The cache between workers is the coordinator's, which is not trusted to say what a commit builds to. So a worker signs what
//! it built with a key of the operator's account, and the reader asks the chain whether that account has the key.

use std::collections::HashMap;
use std::sync::Mutex;

use clients::near::{At, Error, Node};
use near_crypto::{PublicKey, SecretKey, Signature};
use protocol::AccountId;
use protocol::artifact::{Build, SignedBuild};

/// Signs builds and checks signatures.
pub struct Notary {
    key: SecretKey,
    operator_id: AccountId,
    node: Node,
    /// Keys that the chain was asked about.
    known: Mutex<HashMap<PublicKey, bool>>,
}

impl std::fmt::Debug for Notary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notary")
            .field("public_key", &self.key.public_key())
            .field("operator_id", &self.operator_id)
            .finish_non_exhaustive()
    }
}

impl Notary {
    /// Signs with `key`, one of `operator_id`'s.
    pub fn new(key: SecretKey, operator_id: AccountId, node: Node) -> Self {
        Self {
            key,
            operator_id,
            node,
            known: Mutex::default(),
        }
    }

    /// The claim with this worker's signature.
    pub(crate) fn sign(&self, build: Build) -> SignedBuild {
        let (public_key, signature) = self.sign_bytes(&build.to_be_signed());
        SignedBuild {
            public_key,
            signature,
            build,
        }
    }

    /// This worker's key, and its signature over bytes that begin with the name of what they are.
    pub(crate) fn sign_bytes(&self, bytes: &[u8]) -> (String, String) {
        let signature = self.key.sign(bytes).to_string();
        (self.key.public_key().to_string(), signature)
    }

    /// Whether a key of the operator's made the signature.
    pub(crate) async fn vouches(&self, signed: &SignedBuild) -> bool {
        let (Ok(key), Ok(signature)) = (
            signed.public_key.parse::<PublicKey>(),
            signed.signature.parse::<Signature>(),
        ) else {
            return false;
        };
        signature.verify(&signed.build.to_be_signed(), &key) && self.is_operators(&key).await
    }

    async fn is_operators(&self, key: &PublicKey) -> bool {
        if *key == self.key.public_key() {
            return true;
        }
        let known = self
            .known
            .lock()
            .ok()
            .and_then(|known| known.get(key).copied());
        if let Some(known) = known {
            return known;
        }
        let has = match self
            .node
            .view_access_key(At::Final, &self.operator_id, key)
            .await
        {
            Ok(_) => true,
            Err(Error::UnknownKey { .. }) => false,
            Err(err) => {
                tracing::warn!("the operator's keys cannot be read: {err:#}");
                return false;
            }
        };
        if let Ok(mut known) = self.known.lock() {
            known.insert(key.clone(), has);
        }
        has
    }
}
