//! A town: the whole platform on free ports, with people in it who ask.
//!
//! A journey makes a town, lets alice ask something through the client contract or straight from her account, and looks at
//! what came of it: the answer, the money, what the coordinator shows.

mod answer;
mod contracts;
mod guests;
mod liar;
mod sandbox;
mod scan;
mod secrets;
mod tap;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clients::fastfs::{self, Upload};
use clients::near::outcome::Status;
use clients::near::{At, Call, Gas, Outcome, Sender};
use outlayer::platform::{Platform, Settings};
use protocol::{AccountId, NearToken};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

pub use answer::Answer;
pub use guests::Guest;
pub use liar::Lie;
pub use sandbox::Sandbox;
pub use scan::{Find, Findings, Scan};
pub use secrets::YOCTO;
pub use tap::Tap;

/// What a request carries unless a journey says otherwise.
pub const DEPOSIT: NearToken = NearToken::from_millinear(100);

/// How often a journey looks for what it waits for, [`STEP`] apart, before it gives up.
const PATIENCE: u32 = 3_000;

/// Between two looks.
const STEP: Duration = Duration::from_millis(20);

/// A town.
#[derive(Debug)]
pub struct Town {
    /// Everything in it.
    pub platform: Platform,
    alice: Arc<Sender>,
}

impl Town {
    /// A town with one worker.
    pub async fn new(program: &str) -> Result<Self> {
        Self::with(program, Settings::default()).await
    }

    /// A town whose requests nobody answers.
    pub async fn without_workers(program: &str) -> Result<Self> {
        let settings = Settings {
            concurrency: 0,
            ..Settings::default()
        };
        Self::with(program, settings).await
    }

    /// A town of the caller's making. `program` is the `outlayer` that guests and workers run in.
    pub async fn with(program: &str, settings: Settings) -> Result<Self> {
        let settings = Settings {
            program: Some(PathBuf::from(program)),
            ..settings
        };
        let platform = Platform::start(settings).await?;
        let alice = Arc::new(platform.sender(&platform.accounts.alice)?);
        Ok(Self { platform, alice })
    }

    /// A worker in a process of its own, which keeps its artifacts in the folder `name`; killed when dropped.
    pub fn worker(&self, name: &str, more: &[&str]) -> Result<Child> {
        self.start_worker(&self.platform.worker_command(name), more)
    }

    fn start_worker(&self, usual: &[String], more: &[&str]) -> Result<Child> {
        let worker = Command::new(self.platform.program()?)
            .args(usual)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        Ok(worker)
    }

    /// As [`Town::worker`], of a worker that the coordinator knows by that name.
    pub async fn another_worker(&self, name: &str, more: &[&str]) -> Result<Child> {
        let admin = self.platform.admin_url();
        let url = format!(
            "{}/admin/worker-tokens",
            admin.context("the coordinator is down")?
        );
        let asked = reqwest::Client::new().post(&url);
        let made: Value = asked
            .json(&json!({"worker_name": name}))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let token = made
            .get("token")
            .and_then(Value::as_str)
            .context("a token was made")?;
        let token = format!("--token={token}");
        let mut usual = self.platform.worker_command(name);
        usual.retain(|word| !word.starts_with("--token="));
        usual.push(token);
        self.start_worker(&usual, more)
    }

