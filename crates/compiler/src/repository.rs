//! The address of a repository: read once, kept in its parts, written one way.

use std::collections::BTreeMap;
use std::fmt;

use protocol::FailureCode;
use url::Url;

use crate::error::Error;

/// The longest name of an owner or a repository that is accepted; GitHub's own limits are 39 and 100.
const LONGEST_NAME: usize = 100;

/// Where bare `owner/repo` is looked for.
const USUAL_HOST: &str = "github.com";

/// A repository on a host that is allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    host: String,
    owner: String,
    name: String,
}

impl Repository {
    /// Reads `https://host/owner/repo`, `host/owner/repo` or `owner/repo`, each with or without `.git` or `/` at its end.
    ///
    /// # Errors
    /// [`FailureCode::InvalidRepositoryUrl`] for anything else, and for a host that is not in `hosts`.
    pub fn parse(text: &str, hosts: &BTreeMap<String, Url>) -> Result<Self, Error> {
        Self::read(text)
            .filter(|repository| hosts.contains_key(&repository.host))
            .ok_or_else(|| Error::new(FailureCode::InvalidRepositoryUrl))
    }

    fn read(text: &str) -> Option<Self> {
        let (path, has_scheme) = match text.strip_prefix("https://") {
            Some(path) => (path, true),
            None => (text, false),
        };
        let path = path.strip_suffix('/').unwrap_or(path);
        let path = path.strip_suffix(".git").unwrap_or(path);
        let mut parts = path.split('/');
        let (host, owner, name) = match (parts.next()?, parts.next()?, parts.next()) {
            (host, owner, Some(name)) => (host, owner, name),
            (owner, name, None) if !has_scheme => (USUAL_HOST, owner, name),
            _ => return None,
        };
        let whole = parts.next().is_none() && is_name(owner) && is_name(name);
        whole.then(|| Self {
            host: host.to_ascii_lowercase(),
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Where git finds it, if its host is in `hosts`.
    pub(crate) fn location(&self, hosts: &BTreeMap<String, Url>) -> Option<Url> {
        let base = hosts.get(&self.host)?.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{}/{}", self.owner, self.name)).ok()
    }
}

/// As it is written wherever it is compared: `github.com/owner/repo`.
impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.owner, self.name)
    }
}

/// Whether git, a URL and a file system all take `text` as the plain name of one thing.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=LONGEST_NAME).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with(['-', '.'])
        && !text.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> BTreeMap<String, Url> {
        BTreeMap::from([(
            "github.com".to_owned(),
            Url::parse("file:///srv/git/").unwrap(),
        )])
    }

    #[test]
    fn every_spelling_of_a_repository_is_written_one_way() {
        let spellings = [
            "https://github.com/acme/random-ark",
            "https://GitHub.com/acme/random-ark.git",
            "https://github.com/acme/random-ark.git/",
            "github.com/acme/random-ark/",
            "acme/random-ark",
        ];

        for spelling in spellings {
            let repository = Repository::parse(spelling, &hosts()).unwrap();

            assert_eq!(repository.to_string(), "github.com/acme/random-ark");
        }
    }

    #[test]
    fn a_mapped_host_leads_to_its_folder() {
        let repository = Repository::parse("acme/random-ark", &hosts()).unwrap();

        let location = repository.location(&hosts()).unwrap();

        assert_eq!(location.as_str(), "file:///srv/git/acme/random-ark");
    }

    #[test]
    fn an_address_of_another_kind_is_refused() {
        let refused = [
            "",
            "git@github.com:acme/ark.git",
            "ssh://git@github.com/acme/ark",
            "http://github.com/acme/ark",
            "git://github.com/acme/ark",
            "ext::sh -c id/acme/ark",
            "file:///etc/acme/ark",
            "https://github.com/acme",
            "https://github.com/acme/ark/tree/main",
            "https://user:password@github.com/acme/ark",
            "https://github.com:444/acme/ark",
            "https://github.com/acme/ark?x=1",
            "https://gitlab.com/acme/ark",
            "https://github.com/ac me/ark",
            "https://github.com/acme/ark ",
            "https://github.com/../ark",
            "https://github.com/acme/..",
            "--upload-pack=id/ark",
            "acme/%2e%2e",
        ];

        for text in refused {
            let refusal = Repository::parse(text, &hosts()).map_err(|error| error.code());

            assert_eq!(refusal, Err(FailureCode::InvalidRepositoryUrl), "{text}");
        }
    }
}
