//! `outlayer secrets update`: new values by the owner's signature; the keystore puts them to those that it alone can open.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clients::near::SecretKey;
use clients::parts::Parts;
use protocol::keystore::{UPDATE_HOLDS_MS, Update, UpdateAsk, UpdateMode};
use protocol::nep413::Payload;

use super::desk::{self, Desk};
use super::keystore::Keystore;
use super::set::Stored;
use super::values;
use crate::args;
use crate::say::Voice;

/// How long a signature holds: long enough for clocks that differ, and short of what the keystore takes.
const HOLDS_MS: u64 = UPDATE_HOLDS_MS / 3;

/// Seals, signs, has it put beside what is there, and stores what comes back.
pub(super) async fn update(args: &args::secrets::Update, voice: Voice) -> Result<()> {
    let key = desk::secret_key(&args.key)?;
    let keystore = Keystore::behind(&args.keystore, voice)?;
    let desk = Desk::of(&args.place)?;
    let stored = desk.stored().await?;
    let secrets = values::read(&args.values)?.context("no values are given")?;
    let (sealed, to) = keystore.seal(&desk, &secrets).await?;
    let mode = if args.reset {
        UpdateMode::Reset
    } else {
        UpdateMode::Append
    };
    let draft = Draft {
        desk: &desk,
        mode,
        sealed: sealed.to_base64(),
        expires_ms: Parts::of_the_machine().now_ms().saturating_add(HOLDS_MS),
        nonce: rand::random(),
    };
    let revised = keystore.update(&desk, &draft.signed(&key)).await?;
    let sender = desk.sender(&key)?;
    let sealed = &revised.encrypted_data_base64;
    let (deposit, outcome) = desk.store_sealed(&sender, sealed, &stored.access).await?;
    Stored {
        desk: &desk,
        names: &revised.all_keys,
        access: &stored.access,
        deposit,
        outcome: &outcome,
        sealed_to: Some(to.to_string()),
    }
    .tell(voice);
    Ok(())
}

/// An update that is not signed yet.
#[derive(Debug)]
struct Draft<'a> {
    desk: &'a Desk,
    mode: UpdateMode,
    sealed: String,
    expires_ms: u64,
    nonce: [u8; 32],
}

impl Draft<'_> {
    /// Signed by NEP-413, addressed to the contract.
    fn signed(self, key: &SecretKey) -> UpdateAsk {
        let desk = self.desk;
        let update = Update {
            owner: &desk.owner,
            accessor: &desk.accessor,
            profile: &desk.profile,
            mode: self.mode,
            encrypted_secrets_base64: &self.sealed,
            expires_ms: self.expires_ms,
        };
        let payload = Payload {
            message: &update.message(),
            nonce: self.nonce,
            recipient: desk.contract.contract_id().as_str(),
            callback_url: None,
        };
        let signature = key.sign(&payload.hash()).to_string();
        UpdateAsk {
            accessor: desk.accessor.typed(),
            owner: desk.owner.to_string(),
            profile: Some(desk.profile.to_string()),
            mode: self.mode,
            encrypted_secrets_base64: self.sealed,
            expires_ms: self.expires_ms,
            nonce: STANDARD.encode(self.nonce),
            callback_url: None,
            public_key: key.public_key().to_string(),
            signature,
        }
    }
}

#[cfg(test)]
mod tests {
    use clients::near::{KeyType, Node, Settings};
    use clients::outlayer::Contract;
    use protocol::secrets::Accessor;

    use super::*;

    #[test]
    fn what_is_signed_is_the_update_that_is_sent_and_for_this_contract() {
        let settings = Settings::new(vec!["http://localhost:3030".parse().unwrap()]);
        let node = Node::connect(&settings).unwrap();
        let desk = Desk {
            contract: Contract::new(node, "outlayer.near".parse().unwrap()),
            owner: "alice.near".parse().unwrap(),
            accessor: Accessor::repo("alice/app", None).unwrap(),
            profile: "default".parse().unwrap(),
        };
        let draft = Draft {
            desk: &desk,
            mode: UpdateMode::Append,
            sealed: "AQID".to_owned(),
            expires_ms: 1_700_000_000_000,
            nonce: [7; 32],
        };
        let key = SecretKey::from_seed(KeyType::ED25519, "alice");

        let ask = draft.signed(&key);

        let message = "Update OutLayer secrets\nowner: alice.near\ncode: github.com/alice/app\nprofile: default\nmode: append\n\
            values: sha256 b70035bb783a47bf61ac3ff70b005308e167ee984365690e638c1481b8ca2936\nexpires: 1700000000000";
        let hash = Payload {
            message,
            nonce: [7; 32],
            recipient: "outlayer.near",
            callback_url: None,
        }
        .hash();
        assert_eq!(ask.signature, key.sign(&hash).to_string());
        assert_eq!(ask.public_key, key.public_key().to_string());
        assert_eq!(ask.nonce, STANDARD.encode([7; 32]));
    }
}