    /// Puts a guest's sources into a repository; the source that names its commit.
    pub async fn publish(&self, guest: Guest) -> Result<Value> {
        let repo = format!("acme/{}", guest.name());
        let files = guest.files()?;
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_slice()))
            .collect();
        let commit = self.platform.repositories.commit(&repo, &files).await?;
        Ok(json!({"GitHub": {"repo": format!("https://github.com/{repo}"), "commit": commit}}))
    }

    /// Alice asks, straight from her account; returns when the request has ended.
    pub async fn ask(&self, request: Value) -> Result<Answer> {
        self.ask_with(DEPOSIT, request).await
    }

    /// Alice asks with a deposit of her choice.
    pub async fn ask_with(&self, deposit: NearToken, request: Value) -> Result<Answer> {
        let call = Call::new(
            &self.platform.accounts.outlayer,
            "request_execution",
            &request,
        )?;
        self.send(call.with_deposit(deposit)).await
    }

    /// Somebody else asks, straight from their account.
    pub async fn ask_as(&self, account: &AccountId, request: &Value) -> Result<Answer> {
        let contract = &self.platform.accounts.outlayer;
        let call = Call::new(contract, "request_execution", request)?
            .with_deposit(DEPOSIT)
            .with_gas(Gas::from_teragas(300));
        let outcome = self.platform.sender(account)?.call(call).await?;
        self.answer_of(&outcome)
    }

    /// Alice asks through the client contract, which stores the answer.
    pub async fn ask_by_contract(&self, request: Value) -> Result<Answer> {
        let args = json!({"request": request});
        let call = Call::new(&self.platform.accounts.client, "ask", &args)?;
        self.send(call.with_deposit(DEPOSIT)).await
    }

    /// Alice asks in the background, for journeys that do something meanwhile.
    pub fn ask_meanwhile(&self, request: Value) -> tokio::task::JoinHandle<Result<Outcome>> {
        let alice = self.alice.clone();
        let contract = self.platform.accounts.outlayer.clone();
        tokio::spawn(async move {
            let call = Call::new(&contract, "request_execution", &request)?;
            Ok(alice
                .call(call.with_deposit(DEPOSIT).with_gas(Gas::from_teragas(300)))
                .await?)
        })
    }

    /// Reads the outcome of [`Town::ask_meanwhile`].
    pub fn answer_of(&self, outcome: &Outcome) -> Result<Answer> {
        Answer::read(&self.platform, outcome)
    }

    async fn send(&self, call: Call) -> Result<Answer> {
        let outcome = self
            .alice
            .call(call.with_gas(Gas::from_teragas(300)))
            .await?;
        Answer::read(&self.platform, &outcome)
    }

    /// The owner calls a method of the contract.
    pub async fn as_owner(&self, method: &str, args: Value) -> Result<Value> {
        self.as_account(&self.platform.accounts.outlayer, method, args)
            .await
    }

    /// An account calls a method of the contract.
    pub async fn as_account(
        &self,
        account: &AccountId,
        method: &str,
        args: Value,
    ) -> Result<Value> {
        let call = Call::new(&self.platform.accounts.outlayer, method, &args)?;
        let outcome = self.platform.sender(account)?.call(call).await?;
        match &outcome.status {
            Status::Succeeded(bytes) if bytes.is_empty() => Ok(Value::Null),
            Status::Succeeded(bytes) => Ok(serde_json::from_slice(bytes)?),
            other => anyhow::bail!("{method} ended with {other:?}"),
        }
    }

    /// A view of a contract.
    pub async fn view(&self, contract: &AccountId, method: &str, args: Value) -> Result<Value> {
        Ok(self.platform.node.view(contract, method, &args).await?)
    }

    /// What an account has.
    pub async fn balance(&self, account: &AccountId) -> Result<NearToken> {
        Ok(self
            .platform
            .node
            .view_account(At::Latest, account)
            .await?
            .value
            .amount)
    }

    /// The coordinator's answer to a `GET`, as JSON.
    pub async fn get(&self, path: &str) -> Result<Value> {
        get_json(self.platform.coordinator_url(), path).await
    }

    /// The answer to a `GET` where operators ask.
    pub async fn get_admin(&self, path: &str) -> Result<Value> {
        let url = self
            .platform
            .admin_url()
            .context("the coordinator is down")?;
        get_json(&url, path).await
    }

    /// How the coordinator says that a published guest was built.
    pub async fn recipe_of(&self, guest: Guest, source: &Value) -> Result<Value> {
        let commit = source.pointer("/GitHub/commit").and_then(Value::as_str);
        let commit = commit.context("the source names a commit")?;
        let name = guest.name();
        let path = format!("/public/wasm/info?repo_url=acme/{name}&commit_hash={commit}");
        let info = self.get(&path).await?;
        Ok(info.get("recipe").cloned().unwrap_or_default())
    }

    /// The files that an account has put on the chain, in order.
    pub async fn uploads_of(&self, owner: &AccountId) -> Result<Vec<Upload>> {
        let last = self.platform.node.block_header(At::Latest).await?.height;
        let feed = self.platform.localnet.feed_url();
        let mut uploads = Vec::new();
        for height in 1..=last {
            let block = get_json(&feed, &format!("/v0/block/{height}")).await?;
            for transaction in each(&block, "/shards", "/chunk/transactions") {
                let signer = transaction.pointer("/transaction/signer_id");
                if signer.and_then(Value::as_str) != Some(owner.as_str()) {
                    continue;
                }
                for action in each(transaction, "/transaction", "/actions") {
                    uploads.extend(upload(action)?);
                }
            }
        }
        Ok(uploads)
    }

    /// Returns when the coordinator has seen the chain settle every request it knows, at least `count` of them.
    pub async fn until_ended(&self, count: usize) -> Result<Vec<Value>> {
        let ended = |job: &Value| !job["payment_charged"].is_null();
        self.until_jobs(|jobs| jobs.len() >= count && jobs.iter().all(ended))
            .await
    }

    /// Returns when the coordinator has a job in this stage.
    pub async fn until_stage(&self, stage: &str) -> Result<Vec<Value>> {
        self.until_jobs(|jobs| jobs.iter().any(|job| job["stage"] == stage))
            .await
    }

    async fn until_jobs(&self, met: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>> {
        for _ in 0..PATIENCE {
            let jobs = self.get("/public/jobs?limit=100").await?;
            let jobs = jobs.as_array().cloned().unwrap_or_default();
            if met(&jobs) {
                return Ok(jobs);
            }
            tokio::time::sleep(STEP).await;
        }
        anyhow::bail!("the coordinator's jobs did not come to what was waited for")
    }

    /// Returns when the contract holds so many requests.
    pub async fn until_pending(&self, count: usize) -> Result<()> {
        let contract = &self.platform.accounts.outlayer;
        for _ in 0..PATIENCE {
            let pending = self
                .view(contract, "get_pending_request_ids", json!({}))
                .await?;
            if pending.as_array().is_some_and(|ids| ids.len() == count) {
                return Ok(());
            }
            tokio::time::sleep(STEP).await;
        }
        anyhow::bail!("the contract never held {count} requests")
    }

    /// Serves some bytes over HTTP for as long as the journey lasts; where they are.
    pub async fn serve(&self, bytes: Vec<u8>) -> Result<String> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/module.wasm", listener.local_addr()?);
        let router = axum::Router::new().fallback(async move || bytes.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(url)
    }

    /// Takes everything down.
    pub async fn close(self) {
        self.platform.stop().await;
    }
}

/// The members of the lists at `below` in each member of the list at `above`, or in the object that is there.
fn each<'a>(value: &'a Value, above: &str, below: &'a str) -> impl Iterator<Item = &'a Value> {
    let above = match value.pointer(above) {
        Some(Value::Array(members)) => members.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let lists = above.into_iter().filter_map(move |one| one.pointer(below));
    lists.filter_map(Value::as_array).flatten()
}

/// The upload that an action is, if it is one.
fn upload(action: &Value) -> Result<Option<Upload>> {
    let of = |name: &str| {
        let member = action.pointer(&format!("/FunctionCall/{name}"));
        member.and_then(Value::as_str).unwrap_or_default()
    };
    if of("method_name") != fastfs::METHOD {
        return Ok(None);
    }
    let args = STANDARD.decode(of("args"))?;
    Ok(Some(borsh::from_slice(&args)?))
}

async fn get_json(base: &str, path: &str) -> Result<Value> {
    let url = format!("{base}{path}");
    let response = reqwest::get(&url)
        .await
        .with_context(|| format!("GET {url}"))?;
    Ok(response.json().await?)
}
