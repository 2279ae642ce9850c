//! What is passed on to the keystore, byte for byte. It is sealed and signed between the far ends; nothing here reads it.

mod samples;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use protocol::keystore::{
    GenerateAsk, Identity, PubkeyAnswer, PubkeyAsk, RevisedAnswer, SignedUnlock, Unlocked,
    UpdateAsk,
};

use super::State;
use super::route::{Answer, Content, Required, Route};
use crate::error::Error;
use crate::keystore::{self, MAX_BODY_BYTES};

/// An error's status and code.
type Code = (u16, &'static str);

/// Of every call.
const KEYSTORE: &[Code] = &[(503, "no_keystore"), (503, "keystore_unavailable")];

/// Of a call that names whose secrets for which code.
const TARGET: &[Code] = &[
    (400, "invalid_accessor"),
    (400, "invalid_owner"),
    (400, "invalid_profile"),
];

/// Of a call with sealed secrets.
const SEALED: &[Code] = &[
    (400, "bad_base64"),
    (400, "secrets_cut_short"),
    (400, "secrets_too_large"),
    (400, "unknown_version"),
    (400, "does_not_open"),
];

/// Of a call with names and values.
const NAMES: &[Code] = &[
    (400, "malformed_secrets"),
    (400, "value_not_a_string"),
    (400, "duplicate_name"),
    (400, "nul_in_value"),
    (400, "empty_name"),
    (400, "name_too_long"),
    (400, "bad_name"),
    (400, "reserved_name"),
    (400, "protected_name"),
    (400, "not_generated"),
];

const GENERATE: &[Code] = &[
    (400, "not_protected_name"),
    (400, "name_taken"),
    (400, "too_many_generated"),
    (400, "unknown_generation"),
];

const UPDATE: &[Code] = &[
    (400, "bad_public_key"),
    (401, "bad_signature"),
    (401, "update_expired"),
    (403, "not_the_owner"),
    (404, "secrets_not_found"),
    (409, "nonce_used"),
    (429, "rate_limited"),
    (503, "chain_unavailable"),
];

const DECRYPT: &[Code] = &[
    (400, "bad_public_key"),
    (401, "bad_signature"),
    (401, "not_a_worker"),
    (401, "stale_question"),
    (403, "secrets_denied"),
    (403, "other_secrets"),
    (403, "other_code"),
    (403, "other_artifact"),
    (403, "not_for_guests"),
    (404, "secrets_not_found"),
    (404, "no_such_request"),
    (409, "session_used"),
    (422, "invalid_condition"),
    (429, "rate_limited"),
    (503, "condition_unanswered"),
    (503, "chain_unavailable"),
];

pub(super) fn routes() -> Vec<Route> {
    let key = || Content::json::<PubkeyAnswer>("PubkeyAnswer", &samples::pubkey_answer());
    let revised = || {
        let content = Content::json::<RevisedAnswer>("RevisedAnswer", &samples::revised_answer());
        Answer::of(content)
    };
    vec![
        Route::get("/secrets/pubkey", pubkey_of_repo, key())
            .says("The key that secrets for a repository are sealed to; the keystore's answer")
            .query("repo", Required::Yes, "the repository, in any spelling")
            .query("owner", Required::Yes, "whose secrets")
            .query("branch", Required::No, "for this branch alone")
            .errors(TARGET)
            .errors(KEYSTORE),
        passed_on(
            "/secrets/pubkey",
            Content::json::<PubkeyAsk>("PubkeyAsk", &samples::pubkey_ask()),
            Answer::of(key()),
        )
        .says("The key that secrets are sealed to, and whether their names may be given; the keystore's answer")
        .errors(TARGET)
        .errors(NAMES),
        passed_on(
            "/secrets/add_generated_secret",
            Content::json::<GenerateAsk>("GenerateAsk", &samples::generate_ask()),
            revised(),
        )
        .says("Generated secrets beside sealed ones; the keystore's answer")
        .errors(TARGET)
        .errors(SEALED)
        .errors(NAMES)
        .errors(GENERATE),
        passed_on(
            "/secrets/update_user_secrets",
            Content::json::<UpdateAsk>("UpdateAsk", &samples::update_ask()),
            revised(),
        )
        .says("New values for a stored profile, signed by its owner; the keystore's answer")
        .errors(TARGET)
        .errors(SEALED)
        .errors(NAMES)
        .errors(UPDATE),
        passed_on(
            "/secrets/decrypt",
            Content::json::<SignedUnlock>("SignedUnlock", &samples::signed_unlock()),
            Answer::of(Content::json::<Unlocked>("Unlocked", &samples::unlocked())),
        )
        .says("A request's secrets, sealed to the worker that signed the question; the keystore's answer")
        .errors(DECRYPT),
        Route::get(
            "/secrets/identity",
            identity,
            Content::json::<Identity>("Identity", &samples::identity()),
        )
        .says("Who the keystore says it is; whoever relies on that knows it by another way")
        .errors(KEYSTORE),
    ]
}

/// A `POST` whose body goes to the keystore.
fn passed_on(path: &'static str, body: Content, answer: Answer) -> Route {
    let handler = async move |Shared(state): Shared<Arc<State>>,
                              body: Result<Bytes, BytesRejection>| {
        let body = body.map_err(|rejection| body_refused(&rejection))?;
        let name = path.trim_start_matches("/secrets/");
        let answer = state.keystore.post(name, body).await?;
        Ok::<_, Error>(as_it_came(answer))
    };
    Route::post(path, handler, body, answer)
        .passes_on(MAX_BODY_BYTES)
        .errors(KEYSTORE)
}

async fn pubkey_of_repo(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let answer = state.keystore.get("pubkey", query.as_deref()).await?;
    Ok(as_it_came(answer))
}

async fn identity(Shared(state): Shared<Arc<State>>) -> Result<Response, Error> {
    let answer = state.keystore.get("identity", None).await?;
    Ok(as_it_came(answer))
}

fn as_it_came(answer: keystore::Answer) -> Response {
    let json = [(CONTENT_TYPE, "application/json")];
    (answer.status, json, answer.body).into_response()
}

fn body_refused(rejection: &BytesRejection) -> Error {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::BodyTooLarge {
            cap_bytes: u64::try_from(MAX_BODY_BYTES).unwrap_or(u64::MAX),
        },
        _ => Error::BodyBroken,
    }
}
