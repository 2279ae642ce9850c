//! Where the branches of a repository are, as `git ls-remote --symref` lists them.

use std::collections::BTreeMap;

use protocol::CommitHash;
use protocol::secrets::Branch;

/// The branches of a repository, each with its last commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heads {
    /// The branch that `HEAD` is, if it is one.
    pub default: Option<Branch>,
    /// All of them.
    pub commits: BTreeMap<Branch, CommitHash>,
}

impl Heads {
    /// Reads lines of a commit, a tab and a name, and of the line for `HEAD` which branch it is.
    pub fn read(listing: &str) -> Self {
        let mut heads = Self::default();
        for line in listing.lines() {
            let Some((what, name)) = line.split_once('\t') else {
                continue;
            };
            if name == "HEAD" {
                let branch = what.strip_prefix("ref: ").and_then(branch_of);
                heads.default = branch.or(heads.default);
            } else if let (Ok(commit), Some(branch)) = (what.parse(), branch_of(name)) {
                heads.commits.insert(branch, commit);
            }
        }
        heads
    }

    /// The branch that is at `commit`; if several are, the default one, `main`, `master`, or the first by name.
    pub fn branch_at(&self, commit: &CommitHash) -> Option<&Branch> {
        let at = self.commits.iter().filter(|(_, head)| *head == commit);
        at.map(|(branch, _)| branch).min_by_key(|branch| {
            let is_default = self.default.as_ref() == Some(*branch);
            let name = branch.as_str();
            (!is_default, name != "main", name != "master")
        })
    }

    /// The branch of that name, if there is one.
    pub fn named(&self, name: &Branch) -> Option<&Branch> {
        self.commits.get_key_value(name).map(|(branch, _)| branch)
    }
}

/// A name that we would not take as a branch's from a user is none here either.
fn branch_of(name: &str) -> Option<Branch> {
    name.strip_prefix("refs/heads/")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "\
ref: refs/heads/trunk\tHEAD
1111111111111111111111111111111111111111\tHEAD
1111111111111111111111111111111111111111\trefs/heads/first
1111111111111111111111111111111111111111\trefs/heads/trunk
2222222222222222222222222222222222222222\trefs/heads/a
2222222222222222222222222222222222222222\trefs/heads/main
2222222222222222222222222222222222222222\trefs/heads/master
3333333333333333333333333333333333333333\trefs/heads/b
3333333333333333333333333333333333333333\trefs/heads/c/d
4444444444444444444444444444444444444444\trefs/heads/HEAD
5555555555555555555555555555555555555555\trefs/tags/v1
6666666666666666666666666666666666666666\trefs/heads/bad..name
no line of git's
";

    fn at(heads: &Heads, digit: &str) -> Option<String> {
        let commit = digit.repeat(40).parse().unwrap();
        heads.branch_at(&commit).map(ToString::to_string)
    }

    #[test]
    fn of_several_branches_the_default_one_goes_first_then_the_usual_ones() {
        let heads = Heads::read(LISTING);
        let without = |names: &[&str]| {
            let mut heads = heads.clone();
            heads
                .commits
                .retain(|name, _| !names.contains(&name.as_str()));
            heads
        };

        assert_eq!(at(&heads, "1").as_deref(), Some("trunk"));
        assert_eq!(at(&heads, "2").as_deref(), Some("main"));
        assert_eq!(at(&without(&["main"]), "2").as_deref(), Some("master"));
        assert_eq!(at(&without(&["main", "master"]), "2").as_deref(), Some("a"));
        assert_eq!(at(&heads, "3").as_deref(), Some("b"));
    }

    #[test]
    fn only_a_branch_is_one() {
        let heads = Heads::read(LISTING);

        assert_eq!(at(&heads, "4").as_deref(), Some("HEAD"));
        assert_eq!(at(&heads, "5"), None);
        assert_eq!(at(&heads, "6"), None);
        assert!(heads.named(&"c/d".parse().unwrap()).is_some());
        assert!(heads.named(&"c".parse().unwrap()).is_none());
        assert_eq!(Heads::read(""), Heads::default());
    }
}
