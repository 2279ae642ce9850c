//! The database: one SQL text for two engines, through sqlx's `Any`.
//!
//! SQLite is embedded: a write-ahead log, one connection that writes and a few that read, so that no writer ever meets a
//! locked file. `synchronous = NORMAL` keeps all that was committed when the process dies; when the machine dies, the last
//! commits may be gone, and since a block's jobs and the cursor are one commit, those blocks are read again.

mod columns;

use std::path::PathBuf;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyPool, Executor, Transaction};

use crate::error::Error;

pub(crate) use columns::{Columns, corrupt, int, money};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Connections that read at the same time. Two cores read no faster with more.
const READERS: u32 = 4;

/// How long a connection waits for another process's lock before it gives up.
const BUSY_TIMEOUT_MS: u32 = 10_000;

/// Where the tables are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// Nowhere: they are gone when the coordinator stops.
    Memory,
    /// In a SQLite file, made when it is not there.
    File(PathBuf),
}

/// The open database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    writer: AnyPool,
    readers: AnyPool,
}

impl Store {
    /// Opens the database and brings its tables up to date.
    pub(crate) async fn open(database: &Database) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let (url, readers) = match database {
            Database::Memory => ("sqlite::memory:".to_owned(), None),
            Database::File(path) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).map_err(|source| Error::File {
                        path: folder.to_owned(),
                        source,
                    })?;
                }
                (file_url(path)?, Some(READERS))
            }
        };
        let writer = pool(&url, 1).await?;
        MIGRATIONS.run(&writer).await?;
        let readers = match readers {
            Some(count) => pool(&url, count).await?,
            None => writer.clone(), // each connection to `:memory:` is a database of its own
        };
        Ok(Self { writer, readers })
    }

    /// For statements that change something and stand alone.
    pub(crate) const fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// For statements that only look.
    pub(crate) const fn readers(&self) -> &AnyPool {
        &self.readers
    }

    /// Begins a transaction that will write. It takes the lock at once, so that what it reads stays true until it commits.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, Error> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Waits for running statements and closes the files.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Reserves `count` numbers; the last of them.
pub(crate) async fn count_on(
    tx: &mut Transaction<'static, Any>,
    name: &'static str,
    count: u64,
) -> Result<u64, Error> {
    let row = sqlx::query(
        "UPDATE counters SET last_value = last_value + $1 WHERE name = $2 RETURNING last_value",
    )
    .bind(int(count))
    .bind(name)
    .fetch_one(&mut **tx)
    .await?;
    row.int("last_value")
}

/// A file's URL as sqlx reads it: percent-decoded, `?` starts the options.
fn file_url(path: &std::path::Path) -> Result<String, Error> {
    let text = path.to_str().ok_or_else(|| Error::File {
        path: path.to_owned(),
        source: std::io::Error::new(std::io::ErrorKind::InvalidInput, "not UTF-8"),
    })?;
    let escaped = text
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23");
    Ok(format!("sqlite://{escaped}?mode=rwc"))
}

async fn pool(url: &str, connections: u32) -> Result<AnyPool, Error> {
    let options: AnyConnectOptions = url.parse()?;
    let pragmas = format!(
        "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000"
    );
    let pool = AnyPoolOptions::new()
        .min_connections(1)
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false) // a connection within the process does not go away
        .after_connect(move |connection, _| {
            let pragmas = sqlx::AssertSqlSafe(pragmas.clone());
            Box::pin(async move { connection.execute(pragmas).await.map(|_| ()) })
        })
        .connect_with(options)
        .await?;
    Ok(pool)
}
