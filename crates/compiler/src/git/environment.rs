//! What git is told by its environment, also when cargo runs it.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

/// No configuration but ours, nobody to ask, no other program to reach the far end by.
pub(super) const QUIET: [(&str, &str); 7] = [
    ("GIT_ASKPASS", "/bin/false"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_SSH_COMMAND", "/bin/false"),
    ("GIT_TERMINAL_PROMPT", "0"),
];

/// What every address becomes that is on no allowed host: one of a protocol that does not exist.
const REFUSED: &str = "refused:";

/// The environment of a git that cargo runs for a dependency: it reaches the allowed hosts, where they are mapped to, and
/// no other, so that a manifest cannot send it into our own network.
pub(crate) fn dependency_environment(hosts: &BTreeMap<String, Url>) -> BTreeMap<String, String> {
    let schemes: BTreeSet<_> = hosts.values().map(Url::scheme).collect();
    let schemes: Vec<_> = schemes.into_iter().collect();
    let mut env = BTreeMap::from(QUIET.map(|(name, value)| (name.to_owned(), value.to_owned())));
    env.insert("GIT_ALLOW_PROTOCOL".to_owned(), schemes.join(":"));

    // The longest beginning that fits is replaced: of an allowed host its own, of anything else this one.
    let mut configuration = vec![
        (format!("url.{REFUSED}.insteadOf"), "http".to_owned()),
        (format!("url.{REFUSED}.insteadOf"), "file:".to_owned()),
        (format!("url.{REFUSED}.insteadOf"), "/".to_owned()),
    ];
    for (host, base) in hosts {
        let base = base.as_str().trim_end_matches('/');
        configuration.push((format!("url.{base}/.insteadOf"), format!("https://{host}/")));
    }
    env.insert(
        "GIT_CONFIG_COUNT".to_owned(),
        configuration.len().to_string(),
    );
    for (index, (key, value)) in configuration.into_iter().enumerate() {
        env.insert(format!("GIT_CONFIG_KEY_{index}"), key);
        env.insert(format!("GIT_CONFIG_VALUE_{index}"), value);
    }
    env
}
