//! `outlayer secrets estimate`: what storing would take. It asks the contract alone and sends nothing of the values.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clients::outlayer::secrets::{Named, Store};
use protocol::secrets::{AccessCondition, SEALED_OVERHEAD_BYTES, SEALED_VERSION};
use sealing::envelope::MAX_SEALED_BYTES;
use serde_json::json;

use super::{access, desk, values, words};
use crate::args::secrets::Estimate;
use crate::journey::near;
use crate::say::Voice;

/// Asks the contract about a blob of the same length.
pub(super) async fn estimate(args: &Estimate, voice: Voice) -> Result<()> {
    let wished = access::condition(&args.access)?;
    let contract = desk::contract(&args.chain)?;
    let accessor = args.named.accessor()?;
    let named = Named {
        accessor: &accessor,
        profile: &args.named.profile,
    };
    let values = values::read(&args.values)?;
    let plain = values.map(|secrets| secrets.to_json().len()).or(args.bytes);
    let sealed = plain
        .context("say how much is stored, by values or by --bytes")?
        .saturating_add(SEALED_OVERHEAD_BYTES);
    let access = wished.unwrap_or_else(|| {
        voice.line(
            "reckoned with --allow-all, as no condition is named; another takes some bytes more",
        );
        AccessCondition::AllowAll
    });
    let store = Store {
        named,
        encrypted_secrets_base64: &in_its_place(sealed)?,
        access: &access,
    };
    let deposit = contract
        .estimate_storage_cost(args.account.as_ref(), &store)
        .await
        .with_context(|| {
            format!(
                "ask {} what it takes; is it deployed there?",
                contract.contract_id()
            )
        })?;
    let whose = match &args.account {
        Some(owner) => format!("{owner}'s profile"),
        None => "a new profile".to_owned(),
    };
    voice.result(
        format!(
            "{} for {whose} {} for {accessor}: {sealed} sealed bytes, opened for {}",
            near(deposit),
            named.profile,
            words::whom(&access)
        ),
        &json!({
            "deposit": deposit,
            "owner": args.account,
            "accessor": accessor.typed(),
            "profile": named.profile,
            "sealed_bytes": sealed,
            "access": access,
        }),
    );
    Ok(())
}

/// So many bytes that look sealed, and hold nothing.
fn in_its_place(length: usize) -> Result<String> {
    ensure!(
        length <= MAX_SEALED_BYTES,
        "sealed secrets have at most {MAX_SEALED_BYTES} bytes"
    );
    let mut blob = vec![0; length];
    if let Some(first) = blob.first_mut() {
        *first = SEALED_VERSION;
    }
    Ok(STANDARD.encode(blob))
}

#[cfg(test)]
mod tests {
    use sealing::Sealed;

    use super::*;

    #[test]
    fn what_stands_for_the_sealed_bytes_has_their_form_and_length() {
        let blob = Sealed::from_base64(&in_its_place(100).unwrap()).unwrap();

        assert_eq!(blob.as_bytes().len(), 100);
        assert!(in_its_place(MAX_SEALED_BYTES + 1).is_err());
    }
}
