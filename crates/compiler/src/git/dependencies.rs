//! The git repositories that a lock file names, looked at before cargo checks them out: cargo itself knows no limit.

use std::collections::BTreeSet;

use protocol::{CommitHash, FailureCode};
use toml::Table;
use url::Url;

use super::Git;
use crate::error::Error;
use crate::repository::Repository;
use crate::settings::Settings;
use crate::workbench::Workbench;

/// The most that are looked at; each costs a fetch.
const MOST: usize = 32;

/// Makes sure that the git dependencies are on allowed hosts, small, and whole in themselves.
pub(crate) async fn prove_small(settings: &Settings, bench: &Workbench) -> Result<(), Error> {
    let lock = std::fs::read_to_string(bench.source().join("Cargo.lock")).unwrap_or_default();
    let sources = sources(&lock);
    if sources.len() > MOST {
        return Err(Error::saying(
            FailureCode::SourceTooLarge,
            format!("more than {MOST} dependencies come from git repositories"),
        ));
    }
    for (place, (address, commit)) in sources.into_iter().enumerate() {
        let refusal = || {
            Error::saying(
                FailureCode::DependencyNotFound,
                "a git dependency is on no host that is built from, or has submodules",
            )
        };
        let commit: CommitHash = commit.parse().map_err(|_| refusal())?;
        let repository = Repository::parse(&address, &settings.hosts).map_err(|_| refusal())?;
        let folder = bench.measured(place);
        let git = Git::of(&repository, settings, bench)?;
        git.init(&folder, &["--bare"]).await?;
        git.fetch(&folder, &commit).await?;
        if git.measure(&folder, &commit).await?.has_modules {
            return Err(refusal());
        }
    }
    Ok(())
}

/// The address and the commit of each git repository in a lock file. One that cannot be read has none, as cargo will say.
fn sources(lock: &str) -> BTreeSet<(String, String)> {
    let lock: Table = lock.parse().unwrap_or_default();
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let sources = packages
        .into_iter()
        .flatten()
        .filter_map(|package| package.get("source")?.as_str()?.strip_prefix("git+"));
    sources
        .map(|source| {
            let (address, commit) = source.split_once('#').unwrap_or((source, ""));
            // What follows is a branch or a tag, which the commit settles.
            let address = Url::parse(address).map_or_else(
                |_| address.to_owned(),
                |mut url| {
                    url.set_query(None);
                    url.into()
                },
            );
            (address, commit.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_git_sources_of_a_lock_file_are_found_once() {
        let lock = r#"
            version = 4
            [[package]]
            name = "a"
            source = "git+https://github.com/acme/a?branch=main#11"
            [[package]]
            name = "b"
            source = "git+https://github.com/acme/a#11"
            [[package]]
            name = "c"
            source = "registry+https://github.com/rust-lang/crates.io-index"
        "#;

        let found = sources(lock);

        assert_eq!(
            found,
            [("https://github.com/acme/a".to_owned(), "11".to_owned())].into()
        );
        assert!(sources("not a lock file [").is_empty());
    }
}
