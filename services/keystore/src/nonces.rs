//! The nonces of owners' signatures, on disk until the signatures expire, so that none is taken twice, not even after a crash.
//!
//! A line holds when it may be forgotten and the nonce's name; it is on the disk before the nonce counts as taken. A line that a
//! crash cut short was never told to anyone, and is dropped.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use protocol::AccountId;
use protocol::clock::{Clock, UnixMs};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// How many signatures may hold at once.
const MOST: usize = 100_000;

/// How many lines that may be forgotten the file has before it is written anew.
const MOST_DEAD: usize = 10_000;

/// The nonces that were used.
#[derive(Debug)]
pub(crate) struct Nonces {
    path: PathBuf,
    clock: Clock,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    used: HashMap<String, UnixMs>,
    lines: usize,
    file: File,
}

impl Nonces {
    /// Reads what is kept, and drops what has expired.
    pub(crate) fn open(path: &Path, clock: Clock) -> Result<Self, Error> {
        let failed = |source| Error::Nonces {
            path: path.to_owned(),
            source,
        };
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(failed)?,
        };
        let mut used = parse(&text).map_err(failed)?;
        let now = clock.now_ms();
        used.retain(|_, until| *until >= now);
        let file = rewrite(path, &used).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            clock,
            kept: Mutex::new(Kept {
                lines: used.len(),
                used,
                file,
            }),
        })
    }

    /// Takes a nonce of an owner's, which nobody may take again before `until`.
    pub(crate) fn take(
        &self,
        owner: &AccountId,
        nonce: &[u8; 32],
        until: UnixMs,
    ) -> Result<(), Error> {
        let name = Sha256::new()
            .chain_update(nonce)
            .chain_update(owner.as_bytes());
        let name = hex::encode(name.finalize());
        let now = self.clock.now_ms();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.used.get(&name).is_some_and(|until| *until >= now) {
            return Err(Error::NonceUsed);
        }
        self.tidy(&mut kept, now).map_err(|err| self.failed(err))?;
        if kept.used.len() >= MOST {
            return Err(Error::RateLimited);
        }
        let line = format!("{until} {name}\n");
        let written = kept.file.write_all(line.as_bytes());
        written
            .and_then(|()| kept.file.sync_data())
            .map_err(|err| self.failed(err))?;
        kept.lines = kept.lines.saturating_add(1);
        kept.used.insert(name, until);
        Ok(())
    }

    fn tidy(&self, kept: &mut Kept, now: UnixMs) -> io::Result<()> {
        let dead = kept.lines.saturating_sub(kept.used.len());
        if kept.used.len() < MOST && dead < MOST_DEAD && kept.lines < MOST_DEAD {
            return Ok(());
        }
        kept.used.retain(|_, until| *until >= now);
        if kept.lines.saturating_sub(kept.used.len()) >= MOST_DEAD {
            kept.file = rewrite(&self.path, &kept.used)?;
            kept.lines = kept.used.len();
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Nonces {
            path: self.path.clone(),
            source,
        }
    }
}

fn parse(text: &str) -> io::Result<HashMap<String, UnixMs>> {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let entry = |line: &str| {
        let (until, name) = line.split_once(' ')?;
        let whole = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        whole.then_some((name.to_owned(), until.parse().ok()?))
    };
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "a line is not one of ours");
    let lines = whole.lines().map(|line| entry(line).ok_or_else(odd));
    lines.collect()
}

/// Writes a new file and puts it in the place of the old one.
fn rewrite(path: &Path, used: &HashMap<String, UnixMs>) -> io::Result<File> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true);
    let mut file = BufWriter::new(options.open(&beside)?);
    for (name, until) in used {
        writeln!(file, "{until} {name}")?;
    }
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protocol::clock::ManualClock;
    use tempfile::TempDir;

    use super::*;

    fn place() -> (TempDir, PathBuf, Arc<ManualClock>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept").join("nonces");
        (folder, path, ManualClock::at(1_000))
    }

    fn alice() -> AccountId {
        "alice.near".parse().unwrap()
    }

    fn code(taken: Result<(), Error>) -> Result<(), &'static str> {
        taken.map_err(|error| error.wire().1)
    }

    #[test]
    fn a_nonce_is_taken_once_by_each_owner() {
        let (_folder, path, clock) = place();
        let nonces = Nonces::open(&path, clock).unwrap();
        let bob = "bob.near".parse().unwrap();

        assert_eq!(code(nonces.take(&alice(), &[1; 32], 2_000)), Ok(()));
        assert_eq!(
            code(nonces.take(&alice(), &[1; 32], 2_000)),
            Err("nonce_used")
        );
        assert_eq!(code(nonces.take(&alice(), &[2; 32], 2_000)), Ok(()));
        assert_eq!(code(nonces.take(&bob, &[1; 32], 2_000)), Ok(()));
    }

    #[test]
    fn a_nonce_stays_taken_over_a_crash_in_the_middle_of_a_line() {
        let (_folder, path, clock) = place();
        let nonces = Nonces::open(&path, clock.clone()).unwrap();
        nonces.take(&alice(), &[1; 32], 2_000).unwrap();
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(b"2000 00112233").unwrap();

        let nonces = Nonces::open(&path, clock).unwrap();

        assert_eq!(
            code(nonces.take(&alice(), &[1; 32], 2_000)),
            Err("nonce_used")
        );
        assert_eq!(code(nonces.take(&alice(), &[2; 32], 2_000)), Ok(()));
    }

    #[test]
    fn what_has_expired_is_forgotten() {
        let (_folder, path, clock) = place();
        let nonces = Nonces::open(&path, clock.clone()).unwrap();
        for number in 0..MOST_DEAD {
            let mut nonce = [0; 32];
            nonce[..8].copy_from_slice(&number.to_le_bytes());
            nonces
                .kept
                .lock()
                .unwrap()
                .used
                .insert(hex::encode(nonce), 1_500);
        }
        nonces.kept.lock().unwrap().lines = MOST_DEAD;
        clock.advance_ms(1_000);

        nonces.take(&alice(), &[1; 32], 3_000).unwrap();

        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn a_file_that_is_not_ours_is_not_used() {
        let (_folder, path, clock) = place();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "hello\n").unwrap();

        let opened = Nonces::open(&path, clock);

        assert!(matches!(opened, Err(Error::Nonces { .. })));
    }
}
