//! What breaks meanwhile.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use outlayer::platform::Ending;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use tokio::process::Command;
use town::{Find, Scan};

use super::stage::Stage;

/// How many calls find nobody before a part that is away comes back.
const IN_VAIN: u64 = 3;

/// One thing that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The keystore goes away and comes back.
    Keystore(Ending),
    /// The coordinator does.
    Coordinator(Ending),
    /// The worker gets this signal, and another takes its place.
    Worker(&'static str),
}

impl Fault {
    /// All that will break, in some order.
    pub(super) fn deal(dice: &mut StdRng) -> Vec<Self> {
        let mut faults = vec![
            Self::Keystore(Ending::Sudden),
            Self::Keystore(Ending::Sudden),
            Self::Keystore(Ending::Graceful),
            Self::Coordinator(Ending::Sudden),
            Self::Coordinator(Ending::Sudden),
            Self::Coordinator(Ending::Graceful),
            Self::Worker("-KILL"),
            Self::Worker("-KILL"),
            Self::Worker("-KILL"),
            Self::Worker("-KILL"),
            // Of these a process dies with a core file, where it may leave one.
            Self::Worker("-ABRT"),
            Self::Worker("-QUIT"),
        ];
        faults.shuffle(dice);
        faults
    }

    /// It breaks, and is mended.
    pub(super) async fn strike(self, stage: &mut Stage) -> Result<()> {
        match self {
            Self::Keystore(ending) => {
                stage.town.platform.stop_keystore(ending).await;
                let knocks = stage.taps.coordinator_keystore.until_in_vain(IN_VAIN);
                knocks.await.context("without a keystore")?;
                stage.town.platform.start_keystore().await
            }
            Self::Coordinator(ending) => {
                stage.town.platform.stop_coordinator(ending).await;
                let knocks = stage.taps.worker_coordinator.until_in_vain(IN_VAIN);
                knocks.await.context("without a coordinator")?;
                stage.town.platform.start_coordinator().await
            }
            Self::Worker(signal) => {
                let pid = stage.worker.id().context("the worker runs")?.to_string();
                assert_forbids_cores(&pid)?;
                Command::new("kill").args([signal, &pid]).status().await?;
                let ended = stage.worker.wait().await?;
                ensure!(!ended.success(), "the worker outlived {signal}");
                stage.start_worker()
            }
        }
    }
}

/// The kernel writes no core file of this process, however it ends.
pub(super) fn assert_forbids_cores(pid: &str) -> Result<()> {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits"))?;
    let of_core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let of_core: Vec<_> = of_core.unwrap_or_default().split_whitespace().collect();
    ensure!(of_core == ["0", "0", "bytes"], "cores of {of_core:?}");
    Ok(())
}

/// Core files where the worker would leave them, whatever is in them, and what holds the canary where else this machine puts core files.
pub(super) fn cores(folder: &Path, scan: &Scan) -> Result<Vec<Find>> {
    let mut finds = Vec::new();
    for entry in std::fs::read_dir(folder.join("cwd"))? {
        let place = entry?.path();
        let name = place.file_name().unwrap_or_default();
        if name.to_string_lossy().starts_with("core") {
            finds.push(Find {
                place,
                offset: None,
            });
        }
    }
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern")?;
    // A name without a folder is taken in the process's own; a `|` hands the core to a program, which gets none of these processes.
    if pattern.starts_with('/')
        && let Some(elsewhere) = Path::new(&pattern).parent()
        && elsewhere.is_dir()
    {
        finds.extend(scan.folder(elsewhere)?.finds);
    }
    Ok(finds)
}
