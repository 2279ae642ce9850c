//! JSON-RPC over HTTP to one of several nodes.
//!
//! A question goes to the node that answered last; when that one is unavailable the next is asked. Transactions do not go
//! this way: who re-sends one must know which node may have it, so [`Node::ask`] asks one node and no other.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::{Error, Fault, Reached};
use crate::redact;

/// A node waits up to 10 s for a transaction; a client that gives up sooner learns less. Source: nearcore,
/// `rpc.polling_config.polling_timeout`.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Which nodes to ask, and how long to wait for an answer.
#[derive(Clone)]
pub struct Settings {
    /// The nodes, the best first.
    pub rpc_urls: Vec<Url>,
    /// How long one question may take.
    pub call_timeout: Duration,
}

impl Settings {
    /// One or several nodes, with the usual time-out.
    pub const fn new(rpc_urls: Vec<Url>) -> Self {
        Self {
            rpc_urls,
            call_timeout: CALL_TIMEOUT,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self.rpc_urls.iter().map(redact::address).collect();
        f.debug_struct("Settings")
            .field("rpc_urls", &shown)
            .field("call_timeout", &self.call_timeout)
            .finish()
    }
}

/// A NEAR node, or several that stand for each other. Cheap to clone.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    endpoints: Vec<Endpoint>,
    /// The one that answered last.
    preferred: AtomicUsize,
}

struct Endpoint {
    url: Url,
    shown: String,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.endpoints.iter().map(|endpoint| &endpoint.shown))
            .finish()
    }
}

#[derive(Serialize)]
struct Question<'a, P> {
    jsonrpc: &'static str,
    id: &'static str,
    method: &'static str,
    params: &'a P,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<Fault>,
}

impl Node {
    /// Makes ready to ask; no connection is made yet.
    pub fn connect(settings: &Settings) -> Result<Self, Error> {
        let endpoints: Vec<_> = settings
            .rpc_urls
            .iter()
            .map(|url| Endpoint {
                url: url.clone(),
                shown: redact::address(url),
            })
            .collect();
        if endpoints.is_empty() {
            return Err(Error::NoEndpoint);
        }
        let http = reqwest::Client::builder()
            .timeout(settings.call_timeout)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Error::Unavailable {
                endpoint: "the HTTP client".into(),
                reason: redact::reason(error),
                reached: Reached::No,
            })?;
        Ok(Self(Arc::new(Inner {
            http,
            endpoints,
            preferred: AtomicUsize::new(0),
        })))
    }

    /// How many nodes stand for each other.
    pub(super) fn endpoint_count(&self) -> usize {
        self.0.endpoints.len()
    }

    /// The node that answered last.
    pub(super) fn preferred(&self) -> usize {
        self.0.preferred.load(Ordering::Relaxed)
    }

    /// Asks the node that answered last, then the others in turn while nodes are unavailable.
    pub async fn call<P: Serialize + Sync, R: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &P,
    ) -> Result<R, Error> {
        let first = self.preferred();
        let mut last = Error::NoEndpoint;
        for step in 0..self.endpoint_count() {
            let at = first.wrapping_add(step);
            match self.ask(at, method, params).await {
                Err(error @ Error::Unavailable { .. }) => {
                    tracing::debug!(%error, method, "asking the next node");
                    last = error;
                }
                answered => {
                    self.prefer(at);
                    return answered;
                }
            }
        }
        Err(last)
    }

    fn prefer(&self, at: usize) {
        let index = at.checked_rem(self.endpoint_count()).unwrap_or(0);
        self.0.preferred.store(index, Ordering::Relaxed);
    }

    /// Asks node number `at`, counted round, and no other.
    pub(super) async fn ask<P: Serialize + Sync, R: DeserializeOwned>(
        &self,
        at: usize,
        method: &'static str,
        params: &P,
    ) -> Result<R, Error> {
        let index = at.checked_rem(self.endpoint_count()).unwrap_or(0);
        let endpoint = self.0.endpoints.get(index).ok_or(Error::NoEndpoint)?;
        let question = Question {
            jsonrpc: "2.0",
            id: "outlayer",
            method,
            params,
        };
        let (status, body) = self.post(endpoint, &question).await?;
        read(method, &endpoint.shown, status, &body)
    }

    async fn post<P: Serialize + Sync>(
        &self,
        endpoint: &Endpoint,
        question: &Question<'_, P>,
    ) -> Result<(StatusCode, bytes::Bytes), Error> {
        let body = serde_json::to_vec(question).map_err(Error::Arguments)?;
        let unavailable = |error: reqwest::Error| Error::Unavailable {
            endpoint: endpoint.shown.clone(),
            reached: if error.is_connect() {
                Reached::No
            } else {
                Reached::Maybe
            },
            reason: redact::reason(error),
        };
        let response = self
            .0
            .http
            .post(endpoint.url.clone())
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await
            .map_err(unavailable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unavailable)?;
        Ok((status, body))
    }
}

/// An error status may still carry the node's answer, and then the answer says more.
fn read<R: DeserializeOwned>(
    method: &'static str,
    endpoint: &str,
    status: StatusCode,
    body: &[u8],
) -> Result<R, Error> {
    let answer: Option<Answer<'_>> = serde_json::from_slice(body).ok();
    match answer {
        Some(Answer {
            error: Some(fault), ..
        }) => Err(fault.into_error(method, endpoint)),
        Some(Answer {
            result: Some(result),
            ..
        }) if status.is_success() => {
            serde_json::from_str(result.get()).map_err(|source| Error::Malformed {
                what: method.to_owned(),
                source,
            })
        }
        _ => Err(Error::Unavailable {
            endpoint: endpoint.to_owned(),
            reason: format!("HTTP status {status} without an answer"),
            reached: Reached::Maybe,
        }),
    }
}
