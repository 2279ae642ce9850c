//! What a worker, an owner and a keystore say to each other.
//!
//! All of it passes through the coordinator, which is believed in nothing: what is secret travels sealed, and what is asked and
//! answered is signed.

use std::fmt;

use near_account_id::AccountId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::id::{ArtifactHash, RequestId};
use crate::request::SecretsReference;
use crate::secrets::{Accessor, Profile};

/// The profile that is meant when none is named.
pub const DEFAULT_PROFILE: &str = "default";

/// How long a signed question holds, in milliseconds: what clocks differ by and a call takes.
pub const QUESTION_HOLDS_MS: u64 = 60_000;

/// How long a signed update may hold at most, in milliseconds.
pub const UPDATE_HOLDS_MS: u64 = 15 * 60 * 1000;

/// A worker's question for the secrets of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlock {
    /// The pending request on whose behalf it asks.
    pub request_id: RequestId,
    /// The profile that the request names.
    pub secrets_ref: SecretsReference,
    /// For which code: the request's repository, with the branch of its commit; its project; or the artifact.
    pub accessor: Accessor,
    /// What is about to be executed.
    pub artifact: ArtifactHash,
    /// The worker's X25519 key for this question alone, 64 hexadecimal digits: to it the answer is sealed.
    pub session_key: String,
    /// When it was asked, in milliseconds since the Unix epoch.
    pub issued_ms: u64,
}

/// An [`Unlock`] with the signature of the worker that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedUnlock {
    /// The question.
    #[serde(flatten)]
    pub unlock: Unlock,
    /// The worker's key, `ed25519:…`: an access key of the operator's account.
    pub public_key: String,
    /// Over [`Unlock::to_be_signed`], `ed25519:…`.
    pub signature: String,
}

/// The answer: secrets that only the asking session opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlocked {
    /// A JSON object of names and values, sealed to the session's key, in base64.
    pub sealed: String,
    /// The final block at which the profile and its condition were read.
    pub block_height: u64,
    /// The keystore's key, `ed25519:…`; a worker knows which it must be.
    pub public_key: String,
    /// Over [`Unlocked::to_be_signed`], `ed25519:…`.
    pub signature: String,
}

impl Unlock {
    /// The bytes that are signed: a domain, then each field with its length before it; what is not there is empty.
    pub fn to_be_signed(&self, contract_id: &AccountId) -> Vec<u8> {
        let accessor = self.accessor.typed().to_string();
        framed(
            b"outlayer:unlock:v1\n",
            &[
                contract_id.as_bytes(),
                &self.request_id.0.to_le_bytes(),
                self.secrets_ref.account_id.as_bytes(),
                self.secrets_ref.profile.as_bytes(),
                accessor.as_bytes(),
                &self.artifact.0,
                self.session_key.as_bytes(),
                &self.issued_ms.to_le_bytes(),
            ],
        )
    }
}

impl Unlocked {
    /// The bytes that are signed: so the answer belongs to this question and no other.
    pub fn to_be_signed(question: &[u8], sealed: &str, block_height: u64) -> Vec<u8> {
        framed(
            b"outlayer:unlocked:v1\n",
            &[
                &Sha256::digest(question),
                &Sha256::digest(sealed),
                &block_height.to_le_bytes(),
            ],
        )
    }
}

fn framed(domain: &[u8], fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = domain.to_vec();
    for field in fields {
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        bytes.extend(length.to_le_bytes());
        bytes.extend(*field);
    }
    bytes
}

/// Who a keystore is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What it signs its answers with, `ed25519:…`.
    pub public_key: String,
    /// The contract whose secrets it opens.
    pub contract_id: AccountId,
}

/// What an update does with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateMode {
    /// Adds to it; a name that is there gets the new value.
    Append,
    /// Replaces it, except for what was generated.
    Reset,
}

impl UpdateMode {
    /// The mode as it travels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Reset => "reset",
        }
    }
}

/// What an owner signs to change a stored profile, by NEP-413: the message that a wallet shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update<'a> {
    /// Whose profile.
    pub owner: &'a AccountId,
    /// For which code.
    pub accessor: &'a Accessor,
    /// Which profile.
    pub profile: &'a Profile,
    /// What is done with what is there.
    pub mode: UpdateMode,
    /// The new values, sealed to the profile's key, in base64.
    pub encrypted_secrets_base64: &'a str,
    /// Until when the signature holds, in milliseconds since the Unix epoch.
    pub expires_ms: u64,
}

