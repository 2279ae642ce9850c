//! Worker tokens: who may call `/worker/…`.
//!
//! Only a token's sha256 is kept. A caller is found by the hash of what it sent, so that the time a look-up takes tells
//! nothing about a token. Tokens in force are kept in memory too, and read again now and then, since another coordinator on
//! the same database may have changed them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use protocol::clock::{Clock, UnixMs};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::store::{Columns, Store, corrupt, int};

/// Letters of a worker's name at most.
const NAME_LETTERS: usize = 64;

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// What a worker shows to be let in. It is told once, when it is made.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The text that stands after `Bearer`.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The tokens in force, and when their workers were last seen.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
    in_force: RwLock<HashMap<[u8; 32], String>>,
    /// Held from a change of the table until it is made in memory, so that reading the tokens again cannot undo it.
    changing: tokio::sync::Mutex<()>,
    /// Not written yet.
    seen: Mutex<HashMap<String, UnixMs>>,
}

impl Tokens {
    pub(crate) async fn open(store: Store, clock: Clock) -> Result<Self, Error> {
        let tokens = Self(Arc::new(Inner {
            store,
            clock,
            in_force: RwLock::default(),
            changing: tokio::sync::Mutex::default(),
            seen: Mutex::default(),
        }));
        tokens.refresh().await?;
        Ok(tokens)
    }

    /// Makes a token for a new worker, or for one whose token was revoked.
    pub async fn create(&self, worker_name: &str) -> Result<Token, Error> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if worker_name.is_empty()
            || worker_name.len() > NAME_LETTERS
            || !worker_name.chars().all(allowed)
        {
            return Err(Error::BadWorkerName);
        }
        let mut bytes = [0; TOKEN_BYTES];
        OsRng
            .try_fill_bytes(&mut bytes)
            .map_err(|err| Error::Chance(err.to_string()))?;
        let token = Token(hex::encode(bytes));
        let hash = hash(token.reveal());
        let _changing = self.0.changing.lock().await;
        let done = sqlx::query(
            "INSERT INTO workers (worker_name, token_sha256, created_at) VALUES ($1, $2, $3) \
             ON CONFLICT (worker_name) DO UPDATE SET token_sha256 = excluded.token_sha256 \
             WHERE workers.token_sha256 IS NULL",
        )
        .bind(worker_name.to_owned())
        .bind(hex::encode(hash))
        .bind(int(self.0.clock.now_ms()))
        .execute(self.0.store.writer())
        .await?;
        if done.rows_affected() == 0 {
            return Err(Error::WorkerExists(worker_name.to_owned()));
        }
        self.change(|in_force| {
            in_force.insert(hash, worker_name.to_owned());
        });
        Ok(token)
    }

    /// Takes a worker's token out of force.
    pub async fn revoke(&self, worker_name: &str) -> Result<(), Error> {
        let _changing = self.0.changing.lock().await;
        let done = sqlx::query(
            "UPDATE workers SET token_sha256 = NULL WHERE worker_name = $1 AND token_sha256 IS NOT NULL",
        )
        .bind(worker_name.to_owned())
        .execute(self.0.store.writer())
        .await?;
        self.change(|in_force| in_force.retain(|_, name| name != worker_name));
        match done.rows_affected() {
            0 => Err(Error::NoSuchWorker(worker_name.to_owned())),
            _ => Ok(()),
        }
    }

    /// Makes a token whether or not there is one; the old one is out of force.
    pub async fn replace(&self, worker_name: &str) -> Result<Token, Error> {
        match self.revoke(worker_name).await {
            Ok(()) | Err(Error::NoSuchWorker(_)) => self.create(worker_name).await,
            Err(err) => Err(err),
        }
    }

    /// Whose token this is; notes that the worker was here.
    pub(crate) fn worker_of(&self, token: &str) -> Option<String> {
        let in_force = self
            .0
            .in_force
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let name = in_force.get(&hash(token))?.clone();
        drop(in_force);
        self.0
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.clone(), self.0.clock.now_ms());
        Some(name)
    }

    /// When a worker was last seen, as far as that is not written yet.
    pub(crate) fn seen(&self) -> HashMap<String, UnixMs> {
        self.0
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the tokens again.
    pub(crate) async fn refresh(&self) -> Result<(), Error> {
        let _changing = self.0.changing.lock().await;
        let rows = sqlx::query(
            "SELECT worker_name, token_sha256 FROM workers WHERE token_sha256 IS NOT NULL",
        )
        .fetch_all(self.0.store.readers())
        .await?;
        let mut fresh = HashMap::with_capacity(rows.len());
        for row in rows {
            let mut hash = [0; 32];
            hex::decode_to_slice(row.text("token_sha256")?, &mut hash)
                .map_err(|err| corrupt("token_sha256", err))?;
            fresh.insert(hash, row.text("worker_name")?);
        }
        self.change(|in_force| *in_force = fresh);
        Ok(())
    }

    /// Writes when workers were seen.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        let seen = self.seen();
        if seen.is_empty() {
            return Ok(());
        }
        let mut tx = self.0.store.begin().await?;
        for (name, at) in &seen {
            sqlx::query("UPDATE workers SET last_seen_at = $1 WHERE worker_name = $2")
                .bind(int(*at))
                .bind(name.clone())
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        self.0
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|name, at| seen.get(name) != Some(at));
        Ok(())
    }

    fn change(&self, with: impl FnOnce(&mut HashMap<[u8; 32], String>)) {
        with(
            &mut self
                .0
                .in_force
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
