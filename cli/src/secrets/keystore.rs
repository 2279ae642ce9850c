//! The keystore, as an owner asks it through the coordinator.

use anyhow::{Context as _, Error, Result, ensure};
use clients::coordinator::Public;
use clients::near::{PublicKey as NearKey, Signature};
use protocol::keystore::{
    GenerateAsk, NewSecret, PubkeyAsk, RevisedAnswer, SecretsJson, UpdateAsk, Vouched,
};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sealing::{PublicKey, Sealed, Secrets, seal};
use serde_json::value::to_raw_value;

use super::desk::Desk;
use crate::args;
use crate::say::Voice;

/// The keystore behind a coordinator.
#[derive(Debug)]
pub(super) struct Keystore {
    coordinator: Public,
    address: String,
    /// What its answers must be signed with, if the owner knows.
    key: Option<NearKey>,
}

impl Keystore {
    /// The one behind the coordinator that is named.
    pub(super) fn behind(args: &args::secrets::Keystore, voice: Voice) -> Result<Self> {
        let address = args.coordinator.clone();
        let url = address.parse().context("--coordinator is an address")?;
        let key = args.keystore_key.as_deref().map(str::parse).transpose();
        let key = key.context("--keystore-key is `ed25519:…`")?;
        if key.is_none() {
            voice.line(format!(
                "believing the coordinator at {address} about the keystore's key; with --keystore-key it must be signed"
            ));
        }
        Ok(Self {
            coordinator: Public::new(&url)?,
            address,
            key,
        })
    }

    /// Refuses an answer that the keystore has not signed, if its key is known.
    fn check(&self, said: &[u8], vouched: &Vouched) -> Result<()> {
        let Some(key) = &self.key else {
            return Ok(());
        };
        let signature: Option<Signature> = vouched.signature.parse().ok();
        ensure!(
            signature.is_some_and(|signature| signature.verify(said, key)),
            "the answer is not signed with {key}: either --keystore-key is another keystore's, or the coordinator at {} lies",
            self.address
        );
        Ok(())
    }

    /// Asks for the key, has the names checked, and seals to the key. Of the values nothing is sent but what is sealed.
    pub(super) async fn seal(&self, desk: &Desk, secrets: &Secrets) -> Result<(Sealed, PublicKey)> {
        let ask = PubkeyAsk {
            accessor: desk.accessor.typed(),
            owner: desk.owner.to_string(),
            profile: Some(desk.profile.to_string()),
            secrets_json: Some(names_alone(secrets)?),
        };
        let answer = self.coordinator.pubkey(&ask).await;
        let answer = answer.map_err(|error| self.explained(error))?;
        let said = desk.target().key_to_be_signed(&answer.pubkey);
        self.check(&said, &answer.vouched)?;
        let key: PublicKey = answer
            .pubkey
            .parse()
            .context("what the keystore answered is no key to seal to")?;
        let sealed = seal(&key, &secrets.to_json(), &mut StdRng::from_os_rng())?;
        Ok((sealed, key))
    }

    /// Has secrets made beside those that are stored.
    pub(super) async fn generate(
        &self,
        desk: &Desk,
        beside: Option<String>,
        wanted: &[NewSecret],
    ) -> Result<RevisedAnswer> {
        let ask = GenerateAsk {
            accessor: desk.accessor.typed(),
            owner: desk.owner.to_string(),
            profile: Some(desk.profile.to_string()),
            encrypted_secrets_base64: beside,
            new_secrets: wanted.to_vec(),
        };
        let answer = self.coordinator.add_generated_secret(&ask).await;
        let answer = answer.map_err(|error| self.explained(error))?;
        let given = ask.encrypted_secrets_base64.as_deref();
        self.checked(desk, given.unwrap_or_default(), answer)
    }

    /// Has new values put beside, or in the place of, those that are stored.
    pub(super) async fn update(&self, desk: &Desk, ask: &UpdateAsk) -> Result<RevisedAnswer> {
        let answer = self.coordinator.update_user_secrets(ask).await;
        let answer = answer.map_err(|error| self.explained(error))?;
        self.checked(desk, &ask.encrypted_secrets_base64, answer)
    }

    /// Refuses to store what could never be opened, or is not what the keystore made of what was given.
    fn checked(&self, desk: &Desk, given: &str, answer: RevisedAnswer) -> Result<RevisedAnswer> {
        let revised = &answer.encrypted_data_base64;
        let said = desk.target().revised_to_be_signed(given, revised);
        self.check(&said, &answer.vouched)?;
        Sealed::from_base64(revised).context("what the keystore answered is nothing sealed")?;
        Ok(answer)
    }

    /// The error, and what to do about it.
    fn explained(&self, error: clients::coordinator::Error) -> Error {
        let advice = match error.code() {
            Some(code) => advice(code).map(str::to_owned),
            None if error.is_transient() => {
                Some(format!("is a coordinator running at {}?", self.address))
            }
            None => None,
        };
        let what = match advice {
            Some(advice) => format!("the keystore did not do it ({advice})"),
            None => "the keystore did not do it".to_owned(),
        };
        Error::new(error).context(what)
    }
}

/// What to do about a refusal.
fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "not_the_owner" => "sign with a full-access key of --account",
        "bad_signature" => "--contract must be the keystore's own, and --secret-key the owner's",
        "update_expired" => "is this machine's clock right?",
        "secrets_not_found" => {
            "the keystore's contract holds no such profile: is --contract the keystore's own?"
        }
        "does_not_open" | "not_generated" => {
            "what is stored was not sealed to this keystore's key: `outlayer secrets set --replace` stores anew"
        }
        "name_taken" => "what is generated is never replaced: choose another name",
        "rate_limited" => "wait a minute",
        "condition_unanswered" | "chain_unavailable" | "internal" => "try again later",
        _ => return None,
    })
}

/// The names, as the keystore takes them to say whether they may be given.
fn names_alone(secrets: &Secrets) -> Result<SecretsJson> {
    let names: std::collections::BTreeMap<&str, &str> =
        secrets.names().map(|name| (name, "")).collect();
    Ok(SecretsJson(to_raw_value(&names)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_of_names_says_nothing_of_values() {
        let secrets = Secrets::from_user_json(br#"{"A":"s3cr3t","B":"x"}"#).unwrap();

        let sent = serde_json::to_string(&names_alone(&secrets).unwrap()).unwrap();

        assert_eq!(sent, r#"{"A":"","B":""}"#);
    }
}
