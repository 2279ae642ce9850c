//! The chain's log: every block with what it changed, in a file that only grows.
//!
//! A block is one frame: length, checksum, bytes. A frame is written with one call, so that killing the process loses at most
//! the block it was writing, and an unfinished frame at the end is cut off when the log is opened. Reading it needs no VM, so
//! that a log outlives changes to the code that runs contracts.

mod record;

pub use record::{BlockRecord, Record};

use crate::folder::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// First bytes of every log.
const MAGIC: [u8; 7] = *b"NEARlog";

/// The form of the records, which is the byte after [`MAGIC`]. The first had no headers and no causes of changes.
const FORM: u8 = 2;

/// Length and checksum before each frame, in bytes.
const HEADER: usize = 12;

/// An open log.
#[derive(Debug)]
pub struct Log {
    file: File,
    path: PathBuf,
}

impl Log {
    /// Opens the log in a folder, making both if need be, and reads what it holds.
    pub fn open(folder: &Path) -> Result<(Self, Vec<Record>), Error> {
        let path = folder.join("blocks.log");
        let failed = Error::of(&path);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let open = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = open.map_err(failed)?;
        // One process at a time: two would interleave their blocks.
        file.try_lock().map_err(|error| failed(error.into()))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.is_empty() {
            let start = [MAGIC.as_slice(), &[FORM]].concat();
            file.write_all(&start).map_err(failed)?;
            return Ok((Self { file, path }, Vec::new()));
        }
        let (records, whole) = match bytes.strip_prefix(&MAGIC).and_then(<[u8]>::split_first) {
            Some((&FORM, frames)) => read_frames(frames),
            Some((&found, _)) => {
                let known = FORM;
                return Err(Error::Version { path, found, known });
            }
            None => return Err(Error::Foreign { path }),
        };
        let start = MAGIC.len().saturating_add(1);
        let end = u64::try_from(whole.saturating_add(start)).unwrap_or(u64::MAX);
        file.set_len(end).map_err(failed)?;
        file.seek(SeekFrom::Start(end)).map_err(failed)?;
        Ok((Self { file, path }, records))
    }

    /// Adds a record. A chain whose disk fails goes on in memory, and says so.
    pub fn append(&mut self, record: &Record) {
        if let Err(error) = self.write(record) {
            tracing::error!(path = %self.path.display(), %error, "a block could not be kept");
        }
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        let bytes = borsh::to_vec(record)?;
        let length = u64::try_from(bytes.len()).map_err(io::Error::other)?;
        let mut frame = Vec::with_capacity(bytes.len().saturating_add(HEADER));
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(&checksum(&bytes));
        frame.extend_from_slice(&bytes);
        self.file.write_all(&frame)
    }
}

/// The records of all frames up to the first that is not whole, and where that one starts.
fn read_frames(frames: &[u8]) -> (Vec<Record>, usize) {
    let mut records = Vec::new();
    let mut rest = frames;
    while let Some((record, after)) = read_frame(rest) {
        records.push(record);
        rest = after;
    }
    (records, frames.len().saturating_sub(rest.len()))
}

fn read_frame(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let (frame, rest) =
        rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    if checksum(frame) != *sum {
        return None;
    }
    Some((borsh::from_slice(frame).ok()?, rest))
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let hash = near_primitives::hash::hash(bytes);
    hash.0.first_chunk::<4>().copied().unwrap_or_default()
}
