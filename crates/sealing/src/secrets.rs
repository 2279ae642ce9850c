//! Names and values: read from JSON by rules that depend on who wrote it, and written again.
//!
//! The JSON is read and written here and not by serde, whose buffers keep what passed through them, and which would take the last of
//! two equal names.

mod read;
mod write;

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::mark::{self, MarkKey};
use crate::names;

/// Secrets: names and values, in the order of the names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, Zeroizing<String>>);

impl Secrets {
    /// What a user gives: no generated names.
    pub fn from_user_json(json: &[u8]) -> Result<Self, Error> {
        let secrets = Self::read(json)?;
        secrets.names().try_for_each(names::check_of_user)?;
        Ok(secrets)
    }

    /// What was sealed, by a user or by the keystore: generated secrets are those that the keystore generated.
    pub fn from_sealed_json(json: &[u8], key: &MarkKey) -> Result<Self, Error> {
        let mut secrets = Self::read(json)?;
        let mark = secrets.0.remove(mark::NAME);
        secrets.names().try_for_each(names::check)?;
        let genuine = match &mark {
            Some(mark) => key.is_mark(mark, secrets.generated()),
            None => secrets.generated().next().is_none(),
        };
        genuine.then_some(secrets).ok_or(Error::NotGenerated)
    }

    /// What the keystore said and nobody else can have said.
    pub fn from_keystore_json(json: &[u8]) -> Result<Self, Error> {
        let secrets = Self::read(json)?;
        secrets.names().try_for_each(names::check)?;
        Ok(secrets)
    }

    /// As the keystore seals them: generated ones with their mark.
    pub fn to_sealed_json(&self, key: &MarkKey) -> Zeroizing<Vec<u8>> {
        let mark = self
            .generated()
            .next()
            .is_some()
            .then(|| key.mark(self.generated()));
        let marked = mark.as_deref().map(|mark| (mark::NAME, mark));
        write::object(self.iter().chain(marked))
    }

    /// A JSON object of names and values.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        write::object(self.iter())
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str())
    }

    /// The names and the values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds `others`, which replace what has their names.
    pub fn replace_with(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Drops all that were not generated.
    pub fn keep_generated(&mut self) {
        self.0.retain(|name, _| names::is_protected(name));
    }

    /// Adds a generated secret, which replaces nothing.
    pub fn add_generated(&mut self, name: &str, value: Zeroizing<String>) -> Result<(), Error> {
        names::check_of_generated(name)?;
        if self.0.contains_key(name) {
            return Err(Error::NameTaken { name: name.into() });
        }
        self.0.insert(name.to_owned(), value);
        Ok(())
    }

    fn generated(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(|(name, _)| names::is_protected(name))
    }

    fn read(json: &[u8]) -> Result<Self, Error> {
        let mut secrets = BTreeMap::new();
        read::object(json, |name, value| {
            if secrets.contains_key(name.as_str()) {
                return Err(Error::DuplicateName { name });
            }
            if value.contains('\0') {
                return Err(Error::NulInValue { name });
            }
            secrets.insert(name, value);
            Ok(())
        })?;
        Ok(Self(secrets))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}