impl Update<'_> {
    /// The message. The values stand in it by the sha256 of their sealed form, so that it says nothing of them.
    pub fn message(&self) -> String {
        let Self {
            owner,
            accessor,
            profile,
            mode,
            expires_ms,
            ..
        } = self;
        let mode = mode.as_str();
        let values = hex::encode(Sha256::digest(self.encrypted_secrets_base64));
        format!(
            "Update OutLayer secrets\nowner: {owner}\ncode: {accessor}\nprofile: {profile}\nmode: {mode}\nvalues: sha256 {values}\n\
             expires: {expires_ms}"
        )
    }
}

/// A question for the key to seal to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PubkeyAsk {
    /// For which code, in either spelling of [`Accessor`].
    pub accessor: Value,
    /// Whose secrets.
    pub owner: String,
    /// Which profile; [`DEFAULT_PROFILE`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// A JSON object, or its text, of whose names it is said whether they may be given. Its values should be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets_json: Option<SecretsJson>,
}

/// JSON that may hold secrets, and so is not shown.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretsJson(pub Box<RawValue>);

impl fmt::Debug for SecretsJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretsJson(…)")
    }
}

/// The key to seal to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PubkeyAnswer {
    /// For which code, in the spelling of HTTP.
    pub accessor: Value,
    /// Whose secrets.
    pub owner: AccountId,
    /// The X25519 key, 64 hexadecimal digits.
    pub pubkey: String,
    /// Over [`Target::key_to_be_signed`].
    #[serde(flatten)]
    pub vouched: Vouched,
}

/// That the keystore itself has answered. Who seals to a key that somebody on the way has put in its place tells them the secrets, so
/// an owner who knows the keystore's key asks for its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// The keystore's key, `ed25519:…`.
    pub public_key: String,
    /// Its signature, `ed25519:…`.
    pub signature: String,
}

/// What an owner asks about.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The contract that keeps the secrets.
    pub contract_id: &'a AccountId,
    /// For which code.
    pub accessor: &'a Accessor,
    /// Whose secrets.
    pub owner: &'a AccountId,
    /// Which profile.
    pub profile: &'a Profile,
}

impl Target<'_> {
    /// What is signed of a key to seal to.
    pub fn key_to_be_signed(&self, pubkey: &str) -> Vec<u8> {
        self.framed(b"outlayer:sealing-key:v1\n", &[pubkey.as_bytes()])
    }

    /// What is signed of secrets that were sealed anew: which were `given`, in base64, and what has become of them.
    pub fn revised_to_be_signed(&self, given: &str, revised: &str) -> Vec<u8> {
        let [given, revised] = [given, revised].map(Sha256::digest);
        self.framed(b"outlayer:revised:v1\n", &[&given, &revised])
    }

    fn framed(&self, domain: &[u8], more: &[&[u8]]) -> Vec<u8> {
        let accessor = self.accessor.typed().to_string();
        let fields = [
            self.contract_id.as_bytes(),
            accessor.as_bytes(),
            self.owner.as_bytes(),
            self.profile.as_str().as_bytes(),
        ];
        framed(domain, &[&fields[..], more].concat())
    }
}

/// A question for secrets that only the keystore knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerateAsk {
    /// For which code, in either spelling of [`Accessor`].
    pub accessor: Value,
    /// Whose secrets.
    pub owner: String,
    /// Which profile; [`DEFAULT_PROFILE`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Sealed secrets beside which they come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted_secrets_base64: Option<String>,
    /// What to generate.
    pub new_secrets: Vec<NewSecret>,
}

/// A secret to be generated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSecret {
    /// Its name, which begins with `PROTECTED_`.
    pub name: String,
    /// `hex16`, `hex32`, `hex64`, `ed25519`, `ed25519_seed`, `password` or `password:N`.
    pub generation_type: String,
}

/// New values for a stored profile, signed by its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateAsk {
    /// For which code, in either spelling of [`Accessor`].
    pub accessor: Value,
    /// Whose secrets.
    pub owner: String,
    /// Which profile; [`DEFAULT_PROFILE`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What is done with what is there.
    pub mode: UpdateMode,
    /// The new values, sealed to the profile's key.
    pub encrypted_secrets_base64: String,
    /// Until when the signature holds, in milliseconds since the Unix epoch: at most [`UPDATE_HOLDS_MS`] from now.
    pub expires_ms: u64,
    /// The nonce of NEP-413, 32 bytes in base64.
    pub nonce: String,
    /// The address of NEP-413 to which a wallet returned, if it was given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// A full-access key of the owner, `ed25519:…`.
    pub public_key: String,
    /// Over [`Update::message`] by NEP-413, in base64 or as `ed25519:…`.
    pub signature: String,
}

