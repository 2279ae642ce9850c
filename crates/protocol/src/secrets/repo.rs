//! Repositories and branches in the one form in which they are compared.

use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};

use super::Error;
use crate::id::serde_as_text;

/// The longest address of a repository, in any spelling.
///
/// Unit: bytes.
const MAX_REPO_BYTES: usize = 512;

/// The longest name of a branch.
///
/// Unit: bytes. Source: git refuses references over 255 bytes on common file systems.
const MAX_BRANCH_BYTES: usize = 255;

/// The host of a repository that names none.
const DEFAULT_HOST: &str = "github.com";

/// A repository, normalised: `github.com/owner/name`.
///
/// ```
/// use protocol::secrets::Repo;
///
/// for spelling in ["acme/ark", "https://GitHub.com/acme/ark.git", "git@github.com:acme/ark", "ssh://git@github.com/acme/ark/"] {
///     let repo: Repo = spelling.parse().unwrap();
///     assert_eq!(repo.as_str(), "github.com/acme/ark");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Repo(String);

impl Repo {
    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Repo {
    type Err = Error;

    /// Takes away the scheme, `git@` and `.git`, puts the host before `owner/name`, and writes the host in lower case.
    ///
    /// An address with a user, a port, a query or anything else that is no plain path is refused: a colon would make the text
    /// from which a key is derived ambiguous, and a password in an address would stand on the chain.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::Repo(text.chars().take(100).collect());
        if text.len() > MAX_REPO_BYTES {
            return Err(bad());
        }
        let (path, has_host) = match text.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => {
                (rest.strip_prefix("git@").unwrap_or(rest).to_owned(), true)
            }
            Some(_) => return Err(bad()),
            None => match text.strip_prefix("git@") {
                Some(rest) => {
                    let (host, path) = rest.split_once(':').ok_or_else(bad)?;
                    if host.contains('/') {
                        return Err(bad());
                    }
                    (format!("{host}/{path}"), true)
                }
                None => (text.to_owned(), false),
            },
        };
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let segments: Vec<&str> = path.split('/').collect();
        if !segments.iter().all(|segment| is_segment(segment)) {
            return Err(bad());
        }
        match segments.as_slice() {
            [owner, name] if !has_host && !owner.contains('.') => {
                Ok(Self(format!("{DEFAULT_HOST}/{owner}/{name}")))
            }
            [host, _, _, ..] if has_host || host.contains('.') => {
                let path = path.get(host.len()..).unwrap_or_default();
                Ok(Self(format!("{}{path}", host.to_ascii_lowercase())))
            }
            _ => Err(bad()),
        }
    }
}

fn is_scheme(scheme: &str) -> bool {
    ["https", "http", "ssh", "git", "git+https", "git+ssh"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
}

fn is_segment(segment: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b'+');
    !matches!(segment, "" | "." | ".." | ".git") && segment.bytes().all(plain)
}

/// A branch of a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Branch(String);

impl Branch {
    /// The branch's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Branch {
    type Err = Error;

    /// Refuses what `git check-ref-format --branch` refuses, so far as it could be mistaken for something else.
    fn from_str(text: &str) -> Result<Self, Error> {
        let odd = |c: char| {
            c.is_control()
                || c.is_whitespace()
                || matches!(c, '"' | '\\' | ':' | '~' | '^' | '?' | '*' | '[')
        };
        let fits = !text.is_empty() && text.len() <= MAX_BRANCH_BYTES;
        let whole = !text.starts_with(['/', '-']) && !text.ends_with('/') && !text.contains("..");
        if fits && whole && !text.chars().any(odd) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::Branch(text.chars().take(100).collect()))
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(Repo, Branch);

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> Option<String> {
        text.parse::<Repo>().ok().map(|repo| repo.0)
    }

    #[test]
    fn every_spelling_of_a_repository_becomes_one() {
        for spelling in [
            "a/b",
            "a/b/",
            "a/b.git",
            "github.com/a/b",
            "GitHub.com/a/b",
            "https://github.com/a/b",
            "http://github.com/a/b.git/",
            "HTTPS://github.com/a/b",
            "git@github.com:a/b.git",
            "ssh://git@github.com/a/b.git",
            "git+ssh://git@github.com/a/b",
        ] {
            assert_eq!(
                normal(spelling).as_deref(),
                Some("github.com/a/b"),
                "{spelling}"
            );
        }
        assert_eq!(
            normal("gitlab.com/g/s/b").as_deref(),
            Some("gitlab.com/g/s/b")
        );
        assert_eq!(
            normal("https://git.acme.io/A/b").as_deref(),
            Some("git.acme.io/A/b")
        );
    }

    #[test]
    fn a_normal_repository_is_its_own_normal_form() {
        for spelling in ["a/b.git", "git@gitlab.com:a/c/b", "a/b.x", "x.y/a/.b"] {
            let once = normal(spelling).unwrap();

            assert_eq!(normal(&once), Some(once));
        }
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for bad in [
            "",
            "/",
            "a",
            "a/",
            "/a/b",
            "a//b",
            "a/../b",
            "a/.git",
            "a/b/c",
            "github.com/a",
            "https://github.com/a",
            "https://user:word@github.com/a/b",
            "https://github.com:8080/a/b",
            "https://github.com/a/b?x=1",
            "https://github.com/a/b#main",
            "git@github.com/a/b:c",
            "file:///a/b/c",
            "a/b\u{0}",
            "a/b c",
            "a/ä",
            &format!("a/{}", "b".repeat(511)),
        ] {
            assert_eq!(normal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_branch_is_what_git_calls_one() {
        for good in ["main", "feature/x", "v1.2", "ünder"] {
            assert!(good.parse::<Branch>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "a:b",
            "a..b",
            "/a",
            "a/",
            "-a",
            "a\u{0}",
            "a*",
            &"a".repeat(256),
        ] {
            assert!(bad.parse::<Branch>().is_err(), "{bad:?}");
        }
    }
}
