//! The executor: compiled code from the cache or a compiling child, then one child for the guest.

use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::artifact::Artifact;
use crate::cache::{Cache, Compiled};
use crate::engine;
use crate::outcome::{Execution, Outcome};
use crate::process::{Reply, Spawner, fell_to_its_module};
use crate::run::{Limits, Run, Settings};
use crate::wire::{
    MAX_BACKTRACE_BYTES, MAX_CODE_BYTES, REPORT_SLACK_BYTES, Report, Request, Response,
};
use metering::{METERING_VERSION, Refusal};

/// A guest's own timer ends it on time, with what it wrote; if that fails its process is killed this much later.
const KILL_AFTER: Duration = Duration::from_millis(200);

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
    /// A child cannot be started or talked to.
    #[error("a guest process cannot be used")]
    Process(#[source] io::Error),
    /// A child ended without an answer, and not by its guest's doing.
    #[error("a guest process ended without an answer, with {status}: {complaint}")]
    Died {
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said.
        complaint: String,
    },
    /// A child says that it cannot work.
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
        !matches!(self, Self::BadRun(_) | Self::Engine(_))
    }
}

/// Executes artifacts, many at once.
#[derive(Debug)]
pub struct Executor {
    settings: Settings,
    spawner: Spawner,
    cache: Cache,
    children: Semaphore,
    engine: u64,
    /// One compiler at a time for each module.
    compiling: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

/// What looking for compiled code ends with: the code, or why there is none.
type Prepared = Result<Arc<Compiled>, Refusal>;

impl Executor {
    /// Opens the cache and gets ready to start children.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let cache = Cache::open(&settings.cache, settings.cache_bytes).map_err(cache_failed)?;
        Ok(Self {
            spawner: Spawner::new(settings.child.clone()).map_err(Error::Process)?,
            cache,
            children: Semaphore::new(settings.children.max(1)),
            engine: engine::fingerprint().map_err(|error| Error::Engine(format!("{error:#}")))?,
            compiling: Mutex::default(),
            settings,
        })
    }

    /// Runs `artifact` in a process of its own, which is gone when this returns or is dropped.
    ///
    /// A module that is not in the cache is compiled first, in another process; that does not count towards the run's limits.
    pub async fn execute(&self, artifact: &Artifact, run: Run) -> Result<Execution, Error> {
        check(&run)?;
        let limits = run.limits;
        let (prepared, mut compile) = self.prepare(artifact).await?;
        let compiled = match prepared {
            Ok(compiled) => compiled,
            Err(refusal) => return Ok(refused(refusal, compile)),
        };
        let mut request = Request::Run {
            code: compiled.path.as_os_str().as_bytes().to_vec(),
            run,
        };
        if let Some(execution) = self.run(&compiled, &request, &limits, compile).await? {
            return Ok(execution);
        }
        // The code went missing or is another engine's: make it anew, once.
        self.cache
            .forget(&self.key(artifact))
            .map_err(cache_failed)?;
        let (prepared, again) = self.prepare(artifact).await?;
        compile = again.or(compile);
        let compiled = match prepared {
            Ok(compiled) => compiled,
            Err(refusal) => return Ok(refused(refusal, compile)),
        };
        if let Request::Run { code, .. } = &mut request {
            *code = compiled.path.as_os_str().as_bytes().to_vec();
        }
        self.run(&compiled, &request, &limits, compile)
            .await?
            .ok_or_else(|| Error::Failed("freshly compiled code cannot be used".to_owned()))
    }

    /// Compiles `artifact` if it is not in the cache, so that its first execution need not. `None` if it was.
    pub async fn warm(&self, artifact: &Artifact) -> Result<Option<Duration>, Error> {
        Ok(self.prepare(artifact).await?.1)
    }

