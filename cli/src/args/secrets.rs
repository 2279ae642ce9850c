//! What can be typed after `outlayer secrets`. No value of a secret can.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use clap::{ArgGroup, Args, Subcommand};
use protocol::AccountId;
use protocol::id::ArtifactHash;
use protocol::keystore::NewSecret;
use protocol::project::ProjectRef;
use protocol::secrets::{Accessor, Profile};
use sealing::{Generation, names};
use zeroize::Zeroizing;

use super::Chain;

/// `outlayer secrets`
#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Seal values and store them as a new profile.
    Set(Set),
    /// Change values of a stored profile; what was generated stays.
    Update(Update),
    /// Have secrets made that nobody has ever seen, beside those that are stored.
    Generate(Generate),
    /// List the profiles of an account.
    List(List),
    /// Say for whom a profile is opened.
    ShowAccess(Place),
    /// Change for whom a profile is opened.
    SetAccess(SetAccess),
    /// Delete a profile; its deposit comes back.
    Delete(Delete),
    /// Say what storing would take, without storing.
    Estimate(Estimate),
}

/// `outlayer secrets set`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("given").required(true).args(["from_file", "from_stdin", "names"])))]
pub struct Set {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub key: Key,
    #[command(flatten)]
    pub keystore: Keystore,
    #[command(flatten)]
    pub values: Values,
    /// Put these values in the place of a profile that is there. Its generated secrets are lost.
    #[arg(long)]
    pub replace: bool,
    #[command(flatten)]
    pub access: Access,
}

/// `outlayer secrets update`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("given").required(true).args(["from_file", "from_stdin", "names"])))]
pub struct Update {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub key: Key,
    #[command(flatten)]
    pub keystore: Keystore,
    #[command(flatten)]
    pub values: Values,
    /// Drop all that is there, except for what was generated; otherwise the values come beside it.
    #[arg(long)]
    pub reset: bool,
}

/// `outlayer secrets generate`
#[derive(Debug, Args)]
pub struct Generate {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub key: Key,
    #[command(flatten)]
    pub keystore: Keystore,
    /// What to make: a name that begins with `PROTECTED_`, and hex16, hex32, hex64, ed25519, `ed25519_seed`, password or password:N.
    #[arg(required = true, value_name = "NAME=KIND", value_parser = read_wanted)]
    pub wanted: Vec<NewSecret>,
    #[command(flatten)]
    pub access: Access,
}

/// `outlayer secrets list`
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    pub chain: Chain,
    #[command(flatten)]
    pub owner: Owner,
}

/// `outlayer secrets set-access`
#[derive(Debug, Args)]
pub struct SetAccess {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub key: Key,
    #[command(flatten)]
    pub access: Access,
}

/// `outlayer secrets delete`
#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub key: Key,
}

/// `outlayer secrets estimate`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("given").required(true).args(["from_file", "from_stdin", "names", "bytes"])))]
pub struct Estimate {
    #[command(flatten)]
    pub chain: Chain,
    /// The owner, who may have the profile already and then pays for what is added; a new profile is meant if absent.
    #[arg(long, env = "NEAR_ACCOUNT_ID")]
    pub account: Option<AccountId>,
    #[command(flatten)]
    pub named: Named,
    #[command(flatten)]
    pub values: Values,
    /// So many bytes of names and values, written as JSON.
    #[arg(long, value_name = "N")]
    pub bytes: Option<usize>,
    #[command(flatten)]
    pub access: Access,
}

/// A profile on a chain, and whose it is.
#[derive(Debug, Args)]
pub struct Place {
    #[command(flatten)]
    pub chain: Chain,
    #[command(flatten)]
    pub owner: Owner,
    #[command(flatten)]
    pub named: Named,
}

/// Whose secrets.
#[derive(Debug, Args)]
pub struct Owner {
    /// The owner of the secrets.
    #[arg(long, env = "NEAR_ACCOUNT_ID")]
    pub account: AccountId,
}

/// The owner's key.
#[derive(Debug, Args)]
pub struct Key {
    /// The owner's secret key, `ed25519:…`: a full-access key.
    #[arg(long, env = "NEAR_SECRET_KEY", hide_env_values = true)]
    pub secret_key: Hidden,
}

/// A text that is not shown, and is wiped when it is dropped.
#[derive(Clone)]
pub struct Hidden(Zeroizing<String>);

