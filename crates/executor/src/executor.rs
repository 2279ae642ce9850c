//! The executor: code from the workshop, then a fresh process for the guest.

mod answer;

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guest::wire::Ask;
use guest::{Clock, Limits, Run};
use metering::{Refusal, Variant};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::artifact::Artifact;
use crate::cache::Compiled;
use crate::child::wire::Origin;
use crate::execution::Execution;
use crate::form::{Compiler, Form};
use crate::guests::{Guests, Reply};
use crate::preparing::{Prepared, Workshop};
use crate::remembered::Remembered;
use crate::settings::{Engine, Settings};
use answer::Ran;

/// A guest's own timer ends it on time, with what it wrote; if that fails its process is killed this much later.
const KILL_AFTER: Duration = Duration::from_millis(200);

/// How much longer than the first run counting again after a trap may take. Code that counts exactly is about twice as slow.
const COUNT_AGAIN_FACTOR: u32 = 4;

/// Added to it, for a process that starts on a busy machine.
const COUNT_AGAIN_SLACK: Duration = Duration::from_secs(2);

/// The most that counting again may take: a yield waits 200 blocks of about 0.6 s for its answer, and the first run has had its part.
const COUNT_AGAIN_LONGEST: Duration = Duration::from_secs(60);

/// Our own failure. Nothing is known of the guest.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cache folder or the artifact's file cannot be read or written.
    #[error("the {what} cannot be used")]
    Files {
        /// Which files.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A process cannot be started or talked to.
    #[error("a guest process cannot be used")]
    Process(#[source] io::Error),
    /// The kernel lacks a layer of the jail.
    #[error("guests cannot be jailed: {0}")]
    Jail(String),
    /// A process ended without an answer, and not by its guest's doing.
    #[error("a guest process ended without an answer, with {status}: {complaint}")]
    Died {
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said.
        complaint: String,
    },
    /// A process says that it cannot work.
    #[error("a guest process failed: {0}")]
    Failed(String),
    /// The engine cannot be set up.
    #[error("the engine cannot be set up: {0}")]
    Engine(String),
    /// The run has an argument or a variable that WASI cannot hold.
    #[error("{0} has a NUL byte, or a name with `=`")]
    BadRun(&'static str),
}

impl Error {
    /// Whether the same call may succeed another time.
    pub const fn is_retryable(&self) -> bool {
        !matches!(self, Self::BadRun(_) | Self::Engine(_) | Self::Jail(_))
    }
}

/// For whom a guest runs. What is kept loaded for one tenant is never used for another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Tenant(pub String);

/// Executes artifacts, many at once.
#[derive(Debug, Clone)]
pub struct Executor {
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    workshop: Workshop,
    guests: Guests,
    places: Semaphore,
    engine: Engine,
    /// Modules for which better code is being made.
    improving: Mutex<HashSet<[u8; 32]>>,
    /// Modules that the optimising compiler refuses: they are not given to it with every execution.
    as_good_as_can_be: Remembered,
}

impl Executor {
    /// Opens the cache and starts the server of guests' processes.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let parts = Parts {
            workshop: Workshop::open(settings)?,
            guests: Guests::new(settings)?,
            places: Semaphore::new(settings.guests.max(1)),
            engine: settings.engine,
            improving: Mutex::default(),
            as_good_as_can_be: Remembered::default(),
        };
        Ok(Self {
            parts: Arc::new(parts),
        })
    }

    /// Runs `artifact` for nobody in particular; see [`Executor::execute_for`].
    pub async fn execute(&self, artifact: &Artifact, run: Run) -> Result<Execution, Error> {
        self.execute_for(&Tenant::default(), artifact, run).await
    }

    /// Runs `artifact` in a process of its own, which is gone when this returns or is dropped.
    ///
    /// A module that is not in the cache is compiled first, in another process; that does not count towards the run's limits.
    pub async fn execute_for(
        &self,
        tenant: &Tenant,
        artifact: &Artifact,
        run: Run,
    ) -> Result<Execution, Error> {
        check(&run)?;
        let (prepared, compile) = self.prepare(artifact).await?;
        let compiled = match prepared {
            Ok(compiled) => compiled,
            Err(refusal) => return Ok(Execution::refused(refusal, compile)),
        };
        let limits = run.limits;
        let ask = Ask {
            run,
            is_exact: false,
        };
        let started = Instant::now();
        let ran = match self
            .run(tenant, artifact, compiled, &ask, limits.wall)
            .await?
        {
            Ok(ran) => ran,
            Err(refusal) => return Ok(Execution::refused(refusal, compile)),
        };
        let wall = started.elapsed();
        let ran = if ran.is_exact() {
            ran
        } else {
            self.count_again(tenant, artifact, ask, ran, wall).await?
        };
        let lines = self.locate(artifact, Variant::Fast, &ran).await;
        Ok(ran.settle(&limits, &lines, wall, compile))
    }

    /// Runs `artifact` to see where its gas goes: slower, and otherwise the same.
    pub async fn profile(&self, artifact: &Artifact, run: Run) -> Result<Execution, Error> {
        check(&run)?;
        let form = Form {
            compiler: Compiler::Cranelift,
            variant: Variant::Profiled,
        };
        let (prepared, compile) = self.parts.workshop.prepare(artifact, form).await?;
        let compiled = match prepared {
            Ok(compiled) => compiled,
            Err(refusal) => return Ok(Execution::refused(refusal, compile)),
        };
        let (limits, tenant) = (run.limits, Tenant::default());
        let ask = Ask {
            run,
            is_exact: true,
        };
        let started = Instant::now();
        let ran = self.ask(&tenant, &compiled, &ask, limits.wall).await?;
        let ran = ran.map_err(unusable)?;
        let wall = started.elapsed();
        let lines = self.locate(artifact, Variant::Profiled, &ran).await;
        Ok(ran.settle(&limits, &lines, wall, compile))
    }

    /// Compiles `artifact` if it is not in the cache, so that its first execution need not. `None` if it was.
    pub async fn warm(&self, artifact: &Artifact) -> Result<Option<Duration>, Error> {
        Ok(self.prepare(artifact).await?.1)
    }

    /// Whether better code is being made for some module.
    pub fn is_improving(&self) -> bool {
        !self.improving().is_empty()
    }

    /// The best code there is for `artifact`; if that is the quick compiler's, better code is begun.
    async fn prepare(&self, artifact: &Artifact) -> Result<(Prepared, Option<Duration>), Error> {
        let workshop = &self.parts.workshop;
        let best = Form::fast(match self.parts.engine {
            Engine::Tiered | Engine::Cranelift => Compiler::Cranelift,
            Engine::Winch => Compiler::Winch,
            Engine::Interpreter => Compiler::Interpreter,
        });
        if self.parts.engine != Engine::Tiered {
            return workshop.prepare(artifact, best).await;
        }
        if let Some(compiled) = workshop.find(artifact, best)? {
            return Ok((Ok(compiled), None));
        }
        let quick = workshop
            .prepare(artifact, Form::fast(Compiler::Winch))
            .await?;
        if quick.0.is_ok() {
            self.improve(artifact, best);
        }
        Ok(quick)
    }

    /// Compiles the best form beside everything else; the next execution finds it.
    fn improve(&self, artifact: &Artifact, best: Form) {
        let name = artifact.sha256();
        if self.parts.as_good_as_can_be.has(&name) || !self.improving().insert(name) {
            return;
        }
        let (executor, artifact) = (self.clone(), artifact.clone());
        tokio::spawn(async move {
            let made = executor
                .parts
                .workshop
                .prepare_beside(&artifact, best)
                .await;
            match made {
                Ok(Ok(_)) => {}
                // The quick code stays in use.
                Ok(Err(refusal)) => {
                    executor.parts.as_good_as_can_be.insert(name);
                    tracing::info!(%refusal, "no better code for a module");
                }
                Err(error) => tracing::warn!(error = %error, "better code for a module failed"),
            }
            executor.improving().remove(&name);
        });
    }

    fn improving(&self) -> MutexGuard<'_, HashSet<[u8; 32]>> {
        let improving = self.parts.improving.lock();
        improving.unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs code; code that turns out to be another engine's is made anew, once.
    async fn run(
        &self,
        tenant: &Tenant,
        artifact: &Artifact,
        compiled: Arc<Compiled>,
        ask: &Ask,
        wall: Duration,
    ) -> Result<Result<Ran, Refusal>, Error> {
        match self.ask(tenant, &compiled, ask, wall).await? {
            Ok(ran) => return Ok(Ok(ran)),
            Err(reason) => tracing::warn!(reason, "compiled code cannot be used"),
        }
        self.parts.workshop.forget(&compiled)?;
        let compiled = match self.prepare(artifact).await?.0 {
            Ok(compiled) => compiled,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match self.ask(tenant, &compiled, ask, wall).await? {
            Ok(ran) => Ok(Ok(ran)),
            Err(reason) => Err(unusable(reason)),
        }
    }

    /// One process, one guest: what it did, or why the code cannot be used.
    async fn ask(
        &self,
        tenant: &Tenant,
        compiled: &Arc<Compiled>,
        ask: &Ask,
        wall: Duration,
    ) -> Result<Result<Ran, String>, Error> {
        let _place = self.place().await?;
        let deadline = deadline(wall.saturating_add(KILL_AFTER));
        let guests = &self.parts.guests;
        let mut reply = guests.ask(tenant, compiled, ask, deadline).await?;
        let fell = matches!(reply, Reply::Fell);
        if fell {
            // By another hand, or by the guest's doing: then it does it again, or has no time left to.
            reply = guests.ask(tenant, compiled, ask, deadline).await?;
        }
        match reply {
            Reply::Said(message) => Ran::read(&message).map_err(Error::Process)?.usable(),
            Reply::OutOfTime if !fell => Ok(Ok(Ran::out_of_time())),
            Reply::OutOfTime | Reply::Fell => Ok(Ok(Ran::crashed(&ask.run.limits))),
        }
    }

    /// Runs a guest that trapped once more, with code that counts exactly up to the trap: everything else is the same again.
    async fn count_again(
        &self,
        tenant: &Tenant,
        artifact: &Artifact,
        mut ask: Ask,
        first: Ran,
        took: Duration,
    ) -> Result<Ran, Error> {
        let Some(readings) = first.readings() else {
            // It looked at the machine's clock too often for the same to be shown to it again.
            return Ok(first);
        };
        if ask.run.clock == Clock::System {
            ask.run.clock = Clock::Recorded(readings.to_vec());
        }
        ask.is_exact = true;
        let wall = took
            .saturating_mul(COUNT_AGAIN_FACTOR)
            .saturating_add(COUNT_AGAIN_SLACK)
            .min(COUNT_AGAIN_LONGEST);
        ask.run.limits.wall = wall;
        let form = Form {
            compiler: match self.parts.engine {
                Engine::Tiered | Engine::Cranelift => Compiler::Cranelift,
                Engine::Winch => Compiler::Winch,
                Engine::Interpreter => Compiler::Interpreter,
            },
            variant: Variant::Exact,
        };
        let (prepared, _) = self.parts.workshop.prepare(artifact, form).await?;
        let compiled = prepared.map_err(|refusal| Error::Failed(refusal.to_string()))?;
        let again = self.ask(tenant, &compiled, &ask, wall).await?;
        first.counted_by(&again.map_err(unusable)?, &ask.run.limits)
    }

    /// Where in the source a guest trapped, for each frame.
    async fn locate(&self, artifact: &Artifact, variant: Variant, ran: &Ran) -> Vec<Vec<Origin>> {
        let frames = ran.frames();
        if frames.iter().all(|frame| frame.offset.is_none()) {
            return Vec::new();
        }
        self.parts.workshop.locate(artifact, variant, frames).await
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, Error> {
        let place = self.parts.places.acquire().await;
        place.map_err(|error| Error::Process(io::Error::other(error)))
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is handed over by `map_err`"
)]
fn unusable(reason: String) -> Error {
    Error::Failed(format!("freshly compiled code cannot be used: {reason}"))
}

fn check(run: &Run) -> Result<(), Error> {
    if run.args.iter().any(|arg| arg.contains('\0')) {
        return Err(Error::BadRun("an argument"));
    }
    let env = run.env.iter().map(|(name, value)| (&**name, &**value));
    let bad = |(name, value): (&str, &str)| {
        name.is_empty() || name.contains(['\0', '=']) || value.contains('\0')
    };
    if env.chain(run.secrets.iter()).any(bad) {
        return Err(Error::BadRun("an environment variable"));
    }
    Ok(())
}

fn deadline(after: Duration) -> Instant {
    /// Longer than anything runs, and short enough to be added to any moment.
    const LONGEST: Duration = Duration::from_secs(1 << 32);
    let now = Instant::now();
    now.checked_add(after.min(LONGEST)).unwrap_or(now)
}

/// The most that a guest's process may answer.
pub(crate) fn most_bytes(limits: &Limits) -> usize {
    limits
        .stdout_bytes
        .saturating_add(limits.stderr_bytes)
        .saturating_add(guest::wire::REPORT_SLACK_BYTES)
        .saturating_add(guest::wire::PROFILE_BYTES)
}
