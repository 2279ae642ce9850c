//! Owners who store secrets, as their own programs would: the keystore is asked for a key through the coordinator, and what is sealed to
//! it goes to the contract.

use anyhow::{Context as _, Result};
use clients::coordinator::Public;
use clients::near::outcome::Status;
use clients::near::{Call, Gas};
use protocol::keystore::PubkeyAsk;
use protocol::{AccountId, NearToken};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::Town;

/// One yocto, which proves that a full-access key signs.
pub const YOCTO: NearToken = NearToken::from_yoctonear(1);

impl Town {
    /// Stores a profile: names and values for some code, under a condition. What it took.
    pub async fn store_secrets(
        &self,
        owner: &AccountId,
        accessor: &Value,
        profile: &str,
        secrets: &Value,
        access: &Value,
    ) -> Result<NearToken> {
        let sealed = self
            .seal(owner, accessor, profile, secrets.to_string().as_bytes())
            .await?;
        self.store_sealed(owner, accessor, profile, &sealed, access)
            .await
    }

    /// Stores what is sealed already, or is said to be.
    pub async fn store_sealed(
        &self,
        owner: &AccountId,
        accessor: &Value,
        profile: &str,
        sealed: &str,
        access: &Value,
    ) -> Result<NearToken> {
        let args = json!({
            "accessor": accessor,
            "profile": profile,
            "encrypted_secrets_base64": sealed,
            "access": access,
        });
        let contract = &self.platform.accounts.outlayer;
        let cost: NearToken = serde_json::from_value(
            self.view(contract, "estimate_storage_cost", args.clone())
                .await?,
        )?;
        self.pay(owner, contract, "store_secrets", args, cost)
            .await?;
        Ok(cost)
    }

    /// What an owner seals for some code.
    pub async fn seal(
        &self,
        owner: &AccountId,
        accessor: &Value,
        profile: &str,
        plaintext: &[u8],
    ) -> Result<String> {
        let ask = PubkeyAsk {
            accessor: accessor.clone(),
            owner: owner.to_string(),
            profile: Some(profile.to_owned()),
            secrets_json: None,
        };
        let coordinator = Public::new(&self.platform.coordinator_url().parse()?)?;
        let key = coordinator.pubkey(&ask).await?.pubkey.parse()?;
        let sealed = sealing::seal(&key, plaintext, &mut StdRng::from_os_rng())?;
        Ok(sealed.to_base64())
    }

    /// An account calls a method of a contract with a deposit; what it returned.
    pub async fn pay(
        &self,
        account: &AccountId,
        contract: &AccountId,
        method: &str,
        args: Value,
        deposit: NearToken,
    ) -> Result<Value> {
        let call = Call::new(contract, method, &args)?
            .with_gas(Gas::from_teragas(100))
            .with_deposit(deposit);
        let outcome = self.platform.sender(account)?.call(call).await?;
        let Status::Succeeded(bytes) = &outcome.status else {
            anyhow::bail!("{method} of {contract} ended with {:?}", outcome.status);
        };
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(bytes).context("a method returns JSON")
    }
}
