//! What owners ask for: keys to seal to, secrets that only the keystore has seen, and new values beside them.
//!
//! What is opened here is never told: it goes back sealed to the same owner, with its names. Whoever holds the sealed form, which is
//! public once it is on the chain, can learn the names in this way, and no more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use near_crypto::{ED25519PublicKey, PublicKey, Signature};
use protocol::AccountId;
use protocol::keystore::{self as signed, UPDATE_HOLDS_MS, Update, UpdateMode};
use protocol::nep413::Payload;
use protocol::secrets::{Accessor, Profile};
use sealing::generate::MAX_GENERATED;
use sealing::{Generation, Sealed, Secrets, Seed, seal};

use crate::audit::{self, Deed, Of};
use crate::error::Error;
use crate::running::State;

/// Whose secrets, and which.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) owner: AccountId,
    pub(crate) accessor: Accessor,
    pub(crate) profile: Profile,
}

/// Secrets sealed anew, and what they are called.
#[derive(Debug)]
pub(crate) struct Revised {
    pub(crate) sealed: Sealed,
    pub(crate) names: Vec<String>,
}

/// New values, signed by their owner.
#[derive(Debug)]
pub(crate) struct SignedUpdate {
    pub(crate) mode: UpdateMode,
    pub(crate) encrypted_secrets_base64: String,
    pub(crate) expires_ms: u64,
    pub(crate) nonce: [u8; 32],
    pub(crate) callback_url: Option<String>,
    pub(crate) public_key: PublicKey,
    pub(crate) signature: Signature,
}

impl Target {
    /// As it is signed about.
    pub(crate) const fn of<'a>(&'a self, contract_id: &'a AccountId) -> signed::Target<'a> {
        signed::Target {
            contract_id,
            accessor: &self.accessor,
            owner: &self.owner,
            profile: &self.profile,
        }
    }

    const fn audited(&self) -> Of<'_> {
        Of {
            owner: &self.owner,
            accessor: &self.accessor,
            profile: &self.profile,
        }
    }

    fn seed(&self, accessor: &Accessor) -> Result<Seed, Error> {
        Seed::of(accessor, &self.profile, &self.owner).map_err(Error::Given)
    }
}

/// The key to seal to. `names_in` is looked at only for names that no user may give.
pub(crate) fn public_key(
    state: &State,
    target: &Target,
    names_in: Option<&[u8]>,
) -> Result<sealing::PublicKey, Error> {
    let found = (|| {
        state.count(Deed::PublicKey, &target.owner)?;
        if let Some(json) = names_in {
            Secrets::from_user_json(json).map_err(Error::Given)?;
        }
        Ok(state.master.public_key(&target.seed(&target.accessor)?))
    })();
    audit::tell(Deed::PublicKey, target.audited(), &found);
    found
}

/// Adds generated secrets to sealed ones.
pub(crate) fn generate(
    state: &State,
    target: &Target,
    sealed: Option<&str>,
    wanted: &[(String, Generation)],
) -> Result<Revised, Error> {
    let revised = (|| {
        state.count(Deed::Generate, &target.owner)?;
        if wanted.len() > MAX_GENERATED {
            return Err(Error::Given(sealing::Error::TooManyGenerated {
                cap: MAX_GENERATED,
            }));
        }
        let seed = target.seed(&target.accessor)?;
        let mut secrets = match sealed {
            Some(sealed) => open(state, &seed, sealed, Error::Given)?,
            None => Secrets::default(),
        };
        for (name, generation) in wanted {
            let value = state.parts.chance.draw(|chance| generation.value(chance));
            secrets.add_generated(name, value).map_err(Error::Given)?;
        }
        revised(state, &seed, &secrets)
    })();
    audit::tell(Deed::Generate, target.audited(), &revised);
    revised
}

/// Puts new values beside or in the place of those on the chain, for their owner.
pub(crate) async fn update(
    state: &State,
    target: &Target,
    update: &SignedUpdate,
) -> Result<Revised, Error> {
    let revised = updated(state, target, update).await;
    audit::tell(Deed::Update, target.audited(), &revised);
    revised
}

