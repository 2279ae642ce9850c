//! Where the canary is planted: profiles of carol's that open, that do not open for alice, and that do not open at all.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::AccountId;
use serde_json::{Value, json};
use town::Guest;

use super::cases::Case;
use super::stage::Stage;

/// What requests name.
#[derive(Debug)]
pub(super) struct Profiles {
    source: Value,
    carol: AccountId,
}

impl Profiles {
    /// Carol stores them.
    pub(super) async fn store(stage: &Stage, canary: &str, beacon: &str) -> Result<Self> {
        let town = &stage.town;
        let source = town.publish(Guest::Probe).await?;
        let carol = town.settle("carol").await?;
        let alice = &town.platform.accounts.alice;
        let only = |account: &AccountId| json!({"Whitelist": {"accounts": [account]}});
        let built = town.ask(json!({"source": source, "params": {"compile_only": true}}));
        let hash = built.await?.value.ok().context("the probe is built")?;
        let repo = json!({"Repo": {"repo": "acme/probe-ark"}});
        let module = json!({"WasmHash": {"hash": hash}});
        let secrets = json!({"API_KEY": canary, "REGION": "eu"});
        for (profile, accessor, secrets, access) in [
            ("default", &repo, &secrets, json!("AllowAll")),
            ("listed", &module, &secrets, only(alice)),
            ("denied", &repo, &secrets, only(&carol)),
            ("beacon", &repo, &json!({"API_KEY": beacon}), only(alice)),
            ("no-object", &repo, &json!(canary), json!("AllowAll")),
            (
                "no-string",
                &repo,
                &json!({"API_KEY": [canary]}),
                json!("AllowAll"),
            ),
        ] {
            town.store_secrets(&carol, accessor, profile, secrets, &access)
                .await?;
        }
        let plaintext = secrets.to_string();
        let sealed = town.seal(&carol, &repo, "altered", plaintext.as_bytes());
        let mut altered = STANDARD.decode(sealed.await?)?;
        *altered.last_mut().context("what is sealed has bytes")? ^= 1;
        let altered = STANDARD.encode(altered);
        town.store_sealed(&carol, &repo, "altered", &altered, &json!("AllowAll"))
            .await?;
        Ok(Self { source, carol })
    }

    /// The guest prints the beacon.
    pub(super) fn show_beacon(&self) -> Value {
        json!({
            "source": self.source,
            "input_data": "env API_KEY",
            "secrets_ref": self.named("beacon"),
        })
    }

    /// A request of that kind.
    pub(super) fn request(&self, case: Case) -> Value {
        json!({
            "source": self.source,
            "input_data": case.script(),
            "resource_limits": case.limits(),
            "secrets_ref": case.profile().map(|profile| self.named(profile)),
        })
    }

    fn named(&self, profile: &str) -> Value {
        json!({"profile": profile, "account_id": self.carol})
    }
}
