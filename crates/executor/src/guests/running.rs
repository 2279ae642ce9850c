//! One server, and the conversation with one of its processes.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use jail::client::{Child, Error as ClientError, Server};
pub(super) use jail::wire::Code;
use jail::wire::Start;
use jail::{Limits, MissingLayers, Report, frame};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt as _, Interest};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::{Reply, client_failed};
use crate::executor::Error;
use crate::settings::Jail;

/// Processes that wait for work. Forking one takes about as long as a short guest runs.
const AHEAD: u16 = 16;

/// A server's stack, and its processes': the guest's own and what host functions need.
const STACK_BYTES: u64 = 40 << 20;

/// A request up to this long fits into a fresh connection's buffer, so that sending it does not wait.
const SHORT_BYTES: usize = 64 << 10;

/// A server of guests' processes.
#[derive(Debug)]
pub(super) struct Running {
    server: Server,
    /// Readable when a process waits, or the server has ended.
    control: AsyncFd<OwnedFd>,
}

impl Running {
    pub(super) fn start(
        program: BorrowedFd<'_>,
        jail: Jail,
        code: Code,
        artifact: Option<BorrowedFd<'_>>,
    ) -> Result<Self, Error> {
        let start = Start {
            ahead: AHEAD,
            code,
            missing_layers: match jail {
                Jail::Whole => MissingLayers::Refused,
                Jail::AsFarAsPossible => MissingLayers::Allowed,
            },
            limits: Limits {
                stack_bytes: STACK_BYTES,
                ..Limits::FORK_SERVER
            },
        };
        let server = Server::start(program, &start, artifact).map_err(client_failed)?;
        let control = server.as_fd().try_clone_to_owned();
        let control = control.and_then(watched);
        Ok(Self {
            server,
            control: control.map_err(Error::Process)?,
        })
    }

    pub(super) fn report(&self) -> &Report {
        self.server.report()
    }

    /// Asks a fresh process one thing, and does not return while it lives.
    ///
    /// An answer longer than `most` bytes is as good as none.
    pub(super) async fn ask(
        &self,
        request: &[u8],
        code: Option<BorrowedFd<'_>>,
        deadline: Instant,
        most: usize,
    ) -> Result<Reply, ClientError> {
        let process = Process(self.take().await?);
        let said = timeout_at(deadline, process.converse(request, code, most)).await;
        // It ends by itself once it has answered, unless it is no longer what we started.
        process.0.kill().map_err(ClientError::Control)?;
        process.ended().await.map_err(ClientError::Control)?;
        Ok(match said {
            Err(_) => Reply::OutOfTime,
            Ok(Ok(answer)) => Reply::Said(answer),
            Ok(Err(error)) => {
                tracing::warn!(%error, ending = ?process.0.ending(), "a guest's process gave no answer");
                Reply::Fell
            }
        })
    }

    async fn take(&self) -> Result<Child, ClientError> {
        loop {
            if let Some(child) = self.server.try_take()? {
                return Ok(child);
            }
            let ready = self.control.readable().await;
            let mut ready = ready.map_err(ClientError::Control)?;
            if let Some(child) = self.server.try_take()? {
                return Ok(child);
            }
            ready.clear_ready();
        }
    }
}

/// A process that is killed when this is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It is gone already, or the server that it would outlive is.
        let _ = self.0.kill();
    }
}

impl Process {
    async fn converse(
        &self,
        request: &[u8],
        code: Option<BorrowedFd<'_>>,
        most: usize,
    ) -> io::Result<Vec<u8>> {
        self.send(request, code).await?;
        let connection = std::os::unix::net::UnixStream::from(self.0.connection.try_clone()?);
        connection.set_nonblocking(true)?;
        let mut connection = UnixStream::from_std(connection)?;
        let mut header = [0; frame::HEADER_BYTES];
        connection.read_exact(&mut header).await?;
        let length = frame::length(header, most).map_err(io::Error::other)?;
        // Grows as bytes come, whatever the length promises.
        let mut message = Vec::new();
        let expected = u64::try_from(length).unwrap_or(u64::MAX);
        connection.take(expected).read_to_end(&mut message).await?;
        if message.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(message)
    }

    /// A long request waits for the process to read it, which must hold up nobody else.
    async fn send(&self, request: &[u8], code: Option<BorrowedFd<'_>>) -> io::Result<()> {
        if request.len() <= SHORT_BYTES {
            return self.0.send(request, code).map_err(io::Error::other);
        }
        let code = code.map(|code| code.try_clone_to_owned()).transpose()?;
        let (connection, pidfd) = (self.0.connection.try_clone()?, self.0.pidfd.try_clone()?);
        let request = Zeroizing::new(request.to_vec());
        let sending = tokio::task::spawn_blocking(move || {
            let child = Child { connection, pidfd };
            child.send(&request, code.as_ref().map(|code| code.as_fd()))
        });
        sending.await?.map_err(io::Error::other)
    }

    async fn ended(&self) -> io::Result<()> {
        let pidfd = watched(self.0.pidfd.try_clone()?)?;
        pidfd.readable().await.map(drop)
    }
}

fn watched(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned, and what owns it is moved in, so it stays open and the same as long as it is watched.
    #[expect(unsafe_code, reason = "what is watched must stay open")]
    let watched = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
    Ok(watched?)
}
