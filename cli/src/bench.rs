//! `outlayer bench`: figures of the whole platform on this machine, each beside a baseline taken in the same run.

mod calls;
mod compile;
mod crashes;
mod journey;
mod load;
mod secrets;

use anyhow::Result;

use crate::args::Measure;
use crate::say::Voice;

/// Measures what is asked for.
pub(crate) async fn bench(what: &Measure, voice: Voice) -> Result<()> {
    match *what {
        Measure::Journey { requests, clients } => journey::measure(requests, clients, voice).await,
        Measure::Secrets => secrets::measure(voice).await,
        Measure::Compile => compile::measure(voice).await,
        Measure::Crashes { requests, seed } => crashes::measure(requests, seed, voice).await,
    }
}
