//! `outlayer request`: asks the contract, waits, and shows the answer and what it cost.

use anyhow::{Context as _, Result, bail};
use clients::near::outcome::Status;
use clients::near::{Node, Outcome, Sender, Settings, sender};
use clients::outlayer::Contract;
use clients::parts::Parts;
use protocol::keystore::DEFAULT_PROFILE;
use protocol::limits::ResourceLimits;
use protocol::request::{RequestArgs, ResponseFormat, SecretsReference};
use protocol::{FailureCode, NearToken};
use serde_json::{Value, json};

use crate::journey::{Journey, near};
use crate::say::Voice;
use crate::watch::Watch;
use crate::{args, source};

/// Asks and waits; whether the guest returned.
pub(crate) async fn request(args: &args::Request, voice: Voice) -> Result<bool> {
    let node = Node::connect(&Settings::new(vec![args.chain.rpc.parse()?]))?;
    let contract = Contract::new(node.clone(), args.chain.contract.clone());
    let request = what_to_ask(args)?;
    let deposit = deposit(args, &contract, &request).await?;
    let sender = Sender::new(
        node.clone(),
        args.account.clone(),
        vec![
            args.secret_key
                .parse()
                .context("--secret-key is `ed25519:…`")?,
        ],
        Parts::of_the_machine(),
        sender::Settings::default(),
    )?;
    voice.line(format!(
        "asking {} with {}",
        args.chain.contract,
        near(deposit)
    ));
    let mut watch = match (&args.coordinator, args.watch) {
        (Some(coordinator), true) => Watch::of(&request.source, coordinator, voice)?,
        _ => None,
    };
    let asking = Asking {
        contract: &contract,
        sender: &sender,
        request: &request,
        deposit,
    };
    let (mut outcome, mut journey) = asking.once(watch.as_mut()).await?;
    let goes_on = Some(FailureCode::CompilationInProgress);
    if let Some(watch) = &mut watch
        && journey.completed.error_type == goes_on
    {
        tell(&outcome, &journey, voice)?;
        watch.until_the_end().await?;
        voice.line("the build has ended; asking again");
        (outcome, journey) = asking.once(Some(watch)).await?;
    }
    tell(&outcome, &journey, voice)
}

/// What is asked, and how.
struct Asking<'a> {
    contract: &'a Contract,
    sender: &'a Sender,
    request: &'a RequestArgs,
    deposit: NearToken,
}

impl Asking<'_> {
    /// Asks and waits, and meanwhile shows how far the build is.
    async fn once(&self, watch: Option<&mut Watch>) -> Result<(Outcome, Journey)> {
        let contract = self.contract;
        let asked = contract.request_execution(self.sender, self.request, self.deposit);
        let outcome = match watch {
            None => asked.await?,
            Some(watch) => {
                let outcome = tokio::select! {
                    outcome = asked => outcome,
                    () = watch.show() => bail!("a watch ended before what it watched"),
                };
                watch.end();
                outcome?
            }
        };
        if let Status::Failed(failure) = &outcome.status {
            bail!(
                "the request was refused ({}): {failure}",
                outcome.transaction_hash
            );
        }
        let journey = Journey::read(contract.node(), &outcome).await?;
        Ok((outcome, journey))
    }
}

fn what_to_ask(args: &args::Request) -> Result<RequestArgs> {
    let limits = ResourceLimits::from(args.limits);
    Ok(RequestArgs {
        source: source::parse(&args.source)?,
        resource_limits: Some(limits),
        input_data: Some(args.input.clone()),
        secrets_ref: args.secrets.as_deref().map(secrets).transpose()?,
        response_format: Some(format(&args.format)?),
        payer_account_id: None,
        params: None,
    })
}

fn secrets(text: &str) -> Result<SecretsReference> {
    let (owner, profile) = text.split_once('/').unwrap_or((text, DEFAULT_PROFILE));
    Ok(SecretsReference {
        profile: profile.to_owned(),
        account_id: owner
            .parse()
            .context("--secrets is `owner.near` or `owner.near/profile`")?,
    })
}

fn format(text: &str) -> Result<ResponseFormat> {
    Ok(match text {
        "bytes" => ResponseFormat::Bytes,
        "text" => ResponseFormat::Text,
        "json" => ResponseFormat::Json,
        other => bail!("--format is bytes, text or json, not {other}"),
    })
}

async fn deposit(
    args: &args::Request,
    contract: &Contract,
    request: &RequestArgs,
) -> Result<NearToken> {
    if let Some(text) = &args.deposit {
        return format!("{text} NEAR").parse().map_err(|_| {
            anyhow::anyhow!("--deposit is an amount of NEAR such as 0.1, not {text}")
        });
    }
    let estimate: NearToken = contract
        .node()
        .view(
            contract.contract_id(),
            "estimate_execution_cost",
            &json!({"resource_limits": request.resource_limits}),
        )
        .await
        .with_context(|| {
            format!(
                "ask {} what it costs; is it deployed there?",
                contract.contract_id()
            )
        })?;
    // Room for the build, which the estimate leaves out; what is not used comes back.
    Ok(estimate.saturating_add(NearToken::from_millinear(50)))
}

fn tell(outcome: &Outcome, journey: &Journey, voice: Voice) -> Result<bool> {
    let completed = &journey.completed;
    let value: Value = outcome.value()?;
    let answer = match (&value, &completed.error_message) {
        (Value::String(text), _) => text.clone(),
        (Value::Null, Some(error)) => {
            let code = completed.error_type.map_or("failed", |code| code.as_str());
            format!("{code}: {error}")
        }
        (value, _) => value.to_string(),
    };
    voice.result(
        format!(
            "{answer}\n{} instructions, {} ms; charged {}, {} back ({})",
            completed.resources_used.instructions,
            completed.resources_used.time_ms,
            near(completed.payment_charged),
            near(completed.payment_refunded),
            outcome.transaction_hash
        ),
        &json!({
            "success": completed.success,
            "answer": value,
            "error": completed.error_message,
            "error_type": completed.error_type,
            "request_id": completed.request_id,
            "resources_used": completed.resources_used,
            "charged": completed.payment_charged,
            "refunded": completed.payment_refunded,
            "transaction": outcome.transaction_hash,
        }),
    );
    Ok(completed.success)
}
