//! What one execution is given.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::time::Duration;

use borsh::{BorshDeserialize, BorshSerialize};
use zeroize::Zeroizing;

/// One execution: what the guest is told and what it may use.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Run {
    /// What it reads from stdin.
    pub input: Vec<u8>,
    /// Its arguments, the program's name first. No NUL bytes.
    pub args: Vec<String>,
    /// Its environment. No NUL bytes, and no `=` in a name.
    pub env: BTreeMap<String, String>,
    /// The rest of its environment, by the same rules and with other names.
    pub secrets: SecretEnv,
    /// What it may use.
    pub limits: Limits,
    /// Dollars that were attached, of which it may give back. Unit: millionths.
    pub attached_usd: u64,
    /// What its random bytes are drawn from.
    pub seed: Seed,
    /// What the clocks tell.
    pub clock: Clock,
}

impl Run {
    /// A run with this input under these limits, with no arguments and an empty environment.
    pub fn new(input: impl Into<Vec<u8>>, limits: Limits, seed: Seed) -> Self {
        Self {
            input: input.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            secrets: SecretEnv::default(),
            limits,
            attached_usd: 0,
            seed,
            clock: Clock::System,
        }
    }
}

/// The environment holds secrets and so may the input: names and sizes are shown.
impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("input_bytes", &self.input.len())
            .field("args", &self.args.len())
            .field("env", &self.env.keys())
            .field("secrets", &self.secrets)
            .field("limits", &self.limits)
            .field("attached_usd", &self.attached_usd)
            .field("seed", &self.seed)
            .field("clock", &self.clock)
            .finish()
    }
}

/// Variables that nobody but the guest may read: overwritten as soon as they are dropped, and not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretEnv(BTreeMap<String, Zeroizing<String>>);

impl SecretEnv {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names and the values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.0.iter();
        entries.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for SecretEnv {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let owned =
            entries.map(|(name, value)| (name.to_owned(), Zeroizing::new(value.to_owned())));
        Self(owned.collect())
    }
}

impl fmt::Debug for SecretEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretEnv({})", self.0.len())
    }
}

/// As a map of strings.
impl BorshSerialize for SecretEnv {
    fn serialize<W: Write>(&self, to: &mut W) -> io::Result<()> {
        let count = u32::try_from(self.0.len()).map_err(io::Error::other)?;
        count.serialize(to)?;
        self.iter().try_for_each(|entry| entry.serialize(to))
    }
}

impl BorshDeserialize for SecretEnv {
    fn deserialize_reader<R: Read>(from: &mut R) -> io::Result<Self> {
        let entries = BTreeMap::<String, String>::deserialize_reader(from)?;
        let entries = entries.into_iter();
        Ok(Self(
            entries
                .map(|(name, value)| (name, Zeroizing::new(value)))
                .collect(),
        ))
    }
}

/// What one execution may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Limits {
    /// Metered instructions.
    pub instructions: u64,
    /// Linear memory.
    pub memory_bytes: u64,
    /// Wall-clock time, from the start of its process.
    #[borsh(
        serialize_with = "crate::wire::write_duration",
        deserialize_with = "crate::wire::read_duration"
    )]
    pub wall: Duration,
    /// Output. One byte more ends the execution.
    pub stdout_bytes: usize,
    /// Messages. What is above is dropped and counted.
    pub stderr_bytes: usize,
}

impl Default for Limits {
    /// What a request gets that names no limits, with the caps of an answer.
    fn default() -> Self {
        Self {
            instructions: 1_000_000_000,
            memory_bytes: 128 << 20,
            wall: Duration::from_secs(60),
            stdout_bytes: 4 << 20,
            stderr_bytes: 64 << 10,
        }
    }
}

/// What a guest's random bytes are drawn from, by ChaCha20: the same seed gives the same bytes in every run.
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Seed(pub [u8; 32]);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// What time a guest sees.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Clock {
    /// The machine's.
    System,
    /// Nanoseconds since the Unix epoch; moves only when the guest sleeps, and then at once.
    Fixed(u64),
    /// What an earlier run read of the machine's clock, in order: it is told the same again, and sleeps not at all.
    Recorded(Vec<u64>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_as_a_map_and_are_not_shown() {
        let mut run = Run::new("in", Limits::default(), Seed([0; 32]));
        run.secrets = [("B", "hush"), ("A", "quiet")].into_iter().collect();

        let bytes = borsh::to_vec(&run).unwrap();
        let map = BTreeMap::from([("A", "quiet"), ("B", "hush")]);

        assert_eq!(borsh::from_slice::<Run>(&bytes).unwrap(), run);
        assert_eq!(
            borsh::to_vec(&run.secrets).unwrap(),
            borsh::to_vec(&map).unwrap()
        );
        assert!(!format!("{run:?}").contains("hush"));
    }
}
