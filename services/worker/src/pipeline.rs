//! The journey of a job through a worker, from a lease to a receipt.

use protocol::job::{Lease, Report};

use crate::parts::Parts;
use crate::setback::Setback;
use crate::steps::Step;

mod compile;
mod confirm;
mod execute;
mod publish;
mod resolve;
mod unlock;

/// Answers one request. Each step needs what the one before it proved.
pub(crate) async fn serve(parts: &Parts, lease: &Lease) -> Result<Report, Setback> {
    let confirmed = confirm::confirm(parts, lease).await?;
    parts.reached(lease, Step::Confirmed, "");
    let source = compile::resolve(parts, lease, &confirmed.request).await?;
    let artifact = compile::compile(parts, lease, &confirmed, &source).await?;
    let request = confirmed.request;
    parts.reached(lease, Step::Compiled, &artifact.hash.to_string());
    let secrets = unlock::unlock(parts, &request, &source, &artifact).await?;
    let (answer, published) = tokio::join!(
        execute::execute(parts, lease, &request, &artifact, secrets),
        publish::publish(parts, &request, &artifact),
    );
    let mut answer = answer?;
    publish::note(&mut answer.response, published);
    parts.reached(lease, Step::Executed, "");
    resolve::resolve(parts, &request, answer).await
}

pub(crate) use resolve::give_up;
