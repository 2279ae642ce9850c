//! The keystore as a worker sees it: questions that it signs, answers that only it can open.
//!
//! Both pass through the coordinator, which is believed in nothing. Every question has a key of its own, to which the answer is sealed;
//! the answer is signed over the question by the key that this worker was told is the keystore's.

use std::sync::{Mutex, PoisonError};

use clients::coordinator::{Error as CallError, Public};
use near_crypto::{PublicKey, Signature};
use protocol::clock::Clock;
use protocol::keystore::{SignedUnlock, Unlock, Unlocked};
use protocol::request::SecretsReference;
use protocol::secrets::Accessor;
use protocol::{AccountId, ArtifactHash, RequestId};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sealing::{Sealed, SecretKey, Secrets};

use crate::notary::Notary;

/// Asks the keystore.
pub struct Vault {
    line: Public,
    keystore: PublicKey,
    clock: Clock,
    chance: Mutex<StdRng>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("keystore", &self.keystore)
            .finish_non_exhaustive()
    }
}

/// Why there are no secrets.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The keystore refused, or cannot be reached.
    #[error(transparent)]
    Call(#[from] CallError),
    /// What answered is not the keystore.
    #[error("the answer is not signed by the keystore over the question")]
    Forged,
    /// The answer does not open.
    #[error("the answer cannot be opened: {0}")]
    Sealed(#[from] sealing::Error),
}

impl Vault {
    /// Asks through the coordinator on `line`, and believes what `keystore` has signed. Keys are drawn from `chance`.
    pub fn new(line: Public, keystore: PublicKey, clock: Clock, chance: StdRng) -> Self {
        Self {
            line,
            keystore,
            clock,
            chance: Mutex::new(chance),
        }
    }

    /// With the machine's own chance.
    pub fn of_the_machine(line: Public, keystore: PublicKey, clock: Clock) -> Self {
        Self::new(line, keystore, clock, StdRng::from_os_rng())
    }

    /// The secrets of a request, for the code that is about to run.
    pub async fn unlock(
        &self,
        asker: &Asker<'_>,
        secrets_ref: &SecretsReference,
        accessor: &Accessor,
    ) -> Result<Secrets, Refusal> {
        let session = self.new_session();
        let unlock = Unlock {
            request_id: asker.request_id,
            secrets_ref: secrets_ref.clone(),
            accessor: accessor.clone(),
            artifact: asker.artifact,
            session_key: session.public_key().to_string(),
            issued_ms: self.clock.now_ms(),
        };
        let question = unlock.to_be_signed(asker.contract_id);
        let (public_key, signature) = asker.notary.sign_bytes(&question);
        let signed = SignedUnlock {
            unlock,
            public_key,
            signature,
        };
        let answer = self.line.unlock(&signed).await?;
        self.open(&question, &session, &answer)
    }

    fn open(
        &self,
        question: &[u8],
        session: &SecretKey,
        answer: &Unlocked,
    ) -> Result<Secrets, Refusal> {
        let said = Unlocked::to_be_signed(question, &answer.sealed, answer.block_height);
        let signature: Signature = answer.signature.parse().map_err(|_| Refusal::Forged)?;
        if !signature.verify(&said, &self.keystore) {
            return Err(Refusal::Forged);
        }
        let plaintext = session.open(&Sealed::from_base64(&answer.sealed)?)?;
        Ok(Secrets::from_keystore_json(&plaintext)?)
    }

    /// A key for one question.
    fn new_session(&self) -> SecretKey {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        SecretKey::random(&mut *chance)
    }
}

/// On whose behalf, and as whom, is asked.
#[derive(Debug)]
pub struct Asker<'a> {
    /// The contract that holds the request.
    pub contract_id: &'a AccountId,
    /// Signs.
    pub notary: &'a Notary,
    /// The pending request.
    pub request_id: RequestId,
    /// What is about to be executed.
    pub artifact: ArtifactHash,
}
