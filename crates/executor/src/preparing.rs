//! Artifacts to code that is ready to run: from the cache, or from a compiling process.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use guest::wire::Frame;
use metering::{Refusal, Variant};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::artifact::Artifact;
use crate::cache::{Cache, Compiled};
use crate::child::wire::{Ask, Deed, Origin, Told};
use crate::executor::Error;
use crate::form::{self, Form};
use crate::process::{Reply, Spawner, fell_to_its_module};
use crate::remembered::Remembered;
use crate::settings::{CompileLimits, Jail, Settings};

/// What looking for code ends with: the code, or why there is none.
pub(crate) type Prepared = Result<Arc<Compiled>, Refusal>;

/// How long looking for the lines of a backtrace may hold up an answer, which has to come while the request's yield lasts. DWARF is the
/// guest's own, and may be made to take long.
const LOCATING: Duration = Duration::from_secs(5);

/// The compilers and their cache.
#[derive(Debug)]
pub(crate) struct Workshop {
    cache: Cache,
    spawner: Spawner,
    limits: CompileLimits,
    may_lack_layers: bool,
    engine: u64,
    /// Compiling processes that somebody waits for, at one time; each may take all of a core and much memory.
    places: Semaphore,
    /// Those that nobody waits for: they never keep the others from beginning.
    places_beside: Semaphore,
    /// One compiler at a time for each form of a module.
    compiling: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
    /// Modules that have nothing that leads to their source.
    lineless: Remembered,
}

impl Workshop {
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        Ok(Self {
            cache: Cache::open(&settings.cache, settings.cache_bytes).map_err(cache_failed)?,
            spawner: Spawner::new(settings.compiler.clone()).map_err(Error::Process)?,
            limits: settings.compile,
            may_lack_layers: settings.jail == Jail::AsFarAsPossible,
            engine: form::fingerprint().map_err(|error| Error::Engine(format!("{error:#}")))?,
            places: Semaphore::new(cores),
            places_beside: Semaphore::new(cores.div_ceil(2)),
            compiling: Mutex::default(),
            lineless: Remembered::default(),
        })
    }

    /// The code of this form, if it is at hand.
    pub(crate) fn find(
        &self,
        artifact: &Artifact,
        form: Form,
    ) -> Result<Option<Arc<Compiled>>, Error> {
        let key = form.key(artifact.sha256(), self.engine);
        self.cache.load(&key).map_err(cache_failed)
    }

    /// The code of this form, compiled if it must be, and how long that took.
    pub(crate) async fn prepare(
        &self,
        artifact: &Artifact,
        form: Form,
    ) -> Result<(Prepared, Option<Duration>), Error> {
        self.prepare_in(&self.places, artifact, form).await
    }

    /// As [`Workshop::prepare`], of code that nobody waits for.
    pub(crate) async fn prepare_beside(
        &self,
        artifact: &Artifact,
        form: Form,
    ) -> Result<Prepared, Error> {
        Ok(self
            .prepare_in(&self.places_beside, artifact, form)
            .await?
            .0)
    }

    async fn prepare_in(
        &self,
        places: &Semaphore,
        artifact: &Artifact,
        form: Form,
    ) -> Result<(Prepared, Option<Duration>), Error> {
        let key = form.key(artifact.sha256(), self.engine);
        if let Some(compiled) = self.cache.ready(&key) {
            return Ok((Ok(compiled), None));
        }
        let lock = self.lock(&key);
        let _alone = lock.lock().await;
        if let Some(compiled) = self.cache.load(&key).map_err(cache_failed)? {
            return Ok((Ok(compiled), None));
        }
        let started = Instant::now();
        let prepared = self.compile(places, &key, artifact, form).await?;
        Ok((prepared, Some(started.elapsed())))
    }

    /// Lets go of code that cannot be used.
    pub(crate) fn forget(&self, compiled: &Compiled) -> Result<(), Error> {
        self.cache.forget(&compiled.key).map_err(cache_failed)
    }

    /// The lock of one form's compiler; those of forms that nobody compiles are forgotten.
    fn lock(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
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

    /// Where in the source of `artifact` these frames are, of code of this variant. What fails here is not told: a backtrace without
    /// lines is one too.
    pub(crate) async fn locate(
        &self,
        artifact: &Artifact,
        variant: Variant,
        frames: &[Frame],
    ) -> Vec<Vec<Origin>> {
        let name = artifact.sha256();
        if self.lineless.has(&name) {
            return Vec::new();
        }
        let frames = frames.to_vec();
        let deed = Deed::Locate { variant, frames };
        let asked = timeout(LOCATING, self.ask(&self.places, artifact, deed)).await;
        match asked.unwrap_or(Ok(Reply::OutOfTime)) {
            Ok(Reply::Said(Told::Located(lines))) => return lines,
            Ok(Reply::Said(Told::Failed(reason))) => {
                tracing::warn!(reason, "a backtrace stays without lines");
            }
            // It has none, or looking for them is more than its limits allow.
            Ok(_) => self.lineless.insert(name),
            Err(error) => tracing::warn!(error = %error, "a backtrace stays without lines"),
        }
        Vec::new()
    }

    /// Asks a process of its own one thing about `artifact`.
    async fn ask(
        &self,
        places: &Semaphore,
        artifact: &Artifact,
        deed: Deed,
    ) -> Result<Reply, Error> {
        let wasm = artifact.read().await.map_err(|source| Error::Files {
            what: "artifact",
            source,
        })?;
        let limits = self.limits;
        let ask = Ask {
            wasm: wasm.to_vec(),
            deed,
            memory_bytes: limits.memory_bytes,
            cpu_seconds: limits.wall.as_secs().saturating_add(1),
            may_lack_layers: self.may_lack_layers,
        };
        let place = places.acquire().await;
        let _place = place.map_err(|error| Error::Process(io::Error::other(error)))?;
        let now = Instant::now();
        let deadline = now.checked_add(limits.wall).unwrap_or(now);
        let reply = self.spawner.ask(&ask, deadline).await;
        reply.map_err(Error::Process)
    }

    async fn compile(
        &self,
        places: &Semaphore,
        key: &str,
        artifact: &Artifact,
        form: Form,
    ) -> Result<Prepared, Error> {
        match self.ask(places, artifact, Deed::Compile(form)).await? {
            Reply::Said(Told::Compiled { code }) => {
                self.cache.store(key, &code).map(Ok).map_err(cache_failed)
            }
            Reply::Said(Told::Refused(refusal)) => Ok(Err(refusal)),
            Reply::Said(Told::Failed(reason)) => Err(Error::Failed(reason)),
            Reply::Said(Told::Located(_) | Told::Lineless) => {
                Err(Error::Failed("it told of lines, not code".to_owned()))
            }
            Reply::OutOfTime => Ok(Err(Refusal::bad(format_args!(
                "compiling it takes more than {:?}",
                self.limits.wall
            )))),
            Reply::Died { status, complaint } => match fell_to_its_module(status, &complaint) {
                Some(reason) => Ok(Err(Refusal::bad(reason))),
                None => Err(Error::Died { status, complaint }),
            },
        }
    }
}

fn cache_failed(source: io::Error) -> Error {
    Error::Files {
        what: "cache of compiled modules",
        source,
    }
}
