//! The master key of a platform's keystore: made once, in a file that only we can read.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use keystore::Master;
use rand::RngCore as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

/// The master key in a folder.
pub(super) fn in_folder(folder: &Path) -> Result<Master> {
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let path = folder.join("master.key");
    if !path.exists() {
        let mut key = Zeroizing::new([0; 32]);
        StdRng::from_os_rng().fill_bytes(&mut *key);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        file.and_then(|mut file| file.write_all(&*key))
            .with_context(|| format!("write {}", path.display()))?;
    }
    Ok(Master::File(path))
}