async fn updated(state: &State, target: &Target, update: &SignedUpdate) -> Result<Revised, Error> {
    check_signature(state, target, update)?;
    state.count(Deed::Update, &target.owner)?;
    let chain = &state.parts.chain;
    let (owns, sight) = tokio::join!(
        chain.has_full_key(&target.owner, &update.public_key),
        chain.profile(&target.accessor, &target.profile, &target.owner),
    );
    if !owns.map_err(Error::ChainUnavailable)? {
        return Err(Error::NotTheOwner);
    }
    let sight = sight.map_err(Error::ChainUnavailable)?;
    // A fallback's profile serves this code, but is not this one.
    let stored = sight.value.filter(|profile| match profile.accessor {
        Accessor::Repo { .. } => profile.accessor == target.accessor,
        _ => true,
    });
    let stored = stored.ok_or(Error::NoSuchProfile)?;
    let nonces = state.nonces.clone();
    let (owner, nonce, until) = (target.owner.clone(), update.nonce, update.expires_ms);
    // It waits for the disk.
    tokio::task::spawn_blocking(move || nonces.take(&owner, &nonce, until))
        .await
        .map_err(|_| Error::Broken("a nonce could not be taken"))??;

    let before = target.seed(&stored.sealed_for)?;
    let mut secrets = open(state, &before, &stored.encrypted_secrets, Error::Stored)?;
    if update.mode == UpdateMode::Reset {
        secrets.keep_generated();
    }
    let seed = target.seed(&target.accessor)?;
    secrets.replace_with(given(state, &seed, &update.encrypted_secrets_base64)?);
    self::revised(state, &seed, &secrets)
}

fn check_signature(state: &State, target: &Target, update: &SignedUpdate) -> Result<(), Error> {
    let now = state.parts.clock.now_ms();
    let latest = now.saturating_add(UPDATE_HOLDS_MS);
    if update.expires_ms < now || update.expires_ms > latest {
        return Err(Error::UpdateExpired);
    }
    let message = Update {
        owner: &target.owner,
        accessor: &target.accessor,
        profile: &target.profile,
        mode: update.mode,
        encrypted_secrets_base64: &update.encrypted_secrets_base64,
        expires_ms: update.expires_ms,
    };
    let hash = Payload {
        message: &message.message(),
        nonce: update.nonce,
        recipient: &state.recipient,
        callback_url: update.callback_url.as_deref(),
    }
    .hash();
    let signed = update.signature.verify(&hash, &update.public_key);
    signed.then_some(()).ok_or(Error::BadSignature)
}

/// What the owner sealed just now: nothing that only we may give.
fn given(state: &State, seed: &Seed, sealed: &str) -> Result<Secrets, Error> {
    let sealed = Sealed::from_base64(sealed).map_err(Error::Given)?;
    let plaintext = state.master.secret_key(seed).open(&sealed);
    Secrets::from_user_json(&plaintext.map_err(Error::Given)?).map_err(Error::Given)
}

fn open(
    state: &State,
    seed: &Seed,
    sealed: &str,
    failed: fn(sealing::Error) -> Error,
) -> Result<Secrets, Error> {
    let sealed = Sealed::from_base64(sealed).map_err(failed)?;
    let plaintext = state
        .master
        .secret_key(seed)
        .open(&sealed)
        .map_err(failed)?;
    Secrets::from_sealed_json(&plaintext, &state.master.mark_key(seed)).map_err(failed)
}

fn revised(state: &State, seed: &Seed, secrets: &Secrets) -> Result<Revised, Error> {
    let plaintext = secrets.to_sealed_json(&state.master.mark_key(seed));
    let key = state.master.public_key(seed);
    let sealed = state
        .parts
        .chance
        .draw(|chance| seal(&key, &plaintext, chance));
    Ok(Revised {
        sealed: sealed.map_err(Error::Given)?,
        names: secrets.names().map(str::to_owned).collect(),
    })
}

/// Reads a signature as wallets give it, in base64, or as NEAR writes it, `ed25519:…`.
pub(crate) fn read_signature(text: &str, key: &PublicKey) -> Option<Signature> {
    if let Ok(signature) = text.parse() {
        return Some(signature);
    }
    let PublicKey::ED25519(ED25519PublicKey(_)) = key else {
        return None;
    };
    let bytes = STANDARD.decode(text).ok()?;
    Signature::from_parts(near_crypto::KeyType::ED25519, &bytes).ok()
}