    /// What the cached code of an artifact depends on.
    fn key(&self, artifact: &Artifact) -> String {
        let mut key = Sha256::new();
        key.update(artifact.sha256());
        key.update(METERING_VERSION.to_le_bytes());
        key.update(self.engine.to_le_bytes());
        key.update(env!("CARGO_PKG_VERSION"));
        hex::encode(key.finalize())
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, Error> {
        let permit = self.children.acquire().await;
        permit.map_err(|error| Error::Process(io::Error::other(error)))
    }

    async fn prepare(&self, artifact: &Artifact) -> Result<(Prepared, Option<Duration>), Error> {
        let key = self.key(artifact);
        if let Some(compiled) = self.cache.ready(&key) {
            return Ok((Ok(compiled), None));
        }
        let lock = self.compile_lock(&key);
        let _alone = lock.lock().await;
        if let Some(compiled) = self.cache.load(&key).map_err(cache_failed)? {
            return Ok((Ok(compiled), None));
        }
        let started = Instant::now();
        let prepared = self.compile(&key, artifact).await?;
        Ok((prepared, Some(started.elapsed())))
    }

    /// The lock of one module's compiler; those of modules that nobody compiles are forgotten.
    fn compile_lock(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self
            .compiling
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = locks.get(key).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::default();
        locks.insert(key.to_owned(), Arc::downgrade(&lock));
        lock
    }

    async fn compile(&self, key: &str, artifact: &Artifact) -> Result<Prepared, Error> {
        let wasm = artifact.read().await.map_err(|source| Error::Files {
            what: "artifact",
            source,
        })?;
        let limits = self.settings.compile;
        let request = Request::Compile {
            wasm: wasm.to_vec(),
            memory_bytes: limits.memory_bytes,
            cpu_seconds: limits.wall.as_secs().saturating_add(1),
        };
        let permit = self.permit().await?;
        let deadline = deadline(limits.wall);
        let reply = self.spawner.ask(&request, deadline, MAX_CODE_BYTES).await;
        drop(permit);
        match reply.map_err(Error::Process)? {
            Reply::Said(Response::Compiled { code, unspent }) => {
                let stored = self.cache.store(key, &code, &unspent);
                stored.map(Ok).map_err(cache_failed)
            }
            Reply::Said(Response::Refused(refusal)) => Ok(Err(refusal)),
            Reply::Said(other) => Err(unexpected(other)),
            Reply::OutOfTime => Ok(Err(Refusal::bad(format_args!(
                "compiling it takes more than {:?}",
                limits.wall
            )))),
            Reply::Died { status, complaint } => match fell_to_its_module(status) {
                Some(reason) => Ok(Err(Refusal::bad(reason))),
                None => Err(Error::Died { status, complaint }),
            },
        }
    }

    /// `None` if the compiled code cannot be used.
    async fn run(
        &self,
        compiled: &Compiled,
        request: &Request,
        limits: &Limits,
        compile: Option<Duration>,
    ) -> Result<Option<Execution>, Error> {
        let most = limits
            .stdout_bytes
            .saturating_add(limits.stderr_bytes)
            .saturating_add(REPORT_SLACK_BYTES);
        let _permit = self.permit().await?;
        let started = Instant::now();
        let deadline = deadline(limits.wall.saturating_add(KILL_AFTER));
        let reply = self.spawner.ask(request, deadline, most).await;
        let wall = started.elapsed();
        let report = match reply.map_err(Error::Process)? {
            Reply::Said(Response::Ran(report)) => report,
            Reply::Said(Response::Unusable(reason)) => {
                tracing::warn!(code = %compiled.path.display(), reason, "compiled code cannot be used");
                return Ok(None);
            }
            Reply::Said(other) => return Err(unexpected(other)),
            Reply::OutOfTime => Report::out_of_time(),
            Reply::Died { status, complaint } => return Err(Error::Died { status, complaint }),
        };
        Ok(Some(settle(report, compiled, limits, wall, compile)))
    }
}

impl Report {
    fn out_of_time() -> Self {
        Self {
            outcome: Outcome::OutOfTime,
            charged: 0,
            place: None,
            stdout: Vec::new(),
            stderr: Vec::new(),
            stderr_dropped: 0,
            memory_peak_bytes: 0,
        }
    }
}

/// A report to an execution: gives back what a trap left unrun, and holds the child to the limits it was given.
fn settle(
    report: Report,
    compiled: &Compiled,
    limits: &Limits,
    wall: Duration,
    compile: Option<Duration>,
) -> Execution {
    let unspent = report.place.map_or(0, |(function, offset)| {
        compiled.unspent.at(function, offset)
    });
    let used = report.charged.saturating_sub(unspent.into());
    let mut outcome = report.outcome;
    if let Outcome::Trapped { backtrace, .. } = &mut outcome {
        let end = backtrace.floor_char_boundary(MAX_BACKTRACE_BYTES);
        backtrace.truncate(end);
    }
    if used > limits.instructions || outcome == Outcome::OutOfInstructions {
        outcome = Outcome::OutOfInstructions;
    }
    let cut = |mut bytes: Vec<u8>, most| {
        bytes.truncate(most);
        bytes
    };
    Execution {
        instructions: if outcome == Outcome::OutOfInstructions {
            limits.instructions
        } else {
            used
        },
        outcome,
        stdout: cut(report.stdout, limits.stdout_bytes),
        stderr: cut(report.stderr, limits.stderr_bytes),
        stderr_dropped: report.stderr_dropped,
        wall: wall.min(limits.wall),
        memory_peak_bytes: report.memory_peak_bytes.min(limits.memory_bytes),
        compile,
    }
}

/// The execution of a module that is not run.
fn refused(refusal: Refusal, compile: Option<Duration>) -> Execution {
    Execution {
        outcome: match refusal {
            Refusal::BadModule { reason } => Outcome::BadModule { reason },
            Refusal::Feature { feature } => Outcome::Refused { feature },
        },
        stdout: Vec::new(),
        stderr: Vec::new(),
        stderr_dropped: 0,
        instructions: 0,
        wall: Duration::ZERO,
        memory_peak_bytes: 0,
        compile,
    }
}

fn check(run: &Run) -> Result<(), Error> {
    if run.args.iter().any(|arg| arg.contains('\0')) {
        return Err(Error::BadRun("an argument"));
    }
    let bad = |(name, value): (&String, &String)| {
        name.is_empty() || name.contains(['\0', '=']) || value.contains('\0')
    };
    if run.env.iter().any(bad) {
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

fn cache_failed(source: io::Error) -> Error {
    Error::Files {
        what: "cache of compiled modules",
        source,
    }
}

fn unexpected(response: Response) -> Error {
    Error::Failed(match response {
        Response::Failed(reason) | Response::Unusable(reason) => reason,
        _ => "it answered another question".to_owned(),
    })
}
