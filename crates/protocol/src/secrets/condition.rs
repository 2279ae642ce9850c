//! For whom a profile is opened.
//!
//! The contract checks the shape and the size of a condition when it is stored; the keystore decides whether it holds, and needs
//! the chain for that. Both limits here keep that decision small.

use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use near_account_id::AccountId;
use serde::{Deserialize, Serialize};

use crate::id::serde_as_text;

/// How deep conditions nest; one without others in it has depth 1.
pub const MAX_DEPTH: usize = 8;

/// The most conditions in one, itself included: each may be a call to the chain when secrets are asked for.
pub const MAX_CONDITIONS: usize = 32;

/// The largest condition, as it is stored; a whitelist of about 250 of the longest accounts.
///
/// Unit: bytes.
pub const MAX_BYTES: usize = 16_384;

/// The longest regular expression, so that compiling it is cheap.
///
/// Unit: bytes.
pub const MAX_PATTERN_BYTES: usize = 256;

/// The longest role and the longest token's name.
///
/// Unit: bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// JSON's brackets around one level of conditions: `{"Logic":{"conditions":[`.
const BRACKETS_PER_LEVEL: usize = 3;

/// For whom a profile is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
#[serde(deny_unknown_fields)]
pub enum AccessCondition {
    /// For everyone.
    AllowAll,
    /// For the named accounts.
    Whitelist {
        /// Which.
        accounts: Vec<AccountId>,
    },
    /// For accounts whose whole name matches a regular expression.
    AccountPattern {
        /// The expression; it is anchored at both ends whether it says so or not.
        pattern: String,
    },
    /// For accounts with so much NEAR.
    NearBalance {
        /// How the balance compares.
        operator: Comparison,
        /// With what, in yoctoNEAR.
        value: Amount,
    },
    /// For accounts with so much of a token.
    FtBalance {
        /// The token's contract.
        contract: AccountId,
        /// How the balance compares.
        operator: Comparison,
        /// With what, in the token's smallest unit.
        value: Amount,
    },
    /// For accounts that own a token of a collection.
    NftOwned {
        /// The collection's contract.
        contract: AccountId,
        /// Which token, or any.
        #[serde(default)]
        token_id: Option<String>,
    },
    /// For accounts with a role in a DAO.
    DaoMember {
        /// The DAO's contract.
        dao_contract: AccountId,
        /// The role.
        role: String,
    },
    /// For accounts for which all, or any, of several conditions hold.
    Logic {
        /// All or any.
        operator: Connective,
        /// The conditions, at least one.
        conditions: Vec<AccessCondition>,
    },
    /// For accounts for which a condition does not hold.
    Not {
        /// The condition.
        condition: Box<AccessCondition>,
    },
}

/// How a balance compares with a value.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
)]
pub enum Comparison {
    /// At least.
    Gte,
    /// At most.
    Lte,
    /// More than.
    Gt,
    /// Less than.
    Lt,
    /// Just as much.
    Eq,
    /// Not just as much.
    Ne,
}

impl Comparison {
    /// Whether `balance` compares so with `value`.
    pub const fn holds(self, balance: u128, value: u128) -> bool {
        match self {
            Self::Gte => balance >= value,
            Self::Lte => balance <= value,
            Self::Gt => balance > value,
            Self::Lt => balance < value,
            Self::Eq => balance == value,
            Self::Ne => balance != value,
        }
    }
}

/// Whether all or any of several conditions must hold.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
)]
pub enum Connective {
    /// All.
    And,
    /// Any.
    Or,
}

/// A balance, in the smallest unit of what it is a balance of; a decimal string in JSON.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Amount(pub u128);

impl FromStr for Amount {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(Amount);

/// Why a condition is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not JSON of the documented shape.
    #[error("{0}")]
    Malformed(String),
    /// It nests deeper than [`MAX_DEPTH`].
    #[error("the condition nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// It consists of more than [`MAX_CONDITIONS`].
    #[error("the condition consists of more than {MAX_CONDITIONS} conditions")]
    TooMany,
    /// It is larger than [`MAX_BYTES`].
    #[error("the condition takes {0} bytes, the most is {MAX_BYTES}")]
    TooLarge(usize),
    /// All or any of none.
    #[error("a Logic condition names no conditions")]
    NoConditions,
    /// A text that is empty, too long or not printable.
    #[error("{field} has {bytes} bytes; 1 to {most} printable ones are allowed")]
    Text {
        /// Which.
        field: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
}

impl Error {
    /// Whether a smaller condition of the same kind would be accepted.
    pub const fn is_size(&self) -> bool {
        matches!(self, Self::TooDeep | Self::TooMany | Self::TooLarge(_))
    }
}

impl AccessCondition {
    /// Reads and checks a condition. Nesting is measured before anything recurses, so that no text can exhaust a stack.
    pub fn read(json: &str) -> Result<Self, Error> {
        if brackets(json) > MAX_DEPTH.saturating_mul(BRACKETS_PER_LEVEL) {
            return Err(Error::TooDeep);
        }
        let condition: Self =
            serde_json::from_str(json).map_err(|err| Error::Malformed(err.to_string()))?;
        condition.check()?;
        Ok(condition)
    }

    /// Refuses a condition that is too deep, too large or malformed.
    pub fn check(&self) -> Result<(), Error> {
        let mut left = MAX_CONDITIONS;
        self.check_below(MAX_DEPTH, &mut left)?;
        match borsh::object_length(self) {
            Ok(bytes) if bytes <= MAX_BYTES => Ok(()),
            Ok(bytes) => Err(Error::TooLarge(bytes)),
            Err(_) => Err(Error::TooLarge(usize::MAX)),
        }
    }

    fn check_below(&self, levels: usize, left: &mut usize) -> Result<(), Error> {
        let below = levels.checked_sub(1).ok_or(Error::TooDeep)?;
        *left = left.checked_sub(1).ok_or(Error::TooMany)?;
        match self {
            Self::AllowAll
            | Self::Whitelist { .. }
            | Self::NearBalance { .. }
            | Self::FtBalance { .. }
            | Self::NftOwned { token_id: None, .. } => Ok(()),
            Self::AccountPattern { pattern } => check_text("pattern", pattern, MAX_PATTERN_BYTES),
            Self::NftOwned {
                token_id: Some(token),
                ..
            } => check_text("token_id", token, MAX_NAME_BYTES),
            Self::DaoMember { role, .. } => check_text("role", role, MAX_NAME_BYTES),
            Self::Logic { conditions, .. } if conditions.is_empty() => Err(Error::NoConditions),
            Self::Logic { conditions, .. } => conditions
                .iter()
                .try_for_each(|condition| condition.check_below(below, left)),
            Self::Not { condition } => condition.check_below(below, left),
        }
    }
}

fn check_text(field: &'static str, text: &str, most: usize) -> Result<(), Error> {
    let bytes = text.len();
    if bytes > 0 && bytes <= most && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::Text { field, bytes, most })
}

/// How deep a JSON text's brackets nest.
fn brackets(json: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    let mut in_string = false;
    let mut escaped = false;
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;
