//! `outlayer secrets generate`: secrets that only the keystore has seen, beside those that are stored.

use anyhow::{Result, bail, ensure};
use protocol::secrets::{AccessCondition, SecretProfileView};

use super::access;
use super::desk::{self, Desk};
use super::keystore::Keystore;
use super::set::Stored;
use crate::args::secrets::Generate;
use crate::say::Voice;

/// Has them made and stores what comes back.
pub(super) async fn generate(args: &Generate, voice: Voice) -> Result<()> {
    let wished = access::condition(&args.access)?;
    let key = desk::secret_key(&args.key)?;
    let keystore = Keystore::behind(&args.keystore, voice)?;
    let desk = Desk::of(&args.place)?;
    let (access, beside) = match desk.find().await? {
        Some(stored) => kept(&desk, stored, wished)?,
        None => (access::named(&args.access)?, None),
    };
    let revised = keystore.generate(&desk, beside, &args.wanted).await?;
    let sender = desk.sender(&key)?;
    let sealed = &revised.encrypted_data_base64;
    let (deposit, outcome) = desk.store_sealed(&sender, sealed, &access).await?;
    Stored {
        desk: &desk,
        names: &revised.all_keys,
        access: &access,
        deposit,
        outcome: &outcome,
        sealed_to: None,
    }
    .tell(voice);
    Ok(())
}

/// What a profile that is there keeps: its condition and its secrets.
fn kept(
    desk: &Desk,
    stored: SecretProfileView,
    wished: Option<AccessCondition>,
) -> Result<(AccessCondition, Option<String>)> {
    if wished.is_some_and(|wished| wished != stored.access) {
        bail!(
            "{} is there and keeps its condition: `outlayer secrets set-access` changes it",
            desk.title()
        );
    }
    // The keystore opens them by the name that they were sealed for, and is told only the one that is meant now.
    ensure!(
        stored.sealed_for == desk.accessor,
        "what is stored was sealed for {}: `outlayer secrets update` seals it for {} first",
        stored.sealed_for,
        desk.accessor
    );
    Ok((stored.access, Some(stored.encrypted_secrets)))
}
