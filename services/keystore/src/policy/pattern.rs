//! Patterns of accounts. The engine's time is linear in the account's length, whatever the pattern, and its size is bounded.

use protocol::AccountId;
use regex::bytes::RegexBuilder;

use crate::error::Error;

/// The most memory that a pattern may take when it is compiled, and when it is matched.
const MAX_BYTES: usize = 1 << 20;

/// How deep groups may nest.
const MAX_NESTING: u32 = 32;

/// Whether the pattern matches the whole account.
pub(super) fn matches(pattern: &str, account: &AccountId) -> Result<bool, Error> {
    // Alone first: what is only whole together with our brackets, such as `a)|(b`, would slip out of them.
    compile(pattern)?;
    let whole = compile(&format!(r"\A(?:{pattern})\z"))?;
    Ok(whole.is_match(account.as_bytes()))
}

fn compile(pattern: &str) -> Result<regex::bytes::Regex, Error> {
    RegexBuilder::new(pattern)
        .unicode(false) // accounts are ASCII, and classes of Unicode are large
        .size_limit(MAX_BYTES)
        .dfa_size_limit(MAX_BYTES)
        .nest_limit(MAX_NESTING)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                Error::BadCondition("the pattern takes too much memory".to_owned())
            }
            _ => Error::BadCondition("the pattern is not a regular expression".to_owned()),
        })
}