/// Secrets sealed anew, for their owner to store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisedAnswer {
    /// The sealed secrets.
    pub encrypted_data_base64: String,
    /// What they are called.
    pub all_keys: Vec<String>,
    /// For which code, in the spelling of HTTP.
    pub accessor: Value,
    /// Over [`Target::revised_to_be_signed`].
    #[serde(flatten)]
    pub vouched: Vouched,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unlock() -> Unlock {
        Unlock {
            request_id: RequestId(7),
            secrets_ref: SecretsReference {
                profile: "default".into(),
                account_id: "alice.near".parse().unwrap(),
            },
            accessor: Accessor::repo("alice/app", Some("main")).unwrap(),
            artifact: ArtifactHash::of(b"wasm"),
            session_key: "ab".repeat(32),
            issued_ms: 1,
        }
    }

    #[test]
    fn every_field_of_a_question_is_signed() {
        let contract: AccountId = "outlayer.near".parse().unwrap();
        let original = unlock().to_be_signed(&contract);
        let changes: [fn(&mut Unlock); 7] = [
            |unlock| unlock.request_id = RequestId(8),
            |unlock| unlock.secrets_ref.profile = "other".into(),
            |unlock| unlock.secrets_ref.account_id = "bob.near".parse().unwrap(),
            |unlock| unlock.accessor = Accessor::repo("alice/app", None).unwrap(),
            |unlock| unlock.artifact = ArtifactHash::of(b"other"),
            |unlock| unlock.session_key = "cd".repeat(32),
            |unlock| unlock.issued_ms = 2,
        ];

        for change in changes {
            let mut changed = unlock();
            change(&mut changed);
            assert_ne!(changed.to_be_signed(&contract), original);
        }
        let elsewhere = "outlayer.testnet".parse().unwrap();
        assert_ne!(unlock().to_be_signed(&elsewhere), original);
    }

    #[test]
    fn a_key_and_what_is_sealed_anew_are_signed_for_one_profile_alone() {
        let (contract_id, owner) = (
            "outlayer.near".parse().unwrap(),
            "alice.near".parse().unwrap(),
        );
        let accessor = Accessor::repo("alice/app", Some("main")).unwrap();
        let (profile, other) = ("default".parse().unwrap(), "prod".parse().unwrap());
        let target = Target {
            contract_id: &contract_id,
            accessor: &accessor,
            owner: &owner,
            profile: &profile,
        };
        let repo = Accessor::repo("alice/app", None).unwrap();
        let elsewhere = [
            Target {
                contract_id: &owner,
                ..target
            },
            Target {
                accessor: &repo,
                ..target
            },
            Target {
                owner: &contract_id,
                ..target
            },
            Target {
                profile: &other,
                ..target
            },
        ];

        for other in elsewhere {
            assert_ne!(other.key_to_be_signed("ab"), target.key_to_be_signed("ab"));
            assert_ne!(
                other.revised_to_be_signed("", "b"),
                target.revised_to_be_signed("", "b")
            );
        }
        assert_ne!(target.key_to_be_signed("ab"), target.key_to_be_signed("cd"));
        assert_ne!(
            target.revised_to_be_signed("a", "b"),
            target.revised_to_be_signed("c", "b")
        );
        assert_ne!(
            target.revised_to_be_signed("a", "b"),
            target.revised_to_be_signed("a", "d")
        );
    }

    #[test]
    fn an_update_says_all_that_it_does_but_no_value() {
        let update = Update {
            owner: &"alice.near".parse().unwrap(),
            accessor: &Accessor::repo("alice/app", Some("main")).unwrap(),
            profile: &"default".parse().unwrap(),
            mode: UpdateMode::Append,
            encrypted_secrets_base64: "AQID",
            expires_ms: 1_700_000_000_000,
        };

        assert_eq!(
            update.message(),
            "Update OutLayer secrets\nowner: alice.near\ncode: github.com/alice/app, branch main\nprofile: default\nmode: append\n\
             values: sha256 b70035bb783a47bf61ac3ff70b005308e167ee984365690e638c1481b8ca2936\nexpires: 1700000000000"
        );
    }
}
