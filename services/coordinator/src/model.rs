//! The queue against a model of it in memory, over random histories with crashes and clock jumps.
//!
//! The model is the queue's rules written down a second time, without SQL. After every step each row of the database must
//! be what the model says; a crash drops everything but the file.

mod rules;

#[expect(dead_code, reason = "shared with the tests of the HTTP interface")]
#[path = "../tests/http/chain.rs"]
mod chain;

use std::sync::Arc;

use async_trait::async_trait;
use proptest::prelude::*;
use protocol::clock::{ManualClock, TellTime};
use protocol::job::{Fail, Fence, Finish, Lease, Report};
use protocol::pricing::Pricing;
use protocol::response::ResourceMetrics;
use protocol::{FailureCode, JobId};

use crate::error::Error;
use crate::ingest::{self, Ingest};
use crate::parts::{Parts, ReadPricing, SourceError};
use crate::queue::{Queue, Settings};
use crate::store::{Columns, Database, Store};
use chain::Chain;
use rules::{Model, Row};

const SETTINGS: Settings = Settings {
    lease_ms: 1_000,
    max_attempts: 3,
    backoff_ms: 400,
    max_backoff_ms: 700,
    settle_ms: 3_000,
    max_wait_ms: 0,
    yield_timeout_blocks: 15,
};

