//! The one thread that owns the chain, and how others ask it.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Error, Producer};
use crate::chain::EPOCH_LENGTH;

/// Stack of the chain's thread, in bytes: the VM lets a contract recurse through 256 KiB of its own frames, which
/// compiled code and host calls multiply; two MiB sufficed in a trial, and untouched pages cost nothing.
const STACK: usize = 64 << 20;

/// Requests that may wait for the thread before senders wait too.
const QUEUE: usize = 4096;

/// Requests answered between two blocks while work waits, so that a stream of views cannot hold up the chain.
const REQUESTS_PER_BLOCK: usize = 512;

/// Heights a fast-forward passes at a stretch before others are served: about 200 blocks.
const FAST_FORWARD_STRETCH: u64 = 50 * EPOCH_LENGTH;

type Request = Box<dyn FnOnce(&mut Producer) + Send>;

/// A way to the chain; clones lead to the same thread.
#[derive(Clone)]
pub(crate) struct ChainThread {
    requests: mpsc::Sender<Request>,
    heights: watch::Receiver<u64>,
    stop: watch::Sender<bool>,
}

impl ChainThread {
    pub(super) fn start(producer: Producer) -> io::Result<Self> {
        let (requests, inbox) = mpsc::channel(QUEUE);
        let heights = producer.heights();
        let stop = watch::Sender::new(false);
        let stopped = stop.subscribe();
        thread::Builder::new()
            .name("localnet-chain".to_owned())
            .stack_size(STACK)
            .spawn(move || run(producer, inbox, &stopped))?;
        Ok(Self {
            requests,
            heights,
            stop,
        })
    }

    /// Runs `work` on the chain's thread and waits for what it returns. A panic in it is passed on to the caller.
    pub(crate) async fn ask<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Producer) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let (reply, answer) = oneshot::channel();
        let request: Request = Box::new(move |producer| {
            // Nobody waits any more when the caller has gone, as a client that hung up: the work is done all the same.
            let _ = reply.send(catch_unwind(AssertUnwindSafe(|| work(producer))));
        });
        self.requests
            .send(request)
            .await
            .map_err(|_| Error::Stopped)?;
        match answer.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(Error::Stopped),
        }
    }

    /// Goes on by so many heights and returns the last; others are served in between.
    pub(crate) async fn fast_forward(&self, heights: u64) -> Result<u64, Error> {
        let mut left = heights;
        while left > 0 {
            let stretch = left.min(FAST_FORWARD_STRETCH);
            self.ask(move |producer| producer.fast_forward(stretch))
                .await?;
            left = left.saturating_sub(stretch);
        }
        Ok(self.height())
    }

    pub(crate) fn height(&self) -> u64 {
        *self.heights.borrow()
    }

    /// The height of the newest block; changes wake the receiver, and its end means that the node has stopped.
    pub(crate) fn heights(&self) -> watch::Receiver<u64> {
        self.heights.clone()
    }

    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
        // Wakes the thread if it sleeps; a full queue means that it does not.
        let _ = self.requests.try_send(Box::new(|_| ()));
    }

    /// Completes when the thread has ended.
    pub(super) async fn stopped(&self) {
        let mut heights = self.heights();
        while heights.changed().await.is_ok() {}
    }
}

impl fmt::Debug for ChainThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainThread")
            .field("height", &self.height())
            .finish_non_exhaustive()
    }
}

fn run(
    mut producer: Producer,
    mut inbox: mpsc::Receiver<Request>,
    stopped: &watch::Receiver<bool>,
) {
    while !*stopped.borrow() {
        if producer.wants_block() {
            for _ in 0..REQUESTS_PER_BLOCK {
                match inbox.try_recv() {
                    Ok(request) => answer(&mut producer, request),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            if producer.wants_block() {
                producer.produce();
            }
        } else {
            match inbox.blocking_recv() {
                Some(request) => answer(&mut producer, request),
                None => return,
            }
        }
    }
}

fn answer(producer: &mut Producer, request: Request) {
    request(producer);
    producer.announce();
}
