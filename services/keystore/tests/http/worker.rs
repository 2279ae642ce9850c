//! A worker that asks for secrets and opens the answer.

use clients::near::{PublicKey, SecretKey};
use near_crypto::Signature;
use protocol::ArtifactHash;
use protocol::keystore::{SignedUnlock, Unlock, Unlocked};
use protocol::request::SecretsReference;
use protocol::secrets::Accessor;
use sealing::{Sealed, Secrets};
use serde_json::Value;

use crate::town::{Town, WASM};

pub(crate) struct Worker {
    pub(crate) key: SecretKey,
}

/// The worker's half of a session.
pub(crate) fn session(number: u8) -> sealing::SecretKey {
    sealing::SecretKey::from_bytes([number; 32])
}

/// A question about request 7, in session 1.
pub(crate) fn question(town: &Town, accessor: &Accessor) -> Unlock {
    Unlock {
        request_id: protocol::RequestId(7),
        secrets_ref: SecretsReference {
            profile: "default".into(),
            account_id: "alice.near".parse().unwrap(),
        },
        accessor: accessor.clone(),
        artifact: ArtifactHash::of(WASM),
        session_key: session(1).public_key().to_string(),
        issued_ms: town.now_ms(),
    }
}

impl Worker {
    pub(crate) fn sign(&self, unlock: Unlock) -> SignedUnlock {
        let bytes = unlock.to_be_signed(&"outlayer.near".parse().unwrap());
        SignedUnlock {
            public_key: self.key.public_key().to_string(),
            signature: self.key.sign(&bytes).to_string(),
            unlock,
        }
    }

    /// What the guest of request 7 gets.
    pub(crate) async fn unlock(&self, town: &Town, accessor: &Accessor) -> Value {
        let signed = self.sign(question(town, accessor));
        let answer: Unlocked = town.ask("decrypt", &signed).await;
        serde_json::from_slice(&open(town, &signed, &answer).to_json()).unwrap()
    }

    /// With which status and code it gets nothing.
    pub(crate) async fn refused(&self, town: &Town, unlock: Unlock) -> (u16, String) {
        town.refused("decrypt", &self.sign(unlock)).await
    }
}

/// Opens an answer as a worker does: it must be the keystore's, to this question.
pub(crate) fn open(town: &Town, signed: &SignedUnlock, answer: &Unlocked) -> Secrets {
    let contract = "outlayer.near".parse().unwrap();
    let question = signed.unlock.to_be_signed(&contract);
    let bytes = Unlocked::to_be_signed(&question, &answer.sealed, answer.block_height);
    let key: PublicKey = town.keystore.identity().public_key.parse().unwrap();
    let signature: Signature = answer.signature.parse().unwrap();
    assert!(signature.verify(&bytes, &key));
    assert_eq!(answer.public_key, key.to_string());
    let sealed = Sealed::from_base64(&answer.sealed).unwrap();
    Secrets::from_keystore_json(&session(1).open(&sealed).unwrap()).unwrap()
}
