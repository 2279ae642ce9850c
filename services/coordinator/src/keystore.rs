//! The way to the keystore. It takes bytes and brings bytes back: what passes through is read by nobody here, and never logged.
//!
//! No header of a caller goes along, for it may bear what is only meant for us; none of the keystore's comes back.

use std::fmt;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, Url};

use crate::error::Error;

/// The largest body, either way: the longest sealed secrets in base64, and what stands around them. Source: interface page, 5.
pub(crate) const MAX_BODY_BYTES: usize = (10 * 1024 * 1024_usize).div_ceil(3) * 4 + 1024 * 1024;

/// How long a call may take, from its first byte to the answer's last.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// How long it may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The keystore, if there is one.
pub(crate) struct Keystore {
    http: Client,
    base: Option<Url>,
}

/// What the keystore said.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// No more than the host is shown: the rest of an address may hold a password.
impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.base.as_ref().and_then(Url::host_str);
        write!(f, "Keystore({})", host.unwrap_or("none"))
    }
}

impl Keystore {
    pub(crate) fn new(base: Option<Url>) -> Result<Self, Error> {
        let is_odd = |url: &Url| !matches!(url.scheme(), "http" | "https");
        if base.as_ref().is_some_and(is_odd) {
            return Err(Error::KeystoreAddress("it is not an http address".into()));
        }
        let http = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .tcp_nodelay(true)
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|err| Error::KeystoreAddress(err.without_url().into()))?;
        Ok(Self { http, base })
    }

    /// Asks for what is at `path`.
    pub(crate) async fn get(&self, path: &str, query: Option<&str>) -> Result<Answer, Error> {
        answer(self.request(Method::GET, path, query)?).await
    }

    /// Passes `body` on to `path`.
    pub(crate) async fn post(&self, path: &str, body: Bytes) -> Result<Answer, Error> {
        let request = self.request(Method::POST, path, None)?;
        answer(request.header(CONTENT_TYPE, "application/json").body(body)).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        query: Option<&str>,
    ) -> Result<RequestBuilder, Error> {
        let mut url = self.base.clone().ok_or(Error::NoKeystore)?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(path);
        }
        url.set_query(query);
        Ok(self.http.request(method, url))
    }
}

async fn answer(request: RequestBuilder) -> Result<Answer, Error> {
    let mut response = request.send().await.map_err(unavailable)?;
    let status = response.status();
    if status.is_informational() || status.is_redirection() {
        return Err(broken(format!("it answered {status}")));
    }
    let body = read(&mut response).await?;
    Ok(Answer { status, body })
}

/// The whole body, if it is not too large.
async fn read(response: &mut Response) -> Result<Bytes, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len().saturating_add(chunk.len()) > MAX_BODY_BYTES {
            return Err(broken(format!("its answer is over {MAX_BODY_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

fn unavailable(err: reqwest::Error) -> Error {
    Error::KeystoreUnavailable(err.without_url().into())
}

fn broken(reason: String) -> Error {
    Error::KeystoreUnavailable(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_sealed_secrets_pass() {
        let around = MAX_BODY_BYTES.checked_sub(sealing::envelope::MAX_SEALED_TEXT);

        assert_eq!(around, Some(1024 * 1024));
    }

    #[test]
    fn an_address_that_is_not_http_is_refused_at_the_start() {
        for address in ["file:///etc", "data:text,x", "unix:/run/keystore"] {
            let refused = Keystore::new(Some(address.parse().unwrap()));

            assert!(
                matches!(refused, Err(Error::KeystoreAddress(_))),
                "{address}"
            );
        }
    }
}