/// One step of a history. Leases and requests are named by their place among those there are, modulo their number.
#[derive(Clone, Debug)]
enum Step {
    /// A block with this many new requests, which pay this much.
    Request(u8, u8),
    /// A block that repeats a request.
    Repeat(usize),
    /// A block that ends a request.
    Complete(usize, Option<FailureCode>),
    /// Blocks in which nothing happens.
    Idle(u8),
    /// The coordinator reads what there is.
    Ingest,
    Lease(bool),
    Heartbeat(usize),
    Finish(usize, bool),
    Fail(usize),
    Release(usize),
    /// The clock goes on, or back.
    Clock(i16),
    /// Everything but the file is gone.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let ending = prop_oneof![
        Just(None),
        Just(Some(FailureCode::Trapped)),
        Just(Some(FailureCode::TimedOut)),
    ];
    // Few jobs and many words about them, so that a history meets the last attempt, the lost lease and the late answer.
    prop_oneof![
        1 => (1..3u8, 0..3u8).prop_map(|(count, payment)| Step::Request(count, payment)),
        1 => any::<usize>().prop_map(Step::Repeat),
        1 => (any::<usize>(), ending).prop_map(|(which, how)| Step::Complete(which, how)),
        1 => (1..4u8).prop_map(Step::Idle),
        3 => Just(Step::Ingest),
        12 => any::<bool>().prop_map(Step::Lease),
        3 => any::<usize>().prop_map(Step::Heartbeat),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, sent)| Step::Finish(which, sent)),
        4 => any::<usize>().prop_map(Step::Fail),
        2 => any::<usize>().prop_map(Step::Release),
        8 => (-1_200..1_800i16).prop_map(Step::Clock),
        1 => Just(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_queue_is_what_its_rules_say_after_any_history(steps in prop::collection::vec(step(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

        runtime.block_on(async {
            let mut world = World::begin().await;
            for step in &steps {
                world.take(step).await;
                assert_eq!(world.rows().await, world.model.rows(), "after {step:?}");
            }
        });
    }
}

/// The real queue and the model, side by side.
struct World {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    chain: Arc<Chain>,
    store: Store,
    queue: Queue,
    ingest: Ingest,
    model: Model,
    /// Every lease there ever was, with its worker.
    leases: Vec<(Lease, &'static str)>,
}

#[derive(Debug)]
struct NoPrices;

#[async_trait]
impl ReadPricing for NoPrices {
    async fn pricing(&self) -> Result<Pricing, SourceError> {
        Err("none".into())
    }
}

impl World {
    async fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(1_000_000);
        let chain = Arc::new(Chain::default());
        let (store, queue, ingest) = open(&folder, &clock, &chain).await;
        Self {
            folder,
            clock,
            chain,
            store,
            queue,
            ingest,
            model: Model::new(SETTINGS, chain::BEFORE),
            leases: Vec::new(),
        }
    }

    async fn take(&mut self, step: &Step) {
        let now = self.clock.now_ms();
        match *step {
            Step::Request(count, payment) => {
                let requests = self.model.announce(count, u128::from(payment));
                let line = |(id, payment)| chain::requested(id, payment);
                self.chain.block(requests.into_iter().map(line).collect());
            }
            Step::Repeat(which) => {
                let line = |id| chain::requested(id, 1);
                let again = self.model.pick_request(which).map(line);
                self.chain.block(again.into_iter().collect());
                self.model.empty_blocks(1);
            }
            Step::Complete(which, how) => {
                let ended = self.model.complete(which, how);
                let line = |id| chain::completed(id, how);
                self.chain.block(ended.into_iter().map(line).collect());
            }
            Step::Idle(count) => {
                for _ in 0..count {
                    self.chain.block(Vec::new());
                }
                self.model.empty_blocks(count);
            }
            Step::Ingest => {
                self.ingest.catch_up().await;
                self.model.ingest(now);
            }
            Step::Lease(first) => self.lease(first, now).await,
            Step::Clock(by) if by < 0 => {
                let back = u64::from(by.unsigned_abs());
                self.clock.advance_ms(back.wrapping_neg());
            }
            Step::Clock(by) => self.clock.advance_ms(u64::from(by.unsigned_abs())),
            Step::Crash => {
                let (store, queue, ingest) = open(&self.folder, &self.clock, &self.chain).await;
                (self.store, self.queue, self.ingest) = (store, queue, ingest);
            }
            Step::Heartbeat(which)
            | Step::Finish(which, _)
            | Step::Fail(which)
            | Step::Release(which) => {
                let leases = self.leases.len();
                if let Some(index) = which.checked_rem(leases) {
                    self.speak(step, index, now).await;
                }
            }
        }
    }

    async fn lease(&mut self, first: bool, now: u64) {
        let worker = if first { "worker-a" } else { "worker-b" };

        let lease = self.queue.lease(worker).await.unwrap();

        let expected = self.model.lease(worker, now);
        let got = lease
            .as_ref()
            .map(|lease| (lease.job.notice.request_id.0, lease.fence, lease.attempt));
        assert_eq!(got, expected);
        self.leases.extend(lease.map(|lease| (lease, worker)));
    }

    /// A worker speaks of a lease that it has or had.
    async fn speak(&mut self, step: &Step, index: usize, now: u64) {
        let (lease, worker) = self.leases[index].clone();
        let (id, fence) = (lease.job.id, lease.fence);
        let request = lease.job.notice.request_id.0;
        let (said, expected) = match step {
            Step::Heartbeat(_) => (
                self.queue
                    .heartbeat(id, worker, Fence { fence })
                    .await
                    .map(|_| ()),
                self.model.heartbeat(request, fence, now),
            ),
            Step::Finish(_, sent) => (
                self.finish(id, worker, fence, *sent).await,
                self.model.finish(request, fence, *sent, now),
            ),
            Step::Fail(_) => (
                self.fail(id, worker, fence).await,
                self.model.fail(request, fence, now),
            ),
            _ => (
                self.queue.release(id, worker, Fence { fence }).await,
                self.model.release(request, fence, now),
            ),
        };
        match said {
            Ok(()) => assert!(expected, "{step:?} was taken"),
            Err(Error::LeaseLost(_)) => assert!(!expected, "{step:?} was refused"),
            Err(err) => panic!("{step:?}: {err}"),
        }
    }

    async fn finish(&self, id: JobId, worker: &str, fence: u64, sent: bool) -> Result<(), Error> {
        let report = sent.then(|| Report {
            success: true,
            error_type: None,
            resources_used: ResourceMetrics::default(),
            artifact: None,
            resolve_transaction: Some("tx".into()),
        });
        self.queue
            .finish(id, worker, &Finish { fence, report })
            .await
    }

    async fn fail(&self, id: JobId, worker: &str, fence: u64) -> Result<(), Error> {
        let fail = Fail {
            fence,
            code: FailureCode::NetworkError,
            reason: "no answer".into(),
        };
        self.queue.fail(id, worker, &fail).await.map(|_| ())
    }

    async fn rows(&self) -> Vec<Row> {
        let rows = sqlx::query("SELECT * FROM jobs ORDER BY request_id")
            .fetch_all(self.store.readers())
            .await
            .unwrap();
        rows.into_iter()
            .map(|row| Row {
                request: row.int("request_id").unwrap(),
                stage: row.named("stage").unwrap(),
                attempts: row.int("attempts").unwrap(),
                fence: row.int("fence").unwrap(),
                due_at: row.int("due_at").unwrap(),
                lease_expires_at: row.maybe_int("lease_expires_at").unwrap(),
                charged: row.maybe_text("charged").unwrap().is_some(),
            })
            .collect()
    }
}

async fn open(
    folder: &tempfile::TempDir,
    clock: &Arc<ManualClock>,
    chain: &Arc<Chain>,
) -> (Store, Queue, Ingest) {
    let file = Database::File(folder.path().join("queue.sqlite"));
    let store = Store::open(&file).await.unwrap();
    let queue = Queue::new(store.clone(), clock.clone(), SETTINGS);
    let parts = Parts {
        clock: clock.clone(),
        blocks: chain.clone(),
        pricing: Arc::new(NoPrices),
        branches: Arc::new(crate::branches::GitHosts::default()),
    };
    let settings = ingest::Settings {
        contract_id: chain::contract(),
        event_standard: protocol::event::STANDARD.to_owned(),
        start: ingest::Start::Height(0),
        poll_ms: 1,
        retry_ms: 1,
    };
    let ingest = Ingest::new(store.clone(), parts, queue.clone(), settings);
    ingest.resume().await.unwrap();
    (store, queue, ingest)
}
