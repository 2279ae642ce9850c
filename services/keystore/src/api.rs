//! The HTTP interface. The coordinator passes `/secrets/*` on to it and sees what is sealed and what is signed.

mod body;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Query, State as Shared};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::keystore::{
    GenerateAsk, Identity, PubkeyAnswer, PubkeyAsk, RevisedAnswer, SignedUnlock, Unlocked,
    UpdateAsk, Vouched,
};
use protocol::secrets::Accessor;
use sealing::envelope::MAX_SEALED_TEXT;
use serde::Deserialize;

use crate::error::Error;
use crate::revise::{self, Revised, SignedUpdate, Target};
use crate::running::State;
use crate::unlock;

/// The largest body: the longest sealed secrets, and what stands around them.
const MAX_BODY_BYTES: usize = MAX_SEALED_TEXT + 1024 * 1024;

type Answer<T> = Result<axum::Json<T>, Error>;

pub(crate) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/health", get(|| async { "OK" }))
        .route("/identity", get(identity))
        .route("/pubkey", get(pubkey_of_repo).post(pubkey))
        .route("/decrypt", post(decrypt))
        .route("/add_generated_secret", post(add_generated_secret))
        .route("/update_user_secrets", post(update_user_secrets))
        .fallback(|| async { Error::UnknownEndpoint })
        .method_not_allowed_fallback(|| async { Error::MethodNotAllowed })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(state)
}

async fn identity(Shared(state): Shared<Arc<State>>) -> axum::Json<Identity> {
    axum::Json(state.identity())
}

/// What is asked by the older spelling.
#[derive(Deserialize)]
struct OfRepo {
    repo: Option<String>,
    owner: Option<String>,
    branch: Option<String>,
}

async fn pubkey_of_repo(
    Shared(state): Shared<Arc<State>>,
    query: Result<Query<OfRepo>, QueryRejection>,
) -> Answer<PubkeyAnswer> {
    let Query(asked) = query.map_err(|_| {
        body::bad(
            "invalid_query",
            "each of repo, owner and branch stands once".to_owned(),
        )
    })?;
    let repo = asked.repo.ok_or_else(|| body::missing("repo"))?;
    let owner = asked.owner.ok_or_else(|| body::missing("owner"))?;
    let branch = asked.branch.filter(|branch| !branch.is_empty());
    let accessor = Accessor::repo(&repo, branch.as_deref());
    let target = Target {
        accessor: accessor.map_err(|error| body::bad("invalid_accessor", error.to_string()))?,
        owner: body::owner(&owner)?,
        profile: body::profile(None)?,
    };
    answer_pubkey(&state, target, None)
}

async fn pubkey(
    Shared(state): Shared<Arc<State>>,
    body: Result<Bytes, BytesRejection>,
) -> Answer<PubkeyAnswer> {
    let asked: PubkeyAsk = body::read(body)?;
    let target = body::target(&asked.accessor, &asked.owner, asked.profile.as_deref())?;
    let names_in = asked.secrets_json.as_ref().map(body::object).transpose()?;
    answer_pubkey(
        &state,
        target,
        names_in.as_ref().map(|json| json.as_bytes()),
    )
}

fn answer_pubkey(state: &State, target: Target, names_in: Option<&[u8]>) -> Answer<PubkeyAnswer> {
    let key = revise::public_key(state, &target, names_in)?.to_string();
    let said = target.of(&state.contract_id).key_to_be_signed(&key);
    Ok(axum::Json(PubkeyAnswer {
        accessor: target.accessor.typed(),
        owner: target.owner,
        pubkey: key,
        vouched: vouched(state, &said),
    }))
}

async fn decrypt(
    Shared(state): Shared<Arc<State>>,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Unlocked> {
    let signed: SignedUnlock = body::read(body)?;
    Ok(axum::Json(unlock::unlock(&state, &signed).await?))
}

async fn add_generated_secret(
    Shared(state): Shared<Arc<State>>,
    body: Result<Bytes, BytesRejection>,
) -> Answer<RevisedAnswer> {
    let asked: GenerateAsk = body::read(body)?;
    let target = body::target(&asked.accessor, &asked.owner, asked.profile.as_deref())?;
    let wanted = asked.new_secrets.into_iter().map(|wanted| {
        let generation = wanted.generation_type.parse().map_err(Error::Given)?;
        Ok((wanted.name, generation))
    });
    let wanted: Vec<_> = wanted.collect::<Result<_, Error>>()?;
    let sealed = asked.encrypted_secrets_base64.as_deref();
    let revised = revise::generate(&state, &target, sealed, &wanted)?;
    let given = sealed.unwrap_or_default();
    Ok(answer_revised(&state, &target, given, revised))
}

async fn update_user_secrets(
    Shared(state): Shared<Arc<State>>,
    body: Result<Bytes, BytesRejection>,
) -> Answer<RevisedAnswer> {
    let asked: UpdateAsk = body::read(body)?;
    let target = body::target(&asked.accessor, &asked.owner, asked.profile.as_deref())?;
    let key = asked.public_key.parse();
    let key = key.map_err(|_| body::odd("public_key"))?;
    let signature = revise::read_signature(&asked.signature, &key);
    let nonce = STANDARD.decode(&asked.nonce).ok();
    let update = SignedUpdate {
        mode: asked.mode,
        encrypted_secrets_base64: asked.encrypted_secrets_base64,
        expires_ms: asked.expires_ms,
        nonce: nonce
            .and_then(|nonce| nonce.try_into().ok())
            .ok_or_else(|| body::odd("nonce"))?,
        callback_url: asked.callback_url,
        public_key: key,
        signature: signature.ok_or_else(|| body::odd("signature"))?,
    };
    let revised = revise::update(&state, &target, &update).await?;
    let given = &update.encrypted_secrets_base64;
    Ok(answer_revised(&state, &target, given, revised))
}

fn answer_revised(
    state: &State,
    target: &Target,
    given: &str,
    revised: Revised,
) -> axum::Json<RevisedAnswer> {
    let sealed = revised.sealed.to_base64();
    let said = target
        .of(&state.contract_id)
        .revised_to_be_signed(given, &sealed);
    axum::Json(RevisedAnswer {
        encrypted_data_base64: sealed,
        all_keys: revised.names,
        accessor: target.accessor.typed(),
        vouched: vouched(state, &said),
    })
}

fn vouched(state: &State, said: &[u8]) -> Vouched {
    Vouched {
        public_key: state.signer.public_key(),
        signature: state.signer.sign(said),
    }
}
