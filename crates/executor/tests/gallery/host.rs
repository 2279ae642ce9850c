//! What is left of thousands of hostile guests: nothing.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use executor::{Artifact, Engine};

use crate::tree::descendants;
use crate::{Expected, TURN, executor, gallery};

/// How many hostile guests run if `OUTLAYER_HOSTILE_RUNS` does not say otherwise.
const RUNS: usize = 2_000;

/// How many run at the same time.
const AT_ONCE: usize = 8;

/// What this process has of the machine.
#[derive(Debug)]
struct Possessions {
    descriptors: usize,
    memory_kib: u64,
    processes: usize,
}

impl Possessions {
    /// Waits until servers have started, ended and forked what they are about to.
    ///
    /// The kernel's list of processes tells nobody when it changes, so it is looked at again and again.
    async fn settled() -> Self {
        let (mut last, mut same) = (0, 0_u32);
        while same < 5 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = descendants().len();
            same = if now == last {
                same.saturating_add(1)
            } else {
                0
            };
            last = now;
        }
        Self::now()
    }

    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let memory = status.lines().find(|line| line.starts_with("VmRSS:"));
        let memory = memory.and_then(|line| line.split_whitespace().nth(1));
        Self {
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            memory_kib: memory.unwrap().parse().unwrap(),
            processes: descendants().len(),
        }
    }
}

fn runs() -> usize {
    #[expect(
        clippy::disallowed_methods,
        reason = "a long test is asked for by hand"
    )]
    let given = std::env::var("OUTLAYER_HOSTILE_RUNS");
    given.map_or(RUNS, |runs| runs.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_hostile_guests_leave_the_host_as_it_was() {
    let _turn = TURN.lock().await;
    let cache = tempfile::tempdir().unwrap();
    let executor = executor(cache.path(), Engine::Winch);
    // Those that end by time would only make this wait.
    let gallery: Vec<_> = gallery()
        .into_iter()
        .filter(|piece| piece.expected != Expected::OutOfTime)
        .filter(|piece| piece.expected != Expected::BadModule)
        .map(|piece| (Artifact::from_bytes(piece.wasm.clone()), piece))
        .collect();
    let gallery = Arc::new(gallery);
    let rounds = async |runs: usize| {
        let lanes: Vec<_> = (0..AT_ONCE)
            .map(|lane| {
                let (executor, gallery) = (executor.clone(), Arc::clone(&gallery));
                tokio::spawn(async move {
                    for number in (lane..runs).step_by(AT_ONCE) {
                        let (artifact, piece) = &gallery[number % gallery.len()];
                        let execution = executor.execute(artifact, piece.run()).await.unwrap();
                        piece.check(&execution);
                    }
                })
            })
            .collect();
        for lane in lanes {
            lane.await.unwrap();
        }
    };
    // Compiles everything, and fills what is kept for later.
    rounds(4 * gallery.len()).await;

    let before = Possessions::settled().await;
    rounds(runs()).await;
    let after = Possessions::settled().await;

    assert!(
        after.descriptors <= before.descriptors + 16,
        "{before:?} {after:?}"
    );
    assert!(
        after.processes <= before.processes + 16,
        "{before:?} {after:?}"
    );
    assert!(
        after.memory_kib <= before.memory_kib + (32 << 10),
        "{before:?} {after:?}"
    );
}
