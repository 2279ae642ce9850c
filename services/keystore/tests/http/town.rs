//! A keystore with everything it needs, an owner and a worker.

use std::sync::Arc;

use clients::near::{KeyType, SecretKey};
use keystore::{Chance, Config, Keystore, Master, Parts};
use protocol::ArtifactHash;
use protocol::clock::{ManualClock, TellTime as _};
use protocol::job::ErrorBody;
use protocol::keystore::PubkeyAnswer;
use protocol::secrets::Accessor;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use reqwest::{Client, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::chain::Chain;
use crate::worker::Worker;

/// What the guests of these tests are.
pub(crate) const WASM: &[u8] = b"wasm";

/// A keystore on a chain.
pub(crate) struct Town {
    pub(crate) chain: Arc<Chain>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) keystore: Keystore,
    pub(crate) http: Client,
    config: Config,
    _folder: TempDir,
}

pub(crate) fn github() -> Value {
    let commit = "abcdef0123456789abcdef0123456789abcdef01";
    json!({"GitHub": {"repo": "https://github.com/alice/app.git", "commit": commit}})
}

/// The repository of [`github`], on a branch.
pub(crate) fn branch(name: &str) -> Accessor {
    Accessor::repo("alice/app", Some(name)).unwrap()
}

/// The repository of [`github`].
pub(crate) fn repo() -> Accessor {
    Accessor::repo("alice/app", None).unwrap()
}

pub(crate) fn module() -> Accessor {
    Accessor::WasmHash {
        hash: ArtifactHash::of(WASM),
    }
}

impl Town {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let master = Master::Setting("0123456789abcdef".repeat(4).into());
        let mut config = Config::new("outlayer.near".parse().unwrap(), master, folder.path());
        change(&mut config);
        let chain = Arc::new(Chain::default());
        let clock = ManualClock::at(1_761_566_400_000);
        let parts = parts(&chain, &clock);
        let keystore = Keystore::start(config.clone(), parts).await.unwrap();
        Self {
            chain,
            clock,
            keystore,
            http: Client::new(),
            config,
            _folder: folder,
        }
    }

    /// Drops the keystore where it stands and starts one on the same files.
    pub(crate) async fn crash(self) -> Self {
        drop(self.keystore);
        let parts = parts(&self.chain, &self.clock);
        let keystore = Keystore::start(self.config.clone(), parts).await.unwrap();
        Self { keystore, ..self }
    }

    /// A town in which caller.near asks, as request 7, for alice's secrets `{"API_KEY":"k"}` of her repository, and a worker.
    pub(crate) async fn with_request(access: Value) -> (Self, Worker) {
        let town = Self::start().await;
        let sealed = town.seal(&repo(), r#"{"API_KEY":"k"}"#).await;
        town.chain.facts().store(&repo(), &sealed, access);
        town.chain.facts().request(7, &github());
        let worker = town.worker();
        (town, worker)
    }

    /// A worker whose key the operator's account has.
    pub(crate) fn worker(&self) -> Worker {
        let key = SecretKey::from_seed(KeyType::ED25519, "worker");
        self.chain.facts().workers.insert(key.public_key());
        Worker { key }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// The key that alice seals to.
    pub(crate) async fn pubkey(&self, accessor: &Accessor) -> sealing::PublicKey {
        let ask = json!({"accessor": accessor, "owner": "alice.near"});
        let answer: PubkeyAnswer = self.ask("pubkey", &ask).await;
        answer.pubkey.parse().unwrap()
    }

    /// What alice seals for her code, in base64.
    pub(crate) async fn seal(&self, accessor: &Accessor, json: &str) -> String {
        let key = self.pubkey(accessor).await;
        let mut chance = StdRng::seed_from_u64(1);
        let sealed = sealing::seal(&key, json.as_bytes(), &mut chance);
        sealed.unwrap().to_base64()
    }

    pub(crate) async fn post(&self, path: &str, body: &impl Serialize) -> Response {
        let url = format!("{}/{path}", self.keystore.url());
        self.http.post(url).json(body).send().await.unwrap()
    }

    pub(crate) async fn ask<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> T {
        let response = self.post(path, body).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    /// The status and the code with which something is refused.
    pub(crate) async fn refused(&self, path: &str, body: &impl Serialize) -> (u16, String) {
        refusal(self.post(path, body).await).await
    }
}

fn parts(chain: &Arc<Chain>, clock: &Arc<ManualClock>) -> Parts {
    Parts {
        clock: clock.clone(),
        chance: Chance::seeded(9),
        chain: chain.clone(),
        workers: chain.clone(),
    }
}

pub(crate) async fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: ErrorBody = response.json().await.unwrap();
    (status, body.error)
}

/// A refusal as it is expected.
pub(crate) fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
