//! What passes through to the keystore and back.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use tokio::net::TcpListener;

use crate::town::{Town, refusal};

/// The largest body that passes.
const LARGEST: usize = (10 * 1024 * 1024_usize).div_ceil(3) * 4 + 1024 * 1024;

/// A call as it reached the keystore.
#[derive(Clone, Debug)]
struct Call {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

/// A keystore that remembers what it was asked, and answers what the test has it answer.
#[derive(Debug, Default)]
struct Fake {
    calls: Mutex<Vec<Call>>,
    answer: Mutex<(StatusCode, Bytes)>,
}

impl Fake {
    async fn start() -> (Arc<Self>, Url) {
        let fake = Arc::new(Self::default());
        let router = axum::Router::new()
            .fallback(|State(fake): State<Arc<Self>>, call: Call| async move { fake.hear(call) })
            .layer(DefaultBodyLimit::disable())
            .with_state(fake.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url_of(&listener);
        tokio::spawn(async { axum::serve(listener, router).await });
        (fake, url)
    }

    fn say(&self, status: StatusCode, body: impl Into<Bytes>) {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        *answer = (status, body.into());
    }

    fn calls(&self) -> Vec<Call> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clone()
    }

    fn hear(&self, call: Call) -> Response {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(call);
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = answer.clone();
        let headers = [
            (CONTENT_TYPE, "text/html"),
            (SET_COOKIE, "tracked=1"),
            (LOCATION, "http://127.0.0.1:1/"),
        ];
        (status, headers, body).into_response()
    }
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = BytesRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, BytesRejection> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let headers = request.headers().clone();
        Ok(Self {
            method,
            uri,
            headers,
            body: Bytes::from_request(request, state).await?,
        })
    }
}

fn url_of(listener: &TcpListener) -> Url {
    let address = listener.local_addr().unwrap();
    format!("http://{address}/keystore/").parse().unwrap()
}

async fn town_with(keystore: Option<Url>) -> Town {
    Town::start_with(|config| config.keystore = keystore).await
}

async fn post(town: &Town, path: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
    let url = format!("{}/secrets/{path}", town.coordinator.url());
    let request = town
        .http
        .post(url)
        .bearer_auth("a-token")
        .header(COOKIE, "a=b");
    request.body(body).send().await.unwrap()
}

#[tokio::test]
async fn bytes_pass_unchanged_both_ways_and_no_header_does() {
    let (keystore, url) = Fake::start().await;
    let town = town_with(Some(url)).await;
    keystore.say(StatusCode::IM_A_TEAPOT, &b"{\"error\": \"\xff\"}"[..]);

    for path in [
        "pubkey",
        "add_generated_secret",
        "update_user_secrets",
        "decrypt",
    ] {
        let response = post(&town, path, &b"{ \"odd\" :\xfe\0}"[..]).await;
        let headers = response.headers().clone();

        assert_eq!(response.status(), 418);
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        assert!(!headers.contains_key(SET_COOKIE) && !headers.contains_key(LOCATION));
        assert_eq!(
            response.bytes().await.unwrap(),
            &b"{\"error\": \"\xff\"}"[..]
        );
        let call = keystore.calls().pop().unwrap();
        assert_eq!(call.method, Method::POST);
        assert_eq!(call.uri.path(), format!("/keystore/{path}"));
        assert_eq!(call.body, &b"{ \"odd\" :\xfe\0}"[..]);
        assert_eq!(call.headers[CONTENT_TYPE], "application/json");
        assert!(!call.headers.contains_key(AUTHORIZATION) && !call.headers.contains_key(COOKIE));
    }
}

