//! Everything that the parts in this process say, down to the last detail, in a file.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Writes until it is told to stop: other journeys may go on in this process.
#[derive(Clone, Debug)]
pub(super) struct Log(Arc<Mutex<Option<File>>>);

impl Log {
    /// Writes what all of this process says from now on to a file, as far as `filter` lets it.
    pub(super) fn start(path: &Path, filter: &str) -> Result<Self> {
        let log = Self(Arc::new(Mutex::new(Some(File::create(path)?))));
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::try_new(filter)?)
            .with_ansi(false)
            .with_writer(log.clone())
            .try_init()
            .map_err(|err| anyhow::anyhow!("somebody else writes logs: {err}"))?;
        Ok(log)
    }

    /// Writes nothing more.
    pub(super) fn stop(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = file.as_mut() {
            file.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
