//! The localnet as a running node: one thread that owns the chain, a block producer, and an HTTP listener.
//!
//! Everything that touches the chain runs on one thread with a deep stack, because contract code recurses and because
//! one owner needs no locks. HTTP handlers and tests ask that thread and wait for its answer; whoever waits for a
//! block waits on a channel that every block wakes.

mod config;
mod producer;
mod thread;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::chain::{self, Chain};
use crate::rpc;

pub use config::{BODY_LIMIT, Config, FEED_WAIT, Pace, STATE_VIEW_LIMIT, WAIT_LIMIT};
pub(crate) use producer::Producer;
pub(crate) use thread::ChainThread;

/// Why a node did not start, or no longer answers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The listener could not be bound or served.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address that was asked for.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The chain could not be opened.
    #[error("cannot open the chain")]
    Chain(#[from] chain::Error),
    /// The thread that owns the chain could not be started.
    #[error("cannot start the chain's thread")]
    Thread(#[source] io::Error),
    /// The node was stopped.
    #[error("the node has stopped")]
    Stopped,
}

/// A running node. Dropping it stops it; [`Server::stop`] also waits until the last answer has been sent.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    chain: ChainThread,
    stopping: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts a node: opens the chain, binds the listener, makes blocks, answers clients.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let listen = |source| Error::Listen {
            addr: config.rpc_addr,
            source,
        };
        let listener = TcpListener::bind(config.rpc_addr).await.map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;

        let chain = Chain::new(config.chain.clone())?;
        let chain = ChainThread::start(Producer::new(chain, &config)).map_err(Error::Thread)?;
        let (stopping, stopped) = watch::channel(false);
        let node = rpc::Node::new(chain.clone(), &config, addr);
        let serving = axum::serve(listener, rpc::router(Arc::new(node)))
            .with_graceful_shutdown(told(stopped.clone()));
        let mut tasks = vec![tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the listener failed");
            }
        })];
        if let Some(every) = config.pace.interval() {
            tasks.push(tokio::spawn(producer::tick(chain.clone(), every, stopped)));
        }
        tracing::info!(%addr, "the localnet answers");
        Ok(Self {
            addr,
            chain,
            stopping,
            tasks,
        })
    }

    /// The address the node listens on, for JSON-RPC and the block feed alike.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a NEAR client takes as its RPC address.
    pub fn rpc_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What a reader of neardata-shaped blocks takes as its base address: it asks `{feed_url}/v0/block/{height}`.
    pub fn feed_url(&self) -> String {
        self.rpc_url()
    }

    /// Runs `work` on the chain, between blocks, and returns what it returns. A panic in it is passed on.
    pub async fn with_chain<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Chain) -> R + Send + 'static,
    ) -> Result<R, Error> {
        self.chain.ask(|producer| work(producer.chain())).await
    }

    /// Height of the newest block.
    pub fn height(&self) -> u64 {
        self.chain.height()
    }

    /// Makes one block, whatever the pace, and returns its height.
    pub async fn produce_block(&self) -> Result<u64, Error> {
        self.chain.ask(Producer::produce).await?;
        Ok(self.height())
    }

    /// Goes on by so many heights at once, most of them without a block, as [`Chain::fast_forward`]; returns the new height.
    pub async fn fast_forward(&self, heights: u64) -> Result<u64, Error> {
        self.chain.fast_forward(heights).await
    }

    /// Stops making blocks on demand or on the timer; those asked for by name still come.
    pub async fn pause_production(&self) -> Result<(), Error> {
        self.chain.ask(Producer::pause).await
    }

    /// Goes on making blocks at the configured pace.
    pub async fn resume_production(&self) -> Result<(), Error> {
        self.chain.ask(Producer::resume).await
    }

    /// Waits until a block of at least this height exists, and returns the newest height.
    pub async fn wait_for_height(&self, height: u64) -> Result<u64, Error> {
        let mut heights = self.chain.heights();
        heights
            .wait_for(|newest| *newest >= height)
            .await
            .map(|newest| *newest)
            .map_err(|_| Error::Stopped)
    }

    /// Stops the node and waits until its listener is closed and its tasks have ended.
    pub async fn stop(mut self) {
        self.signal_stop();
        self.chain.stopped().await;
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the node failed");
            }
        }
    }

    fn signal_stop(&self) {
        self.stopping.send_replace(true);
        self.chain.stop();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal_stop();
    }
}

/// Completes when the node is told to stop.
async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop as well.
    let _ = stopped.wait_for(|stop| *stop).await;
}
