//! Workers' questions: whole, signed, fresh, and each asked once.
//!
//! The answer to a question is sealed to the key in it, so whoever repeats one gains nothing but our time; it is refused all the same.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use clients::near::PublicKey;
use near_crypto::Signature;
use protocol::AccountId;
use protocol::clock::{Clock, UnixMs};
use protocol::keystore::{QUESTION_HOLDS_MS, SignedUnlock, Unlock};
use protocol::secrets::Profile;

use crate::error::Error;

/// How many sessions are remembered while their questions hold.
const MOST: usize = 100_000;

/// A question that the key in it has signed.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) asked: Unlock,
    pub(crate) profile: Profile,
    pub(crate) worker: PublicKey,
    pub(crate) session: sealing::PublicKey,
    /// What was signed.
    pub(crate) bytes: Vec<u8>,
}

impl Question {
    /// Reads a question and checks its signature.
    pub(crate) fn read(signed: &SignedUnlock, contract_id: &AccountId) -> Result<Self, Error> {
        let bad = |field: &str| Error::BadRequest {
            code: "invalid_body",
            message: format!("{field} is not of the documented shape"),
        };
        let worker: PublicKey = signed.public_key.parse().map_err(|_| bad("public_key"))?;
        let signature: Signature = signed.signature.parse().map_err(|_| bad("signature"))?;
        let asked = signed.unlock.clone();
        let session = asked.session_key.parse().map_err(Error::Given)?;
        let profile = asked.secrets_ref.profile.parse();
        let profile = profile.map_err(|_| Error::OtherSecrets(asked.request_id))?;
        let bytes = asked.to_be_signed(contract_id);
        if !signature.verify(&bytes, &worker) {
            return Err(Error::BadSignature);
        }
        Ok(Self {
            asked,
            profile,
            worker,
            session,
            bytes,
        })
    }
}

/// The sessions that were used.
#[derive(Debug)]
pub(crate) struct Sessions {
    clock: Clock,
    /// Until when each is remembered.
    used: Mutex<HashMap<[u8; 32], UnixMs>>,
}

impl Sessions {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            used: Mutex::default(),
        }
    }

    /// Refuses a question that was signed too long ago, or will be.
    pub(crate) fn check_age(&self, question: &Question) -> Result<(), Error> {
        let age = self.clock.now_ms().abs_diff(question.asked.issued_ms);
        (age <= QUESTION_HOLDS_MS).then_some(()).ok_or(Error::Stale)
    }

    /// Uses up a known worker's session.
    pub(crate) fn take(&self, question: &Question) -> Result<(), Error> {
        let now = self.clock.now_ms();
        let until = question.asked.issued_ms.saturating_add(QUESTION_HOLDS_MS);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= MOST {
            used.retain(|_, until| *until >= now);
        }
        if used.len() >= MOST {
            return Err(Error::RateLimited);
        }
        match used.insert(*question.session.as_bytes(), until) {
            None => Ok(()),
            Some(_) => Err(Error::SessionUsed),
        }
    }
}
