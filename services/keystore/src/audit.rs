//! Who asked for which secrets and what became of it, in the log under the target `audit`. Names of secrets and their values are never
//! in it.

use protocol::AccountId;
use protocol::keystore::Unlock;
use protocol::secrets::{Accessor, Profile};

use crate::error::Error;

/// What was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed<'a> {
    /// Secrets for a request.
    Unlock {
        /// On whose behalf.
        request_id: u64,
        /// The asking worker's key.
        worker: &'a str,
    },
    /// A key to seal to.
    PublicKey,
    /// Secrets that the keystore made.
    Generate,
    /// New values in place of old ones.
    Update,
}

/// Whose secrets, and which.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of<'a> {
    pub(crate) owner: &'a AccountId,
    pub(crate) accessor: &'a Accessor,
    pub(crate) profile: &'a Profile,
}

/// Writes a line.
pub(crate) fn tell<T>(deed: Deed<'_>, of: Of<'_>, outcome: &Result<T, Error>) {
    let outcome = match outcome {
        Ok(_) => "ok",
        Err(error) => error.wire().1,
    };
    let Of {
        owner,
        accessor,
        profile,
    } = of;
    let (deed, request_id, worker) = match deed {
        Deed::Unlock { request_id, worker } => ("unlock", Some(request_id), Some(worker)),
        Deed::PublicKey => ("public_key", None, None),
        Deed::Generate => ("generate", None, None),
        Deed::Update => ("update", None, None),
    };
    tracing::info!(target: "audit", deed, outcome, %owner, code = %accessor, %profile, request_id, worker);
}

/// Writes a line about a question that nobody signed. What it says of itself is anybody's word; only what cannot hold odd characters is told.
pub(crate) fn tell_unread(asked: &Unlock, error: &Error) {
    let outcome = error.wire().1;
    let owner = &asked.secrets_ref.account_id;
    let request_id = asked.request_id.0;
    tracing::info!(target: "audit", deed = "unlock", outcome, %owner, code = %asked.accessor, request_id);
}
