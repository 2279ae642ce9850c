//! `outlayer secrets`: an owner's profiles of sealed secrets.
//!
//! Values are read here, sealed here, and gone: what leaves this process is sealed to the keystore's key, and the names with empty values,
//! for which the keystore says whether they may be given.

mod access;
mod change;
mod desk;
mod estimate;
mod generate;
mod keystore;
mod list;
mod set;
mod update;
mod values;
mod words;

use anyhow::Result;

use crate::args::secrets::Secrets;
use crate::say::Voice;

/// Does what is asked.
pub(crate) async fn secrets(command: &Secrets, voice: Voice) -> Result<()> {
    match command {
        Secrets::Set(args) => set::set(args, voice).await,
        Secrets::Update(args) => update::update(args, voice).await,
        Secrets::Generate(args) => generate::generate(args, voice).await,
        Secrets::List(args) => list::list(args, voice).await,
        Secrets::ShowAccess(place) => change::show_access(place, voice).await,
        Secrets::SetAccess(args) => change::set_access(args, voice).await,
        Secrets::Delete(args) => change::delete(args, voice).await,
        Secrets::Estimate(args) => estimate::estimate(args, voice).await,
    }
}
