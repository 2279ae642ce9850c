//! A worker's question for the secrets of a request, from beginning to end.
//!
//! All that decides comes from the chain: the request, the sealed secrets, the condition. The worker is believed in what it is about to
//! execute, and in the branch that a commit is of.

mod code;

use protocol::keystore::{SignedUnlock, Unlocked};
use protocol::request::ExecutionRequest;
use protocol::secrets::{Accessor, SecretProfileView};
use sealing::{Sealed, Secrets, Seed, seal};

use crate::audit::{self, Deed, Of};
use crate::error::Error;
use crate::parts::Sight;
use crate::policy::Policy;
use crate::running::State;
use crate::sessions::Question;

/// Answers a question.
pub(crate) async fn unlock(state: &State, signed: &SignedUnlock) -> Result<Unlocked, Error> {
    let question = Question::read(signed, &state.contract_id)
        .inspect_err(|error| audit::tell_unread(&signed.unlock, error))?;
    let answer = answer(state, &question).await;
    let asked = &question.asked;
    let deed = Deed::Unlock {
        request_id: asked.request_id.0,
        worker: &question.worker.to_string(),
    };
    let of = Of {
        owner: &asked.secrets_ref.account_id,
        accessor: &asked.accessor,
        profile: &question.profile,
    };
    audit::tell(deed, of, &answer);
    answer
}

async fn answer(state: &State, question: &Question) -> Result<Unlocked, Error> {
    state.sessions.check_age(question)?;
    if !state.is_acquainted(&question.worker) {
        state.strangers.count(())?;
    }
    let asked = &question.asked;
    let owner = &asked.secrets_ref.account_id;
    let chain = &state.parts.chain;
    // None of them depends on another, and each is a call to a node.
    let (known, request, sight) = tokio::join!(
        state.parts.workers.knows(&question.worker),
        chain.request(asked.request_id),
        chain.profile(&asked.accessor, &question.profile, owner),
    );
    let known = known.map_err(Error::ChainUnavailable)?;
    state.acquaint(&question.worker, known);
    if !known {
        return Err(Error::NotAWorker);
    }
    state.per_worker.count(question.worker.clone())?;
    state.sessions.take(question)?;

    let request = request.map_err(Error::ChainUnavailable)?;
    let request = request.ok_or(Error::NoSuchRequest(asked.request_id))?;
    code::check(asked, &request)?;
    state.per_caller.count(request.sender_id.clone())?;

    let sight = sight.map_err(Error::ChainUnavailable)?;
    let profile = served(&asked.accessor, sight.value.as_ref())?;
    grant(state, &request, &sight, profile).await?;
    let secrets = open(state, question, profile)?;
    seal_to_session(state, question, &secrets, sight.block_height)
}

/// The profile that the contract says serves the accessor: its own, or its fallback's.
fn served<'a>(
    asked: &Accessor,
    found: Option<&'a SecretProfileView>,
) -> Result<&'a SecretProfileView, Error> {
    let profile = found.ok_or(Error::NoSuchProfile)?;
    let serves = match (&profile.accessor, asked) {
        // A project goes by two names, and which of them it is the contract knows.
        (Accessor::Project { .. }, Accessor::Project { .. }) => true,
        (accessor, asked) => accessor == asked || asked.fallback().as_ref() == Some(accessor),
    };
    serves.then_some(profile).ok_or(Error::NoSuchProfile)
}

async fn grant(
    state: &State,
    request: &ExecutionRequest,
    sight: &Sight<Option<SecretProfileView>>,
    profile: &SecretProfileView,
) -> Result<(), Error> {
    let policy = Policy {
        chain: state.parts.chain.as_ref(),
        block: sight.block_hash,
        caller: &request.sender_id,
    };
    let granted = policy.grants(&profile.access).await?;
    granted.then_some(()).ok_or(Error::Denied)
}

fn open(state: &State, question: &Question, profile: &SecretProfileView) -> Result<Secrets, Error> {
    let owner = &question.asked.secrets_ref.account_id;
    let seed = Seed::of(&profile.sealed_for, &question.profile, owner).map_err(Error::Stored)?;
    let sealed = Sealed::from_base64(&profile.encrypted_secrets).map_err(Error::Stored)?;
    let plaintext = state.master.secret_key(&seed).open(&sealed);
    let plaintext = plaintext.map_err(Error::Stored)?;
    Secrets::from_sealed_json(&plaintext, &state.master.mark_key(&seed)).map_err(Error::Stored)
}

fn seal_to_session(
    state: &State,
    question: &Question,
    secrets: &Secrets,
    block_height: u64,
) -> Result<Unlocked, Error> {
    let plaintext = secrets.to_json();
    let chance = &state.parts.chance;
    let sealed = chance.draw(|chance| seal(&question.session, &plaintext, chance));
    let sealed = sealed.map_err(Error::Stored)?.to_base64();
    let bytes = Unlocked::to_be_signed(&question.bytes, &sealed, block_height);
    Ok(Unlocked {
        sealed,
        block_height,
        public_key: state.signer.public_key(),
        signature: state.signer.sign(&bytes),
    })
}
