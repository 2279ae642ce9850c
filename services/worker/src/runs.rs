//! Executions kept for `outlayer replay`, for operators who look into one: all that a guest was given. One that was given secrets is not kept.

use std::fs;
use std::io;
use std::path::Path;

use executor::{Execution, Record, Run};
use protocol::RequestId;

use crate::folder::Folder;

/// How much of the disk they may take. Unit: bytes.
const FOLDER_BYTES: u64 = 1 << 30;

/// Executions on this worker's disk: `{folder}/{request_id}.run`, the oldest gone for the newest.
#[derive(Clone, Debug)]
pub(crate) struct Runs(Folder);

impl Runs {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Folder::open(folder, FOLDER_BYTES).map(Self)
    }

    /// Keeps an execution. One that cannot be kept is as good an answer, so a failure is only noted.
    pub(crate) fn keep(&self, id: RequestId, artifact: &Path, run: Run, execution: &Execution) {
        if let Err(err) = self.write(id, artifact, run, execution) {
            tracing::warn!(request = id.0, "an execution is not kept: {err}");
        }
    }

    fn write(
        &self,
        id: RequestId,
        artifact: &Path,
        run: Run,
        execution: &Execution,
    ) -> io::Result<()> {
        let record = Record::of(fs::read(artifact)?, run, execution);
        let record =
            record.ok_or_else(|| io::Error::other("the guest looked at the clock too often"))?;
        self.0.write(&format!("{}.run", id.0), &record.to_bytes()?)
    }
}
