//! A tap: stands between two services and writes down every byte that passes, in either direction.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long somebody is waited for who must soon knock.
const PATIENCE: Duration = Duration::from_secs(30);

/// Listens on a port of its own and passes on what comes. Each direction of each connection has a file of its own, so that what was
/// written in one piece is found in one piece.
#[derive(Debug)]
pub struct Tap {
    url: String,
    in_vain: watch::Receiver<u64>,
    listening: JoinHandle<()>,
}

impl Tap {
    /// A tap before the service at `url`, which writes into `folder`.
    pub async fn before(url: &str, folder: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut here: Url = url.parse()?;
        let host = here.host_str().context("a service has a host")?;
        let port = here.port().context("a service has a port")?;
        let target = format!("{host}:{port}");
        here.set_port(Some(listener.local_addr()?.port()))
            .ok()
            .context("a service's address can have a port")?;
        let (knocks, in_vain) = watch::channel(0);
        let listening = listen(listener, target, folder, Arc::new(knocks));
        Ok(Self {
            url: here.as_str().trim_end_matches('/').to_owned(),
            in_vain,
            listening: tokio::spawn(listening),
        })
    }

    /// Where it listens, in the place of the service.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns when so many more connections have found nobody behind the tap.
    pub async fn until_in_vain(&self, more: u64) -> Result<()> {
        let mut in_vain = self.in_vain.clone();
        let enough = in_vain.borrow().saturating_add(more);
        let knocked = in_vain.wait_for(|count| *count >= enough);
        tokio::time::timeout(PATIENCE, knocked)
            .await
            .context("nobody knocks at a service that is away")??;
        Ok(())
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(
    listener: TcpListener,
    target: String,
    folder: PathBuf,
    knocks: Arc<watch::Sender<u64>>,
) {
    let mut number = 0_u64;
    while let Ok((caller, _)) = listener.accept().await {
        number = number.saturating_add(1);
        let tapes = ["there", "back"].map(|way| folder.join(format!("{number:05}.{way}")));
        let (target, knocks) = (target.clone(), knocks.clone());
        tokio::spawn(async move {
            match TcpStream::connect(&target).await {
                Ok(service) => pass(caller, service, tapes).await,
                // The caller's connection ends with nothing said.
                Err(_) => knocks.send_modify(|count| *count = count.saturating_add(1)),
            }
        });
    }
}

/// Passes on in both directions until one side is gone.
async fn pass(caller: TcpStream, service: TcpStream, [there, back]: [PathBuf; 2]) {
    let (from_caller, to_caller) = caller.into_split();
    let (from_service, to_service) = service.into_split();
    // What a side still has to say when the other is gone is of no use to anybody.
    let _ended = tokio::select! {
        ended = copy(from_caller, to_service, &there) => ended,
        ended = copy(from_service, to_caller, &back) => ended,
    };
}

/// What cannot be written down is not passed on.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, tape: &Path) -> Result<()> {
    let mut tape = File::create(tape)?;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        let said = piece.get(..length).unwrap_or_default();
        if said.is_empty() {
            return Ok(());
        }
        tape.write_all(said)?;
        to.write_all(said).await?;
    }
}
