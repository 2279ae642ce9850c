//! Runs one command to its end: limited, in a process group of its own that is killed whole, its output capped.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::progress::Drawings;

/// How long output is waited for once its writers have been killed. A process that has left the group may hold the pipe
/// open for ever; what it writes is of no interest.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How much of a stream is read at once.
const PIECE_BYTES: usize = 8192;

/// What each process of a command may use.
#[derive(Clone, Debug)]
pub struct ProcessLimits {
    /// Processor time.
    pub cpu: Duration,
    /// Address space.
    pub memory_bytes: u64,
    /// The largest file that it may write.
    pub file_bytes: u64,
    /// Open files.
    pub open_files: u64,
    /// Processes and threads of its user; the system does not hold root to it.
    pub processes: u64,
    /// How much of what it prints is kept, of each stream: the end.
    pub log_bytes: usize,
}

impl ProcessLimits {
    /// The limits as the system names them.
    fn resources(&self) -> [(libc::__rlimit_resource_t, u64); 6] {
        [
            (libc::RLIMIT_CPU, self.cpu.as_secs().max(1)),
            (libc::RLIMIT_AS, self.memory_bytes),
            (libc::RLIMIT_FSIZE, self.file_bytes),
            (libc::RLIMIT_NOFILE, self.open_files),
            (libc::RLIMIT_NPROC, self.processes),
            (libc::RLIMIT_CORE, 0),
        ]
    }
}

/// How a command ended and what it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) end: End,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Whether more was written to standard output than is kept.
    pub(crate) stdout_is_cut: bool,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exited(i32),
    Signalled(i32),
    TimedOut,
}

impl Ended {
    pub(crate) fn is_success(&self) -> bool {
        self.end == End::Exited(0)
    }

    /// Both streams and the end, for administrators.
    pub(crate) fn log(&self, name: &str) -> String {
        let [stdout, stderr] = [&self.stdout, &self.stderr].map(|text| harmless(text));
        format!(
            "$ {name}: {}\n[stdout]\n{stdout}\n[stderr]\n{stderr}\n",
            self.end
        )
    }
}

/// The text with every control character written out but ends of lines and tabs: what strangers print must not steer the terminal
/// of who reads a log.
fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for character in text.chars() {
        let is_plain = !character.is_control() || matches!(character, '\n' | '\t');
        if is_plain && !is_direction(character) {
            harmless.push(character);
        } else {
            harmless.extend(character.escape_default());
        }
    }
    harmless
}

/// Whether it changes the direction of the text around it.
fn is_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with {code}"),
            Self::Signalled(signal) => write!(f, "ended by signal {signal}"),
            Self::TimedOut => f.write_str("killed at its time limit"),
        }
    }
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(code),
            (None, signal) => Self::Signalled(signal.unwrap_or_default()),
        }
    }
}

/// Runs `command` until it ends or `wall` is over; then, or when the caller loses interest, its whole group is killed.
pub(crate) async fn run(
    command: Command,
    limits: &ProcessLimits,
    wall: Duration,
) -> io::Result<Ended> {
    run_drawing(command, limits, wall, None).await
}

/// As [`run`], of a command that draws its progress on standard error.
pub(crate) async fn run_drawing(
    mut command: Command,
    limits: &ProcessLimits,
    wall: Duration,
    drawings: Option<Drawings>,
) -> io::Result<Ended> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    limit(&mut command, limits);
    let mut child = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()?;
    let mut group = Group::of(&child)?;
    let mut readers = JoinSet::new();
    let most = limits.log_bytes;
    let stdout = Tail::of(child.stdout.take(), most, None, &mut readers);
    let stderr = Tail::of(child.stderr.take(), most, drawings, &mut readers);

    let end = match timeout(wall, child.wait()).await {
        Ok(status) => End::from(status?),
        Err(_) => End::TimedOut,
    };
    // Also after a good end: nothing that a build started may outlive it.
    group.kill();
    if end == End::TimedOut {
        child.wait().await?;
    }
    let _ = timeout(LAST_WORDS, async {
        while readers.join_next().await.is_some() {}
    })
    .await;
    Ok(Ended {
        end,
        stdout_is_cut: stdout.is_cut(),
        stdout: stdout.text(),
        stderr: stderr.text(),
    })
}

