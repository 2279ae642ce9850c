//! A coordinator that runs: its parts put together, its listeners, and how it stops.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{self, State};
use crate::artifacts::Artifacts;
use crate::branches::Branches;
use crate::config::Config;
use crate::error::Error;
use crate::ingest::Ingest;
use crate::keystore::Keystore;
use crate::logs::Logs;
use crate::parts::Parts;
use crate::pricing::Prices;
use crate::queue::Queue;
use crate::store::Store;
use crate::tokens::Tokens;
use crate::upkeep::Upkeep;
use crate::views::Views;

/// How long running calls have to end when the coordinator stops.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often an address in use is tried again: for a second in all.
const BIND_TRIES: u32 = 20;

/// How long to wait between two tries.
const BIND_PAUSE: Duration = Duration::from_millis(50);

/// A running coordinator. Dropping it stops its work where it is; [`Coordinator::stop`] lets calls end first.
#[derive(Debug)]
pub struct Coordinator {
    address: SocketAddr,
    admin_address: SocketAddr,
    state: Arc<State>,
    store: Store,
    /// Long polls and the ingest end.
    stop: CancellationToken,
    /// Everything ends.
    kill: CancellationToken,
    tasks: TaskTracker,
}

impl Coordinator {
    /// Opens the database and the cache, listens, and begins to read the chain.
    pub async fn start(config: Config, parts: Parts) -> Result<Self, Error> {
        if !config.admin_listen.ip().is_loopback() {
            return Err(Error::AdminNotLoopback(config.admin_listen));
        }
        let keystore = Keystore::new(config.keystore)?;
        let store = Store::open(&config.database).await?;
        let clock = parts.clock.clone();
        let tokens = Tokens::open(store.clone(), clock.clone()).await?;
        let artifacts = Artifacts::open(store.clone(), clock.clone(), config.artifacts).await?;
        let logs = Logs::new(store.clone(), clock.clone(), config.logs);
        let queue = Queue::new(store.clone(), clock.clone(), config.queue);
        let prices = Prices::new(parts.clone());
        let branches = Branches::new(store.clone(), &parts, config.branches);
        let ingest = Ingest::new(store.clone(), parts, queue.clone(), config.ingest);
        ingest.resume().await?;

        let stop = CancellationToken::new();
        let state = Arc::new(State {
            views: Views::new(store.clone(), clock, tokens.clone()),
            queue: queue.clone(),
            tokens: tokens.clone(),
            artifacts: artifacts.clone(),
            logs: logs.clone(),
            prices,
            branches: branches.clone(),
            keystore,
            ingest: ingest.health(),
            stop: stop.clone(),
        });
        let (listener, address) = listen(config.listen).await?;
        let (admin_listener, admin_address) = listen(config.admin_listen).await?;

        let running = Self {
            address,
            admin_address,
            state: state.clone(),
            store,
            stop: stop.clone(),
            kill: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let upkeep = Upkeep {
            queue,
            tokens,
            artifacts,
            logs,
            branches,
        };
        running.spawn(ingest.run(stop.clone()));
        running.spawn(upkeep.run(stop.clone()));
        running.spawn(serve(listener, api::router(state.clone()), stop.clone()));
        running.spawn(serve(admin_listener, api::admin_router(state), stop));
        tracing::info!(%address, %admin_address, "the coordinator is up");
        Ok(running)
    }

    /// Where anyone and the workers call.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where only this machine calls.
    pub const fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// [`Coordinator::address`] as a URL without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// [`Coordinator::admin_address`] as a URL without a slash at its end.
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin_address)
    }

    /// The worker tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.state.tokens
    }

    /// The queue, for whoever drives it within the process.
    pub fn queue(&self) -> &Queue {
        &self.state.queue
    }

    /// How the ingest fares.
    pub fn ingest(&self) -> &crate::ingest::Health {
        &self.state.ingest
    }

    /// Ends: waiting calls get nothing, running calls are answered, and the database is closed.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(PATIENCE, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("calls were still running when the coordinator stopped");
            self.kill.cancel();
            self.tasks.wait().await;
        }
        self.store.close().await;
        tracing::info!("the coordinator has stopped");
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let kill = self.kill.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = work => {}
                () = kill.cancelled() => {}
            }
        });
    }
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        self.stop.cancel();
        self.kill.cancel();
    }
}

/// Takes an address. The coordinator before this one may still be letting go of it.
async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Listen { address, source };
    let mut tries = 0u32;
    let listener = loop {
        match TcpListener::bind(address).await {
            Err(err) if err.kind() == ErrorKind::AddrInUse && tries < BIND_TRIES => {
                tries = tries.saturating_add(1);
                tokio::time::sleep(BIND_PAUSE).await;
            }
            result => break result.map_err(failed)?,
        }
    };
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn serve(listener: TcpListener, router: axum::Router, stop: CancellationToken) {
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await;
    if let Err(err) = served {
        tracing::error!(error = %err, "a listener failed");
    }
}
