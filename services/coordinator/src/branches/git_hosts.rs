//! Asks git where the branches of a repository are.
//!
//! Only hosts that are named are asked, so that nobody makes us call an address inside our own network. Git reads no configuration
//! but ours, asks nobody for a password, and speaks only the protocol that the host is mapped to.

use std::collections::BTreeMap;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use protocol::secrets::Repo;
use reqwest::Url;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Heads;
use crate::parts::{ReadBranches, Unread};

/// How long an answer may take, and the wait for one's turn with it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many are asked at once.
const AT_ONCE: usize = 4;

/// The longest listing; a line has about 80 bytes.
const MAX_LISTING_BYTES: u64 = 8 * 1024 * 1024;

/// The most that is read of what git complains of.
const MAX_COMPLAINT_BYTES: u64 = 16 * 1024;

/// The most of it that is logged, in characters.
const LOGGED_CHARS: usize = 300;

/// No configuration but ours, nobody to ask, no other program to reach the far end by.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("HOME", "/nonexistent"),
    ("LC_ALL", "C"),
    ("GIT_ASKPASS", "/bin/false"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_SSH_COMMAND", "/bin/false"),
    ("GIT_TERMINAL_PROMPT", "0"),
];

/// By what one knows, in lower case, that a repository is not there or not for everyone: a host does not tell these apart.
const ABSENT: [&str; 11] = [
    "repository not found",
    "' not found",
    "does not appear to be a git repository",
    "does not exist",
    "returned error: 404",
    "returned error: 410",
    "returned error: 401",
    "returned error: 403",
    "could not read username",
    "terminal prompts disabled",
    "authentication failed",
];

/// Repositories on hosts that git reaches.
#[derive(Debug)]
pub struct GitHosts {
    hosts: BTreeMap<String, Url>,
    env: BTreeMap<String, String>,
    turns: Semaphore,
}

/// `github.com`, where it is.
impl Default for GitHosts {
    fn default() -> Self {
        let github = "https://github.com/".parse().ok();
        let hosts = github.map(|url| ("github.com".to_owned(), url));
        Self::new(hosts.into_iter().collect(), BTreeMap::new())
    }
}

impl GitHosts {
    /// Each of `hosts` is asked at its address. `env` is the environment that git needs here besides ours, such as `PATH`, a proxy
    /// or certificates.
    pub fn new(hosts: BTreeMap<String, Url>, env: BTreeMap<String, String>) -> Self {
        Self {
            hosts,
            env,
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// These ones of the environment too.
    #[must_use]
    pub fn and_env(mut self, env: BTreeMap<String, String>) -> Self {
        self.env.extend(env);
        self
    }

    /// This host too, or at this address instead.
    #[must_use]
    pub fn and_host(mut self, host: &str, url: Url) -> Self {
        self.hosts.insert(host.to_owned(), url);
        self
    }

    /// Where git finds a repository, if its host is one of ours.
    fn location(&self, repo: &Repo) -> Option<Url> {
        let (host, path) = repo.as_str().split_once('/')?;
        let base = self.hosts.get(host)?.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{path}")).ok()
    }

    fn command(&self, location: &Url) -> Command {
        let mut command = Command::new("git");
        command
            .args(["-c", "credential.helper=", "-c", "core.fsmonitor=false"])
            .args(["ls-remote", "--symref", "--", location.as_str()])
            .args(["HEAD", "refs/heads/*"])
            .current_dir("/")
            .env_clear()
            .envs(ENVIRONMENT)
            .envs(&self.env)
            .env("GIT_ALLOW_PROTOCOL", location.scheme())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    async fn ask(&self, location: &Url) -> io::Result<Said> {
        let _turn = self.turns.acquire().await.map_err(io::Error::other)?;
        let mut child = self.command(location).spawn()?;
        let group = Group::of(&child);
        let (listing, complaint) = tokio::try_join!(
            read(child.stdout.take(), MAX_LISTING_BYTES),
            read(child.stderr.take(), MAX_COMPLAINT_BYTES)
        )?;
        let status = child.wait().await?;
        group.has_ended();
        Ok(Said {
            status,
            listing,
            complaint: String::from_utf8_lossy(&complaint).into_owned(),
        })
    }
}

#[async_trait]
impl ReadBranches for GitHosts {
    async fn heads(&self, repo: &Repo) -> Result<Heads, Unread> {
        let location = self.location(repo).ok_or(Unread::UnknownHost)?;
        match timeout(PATIENCE, self.ask(&location)).await {
            Ok(Ok(said)) => said.heads(),
            Ok(Err(err)) => Err(Unread::Unavailable(format!("git cannot be run: {err}"))),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                Err(Unread::Unavailable(format!("no answer in {seconds} s")))
            }
        }
    }
}

/// What git said.
#[derive(Debug)]
struct Said {
    status: ExitStatus,
    listing: Vec<u8>,
    complaint: String,
}

impl Said {
    fn heads(&self) -> Result<Heads, Unread> {
        let bytes = u64::try_from(self.listing.len()).unwrap_or(u64::MAX);
        if bytes > MAX_LISTING_BYTES {
            let reason = format!("its branches fill more than {MAX_LISTING_BYTES} bytes");
            return Err(Unread::Unavailable(reason));
        }
        if self.status.success() {
            return Ok(Heads::read(&String::from_utf8_lossy(&self.listing)));
        }
        let complaint = self.complaint.to_lowercase();
        if ABSENT.iter().any(|sign| complaint.contains(sign)) {
            return Err(Unread::NoSuchRepository);
        }
        // The far end may have had a say in it.
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let shown: String = self
            .complaint
            .chars()
            .map(plain)
            .take(LOGGED_CHARS)
            .collect();
        Err(Unread::Unavailable(format!("git {}: {shown}", self.status)))
    }
}

/// Reads to the end, or one byte more than `most`.
async fn read(from: Option<impl AsyncRead + Unpin>, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .await?;
    }
    Ok(bytes)
}

/// Git and the programs that it starts, which would outlive it. Killed when dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    /// Its number may be another's from now on.
    fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_hosts_are_asked_and_where_they_are_mapped_to() {
        let elsewhere = "file:///srv/git/".parse().unwrap();
        let hosts = BTreeMap::from([("github.com".to_owned(), elsewhere)]);
        let mapped = GitHosts::new(hosts, BTreeMap::new());
        let location = |hosts: &GitHosts, repo: &str| {
            let location = hosts.location(&repo.parse().unwrap());
            location.map(String::from)
        };

        let usual = location(&GitHosts::default(), "alice/app.git");
        let local = location(&mapped, "https://github.com/alice/app");

        assert_eq!(usual.as_deref(), Some("https://github.com/alice/app"));
        assert_eq!(local.as_deref(), Some("file:///srv/git/alice/app"));
        for repo in ["gitlab.com/a/b", "127.0.0.1/a/b", "github.com.evil.io/a/b"] {
            assert_eq!(location(&mapped, repo), None, "{repo}");
        }
    }
}
