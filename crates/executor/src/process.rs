//! Compiling processes: started, asked one thing, killed and reaped.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use crate::child::wire::{self, Ask, MAX_CODE_BYTES, Told};

/// What is kept of a failed child's own messages.
const MAX_COMPLAINT_BYTES: u64 = 4 << 10;

/// How long a child that has closed its output may take to end by itself, so that it is known why.
const ENDING: Duration = Duration::from_secs(2);

/// The program that becomes a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The file, absolute.
    pub path: PathBuf,
    /// The arguments that make it call [`crate::child::main`].
    pub args: Vec<OsString>,
}

/// Starts children, all from one thread that lives as long as itself: the kernel kills a child with the thread that started it.
#[derive(Debug)]
pub(crate) struct Spawner {
    program: Program,
    orders: mpsc::Sender<Order>,
}

struct Order {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// How talking to a child ended.
#[derive(Debug)]
pub(crate) enum Reply {
    /// It answered.
    Said(Told),
    /// It was killed at its deadline.
    OutOfTime,
    /// It ended without an answer.
    Died {
        /// How.
        status: ExitStatus,
        /// What it wrote to its stderr.
        complaint: String,
    },
}

impl Spawner {
    pub(crate) fn new(program: Program) -> io::Result<Self> {
        let (orders, incoming) = mpsc::channel::<Order>();
        std::thread::Builder::new()
            .name("compiler-spawner".to_owned())
            .spawn(move || {
                for mut order in incoming {
                    let _entered = order.runtime.enter();
                    // If nobody waits any more, the child is dropped here, and so killed.
                    let _ = order.reply.send(order.command.spawn());
                }
            })?;
        Ok(Self { program, orders })
    }

    /// Asks a new child one thing, and does not return while it or any process of its group lives.
    ///
    /// An answer that is too long is an error.
    pub(crate) async fn ask(&self, ask: &Ask, deadline: Instant) -> io::Result<Reply> {
        let frame = wire::frame(ask)?;
        let mut running = Running(self.spawn().await?);
        let said = timeout_at(deadline, converse(&mut running.0, &frame)).await;
        let complaint = match said {
            Ok(Ok(None)) => running.last_words().await,
            _ => String::new(),
        };
        running.kill_group();
        let status = running.0.wait().await?;
        Ok(match said {
            Err(_) => Reply::OutOfTime,
            Ok(Ok(Some(response))) => Reply::Said(response),
            Ok(Ok(None)) => Reply::Died { status, complaint },
            Ok(Err(error)) => return Err(error),
        })
    }

    async fn spawn(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.program.path);
        command
            .args(&self.program.args)
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let (reply, child) = oneshot::channel();
        let order = Order {
            command,
            runtime: Handle::current(),
            reply,
        };
        let gone = || io::Error::other("the thread that starts children is gone");
        self.orders.send(order).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}

/// Writes the request and reads the answer; `None` if the child ends without one.
async fn converse(child: &mut Child, frame: &[u8]) -> io::Result<Option<Told>> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.as_mut()) else {
        return Err(io::Error::other("the child has no pipes"));
    };
    if stdin.write_all(frame).await.is_err() {
        return Ok(None);
    }
    drop(stdin);
    let mut length = [0; 4];
    if stdout.read_exact(&mut length).await.is_err() {
        return Ok(None);
    }
    let length = u64::from(u32::from_le_bytes(length));
    let bound = u64::try_from(MAX_CODE_BYTES).unwrap_or(u64::MAX);
    if length > bound {
        return Err(io::Error::other(format!(
            "the child's answer has {length} bytes; the most is {bound}"
        )));
    }
    // Grows as bytes come, whatever the length promises.
    let mut message = Vec::new();
    let read = stdout.take(length).read_to_end(&mut message).await?;
    if u64::try_from(read).unwrap_or(0) < length {
        return Ok(None);
    }
    borsh::from_slice(&message).map(Some)
}

/// A child that is killed with its group when this is dropped.
struct Running(Child);

impl Running {
    /// What a dying child wrote, once it is dead.
    async fn last_words(&mut self) -> String {
        let mut words = Vec::new();
        if let Some(stderr) = self.0.stderr.take() {
            let reading = async {
                stderr
                    .take(MAX_COMPLAINT_BYTES)
                    .read_to_end(&mut words)
                    .await
            };
            // A child that neither ends nor speaks is killed all the same.
            let _ = timeout(ENDING, reading).await;
        }
        let _ = timeout(ENDING, self.0.wait()).await;
        String::from_utf8_lossy(&words).trim().to_owned()
    }

    /// Kills the child's group; nothing to do once the child is reaped, as its number may then be another's.
    fn kill_group(&self) {
        let Some(group) = self.0.id().and_then(|id| libc::pid_t::try_from(id).ok()) else {
            return;
        };
        // SAFETY: takes numbers only; the group is the child's own, which is not reaped yet.
        #[expect(unsafe_code, reason = "std kills single processes only")]
        let _ = unsafe { libc::kill(group.saturating_neg(), libc::SIGKILL) };
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// Whether a compiling process ended by its module's weight: out of memory, or by a panic or a flaw of the compiler.
pub(crate) fn fell_to_its_module(status: ExitStatus, complaint: &str) -> Option<&'static str> {
    if complaint.starts_with("memory allocation of") {
        return Some("compiling it takes too much memory");
    }
    // The process that waits outside the jail passes a signal on as 128 and its number.
    let passed_on = status.code().and_then(|code| code.checked_sub(128));
    match status.signal().or(passed_on) {
        Some(libc::SIGXCPU) => Some("compiling it takes too much time"),
        Some(libc::SIGABRT | libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGFPE) => {
            Some("the compiler fails on it")
        }
        // A system call that compiling takes none of: the compiler lost its way, by itself or by the module's doing.
        Some(libc::SIGSYS) => Some("the compiler fails on it"),
        // A panic's exit code.
        None if status.code() == Some(101) => Some("the compiler fails on it"),
        _ => None,
    }
}
