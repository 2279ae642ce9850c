//! A keystore on a localnet.

use std::sync::Arc;

use clients::near::sender::Settings;
use clients::near::{Node, Sender, Settings as NodeSettings, Status, Until};
use clients::outlayer::Contract;
use keystore::parts::{Chain, OperatorKeys};
use keystore::{Chance, Config, Keystore, Master, Parts};
use localnet::{Config as ChainConfig, Genesis, Server, ServerConfig, secret_key};
use near_primitives::action::{Action, DeployContractAction};
use near_primitives::types::{AccountId, Balance};
use protocol::clock::{SystemClock, TellTime as _};
use protocol::job::ErrorBody;
use protocol::keystore::{PubkeyAnswer, SignedUnlock, Unlock, Unlocked};
use protocol::request::SecretsReference;
use protocol::secrets::Accessor;
use protocol::{ArtifactHash, RequestId};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sealing::{Sealed, SecretKey, Secrets};
use serde::Serialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::contracts::answering;

const CONTRACT: &str = "outlayer.test";

/// A keystore, and a chain on which caller.test asks, as request 7, for alice.test's secrets.
pub(crate) struct Town {
    _server: Server,
    node: Node,
    keystore: Keystore,
    http: reqwest::Client,
    _folder: TempDir,
}

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn accessor() -> Accessor {
    Accessor::repo("alice/app", None).unwrap()
}

impl Town {
    pub(crate) async fn start() -> Self {
        let accounts = [
            CONTRACT,
            "operator.test",
            "caller.test",
            "token.test",
            "broken.test",
        ];
        let genesis = accounts
            .into_iter()
            .fold(Genesis::sandbox(0), |genesis, name| {
                genesis.with_account(&id(name), Balance::from_near(10_000))
            });
        let config = ServerConfig::over(ChainConfig::in_memory(genesis));
        let server = Server::start(config).await.unwrap();
        let settings = NodeSettings::new(vec![server.rpc_url().parse().unwrap()]);
        let node = Node::connect(&settings).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let master = Master::Setting("0123456789abcdef".repeat(4).into());
        let contract = Contract::new(node.clone(), id(CONTRACT));
        let parts = Parts {
            clock: SystemClock::shared(),
            chance: Chance::of_the_machine(),
            chain: Arc::new(Chain::new(contract)),
            workers: Arc::new(OperatorKeys::new(
                node.clone(),
                id("operator.test"),
                id(CONTRACT),
            )),
        };
        let config = Config::new(id(CONTRACT), master, folder.path());
        let town = Self {
            keystore: Keystore::start(config, parts).await.unwrap(),
            http: reqwest::Client::new(),
            _folder: folder,
            _server: server,
            node,
        };
        let views = [
            ("ft_balance_of", Some(json!("100"))),
            ("nft_token", Some(json!({"owner_id": "caller.test"}))),
            (
                "nft_tokens_for_owner",
                Some(json!([{"owner_id": "caller.test"}])),
            ),
            (
                "get_policy",
                Some(json!({"roles": [{"name": "council", "kind": {"Group": ["caller.test"]}}]})),
            ),
        ];
        town.deploy("token.test", answering(&views)).await;
        let broken = [("ft_balance_of", Some(json!({}))), ("get_policy", None)];
        town.deploy("broken.test", answering(&broken)).await;
        town
    }

    async fn deploy(&self, account: &str, code: Vec<u8>) {
        let settings = Settings {
            until: Until::Final,
            ..Settings::default()
        };
        let parts = clients::parts::Parts::of_the_machine();
        let keys = vec![secret_key(&id(account))];
        let sender = Sender::new(self.node.clone(), id(account), keys, parts, settings).unwrap();
        let deploy = Action::DeployContract(DeployContractAction { code });
        let outcome = sender.send(id(account), vec![deploy]).await.unwrap();
        assert!(
            matches!(outcome.status, Status::Succeeded(_)),
            "{outcome:?}"
        );
    }

    /// Stores alice's secrets under a condition, with a request that names them.
    async fn store(&self, access: &Value) {
        let ask = json!({"accessor": accessor(), "owner": "alice.test"});
        let key: PubkeyAnswer = self.post("pubkey", &ask).await.json().await.unwrap();
        let mut chance = StdRng::seed_from_u64(1);
        let key = key.pubkey.parse().unwrap();
        let sealed = sealing::seal(&key, br#"{"API_KEY":"k"}"#, &mut chance).unwrap();
        let source = json!({"GitHub": {"repo": "alice/app", "commit": "main"}});
        let request = json!({
            "request_id": 7,
            "data_id": vec![0; 32],
            "sender_id": "caller.test",
            "signer_id": "caller.test",
            "execution_source": source,
            "resolved_source": source,
            "resource_limits": {"max_instructions": 1, "max_memory_mb": 1, "max_execution_seconds": 1},
            "payment": "0",
            "timestamp": 0,
            "secrets_ref": {"profile": "default", "account_id": "alice.test"},
            "response_format": "Text",
            "attached_usd": "0",
        });
        let profile = json!({
            "encrypted_secrets": sealed.to_base64(),
            "access": access,
            "created_at": 0,
            "updated_at": 0,
            "storage_deposit": "0",
            "accessor": accessor(),
            "sealed_for": accessor(),
        });
        let views = [
            ("get_request", Some(request)),
            ("get_secrets", Some(profile)),
        ];
        self.deploy(CONTRACT, answering(&views)).await;
    }

    /// What request 7's guest gets under a condition.
    pub(crate) async fn unlock(&self, access: &Value) -> Result<Value, (u16, String)> {
        self.unlock_as("operator.test", access).await
    }

    /// The same, when the one who asks signs with a key of `account`.
    pub(crate) async fn unlock_as(
        &self,
        account: &str,
        access: &Value,
    ) -> Result<Value, (u16, String)> {
        self.store(access).await;
        self.ask(account).await
    }

    async fn ask(&self, account: &str) -> Result<Value, (u16, String)> {
        let session = SecretKey::random(&mut StdRng::from_os_rng());
        let unlock = Unlock {
            request_id: RequestId(7),
            secrets_ref: SecretsReference {
                profile: "default".into(),
                account_id: id("alice.test"),
            },
            accessor: accessor(),
            artifact: ArtifactHash::of(b"wasm"),
            session_key: session.public_key().to_string(),
            issued_ms: SystemClock.now_ms(),
        };
        let key = secret_key(&id(account));
        let signed = SignedUnlock {
            public_key: key.public_key().to_string(),
            signature: key.sign(&unlock.to_be_signed(&id(CONTRACT))).to_string(),
            unlock,
        };
        let response = self.post("decrypt", &signed).await;
        let status = response.status().as_u16();
        if status != 200 {
            let refused: ErrorBody = response.json().await.unwrap();
            return Err((status, refused.error));
        }
        let answer: Unlocked = response.json().await.unwrap();
        assert!(answer.block_height <= self.height().await);
        let plaintext = session.open(&Sealed::from_base64(&answer.sealed).unwrap());
        let secrets = Secrets::from_keystore_json(&plaintext.unwrap()).unwrap();
        Ok(serde_json::from_slice(&secrets.to_json()).unwrap())
    }

    async fn height(&self) -> u64 {
        let header = self.node.block_header(clients::near::At::Final).await;
        header.unwrap().height
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> reqwest::Response {
        let url = format!("{}/{path}", self.keystore.url());
        self.http.post(url).json(body).send().await.unwrap()
    }
}
