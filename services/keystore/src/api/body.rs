//! What a call brings, checked. What is wrong gets a stable code and a sentence that names the field, and never what stood in it: that
//! may be a secret in the wrong place.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use protocol::AccountId;
use protocol::keystore::{DEFAULT_PROFILE, SecretsJson};
use protocol::secrets::{Accessor, Profile};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use zeroize::Zeroizing;

use super::MAX_BODY_BYTES;
use crate::error::Error;
use crate::revise::Target;

/// Reads a body.
pub(super) fn read<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Error> {
    let body = body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Error::BodyTooLarge {
                cap_bytes: MAX_BODY_BYTES,
            };
        }
        bad("body_broken", "the body broke off".to_owned())
    })?;
    serde_json::from_slice(&body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let text = error.to_string();
        match error.classify() {
            // The name of a field is ours; all else that the error says may be the caller's.
            Category::Data if text.starts_with("missing field") => bad("invalid_body", text),
            Category::Data => bad(
                "invalid_body",
                format!("the body is not of the documented shape at {place}"),
            ),
            _ => bad("malformed_json", format!("the body is not JSON at {place}")),
        }
    })
}

/// Whose secrets, and which.
pub(super) fn target(
    accessor: &Value,
    owner: &str,
    profile: Option<&str>,
) -> Result<Target, Error> {
    let accessor = serde::Deserialize::deserialize(accessor);
    let accessor: Accessor =
        accessor.map_err(|error: serde_json::Error| bad("invalid_accessor", error.to_string()))?;
    Ok(Target {
        accessor,
        owner: self::owner(owner)?,
        profile: self::profile(profile)?,
    })
}

pub(super) fn owner(owner: &str) -> Result<AccountId, Error> {
    let read = owner.parse();
    read.map_err(|_| bad("invalid_owner", "owner is not an account".to_owned()))
}

pub(super) fn profile(profile: Option<&str>) -> Result<Profile, Error> {
    let read = profile.unwrap_or(DEFAULT_PROFILE).parse();
    read.map_err(|error: protocol::secrets::Error| bad("invalid_profile", error.to_string()))
}

/// The text of an object that is given as it is, or as a string.
pub(super) fn object(json: &SecretsJson) -> Result<Zeroizing<String>, Error> {
    let text = json.0.get();
    if !text.starts_with('"') {
        return Ok(Zeroizing::new(text.to_owned()));
    }
    serde_json::from_str(text)
        .map(Zeroizing::new)
        .map_err(|_| odd("secrets_json"))
}

pub(super) fn missing(field: &str) -> Error {
    bad("invalid_query", format!("{field} is missing"))
}

pub(super) fn odd(field: &str) -> Error {
    bad(
        "invalid_body",
        format!("{field} is not of the documented shape"),
    )
}

pub(super) const fn bad(code: &'static str, message: String) -> Error {
    Error::BadRequest { code, message }
}