impl Hidden {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Hidden {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

/// Where the keystore is asked.
#[derive(Debug, Args)]
pub struct Keystore {
    /// The coordinator's address; it passes questions on to the keystore.
    #[arg(long, env = "OUTLAYER_COORDINATOR")]
    pub coordinator: String,
    /// What the keystore signs its answers with, `ed25519:…`. Without it the coordinator is believed: a dishonest one could have values
    /// sealed to a key of its own.
    #[arg(long, env = "OUTLAYER_KEYSTORE_KEY", value_name = "KEY")]
    pub keystore_key: Option<String>,
}

/// Which code, and which profile of it.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("code").required(true).args(["repo", "wasm_hash", "project"])))]
pub struct Named {
    /// For what is built of this repository: `owner/name`, or its address.
    #[arg(long)]
    pub repo: Option<String>,
    /// For this branch of the repository alone.
    #[arg(long, requires = "repo", conflicts_with_all = ["wasm_hash", "project"])]
    pub branch: Option<String>,
    /// For the module with this sha256 alone.
    #[arg(long, value_name = "SHA256")]
    pub wasm_hash: Option<ArtifactHash>,
    /// For every version of this project: `owner/name`, or its uuid.
    #[arg(long)]
    pub project: Option<ProjectRef>,
    /// The profile's name.
    #[arg(long, default_value = protocol::keystore::DEFAULT_PROFILE)]
    pub profile: Profile,
}

impl Named {
    /// The code that may have the profile.
    pub fn accessor(&self) -> Result<Accessor> {
        match (&self.repo, self.wasm_hash, &self.project) {
            (Some(repo), None, None) => {
                Accessor::repo(repo, self.branch.as_deref()).context("--repo and --branch")
            }
            (None, Some(hash), None) => Ok(Accessor::WasmHash { hash }),
            (None, None, Some(project)) => Ok(Accessor::Project {
                project_id: project.clone(),
            }),
            _ => bail!("name the code by one of --repo, --wasm-hash and --project"),
        }
    }
}

/// Where values come from.
#[derive(Debug, Args)]
pub struct Values {
    /// Read names and values from this file: a JSON object of strings in a `.json`, lines of `NAME=value` otherwise.
    #[arg(long, value_name = "FILE")]
    pub from_file: Option<PathBuf>,
    /// Read names and values from stdin: a JSON object if it begins with `{`, lines of `NAME=value` otherwise.
    #[arg(long)]
    pub from_stdin: bool,
    /// Ask for the value of this name on the terminal. May be repeated.
    #[arg(long = "name", value_name = "NAME")]
    pub names: Vec<String>,
}

/// For whom a profile is opened. Several of these together must all hold.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "For whom")]
pub struct Access {
    /// For everyone.
    #[arg(long, conflicts_with_all = ["allow", "allow_pattern", "min_near", "min_ft", "owns_nft", "dao_member"])]
    pub allow_all: bool,
    /// For this account. May be repeated: for each of them.
    #[arg(long, value_name = "ACCOUNT")]
    pub allow: Vec<AccountId>,
    /// For accounts whose whole name matches this regular expression.
    #[arg(long, value_name = "REGEX")]
    pub allow_pattern: Vec<String>,
    /// For accounts with at least so much NEAR, without what they have staked.
    #[arg(long, value_name = "NEAR")]
    pub min_near: Option<String>,
    /// For accounts with at least so much of a token, in its smallest unit.
    #[arg(long, value_name = "CONTRACT:AMOUNT")]
    pub min_ft: Vec<String>,
    /// For owners of a token of this collection, or of the one that is named.
    #[arg(long, value_name = "CONTRACT[:TOKEN]")]
    pub owns_nft: Vec<String>,
    /// For members of a DAO who have this role.
    #[arg(long, value_name = "DAO:ROLE")]
    pub dao_member: Vec<String>,
    /// Let one of the conditions be enough.
    #[arg(long)]
    pub any: bool,
    /// The condition as JSON, or `@FILE` that holds it.
    #[arg(
        long,
        value_name = "JSON",
        conflicts_with_all = ["allow_all", "allow", "allow_pattern", "min_near", "min_ft", "owns_nft", "dao_member", "any"]
    )]
    pub access_json: Option<String>,
}

/// Reads `NAME=KIND` by the rules of the keystore.
fn read_wanted(text: &str) -> Result<NewSecret> {
    let (name, kind) = text
        .split_once('=')
        .context("say what to make as NAME=KIND, such as PROTECTED_SEED=hex32")?;
    names::check_of_generated(name)?;
    let _known: Generation = kind.parse()?;
    Ok(NewSecret {
        name: name.to_owned(),
        generation_type: kind.to_owned(),
    })
}

#[cfg(test)]
mod tests;
