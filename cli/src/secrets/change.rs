//! `outlayer secrets show-access`, `set-access` and `delete`: what needs no value.

use anyhow::{Context as _, Result};
use serde_json::json;

use super::desk::{self, Desk};
use super::set::opened_for;
use super::{access, words};
use crate::args::secrets::{Delete, Place, SetAccess};
use crate::journey::near;
use crate::say::Voice;

/// Says for whom a profile is opened, in words and as `--access-json` takes it.
pub(super) async fn show_access(place: &Place, voice: Voice) -> Result<()> {
    let desk = Desk::of(place)?;
    let stored = desk.stored().await?;
    let words = words::whom(&stored.access);
    voice.result(
        format!(
            "{} is opened for {words}\n{}",
            desk.title(),
            serde_json::to_string(&stored.access)?
        ),
        &json!({
            "owner": desk.owner,
            "accessor": desk.accessor.typed(),
            "profile": desk.profile,
            "access": stored.access,
            "in_words": words,
        }),
    );
    Ok(())
}

/// Changes for whom a profile is opened.
pub(super) async fn set_access(args: &SetAccess, voice: Voice) -> Result<()> {
    let access = access::named(&args.access)?;
    let key = desk::secret_key(&args.key)?;
    let desk = Desk::of(&args.place)?;
    let stored = desk.stored().await?;
    let deposit = desk.deposit(&stored.encrypted_secrets, &access).await?;
    let changed = desk
        .contract
        .update_access(&desk.sender(&key)?, &desk.named(), &access, deposit)
        .await;
    let outcome = changed.context("change the condition")?;
    voice.result(
        format!(
            "{}: {}\ndeposit {} ({})",
            desk.title(),
            opened_for(&access),
            near(deposit),
            outcome.transaction_hash
        ),
        &json!({
            "owner": desk.owner,
            "accessor": desk.accessor.typed(),
            "profile": desk.profile,
            "access": access,
            "before": stored.access,
            "deposit": deposit,
            "transaction": outcome.transaction_hash,
        }),
    );
    Ok(())
}

/// Deletes a profile.
pub(super) async fn delete(args: &Delete, voice: Voice) -> Result<()> {
    let key = desk::secret_key(&args.key)?;
    let desk = Desk::of(&args.place)?;
    let stored = desk.stored().await?;
    let deleted = desk
        .contract
        .delete_secrets(&desk.sender(&key)?, &desk.named())
        .await;
    let outcome = deleted.context("delete the profile")?;
    voice.result(
        format!(
            "deleted {}; {} came back ({})",
            desk.title(),
            near(stored.storage_deposit),
            outcome.transaction_hash
        ),
        &json!({
            "owner": desk.owner,
            "accessor": desk.accessor.typed(),
            "profile": desk.profile,
            "returned": stored.storage_deposit,
            "transaction": outcome.transaction_hash,
        }),
    );
    Ok(())
}
