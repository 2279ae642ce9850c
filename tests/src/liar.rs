//! A coordinator that lies: what it answers is changed on the way to a worker.

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use tokio::process::Child;

use crate::Town;

/// Changes the body of an answer to a call of this path.
pub type Lie = Arc<dyn Fn(&str, Bytes) -> Bytes + Send + Sync>;

#[derive(Clone)]
struct Liar {
    coordinator: String,
    http: reqwest::Client,
    lie: Lie,
}

impl Town {
    /// A worker, as [`Town::worker`], whose coordinator lies to it.
    pub async fn worker_of_a_liar(&self, name: &str, lie: Lie) -> Result<Child> {
        let url = self.liar(lie).await?;
        let mut usual = self.platform.worker_command(name);
        usual.retain(|word| !word.starts_with("--coordinator="));
        usual.push(format!("--coordinator={url}"));
        self.start_worker(&usual, &[])
    }

    /// A coordinator that lies, for as long as the journey lasts; where it is.
    pub async fn liar(&self, lie: Lie) -> Result<String> {
        let liar = Liar {
            coordinator: self.platform.coordinator_url().to_owned(),
            http: reqwest::Client::new(),
            lie,
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(pass_on).with_state(liar);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(url)
    }
}

async fn pass_on(
    State(liar): State<Liar>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, StatusCode> {
    let asked = liar
        .http
        .request(method, format!("{}{uri}", liar.coordinator));
    let kept = [header::AUTHORIZATION, header::CONTENT_TYPE];
    let asked = kept
        .iter()
        .fold(asked, |asked, name| match headers.get(name) {
            Some(value) => asked.header(name, value),
            None => asked,
        });
    let gone = |_| StatusCode::BAD_GATEWAY;
    let answer = asked.body(body).send().await.map_err(gone)?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(gone)?;
    let mut response = Response::new(Body::from((liar.lie)(uri.path(), body)));
    *response.status_mut() = status;
    Ok(response)
}
