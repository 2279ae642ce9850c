//! The jail of machines that have a container engine and do not let us make a room ourselves: each step in a container.
//!
//! The container's image holds nothing. As in a room, the system's own programs and libraries are mounted read-only, with the
//! toolchain and the sources at the same seeming paths: so both kinds of jail make the same bytes, and there is no image to pull, to
//! pin or to trust. What a step writes lies in memory of bounded size, and of it only the product comes out, through one file: a
//! folder of the machine's that a step could write to would be as large as the disk.
//!
//! `docs/sandbox.md` says what this stops and what only a room does.

mod product;
mod words;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Confine, MissingLayers, RoomLimits, SEEMING_ROOT, Step, Verdict, Wanted, fetching};
use crate::process::ProcessLimits;
use crate::settings::Limits;

/// The image with nothing in it, which [`Docker::check`] makes.
const IMAGE: &str = "outlayer-nothing";
/// Begins the name of every container; the name of the build's folder follows, which has the id of the process that made it.
const PREFIX: &str = "outlayer-build-";
/// The exit code of a container whose memory ran out: of the room's script, or of the shell that runs it.
const KILLED: &str = "137";
/// An archive of nothing.
const EMPTY_ARCHIVE: [u8; 1024] = [0; 1024];
/// Runs the engine's client, and ends the container when the client's time is over.
const WATCH: &str = include_str!("docker/watch.sh");
/// The system calls of a container, in the form that engines read: those of a room.
const CALLS: &str = include_str!("docker/calls.json");

/// Every step in a container of its own.
#[derive(Clone, Debug)]
pub struct Docker {
    /// The engine's client: `docker`, or a program that takes the same words, as podman does.
    pub program: PathBuf,
    /// The client's whole environment, which says where the engine and the system's programs are.
    pub env: BTreeMap<OsString, OsString>,
    /// What a container may use. Files are not counted: they are memory.
    pub limits: RoomLimits,
    /// What each process in it may use. Address space is not limited: engines know no such limit.
    pub process_limits: ProcessLimits,
    /// Processors; all of the machine's if absent.
    pub cpus: Option<u32>,
    /// What to do on a machine that has no landlock to put around what fetches.
    pub missing_layers: MissingLayers,
    containers: Arc<AtomicU64>,
}

impl Docker {
    /// Containers with the usual limits.
    pub fn new(program: PathBuf, env: BTreeMap<OsString, OsString>) -> Self {
        Self {
            program,
            env,
            limits: RoomLimits::default(),
            process_limits: Limits::default().build_process,
            cpus: None,
            missing_layers: MissingLayers::Refused,
            containers: Arc::default(),
        }
    }

    /// Makes sure of the image, removes containers of processes that are no more, and runs one in which nothing happens, so that a worker can
    /// refuse to start where there will be none.
    ///
    /// # Errors
    /// When the engine does not answer, or refuses.
    pub fn check(&self) -> io::Result<()> {
        self.import()?;
        self.clear_abandoned()?;
        let folder = tempfile::tempdir()?;
        let out = folder.path().join("out");
        fs::create_dir(&out)?;
        let step = Step {
            program: "/bin/sh".into(),
            args: ["-c", ":"].map(OsString::from).to_vec(),
            env: BTreeMap::new(),
            folder: words::TMP.into(),
            reads: Vec::new(),
            writes: vec![out.clone()],
            begins_as: None,
            root: folder.path().to_owned(),
            product: super::Product {
                space: out,
                folder: PathBuf::new(),
                wanted: Wanted::Kind {
                    extension: String::new(),
                    bytes: 0,
                },
            },
            account: folder.path().join("account"),
        };
        let output = self.confine(&step)?.output()?;
        match self.verdict(&step)? {
            Verdict::Held if output.status.success() => Ok(()),
            _ => Err(refusal(&output)),
        }
    }

