//! What a call brings, checked: whose token, which path, query and body. Whatever is wrong gets a stable code and a sentence
//! that names the field.

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::{MAX_BODY_BYTES, State};
use crate::error::Error;

/// A JSON body.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(Error))]
pub(super) struct Json<T>(pub(super) T);

/// The path's parameters.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Error))]
pub(super) struct Path<T>(pub(super) T);

/// The query's parameters.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Error))]
pub(super) struct Query<T>(pub(super) T);

/// The worker that calls.
pub(super) struct Caller(pub(super) String);

impl FromRequestParts<Arc<State>> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, Error> {
        parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .and_then(|token| state.tokens.worker_of(token.trim()))
            .map(Self)
            .ok_or(Error::NotAWorker)
    }
}

impl From<JsonRejection> for Error {
    fn from(rejection: JsonRejection) -> Self {
        let code = match &rejection {
            _ if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Self::BodyTooLarge {
                    cap_bytes: u64::try_from(MAX_BODY_BYTES).unwrap_or(u64::MAX),
                };
            }
            JsonRejection::JsonDataError(_) => "invalid_body",
            JsonRejection::JsonSyntaxError(_) => "malformed_json",
            JsonRejection::MissingJsonContentType(_) => "not_json",
            _ => return Self::BodyBroken,
        };
        Self::BadRequest {
            status: match rejection.status() {
                StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                _ => StatusCode::BAD_REQUEST,
            },
            code,
            message: rejection.body_text(),
        }
    }
}

impl From<QueryRejection> for Error {
    fn from(rejection: QueryRejection) -> Self {
        bad("invalid_query", rejection.body_text())
    }
}

impl From<PathRejection> for Error {
    fn from(rejection: PathRejection) -> Self {
        bad("invalid_path", rejection.body_text())
    }
}

/// 400 with a code.
pub(super) const fn bad(code: &'static str, message: String) -> Error {
    Error::BadRequest {
        status: StatusCode::BAD_REQUEST,
        code,
        message,
    }
}
