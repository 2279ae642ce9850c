//! `outlayer secrets set`: a new profile.

use anyhow::{Context as _, Result, bail};
use clients::near::Outcome;
use protocol::NearToken;
use protocol::secrets::AccessCondition;
use serde_json::json;

use super::desk::{self, Desk};
use super::keystore::Keystore;
use super::{access, values, words};
use crate::args::secrets::Set;
use crate::journey::near;
use crate::say::Voice;

/// Seals and stores.
pub(super) async fn set(args: &Set, voice: Voice) -> Result<()> {
    let access = access::named(&args.access)?;
    let key = desk::secret_key(&args.key)?;
    let keystore = Keystore::behind(&args.keystore, voice)?;
    let desk = Desk::of(&args.place)?;
    let is_there = desk.find().await?.is_some();
    if is_there && !args.replace {
        bail!(
            "{} is there already: `outlayer secrets update` changes its values and keeps what was generated; with --replace these values \
             take its place, and its generated secrets are lost",
            desk.title()
        );
    }
    let secrets = values::read(&args.values)?.context("no values are given")?;
    if secrets.is_empty() {
        bail!("there is nothing to store: no values are given");
    }
    let (sealed, to) = keystore.seal(&desk, &secrets).await?;
    if is_there {
        voice.line("replacing what is stored; secrets that were generated are lost");
    }
    let sender = desk.sender(&key)?;
    let sealed = sealed.to_base64();
    let (deposit, outcome) = desk.store_sealed(&sender, &sealed, &access).await?;
    let names: Vec<_> = secrets.names().map(str::to_owned).collect();
    Stored {
        desk: &desk,
        names: &names,
        access: &access,
        deposit,
        outcome: &outcome,
        sealed_to: Some(to.to_string()),
    }
    .tell(voice);
    Ok(())
}

/// What was stored, to be told. Names, never values.
#[derive(Debug)]
pub(super) struct Stored<'a> {
    pub(super) desk: &'a Desk,
    pub(super) names: &'a [String],
    pub(super) access: &'a AccessCondition,
    pub(super) deposit: NearToken,
    pub(super) outcome: &'a Outcome,
    /// The key that was sealed to here, if it was here.
    pub(super) sealed_to: Option<String>,
}

impl Stored<'_> {
    /// Tells it.
    pub(super) fn tell(&self, voice: Voice) {
        let desk = self.desk;
        let mut text = format!(
            "stored {}: {}\n{}\ndeposit {} ({})",
            desk.title(),
            self.names.join(", "),
            opened_for(self.access),
            near(self.deposit),
            self.outcome.transaction_hash
        );
        if let Some(key) = &self.sealed_to {
            text.push_str("\nsealed to ");
            text.push_str(key);
        }
        voice.result(
            text,
            &json!({
                "owner": desk.owner,
                "accessor": desk.accessor.typed(),
                "profile": desk.profile,
                "names": self.names,
                "access": self.access,
                "deposit": self.deposit,
                "sealed_to": self.sealed_to,
                "transaction": self.outcome.transaction_hash,
            }),
        );
    }
}

/// For whom, and loudly if it is everyone.
pub(super) fn opened_for(access: &AccessCondition) -> String {
    match access {
        AccessCondition::AllowAll => {
            "opened for EVERYONE: whoever has that code executed, it finds these secrets".to_owned()
        }
        condition => format!("opened for {}", words::whom(condition)),
    }
}
