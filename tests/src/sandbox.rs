//! A node in a process of its own, started by the command lines of `near-sandbox`, with the contracts on it and our services
//! beside it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clients::events::Receipts;
use clients::near::outcome::Status;
use clients::near::{At, Call, Gas, Node, SecretKey, Sender, Settings, sender};
use clients::outlayer::Contract;
use clients::parts::Parts;
use coordinator::Coordinator;
use near_primitives::account::AccessKey;
use near_primitives::action::{
    Action, AddKeyAction, CreateAccountAction, DeployContractAction, FunctionCallAction,
    TransferAction,
};
use outlayer::args::{Compiling, Engine, Jail};
use outlayer::contracts::OUTLAYER;
use outlayer::repositories::Repositories;
use outlayer::services::{self, WorkerNeeds};
use protocol::clock::SystemClock;
use protocol::{AccountId, NearToken};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use worker::{LogSteps, Worker};

use super::Guest;

/// The account that a sandbox starts with.
const ROOT: &str = "test.near";

/// How long a node may take to answer for the first time.
const START: Duration = Duration::from_secs(30);

/// A node and what stands beside it.
#[derive(Debug)]
pub struct Sandbox {
    node: Node,
    contract_id: AccountId,
    key: SecretKey,
    coordinator: Coordinator,
    worker: Worker,
    repositories: Repositories,
    _process: Child,
    _folder: TempDir,
}

impl Sandbox {
    /// Starts `node_program` as a sandbox; `program` is the `outlayer` that guests run in.
    pub async fn start(node_program: &Path, program: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let home = folder.path().join("node");
        let (process, url) = start_node(node_program, &home).await?;
        let node = Node::connect(&Settings::new(vec![url.parse()?]))?;
        until_up(&node).await?;
        let key = validator_key(&home)?;
        let contract_id: AccountId = format!("outlayer.{ROOT}").parse()?;
        deploy(&node, &key, &contract_id).await?;
        let repositories = Repositories::in_folder(folder.path().join("repositories"));
        std::fs::create_dir_all(repositories.folder())?;
        let coordinator = start_coordinator(&node, &contract_id, folder.path()).await?;
        let token = coordinator
            .tokens()
            .create("worker-1")
            .await?
            .reveal()
            .to_owned();
        let parts = services::worker_parts(WorkerNeeds {
            config: worker::Config::new(
                contract_id.clone(),
                contract_id.clone(),
                folder.path().join("worker"),
            ),
            program: PathBuf::from(program),
            node: node.clone(),
            coordinator: coordinator.url().parse()?,
            token,
            keys: vec![key.clone()],
            repositories: Some(repositories.folder().to_owned()),
            engine: Engine::default(),
            jail: Jail::default(),
            compiling: Compiling::default(),
            keystore: None,
            watch: Arc::new(LogSteps),
            clock: SystemClock::shared(),
        })
        .await?;
        Ok(Self {
            worker: Worker::start(parts),
            node,
            contract_id,
            key,
            coordinator,
            repositories,
            _process: process,
            _folder: folder,
        })
    }

    /// The root account asks a guest of ours for something; what it gets.
    pub async fn ask(&self, guest: Guest, input: &str) -> Result<Value> {
        let files = guest.files()?;
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_slice()))
            .collect();
        let repo = format!("acme/{}", guest.name());
        let commit = self.repositories.commit(&repo, &files).await?;
        let request = json!({
            "source": {"GitHub": {"repo": format!("https://github.com/{repo}"), "commit": commit}},
            "input_data": input,
        });
        let call = Call::new(&self.contract_id, "request_execution", &request)?;
        let root = sender_of(&self.node, ROOT, &self.key)?;
        let outcome = root.call(call.with_deposit(super::DEPOSIT)).await?;
        Ok(outcome.value()?)
    }

    /// Takes everything down.
    pub async fn close(self) {
        self.worker.stop().await;
        self.coordinator.stop().await;
    }
}

/// `init` and `run`, as `near-sandbox` calls them; the address that the node listens on.
async fn start_node(program: &Path, home: &Path) -> Result<(Child, String)> {
    let init = Command::new(program)
        .arg("--home")
        .arg(home)
        .args(["init", "--fast"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .with_context(|| format!("start {}", program.display()))?;
    ensure!(
        init.success(),
        "{} init ended with {init}",
        program.display()
    );
    let (rpc, network) = (free_address()?, free_address()?);
    let process = Command::new(program)
        .arg("--home")
        .arg(home)
        .args(["run", "--rpc-addr", &rpc, "--network-addr", &network])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    Ok((process, format!("http://{rpc}")))
}

fn free_address() -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.to_string())
}

async fn until_up(node: &Node) -> Result<()> {
    let up = async {
        while node.block_header(At::Final).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(START, up)
        .await
        .context("the node does not answer")
}

fn validator_key(home: &Path) -> Result<SecretKey> {
    let file: Value = serde_json::from_slice(&std::fs::read(home.join("validator_key.json"))?)?;
    let key = file
        .get("secret_key")
        .or(file.get("private_key"))
        .and_then(Value::as_str);
    Ok(key.context("validator_key.json holds a key")?.parse()?)
}

fn sender_of(node: &Node, account: &str, key: &SecretKey) -> Result<Sender> {
    let settings = sender::Settings::default();
    Ok(Sender::new(
        node.clone(),
        account.parse()?,
        vec![key.clone()],
        Parts::of_the_machine(),
        settings,
    )?)
}

/// Makes the contract's account, with the root's key, and deploys to it; it is its own operator.
async fn deploy(node: &Node, key: &SecretKey, contract_id: &AccountId) -> Result<()> {
    let init = json!({"owner_id": contract_id, "operator_id": contract_id});
    let actions = vec![
        Action::CreateAccount(CreateAccountAction {}),
        Action::Transfer(TransferAction {
            deposit: NearToken::from_near(100),
        }),
        Action::AddKey(Box::new(AddKeyAction {
            public_key: key.public_key(),
            access_key: AccessKey::full_access(),
        })),
        Action::DeployContract(DeployContractAction {
            code: OUTLAYER.to_vec(),
        }),
        Action::FunctionCall(Box::new(FunctionCallAction {
            method_name: "new".into(),
            args: serde_json::to_vec(&init)?,
            gas: Gas::from_teragas(50),
            deposit: NearToken::from_yoctonear(0),
        })),
    ];
    let outcome = sender_of(node, ROOT, key)?
        .send(contract_id.clone(), actions)
        .await?;
    ensure!(
        matches!(outcome.status, Status::Succeeded(_)),
        "deploying ended with {:?}",
        outcome.status
    );
    Ok(())
}

async fn start_coordinator(
    node: &Node,
    contract_id: &AccountId,
    folder: &Path,
) -> Result<Coordinator> {
    let config = services::coordinator_config(contract_id, &folder.join("coordinator"));
    let limits = node.chain_limits().await?;
    let blocks = Arc::new(Receipts::new(node.clone(), contract_id.clone(), &limits));
    let contract = Contract::new(node.clone(), contract_id.clone());
    let parts = services::coordinator_parts(contract, blocks, None, SystemClock::shared())?;
    Ok(Coordinator::start(config, parts).await?)
}
