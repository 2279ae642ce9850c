//! `outlayer secrets list`: the profiles of an account.

use anyhow::{Context as _, Result};
use clients::outlayer::Contract;
use protocol::AccountId;
use protocol::secrets::UserSecretInfo;
use serde_json::json;

use super::{desk, words};
use crate::args::secrets::List;
use crate::journey::near;
use crate::say::Voice;

/// As many as the contract shows at once.
const PAGE: u64 = 100;

/// Reads all of them and shows them.
pub(super) async fn list(args: &List, voice: Voice) -> Result<()> {
    let contract = desk::contract(&args.chain)?;
    let account = &args.owner.account;
    let mut profiles = all(&contract, account).await?;
    profiles.sort_by(|a, b| (&a.accessor, &a.profile).cmp(&(&b.accessor, &b.profile)));
    let text = if profiles.is_empty() {
        format!("{account} has no secrets on {}", contract.contract_id())
    } else {
        table(&profiles)
    };
    voice.result(text, &json!({"account": account, "secrets": profiles}));
    Ok(())
}

async fn all(contract: &Contract, account: &AccountId) -> Result<Vec<UserSecretInfo>> {
    let mut profiles = Vec::new();
    loop {
        let from = u64::try_from(profiles.len())?;
        let page = contract.list_user_secrets(account, from, PAGE).await;
        let page = page.with_context(|| {
            format!(
                "ask {} for the secrets of {account}; is it deployed there?",
                contract.contract_id()
            )
        })?;
        let is_last = u64::try_from(page.len())? < PAGE;
        profiles.extend(page);
        if is_last {
            return Ok(profiles);
        }
    }
}

fn table(profiles: &[UserSecretInfo]) -> String {
    let head = ["code", "profile", "deposit", "opened for"].map(str::to_owned);
    let rows = profiles.iter().map(|secret| {
        [
            secret.accessor.to_string(),
            secret.profile.to_string(),
            near(secret.storage_deposit),
            words::whom(&secret.access),
        ]
    });
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let width = |column: fn(&[String; 4]) -> &String| {
        let widths = rows.iter().map(|row| column(row).chars().count());
        widths.max().unwrap_or_default()
    };
    let (code, profile, deposit) = (
        width(|[code, ..]| code),
        width(|[_, profile, ..]| profile),
        width(|[_, _, deposit, _]| deposit),
    );
    let lines = rows
        .iter()
        .map(|[a, b, c, d]| format!("{a:code$}  {b:profile$}  {c:deposit$}  {d}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use protocol::NearToken;
    use protocol::secrets::{AccessCondition, Accessor};

    use super::*;

    #[test]
    fn a_table_has_a_line_for_each_profile_and_its_columns_begin_together() {
        let of = |repo, profile: &str| UserSecretInfo {
            accessor: Accessor::repo(repo, None).unwrap(),
            profile: profile.parse().unwrap(),
            created_at: 1,
            updated_at: 2,
            storage_deposit: NearToken::from_millinear(6),
            access: AccessCondition::AllowAll,
        };

        let table = table(&[of("alice/app", "default"), of("alice/longer", "prod")]);

        assert_eq!(
            table,
            "code                     profile  deposit        opened for\n\
             github.com/alice/app     default  0.006000 NEAR  everyone\n\
             github.com/alice/longer  prod     0.006000 NEAR  everyone"
        );
    }
}
