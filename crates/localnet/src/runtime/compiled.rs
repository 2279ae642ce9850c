//! Compiled contracts, shared by all chains of a process that have no folder of their own.

use near_vm_runner::{ContractRuntimeCache, FilesystemContractRuntimeCache};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tempfile::TempDir;

/// Compiled contracts kept in memory, each ready to run. A journey uses some ten.
const CONTRACTS_IN_MEMORY: usize = 64;

/// Where compiled contracts are kept.
pub(super) struct Compiled {
    pub(super) cache: Box<dyn ContractRuntimeCache>,
    /// Removed when nobody uses it any more.
    _folder: Option<Arc<Shared>>,
}

struct Shared {
    cache: FilesystemContractRuntimeCache,
    _folder: TempDir,
}

/// The cache needs files, and contracts take long to compile, so that chains in memory share one folder while any lives.
/// What is in it is named by the hash of the code, and nobody else can write there.
static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());

impl Compiled {
    pub(super) fn open(folder: Option<&Path>) -> io::Result<Self> {
        if let Some(folder) = folder {
            let cache = Box::new(cache(folder)?);
            return Ok(Self {
                cache,
                _folder: None,
            });
        }
        let shared = shared()?;
        let cache = shared.cache.handle();
        Ok(Self {
            cache,
            _folder: Some(shared),
        })
    }
}

fn shared() -> io::Result<Arc<Shared>> {
    let mut known = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shared) = known.upgrade() {
        return Ok(shared);
    }
    let folder = tempfile::Builder::new().prefix("localnet-").tempdir()?;
    let shared = Arc::new(Shared {
        cache: cache(folder.path())?,
        _folder: folder,
    });
    *known = Arc::downgrade(&shared);
    Ok(shared)
}

fn cache(folder: &Path) -> io::Result<FilesystemContractRuntimeCache> {
    FilesystemContractRuntimeCache::with_memory_cache(
        folder,
        None::<&str>,
        "contract.cache",
        CONTRACTS_IN_MEMORY,
        None,
        FilesystemContractRuntimeCache::MAX_DISK_CACHE_BYTES,
        near_vm_runner::noop_background_spawner(),
    )
}
