//! The branches and tags of a repository, as `git ls-remote` lists them.

use std::collections::BTreeMap;

use protocol::CommitHash;

/// The longest name of a branch or a tag that is looked for.
const LONGEST_NAME: usize = 200;

/// Each name with the commit it is at; an annotated tag is at the commit that it is a tag of.
#[derive(Debug, Default)]
pub(super) struct Refs(BTreeMap<String, CommitHash>);

impl Refs {
    /// Reads lines of a commit, a tab and a name.
    pub(super) fn read(listing: &str) -> Self {
        let mut refs = BTreeMap::new();
        for line in listing.lines() {
            let Some((commit, name)) = line.split_once('\t') else {
                continue;
            };
            let Ok(commit) = commit.parse() else { continue };
            // The peeled form of a tag comes right after the tag itself and takes its place.
            let name = name.strip_suffix("^{}").unwrap_or(name);
            refs.insert(name.to_owned(), commit);
        }
        Self(refs)
    }

    /// A branch goes before a tag of the same name, as it does for `git clone --branch`.
    pub(super) fn commit_of(&self, name: &str) -> Option<CommitHash> {
        full_names(name)
            .iter()
            .find_map(|full| self.0.get(full))
            .cloned()
    }

    /// The commit that a branch or a tag of this full name is at.
    pub(super) fn at(&self, full_name: &str) -> Option<&CommitHash> {
        self.0.get(full_name)
    }

    /// Whether a branch or a tag is at `commit`.
    pub(super) fn has_tip(&self, commit: &CommitHash) -> bool {
        self.0.values().any(|tip| tip == commit)
    }
}

/// What to ask for to learn where `name` is.
pub(super) fn patterns_of(name: &str) -> Vec<String> {
    let peeled = format!("refs/tags/{name}^{{}}");
    full_names(name).into_iter().chain([peeled]).collect()
}

/// What `name` may stand for, the likeliest first. `HEAD` is the default branch.
fn full_names(name: &str) -> Vec<String> {
    match name {
        "HEAD" => vec!["HEAD".to_owned()],
        _ => vec![format!("refs/heads/{name}"), format!("refs/tags/{name}")],
    }
}

/// Whether `name` can be the name of a branch or a tag. Git's own rules, see git-check-ref-format(1), and no option.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |c: char| !c.is_control() && !c.is_whitespace() && !"~^:?*[\\".contains(c);
    (1..=LONGEST_NAME).contains(&name.len())
        && name.chars().all(allowed)
        && !name.starts_with(['-', '/'])
        && !name.ends_with(['/', '.'])
        && !name.contains("..")
        && !name.contains("@{")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "\
1111111111111111111111111111111111111111\trefs/heads/main
2222222222222222222222222222222222222222\trefs/heads/v1
3333333333333333333333333333333333333333\trefs/tags/v1
4444444444444444444444444444444444444444\trefs/tags/v2
5555555555555555555555555555555555555555\trefs/tags/v2^{}
6666666666666666666666666666666666666666\trefs/remotes/refs/heads/odd
";

    fn commit(digit: &str) -> CommitHash {
        digit.repeat(40).parse().unwrap()
    }

    #[test]
    fn a_name_is_a_branch_then_a_tag_and_an_annotated_tag_is_its_commit() {
        let refs = Refs::read(LISTING);

        assert_eq!(refs.commit_of("main"), Some(commit("1")));
        assert_eq!(refs.commit_of("v1"), Some(commit("2")));
        assert_eq!(refs.commit_of("v2"), Some(commit("5")));
        assert_eq!(refs.commit_of("odd"), None);
    }

    #[test]
    fn the_object_of_an_annotated_tag_is_no_tip() {
        let refs = Refs::read(LISTING);

        assert!(refs.has_tip(&commit("5")));
        assert!(!refs.has_tip(&commit("4")));
    }

    #[test]
    fn options_patterns_and_paths_are_not_names() {
        for name in [
            "",
            "--upload-pack=id",
            "*",
            "a b",
            "../x",
            "a\n",
            "x@{1}",
            "a:b",
        ] {
            assert!(!is_name(name), "{name}");
        }
        for name in ["main", "feature/x-1", "v1.0.0", "HEAD"] {
            assert!(is_name(name), "{name}");
        }
    }
}
