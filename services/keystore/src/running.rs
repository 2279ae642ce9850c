//! A keystore that runs: its parts put together, its listener, and how it stops.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clients::near::PublicKey;
use protocol::AccountId;
use protocol::keystore::Identity;
use sealing::MasterKey;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api;
use crate::audit::Deed;
use crate::config::Config;
use crate::error::Error;
use crate::limiter::Limiter;
use crate::nonces::Nonces;
use crate::parts::Parts;
use crate::sessions::Sessions;
use crate::signer::Signer;

/// How long running calls have to end when the keystore stops.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) contract_id: AccountId,
    pub(crate) recipient: String,
    pub(crate) parts: Parts,
    pub(crate) master: MasterKey,
    pub(crate) signer: Signer,
    pub(crate) sessions: Sessions,
    pub(crate) nonces: Arc<Nonces>,
    pub(crate) strangers: Limiter<()>,
    pub(crate) per_worker: Limiter<PublicKey>,
    pub(crate) per_caller: Limiter<AccountId>,
    per_owner: [Limiter<AccountId>; 3],
    /// The keys that were workers' when they last asked.
    acquainted: Mutex<HashSet<PublicKey>>,
}

impl State {
    async fn open(config: &Config, parts: Parts) -> Result<Self, Error> {
        let master = config.master.fetch().await?;
        let clock = || parts.clock.clone();
        let limits = config.limits;
        Ok(Self {
            contract_id: config.contract_id.clone(),
            recipient: config.recipient.clone(),
            signer: Signer::of(&master),
            master,
            sessions: Sessions::new(clock()),
            nonces: Arc::new(Nonces::open(&config.nonces, clock())?),
            strangers: Limiter::new(clock(), limits.strangers),
            per_worker: Limiter::new(clock(), limits.per_worker),
            per_caller: Limiter::new(clock(), limits.per_caller),
            per_owner: [(); 3].map(|()| Limiter::new(clock(), limits.per_owner)),
            acquainted: Mutex::default(),
            parts,
        })
    }

    /// Counts a call about an owner's secrets.
    pub(crate) fn count(&self, deed: Deed<'_>, owner: &AccountId) -> Result<(), Error> {
        let [keys, generated, updates] = &self.per_owner;
        let limiter = match deed {
            Deed::PublicKey => keys,
            Deed::Generate => generated,
            Deed::Update => updates,
            Deed::Unlock { .. } => &self.per_caller,
        };
        limiter.count(owner.clone())
    }

    /// Whether a key was a worker's when it last asked. It may not be one any more.
    pub(crate) fn is_acquainted(&self, key: &PublicKey) -> bool {
        let acquainted = self.acquainted.lock();
        acquainted
            .unwrap_or_else(PoisonError::into_inner)
            .contains(key)
    }

    /// Keeps in mind whether a key is a worker's.
    pub(crate) fn acquaint(&self, key: &PublicKey, known: bool) {
        let acquainted = self.acquainted.lock();
        let mut acquainted = acquainted.unwrap_or_else(PoisonError::into_inner);
        if known {
            acquainted.insert(key.clone());
        } else {
            acquainted.remove(key);
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity {
            public_key: self.signer.public_key(),
            contract_id: self.contract_id.clone(),
        }
    }
}

/// A running keystore. Dropping it stops its work where it is; [`Keystore::stop`] lets calls end first.
#[derive(Debug)]
pub struct Keystore {
    address: SocketAddr,
    state: Arc<State>,
    stop: CancellationToken,
    kill: CancellationToken,
    tasks: TaskTracker,
}

impl Keystore {
    /// Fetches the master key, reads the used nonces, and listens.
    pub async fn start(config: Config, parts: Parts) -> Result<Self, Error> {
        let state = Arc::new(State::open(&config, parts).await?);
        let failed = |source| Error::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stop = CancellationToken::new();
        let running = Self {
            address,
            state: state.clone(),
            stop: stop.clone(),
            kill: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let served = axum::serve(listener, api::router(state))
            .with_graceful_shutdown(stop.cancelled_owned());
        let kill = running.kill.clone();
        running.tasks.spawn(async move {
            tokio::select! {
                served = served => if let Err(err) = served {
                    tracing::error!(error = %err, "the listener failed");
                },
                () = kill.cancelled() => {}
            }
        });
        tracing::info!(%address, identity = running.state.signer.public_key(), "the keystore is up");
        Ok(running)
    }

    /// Where it is called.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// [`Keystore::address`] as a URL without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What workers must know of it, from somebody else than the coordinator.
    pub fn identity(&self) -> Identity {
        self.state.identity()
    }

    /// Ends: running calls are answered first.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(PATIENCE, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("calls were still running when the keystore stopped");
            self.kill.cancel();
            self.tasks.wait().await;
        }
        tracing::info!("the keystore has stopped");
    }
}

impl Drop for Keystore {
    fn drop(&mut self) {
        self.stop.cancel();
        self.kill.cancel();
    }
}