/// A process group, killed whole when dropped.
///
/// It is killed once only: later its number may be another group's.
struct Group(Option<libc::pid_t>);

impl Group {
    /// The group that `child` leads.
    fn of(child: &Child) -> io::Result<Self> {
        child
            .id()
            .and_then(|id| libc::pid_t::try_from(id).ok())
            .map(|id| Self(Some(id)))
            .ok_or_else(|| io::Error::other("the command ended before it was seen"))
    }

    fn kill(&mut self) {
        let Some(leader) = self.0.take() else {
            return;
        };
        #[expect(unsafe_code, reason = "the standard library does not kill groups")]
        // SAFETY: takes two integers and touches no memory of ours.
        unsafe {
            libc::kill(leader.saturating_neg(), libc::SIGKILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Has `command` take on `limits` just before it becomes its program.
fn limit(command: &mut Command, limits: &ProcessLimits) {
    let resources = limits.resources();
    let take_on = move || {
        #[expect(unsafe_code, reason = "the standard library sets no mask")]
        // SAFETY: takes an integer and touches no memory of ours.
        unsafe {
            // So that what is fetched can be read by whom a jail makes of the build.
            libc::umask(0o022);
        }
        for (resource, most) in resources {
            let limit = libc::rlimit {
                rlim_cur: most,
                rlim_max: most,
            };
            #[expect(unsafe_code, reason = "the standard library does not set limits")]
            // SAFETY: `limit` lives through the call, which only reads it.
            let result = unsafe { libc::setrlimit(resource, &raw const limit) };
            if result != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    #[expect(unsafe_code, reason = "limits must be set between fork and exec")]
    // SAFETY: between fork and exec the closure calls only `umask` and `setrlimit`, which are async-signal-safe, and allocates nothing.
    unsafe {
        command.pre_exec(take_on);
    }
}

/// The end of a stream, as much as is kept.
#[derive(Clone)]
struct Tail(Arc<Mutex<Kept>>);

struct Kept {
    bytes: VecDeque<u8>,
    dropped: u64,
}

impl Tail {
    /// Reads `stream` to its end in the background, so that its writer never blocks, and keeps the last `most` bytes.
    /// Drawings in it are not kept.
    fn of<R>(
        stream: Option<R>,
        most: usize,
        mut drawings: Option<Drawings>,
        readers: &mut JoinSet<()>,
    ) -> Self
    where
        R: AsyncRead + Unpin + Send + 'static,
    {
        let tail = Self(Arc::new(Mutex::new(Kept {
            bytes: VecDeque::new(),
            dropped: 0,
        })));
        if let Some(mut stream) = stream {
            let kept = tail.clone();
            readers.spawn(async move {
                let mut piece = Vec::with_capacity(PIECE_BYTES);
                while matches!(stream.read_buf(&mut piece).await, Ok(1..)) {
                    match &mut drawings {
                        Some(drawings) => kept.push(&drawings.take_out(&piece), most),
                        None => kept.push(&piece, most),
                    }
                    piece.clear();
                }
                if let Some(drawings) = &mut drawings {
                    kept.push(&drawings.finish(), most);
                }
            });
        }
        tail
    }

    fn push(&self, piece: &[u8], most: usize) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes.extend(piece);
        let excess = kept.bytes.len().saturating_sub(most);
        kept.bytes.drain(..excess);
        kept.dropped = kept
            .dropped
            .saturating_add(u64::try_from(excess).unwrap_or(u64::MAX));
    }

    fn is_cut(&self) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.dropped > 0
    }

    /// What was kept, with a line that says how much was not.
    fn text(&self) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(kept.bytes.make_contiguous()).into_owned();
        match kept.dropped {
            0 => text,
            dropped => format!("[{dropped} bytes dropped]\n{text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> ProcessLimits {
        ProcessLimits {
            cpu: Duration::from_secs(10),
            memory_bytes: 1 << 30,
            file_bytes: 1 << 20,
            open_files: 64,
            processes: 4096,
            log_bytes: 100,
        }
    }

    #[test]
    fn a_log_does_not_steer_a_terminal() {
        let shown = harmless("a\u{1b}]0;title\u{7}\tb\r\n\u{202e}c");

        assert_eq!(shown, "a\\u{1b}]0;title\\u{7}\tb\\r\n\\u{202e}c");
    }

    fn sh(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn keeps_the_end_of_what_is_printed_and_says_how_much_was_dropped() {
        let script =
            "i=0; while [ $i -lt 1000 ]; do echo 123456789; i=$((i+1)); done; echo last >&2";

        let ended = run(sh(script), &limits(), Duration::from_secs(10))
            .await
            .unwrap();

        assert!(ended.is_success() && ended.stdout_is_cut);
        assert!(ended.stdout.starts_with("[9900 bytes dropped]\n"));
        assert!(ended.stdout.ends_with("123456789\n"));
        assert_eq!(ended.stderr, "last\n");
    }

    #[tokio::test]
    async fn kills_the_whole_group_at_the_time_limit() {
        // The background process would hold standard output open, and print, for an hour.
        let script = "echo $$; (exec sleep 3600) & exec sleep 3600";

        let ended = run(sh(script), &limits(), Duration::from_secs(2))
            .await
            .unwrap();

        assert_eq!(ended.end, End::TimedOut);
        let group = ended.stdout.trim();
        assert!(!group.is_empty());
        all_die(group).await;
    }

    #[tokio::test]
    async fn kills_what_a_command_leaves_behind() {
        let ended = run(
            sh("echo $$; (exec sleep 3600) & exit 3"),
            &limits(),
            Duration::from_secs(10),
        )
        .await
        .unwrap();

        assert_eq!(ended.end, End::Exited(3));
        all_die(ended.stdout.trim()).await;
    }

    #[tokio::test]
    async fn kills_a_command_that_nobody_waits_for_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("group");
        let mut command = sh("echo $$ > group; exec sleep 3600");
        command.current_dir(&folder);
        let mkfifo = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(mkfifo.success());
        let running =
            tokio::spawn(async move { run(command, &limits(), Duration::from_secs(10)).await });
        let group = tokio::fs::read_to_string(&pipe).await.unwrap();

        running.abort();
        let _ = running.await;

        assert!(!group.is_empty());
        all_die(group.trim()).await;
    }

    #[tokio::test]
    async fn ends_a_command_that_writes_too_large_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = sh("exec head -c 2000000 /dev/zero > large");
        command.current_dir(&folder);

        let ended = run(command, &limits(), Duration::from_secs(10))
            .await
            .unwrap();

        assert_eq!(ended.end, End::Signalled(libc::SIGXFSZ));
    }

    /// Waits until nothing of `group` lives: a killed process takes a moment to die.
    async fn all_die(group: &str) {
        let dead = async {
            while !living_members(group).is_empty() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), dead).await.unwrap();
    }

    /// The processes of `group` that live; the dead that nobody has buried yet do not count.
    fn living_members(group: &str) -> Vec<String> {
        let states = std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| {
                let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
                let (_, after_name) = stat.rsplit_once(") ")?;
                let mut fields = after_name.split(' ');
                let (state, _parent, of_group) = (fields.next()?, fields.next()?, fields.next()?);
                (of_group == group && state != "Z").then_some(stat)
            });
        states.collect()
    }
}
