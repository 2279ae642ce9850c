//! The TEE agent's API, as far as it gives keys: JSON over HTTP on a Unix socket.

use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;
use zeroize::Zeroizing;

/// How long the agent may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer: a key and a few signatures.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What the agent's key is said to be for; it signs this together with the key.
const PURPOSE: &str = "outlayer-keystore";

/// Why the agent gave no key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nobody at the socket.
    #[error("nobody listens")]
    Unreachable(#[source] std::io::Error),
    /// It did not answer in time.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    TimedOut,
    /// It broke off.
    #[error("it broke off")]
    Http(#[source] hyper::Error),
    /// It refused.
    #[error("it refused with {0}")]
    Refused(StatusCode),
    /// Its answer is too long or broke off.
    #[error("its answer cannot be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its answer holds no key. What it holds is not told, for it may be half a key.
    #[error("its answer holds no key")]
    NoKey,
}

#[derive(Serialize)]
struct Question<'a> {
    path: &'a str,
    purpose: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    key: String,
}

/// The key of `path`, 64 hexadecimal digits. The agent derives it from a key of the application's, so it is the same after each start.
pub(super) async fn get_key(socket: &Path, path: &str) -> Result<Zeroizing<String>, Error> {
    let asked = tokio::time::timeout(PATIENCE, ask(socket, path));
    asked.await.map_err(|_| Error::TimedOut)?
}

async fn ask(socket: &Path, path: &str) -> Result<Zeroizing<String>, Error> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(Error::Unreachable)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(Error::Http)?;
    let question = Question {
        path,
        purpose: PURPOSE,
    };
    let body = serde_json::to_vec(&question).unwrap_or_default();
    let request = Request::post("/GetKey")
        .header("host", "dstack")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|source| Error::Unreadable(source.into()))?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(Error::Http)?;
        if !response.status().is_success() {
            return Err(Error::Refused(response.status()));
        }
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect();
        let body = body.await.map_err(Error::Unreadable)?.to_bytes();
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| Error::NoKey)?;
        Ok(Zeroizing::new(answer.key))
    };
    // The connection does the work while the answer is waited for, and is dropped with it.
    tokio::select! {
        answer = answered => answer,
        never = drive(connection) => match never {},
    }
}

async fn drive(
    connection: impl Future<Output = Result<(), hyper::Error>>,
) -> std::convert::Infallible {
    // How a connection ends, the one who asks sees by himself.
    let _ = connection.await;
    std::future::pending().await
}