    /// Makes the image, unless it is there.
    fn import(&self) -> io::Result<()> {
        let look = ["image", "inspect", IMAGE];
        if self.client().args(look).output()?.status.success() {
            return Ok(());
        }
        let mut import = self
            .client()
            .args(["import", "-", IMAGE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut archive) = import.stdin.take() {
            // A client that refuses does not read; what it says then tells more.
            let _ = archive.write_all(&EMPTY_ARCHIVE);
        }
        succeed(import.wait_with_output()?).map(drop)
    }

    /// Ends the containers that processes left which were killed in the middle of a build.
    fn clear_abandoned(&self) -> io::Result<()> {
        let list = ["ps", "--all", "--format", "{{.Names}}", "--filter"];
        let mut command = self.client();
        command.args(list).arg(format!("name={PREFIX}"));
        let output = succeed(command.output()?)?;
        for name in String::from_utf8_lossy(&output.stdout).lines() {
            let maker = name
                .strip_prefix(PREFIX)
                .and_then(|rest| rest.split('-').next())
                .filter(|maker| maker.parse::<u32>().is_ok());
            if let Some(maker) = maker
                && !Path::new("/proc").join(maker).exists()
            {
                succeed(self.client().args(["rm", "--force", name]).output()?)?;
            }
        }
        Ok(())
    }

    fn client(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().envs(&self.env).current_dir("/");
        command
    }

    /// A name that no other container has: the folder of a build has a name of its own, and a build has several steps.
    fn name(&self, step: &Step) -> String {
        let number = self.containers.fetch_add(1, Ordering::Relaxed);
        let folder = step.root.file_name().unwrap_or_default().to_string_lossy();
        let folder = match folder.strip_prefix("build-") {
            Some(maker_and_name) => maker_and_name.to_owned(),
            None => format!("{}-{}", std::process::id(), folder.trim_start_matches('.')),
        };
        format!("{PREFIX}{folder}-{number}")
    }
}

fn succeed(output: Output) -> io::Result<Output> {
    if output.status.success() {
        Ok(output)
    } else {
        Err(refusal(&output))
    }
}

/// What the engine says when it refuses.
fn refusal(output: &Output) -> io::Error {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    io::Error::other(format!("the engine refuses ({}): {said}", output.status))
}

impl Confine for Docker {
    fn confine(&self, step: &Step) -> io::Result<Command> {
        product::prepare(step)?;
        fs::write(words::calls(step), CALLS)?;
        // That of a step before.
        match fs::remove_file(&step.account) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", WATCH, "watch"])
            .arg(&self.program)
            .arg(self.name(step))
            .arg(&step.account)
            .args(words::of_run(self, step)?)
            .env_clear()
            .envs(&self.env)
            .current_dir("/");
        Ok(command)
    }

    fn seeming(&self, _: &Path) -> PathBuf {
        SEEMING_ROOT.into()
    }

    fn fence(
        &self,
        command: &mut Command,
        reads: &[PathBuf],
        writes: &[PathBuf],
    ) -> io::Result<()> {
        fetching::fence(self.missing_layers, command, reads, writes)
    }

    fn verdict(&self, step: &Step) -> io::Result<Verdict> {
        match Account::read(&step.account)? {
            Account::NotStarted => Ok(Verdict::Unavailable {
                reason: format!("{} started no container", self.program.display()),
            }),
            Account::OutOfMemory => Ok(Verdict::OutOfMemory),
            Account::Ended => {
                product::unpack(step)?;
                Ok(Verdict::Held)
            }
        }
    }
}

/// What the engine says of a container. The step does not reach it: its exit code alone could be forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Account {
    /// There was none, or nothing ever ran in it.
    NotStarted,
    /// The kernel ended the step for its memory, or something in it, and the step failed.
    OutOfMemory,
    /// It ended, well or not.
    Ended,
}

impl Account {
    /// Reads the client's exit code, and below it whether memory ran out and when the container began.
    fn read(path: &Path) -> io::Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::NotStarted),
            text => text?,
        };
        let (code, state) = text.split_once('\n').unwrap_or_default();
        Ok(match state.trim().split_once(' ') {
            None => Self::NotStarted,
            // The year one: never.
            Some((_, start)) if start.starts_with("0001-") => Self::NotStarted,
            Some(("true", _)) if code != "0" => Self::OutOfMemory,
            Some(_) if code == KILLED => Self::OutOfMemory,
            Some(_) => Self::Ended,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::jail::Product;

    /// A step in a build's folder.
    pub(in crate::jail) fn step(root: &Path) -> Step {
        let target = root.join("target");
        let home = root.join("home");
        Step {
            program: "/rust/bin/cargo".into(),
            args: ["build".into(), root.join("source/Cargo.toml").into()].to_vec(),
            env: [("HOME".into(), home.clone().into())].into(),
            folder: root.join("start"),
            reads: vec![
                "/rust".into(),
                root.join("source"),
                root.join("home/.cargo/config.toml"),
            ],
            writes: vec![target.clone(), home],
            begins_as: None,
            product: Product {
                space: target,
                folder: "wasm32-wasip1/release".into(),
                wanted: Wanted::Kind {
                    extension: "wasm".to_owned(),
                    bytes: 100,
                },
            },
            root: root.to_owned(),
            account: root.join("account"),
        }
    }

    #[test]
    fn an_account_tells_whether_anything_ran_and_why_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("account");
        let accounts = [
            ("", Account::NotStarted),
            ("127\n", Account::NotStarted),
            ("125\n\n", Account::NotStarted),
            ("125\nfalse 0001-01-01T00:00:00Z\n", Account::NotStarted),
            // What ran may end with the engine's own code, and say that it was the engine.
            ("125\nfalse 2026-11-20T17:19:22Z\n", Account::Ended),
            (
                "137\ntrue 2026-11-20 17:19:22 +0000 UTC\n",
                Account::OutOfMemory,
            ),
            ("137\nfalse 2026-11-20T17:19:22Z\n", Account::OutOfMemory),
            ("101\ntrue 2026-11-20T17:19:22Z\n", Account::OutOfMemory),
            ("0\ntrue 2026-11-20T17:19:22Z\n", Account::Ended),
            ("0\nfalse 2026-11-20T17:19:22Z\n", Account::Ended),
        ];

        for (text, account) in accounts {
            fs::write(&path, text).unwrap();
            assert_eq!(Account::read(&path).unwrap(), account, "{text}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(Account::read(&path).unwrap(), Account::NotStarted);
    }
}
