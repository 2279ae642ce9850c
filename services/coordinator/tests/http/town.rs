//! A coordinator with everything it needs, and a worker's way to talk to it.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use coordinator::ingest::Start;
use coordinator::parts::{Parts, ReadPricing, SourceError};
use coordinator::{Config, Coordinator};
use protocol::clock::ManualClock;
use protocol::job::{ErrorBody, Fence, Finish, Lease, Report};
use protocol::pricing::Pricing;
use protocol::public::JobView;
use protocol::response::ResourceMetrics;
use reqwest::{Client, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use crate::branches::Hosts;
use crate::chain::{BEFORE, Chain, contract};

/// A coordinator on a chain.
pub(crate) struct Town {
    pub(crate) chain: Arc<Chain>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) coordinator: Coordinator,
    pub(crate) http: Client,
    config: Config,
    folder: TempDir,
}

/// A worker that talks to the town's coordinator.
pub(crate) struct Worker {
    http: Client,
    url: String,
    token: String,
}

#[derive(Debug)]
struct UsualPrices;

#[async_trait]
impl ReadPricing for UsualPrices {
    async fn pricing(&self) -> Result<Pricing, SourceError> {
        Ok(Pricing::DEFAULT)
    }
}

impl Town {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(Arc::default(), change).await
    }

    /// A town on a chain that has been going on.
    pub(crate) async fn start_on(chain: Arc<Chain>, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(contract(), folder.path());
        config.ingest.start = Start::Height(BEFORE + 1);
        config.ingest.poll_ms = 1;
        config.ingest.retry_ms = 1;
        change(&mut config);
        let clock = ManualClock::at(1_761_566_400_000);
        let hosts = Arc::<Hosts>::default();
        let parts = parts(&chain, &clock, &hosts);
        let coordinator = Coordinator::start(config.clone(), parts).await.unwrap();
        Self {
            chain,
            clock,
            hosts,
            coordinator,
            http: Client::new(),
            config,
            folder,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Drops the coordinator where it stands and starts one on the same files.
    pub(crate) async fn crash(self) -> Self {
        let parts = self.parts();
        drop(self.coordinator);
        let coordinator = Coordinator::start(self.config.clone(), parts)
            .await
            .unwrap();
        Self {
            coordinator,
            ..self
        }
    }

    /// Stops the coordinator and starts one on the same files.
    pub(crate) async fn restart(self) -> Self {
        let parts = self.parts();
        self.coordinator.stop().await;
        let coordinator = Coordinator::start(self.config.clone(), parts)
            .await
            .unwrap();
        Self {
            coordinator,
            ..self
        }
    }

    pub(crate) fn parts(&self) -> Parts {
        parts(&self.chain, &self.clock, &self.hosts)
    }

    pub(crate) async fn worker(&self, name: &str) -> Worker {
        let token = self.coordinator.tokens().replace(name).await.unwrap();
        Worker {
            http: self.http.clone(),
            url: self.coordinator.url(),
            token: token.reveal().to_owned(),
        }
    }

    /// Adds a block in which the contract logged `lines`, and waits until it was read.
    pub(crate) async fn block(&self, lines: Vec<String>) {
        let height = self.chain.block(lines);
        self.coordinator.ingest().reached(height).await;
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let response = self.fetch(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn fetch(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.coordinator.url());
        self.http.get(url).send().await.unwrap()
    }

    pub(crate) async fn fetch_admin(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.coordinator.admin_url());
        self.http.get(url).send().await.unwrap()
    }

    pub(crate) async fn job(&self, request_id: u64) -> JobView {
        let path = format!("/public/jobs?request_id={request_id}");
        let [job] = self.get::<Vec<JobView>>(&path).await.try_into().unwrap();
        job
    }
}

fn parts(chain: &Arc<Chain>, clock: &Arc<ManualClock>, hosts: &Arc<Hosts>) -> Parts {
    Parts {
        clock: clock.clone(),
        blocks: chain.clone(),
        pricing: Arc::new(UsualPrices),
        branches: hosts.clone(),
    }
}

impl Worker {
    pub(crate) async fn post(&self, path: &str, body: &impl Serialize) -> Response {
        let url = format!("{}/worker/{path}", self.url);
        let request = self.http.post(url).bearer_auth(&self.token).json(body);
        request.send().await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: Vec<u8>) -> Response {
        let url = format!("{}/worker/{path}", self.url);
        let request = self.http.put(url).bearer_auth(&self.token).body(body);
        request.send().await.unwrap()
    }

    pub(crate) async fn put_json(&self, path: &str, body: &impl Serialize) -> Response {
        let url = format!("{}/worker/{path}", self.url);
        let request = self.http.put(url).bearer_auth(&self.token).json(body);
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let url = format!("{}/worker/{path}", self.url);
        let request = self.http.get(url).bearer_auth(&self.token);
        request.send().await.unwrap()
    }

    pub(crate) async fn lease_within(&self, wait_ms: u64) -> Option<Lease> {
        let ask = protocol::job::LeaseAsk { wait_ms };
        let response = self.post("lease", &ask).await;
        match response.status() {
            StatusCode::NO_CONTENT => None,
            _ => Some(response.json().await.unwrap()),
        }
    }

    pub(crate) async fn lease(&self) -> Option<Lease> {
        self.lease_within(0).await
    }

    /// What is said of a lease, without more than the fence.
    pub(crate) async fn say(&self, lease: &Lease, what: &str) -> Response {
        let fence = Fence { fence: lease.fence };
        self.post(&format!("jobs/{}/{what}", lease.job.id), &fence)
            .await
    }

    pub(crate) async fn finish(&self, lease: &Lease) -> Response {
        let finish = Finish {
            fence: lease.fence,
            report: Some(report()),
        };
        self.post(&format!("jobs/{}/finish", lease.job.id), &finish)
            .await
    }
}

fn report() -> Report {
    Report {
        success: true,
        error_type: None,
        resources_used: ResourceMetrics {
            instructions: 999,
            time_ms: 2,
            compile_time_ms: Some(40),
        },
        artifact: Some(protocol::ArtifactHash::of(b"wasm")),
        resolve_transaction: Some("resolved by".into()),
    }
}

/// A refusal's status and code.
pub(crate) async fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: ErrorBody = response.json().await.unwrap();
    (status, body.error)
}
