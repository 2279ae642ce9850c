//! Requests to the coordinator and their answers.

use std::fmt;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::error::Error;
use crate::redact;

/// How long a call may take that waits for nothing.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// How long it may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What is added to the wait of a long poll before it counts as stalled.
const GRACE: Duration = Duration::from_secs(10);

/// The coordinator, and who asks.
#[derive(Clone)]
pub(super) struct Transport {
    http: reqwest::Client,
    base: Url,
    shown: String,
    token: Option<String>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Transport {
    pub(super) fn new(base: &Url, token: Option<String>) -> Result<Self, Error> {
        let refused = |reason: &str| Error::Address {
            reason: reason.to_owned(),
        };
        if base.cannot_be_a_base() {
            return Err(refused("it is not an http address"));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| refused(&redact::reason(error)))?;
        Ok(Self {
            http,
            base: base.clone(),
            shown: redact::address(base),
            token,
        })
    }

    /// A request to a path, each segment of which is escaped.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let request = self.http.request(method, url).timeout(CALL_TIMEOUT);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// How long a call may take that waits for `wait` at the coordinator.
    pub(super) const fn patience(wait: Duration) -> Duration {
        wait.saturating_add(GRACE)
    }

    /// Sends a request; a refusal becomes an error with its code.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
    ) -> Result<(StatusCode, bytes::Bytes), Error> {
        let unavailable = |error| Error::Unavailable {
            address: self.shown.clone(),
            reason: redact::reason(error),
        };
        let response = request.send().await.map_err(unavailable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unavailable)?;
        if status.is_success() {
            return Ok((status, body));
        }
        Err(Error::refused(status, &body))
    }

    /// Sends a request whose answer is JSON.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, Error> {
        let (_, body) = self.send(request).await?;
        parse(&body)
    }

    /// Sends a request whose answer says no more than that it is done.
    pub(super) async fn done(&self, request: RequestBuilder) -> Result<(), Error> {
        self.send(request).await.map(|_| ())
    }
}

/// Reads JSON.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Malformed {
        reason: error.to_string(),
    })
}

/// Turns a refusal for want of the thing into nothing.
pub(super) fn or_nothing<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Error::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