#[tokio::test]
async fn what_is_read_is_passed_on_with_its_query() {
    let (keystore, url) = Fake::start().await;
    let town = town_with(Some(url)).await;
    keystore.say(StatusCode::OK, "{}");

    let key = town
        .fetch("/secrets/pubkey?repo=a%2Fb&owner=alice.near&x=%00")
        .await;
    let identity = town.fetch("/secrets/identity?x=1").await;
    let nothing = refusal(town.fetch("/secrets/health").await).await;

    assert_eq!(
        (key.status(), identity.status()),
        (StatusCode::OK, StatusCode::OK)
    );
    assert_eq!(nothing, (404, "not_found".into()));
    let asked: Vec<_> = keystore
        .calls()
        .iter()
        .map(|call| call.uri.to_string())
        .collect();
    let query = "repo=a%2Fb&owner=alice.near&x=%00";
    assert_eq!(
        asked,
        [
            format!("/keystore/pubkey?{query}"),
            "/keystore/identity".into()
        ]
    );
}

#[tokio::test]
async fn the_longest_sealed_secrets_pass_and_what_is_longer_does_not() {
    let (keystore, url) = Fake::start().await;
    let town = town_with(Some(url)).await;
    let largest = Bytes::from(vec![b'x'; LARGEST]);
    let too_large = Bytes::from(vec![b'x'; LARGEST + 1]);

    keystore.say(StatusCode::OK, largest.clone());
    let passed = post(&town, "add_generated_secret", largest.clone()).await;
    let back = passed.bytes().await.unwrap();
    let refused = refusal(post(&town, "decrypt", too_large.clone()).await).await;
    keystore.say(StatusCode::OK, too_large);
    let broken = refusal(post(&town, "decrypt", "{}").await).await;

    assert!(back == largest);
    assert!(keystore.calls()[0].body == largest);
    assert_eq!(refused, (413, "body_too_large".into()));
    assert_eq!(broken, (503, "keystore_unavailable".into()));
    assert_eq!(keystore.calls().len(), 2);
}

#[tokio::test]
async fn a_keystore_that_is_not_there_is_told_from_one_that_does_not_answer() {
    let down = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = url_of(&down);
    drop(down);
    let without = town_with(None).await;
    let with = town_with(Some(address)).await;

    let none = refusal(post(&without, "decrypt", "{}").await).await;
    let none_to_read = refusal(without.fetch("/secrets/identity").await).await;
    let no_answer = refusal(post(&with, "decrypt", "{}").await).await;
    let none_read = refusal(with.fetch("/secrets/pubkey").await).await;

    assert_eq!((&none, none.0), (&none_to_read, 503));
    assert_eq!(none.1, "no_keystore");
    assert_eq!((&no_answer, no_answer.0), (&none_read, 503));
    assert_eq!(no_answer.1, "keystore_unavailable");
}

#[tokio::test]
async fn nobody_is_sent_elsewhere_and_a_call_that_breaks_off_is_no_answer() {
    let (keystore, url) = Fake::start().await;
    let town = town_with(Some(url)).await;
    let breaks_off = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = town_with(Some(url_of(&breaks_off))).await;
    tokio::spawn(async move { while breaks_off.accept().await.is_ok() {} });

    keystore.say(StatusCode::TEMPORARY_REDIRECT, "{}");
    let sent_on = refusal(post(&town, "decrypt", "{}").await).await;
    let broken = refusal(post(&other, "decrypt", "{}").await).await;

    assert_eq!(sent_on, (503, "keystore_unavailable".into()));
    assert_eq!(broken, (503, "keystore_unavailable".into()));
    assert_eq!(keystore.calls().len(), 1);
}

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_line_of_the_log_holds_what_passed() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (keystore, url) = Fake::start().await;
    let town = town_with(Some(url)).await;

    keystore.say(StatusCode::OK, "{\"answered\":\"in-confidence\"}");
    post(&town, "decrypt", "{\"asked\":\"in-confidence\"}").await;
    keystore.say(StatusCode::FOUND, "{\"answered\":\"in-confidence\"}");
    post(&town, "decrypt", "{\"asked\":\"in-confidence\"}").await;
    town.fetch("/secrets/pubkey?repo=in-confidence").await;

    let log = log.0.lock().unwrap_or_else(PoisonError::into_inner);
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains("keystore_unavailable"), "{log}");
    for line in log.lines().filter(|line| line.contains("coordinator")) {
        assert!(!line.contains("in-confidence"), "{line}");
    }
    assert!(
        !log.contains("asked\"") && !log.contains("answered\""),
        "{log}"
    );
}
