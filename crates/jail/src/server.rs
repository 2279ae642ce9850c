//! The jailed side: a program that forks children which each answer one request and end.
//!
//! The server goes to jail once; forking is all it then does, so a child costs a tenth of a new process. A child inherits the
//! prepared guest as pages that are copied when written, is never used twice, and waits in its `recvmsg` before anybody asks.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use crate::{
    calls,
    enter::{Plan, enter},
    filter::{Call, Filter},
    frame,
    socket::{self, Kind},
    sys,
    wire::{Code, Garbled, MOST_BYTES, Said, Start, TAKEN},
};

/// What a jailed program does.
///
/// Whatever is drawn at random before the fork is the same in every child, hash tables' seeds and the layout of memory included; what
/// has to differ is drawn in [`Guest::answer`].
pub trait Guest {
    /// What children inherit.
    type Ready;

    /// Before the jail stands, with nothing of anybody else's making at hand: engine, signal handlers, tables.
    ///
    /// # Errors
    /// Go to the host, as [`client::Error::Unprepared`](crate::client::Error::Unprepared).
    fn set_up(&mut self) -> Result<(), String>;

    /// In the jail: load the artifact of a server that has one.
    ///
    /// # Errors
    /// Go to the host, as [`client::Error::Unprepared`](crate::client::Error::Unprepared).
    fn prepare(&mut self, artifact: Option<OwnedFd>) -> Result<Self::Ready, String>;

    /// In a child: take the request, answer it. The process ends when this returns.
    ///
    /// The C library still believes to be in the server. Do not make threads, and do not send signals to yourself.
    fn answer(ready: Self::Ready, connection: Connection);
}

/// A child's connection to the host: one request, one answer.
#[derive(Debug)]
pub struct Connection(OwnedFd);

impl Connection {
    /// Takes the request, and the artifact that may come with it.
    pub fn receive(&self, limit: usize) -> Result<(Vec<u8>, Option<OwnedFd>), frame::Error> {
        frame::receive(self.0.as_fd(), limit)
    }

    /// Sends the answer.
    pub fn send(&self, parts: &[&[u8]]) -> Result<(), frame::Error> {
        frame::send(self.0.as_fd(), parts)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Why a server ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the host's first message makes no sense")]
    Start(#[source] Garbled),
    #[error("the control socket failed")]
    Control(#[source] io::Error),
    #[error("the host was told what is wrong")]
    Told,
}

/// Serves until the host closes the control socket, then ends with everything in the pid namespace. Standard input is that socket.
///
/// Returns `Ok` in no process but the server, and there only at the end.
pub fn serve<G: Guest>(mut guest: G, calls: &[Call]) -> Result<(), Error> {
    let stdin = io::stdin();
    let control = stdin.as_fd();
    let (start, artifact) = first_message(control)?;
    let mut keep = vec![control];
    keep.extend(artifact.as_ref().map(AsFd::as_fd));
    let tell = |said: &Said| say(control, said);
    if let Err(reason) = guest.set_up() {
        tell(&Said::Unprepared(reason));
        return Err(Error::Told);
    }
    let plan = Plan {
        keep: &keep,
        calls,
        limits: start.limits,
        missing_layers: start.missing_layers,
    };
    let report = match enter(&plan) {
        Ok(report) => report,
        Err(missing) => {
            tell(&Said::Refused(missing.0));
            return Err(Error::Told);
        }
    };
    // Only now: the process outside must see this one end.
    reap_without_waiting().map_err(Error::Control)?;
    match guest.prepare(artifact) {
        Ok(ready) => {
            tell(&Said::Ready(report));
            fork_on_demand::<G>(ready, control, &start)
        }
        Err(reason) => {
            tell(&Said::Unprepared(reason));
            Err(Error::Told)
        }
    }
}

fn first_message(control: BorrowedFd<'_>) -> Result<(Start, Option<OwnedFd>), Error> {
    let mut buffer = [0; MOST_BYTES];
    let received = socket::receive(control, &mut buffer, 0).map_err(Error::Control)?;
    if received.bytes == 0 {
        return Err(Error::Control(io::ErrorKind::UnexpectedEof.into()));
    }
    let start =
        Start::decode(buffer.get(..received.bytes).unwrap_or_default()).map_err(Error::Start)?;
    let [artifact, _] = received.descriptors;
    Ok((start, artifact))
}

/// A host that no longer listens will be seen to be gone at the next message from it.
fn say(control: BorrowedFd<'_>, said: &Said) {
    socket::send(control, [&said.encode(), &[]], &[], 0).ok();
}

/// The kernel buries children whose parent ignores their end: no call for each of them.
#[expect(unsafe_code, reason = "std has no signals")]
fn reap_without_waiting() -> io::Result<()> {
    // SAFETY: ignoring a signal runs no code of ours.
    let old = unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    if old == libc::SIG_ERR {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn fork_on_demand<G: Guest>(
    ready: G::Ready,
    control: BorrowedFd<'_>,
    start: &Start,
) -> Result<(), Error> {
    let stricter: &[Call] = match start.code {
        Code::InServer => &calls::LOADING,
        Code::InChildren => &[],
    };
    let filter = Filter::narrower(&calls::FORKING, stricter);
    let mut wanted = usize::from(start.ahead);
    let mut buffer = [0; MOST_BYTES];
    loop {
        for _ in 0..wanted {
            match fork_one(control) {
                Ok(Side::Child(connection)) => be_a_child::<G>(ready, connection, &filter),
                Ok(Side::Server) => {}
                Err(err) => say(control, &Said::NoChild(err.to_string())),
            }
        }
        wanted = match socket::receive(control, &mut buffer, 0) {
            Ok(received) if received.bytes == TAKEN.len() => 1,
            Ok(received) if received.bytes == 0 => return Ok(()),
            Ok(_) => return Err(Error::Start(Garbled("more than was to be said"))),
            // The host closed its end with children unread in it: an end like another.
            Err(err) if err.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(err) => return Err(Error::Control(err)),
        };
    }
}

enum Side {
    Server,
    Child(Connection),
}

/// Forks a child and hands its ends to the host.
#[expect(unsafe_code, reason = "std forks only to run another program")]
fn fork_one(control: BorrowedFd<'_>) -> io::Result<Side> {
    let (host, child) = socket::pair(Kind::Stream)?;
    let mut pidfd = -1;
    let flags = usize::try_from(calls::FORK_FLAGS).unwrap_or(0);
    // SAFETY: a plain fork: nothing is shared, the stack is ours. There is one thread, so no lock is held by another one.
    if unsafe { sys::call(libc::SYS_clone, [flags, 0, sys::at_mut(&mut pidfd)])? } == 0 {
        drop(host);
        return Ok(Side::Child(Connection(child)));
    }
    // SAFETY: the kernel has just made this descriptor for us.
    let pidfd = unsafe { sys::own(pidfd) };
    drop(child);
    socket::send(
        control,
        [Said::CHILD_BYTES, &[]],
        &[host.as_fd(), pidfd.as_fd()],
        0,
    )?;
    Ok(Side::Server)
}

/// Exit codes of a child.
const ANSWERED: i32 = 0;
const NOT_NARROWED: i32 = 123;

#[expect(
    unsafe_code,
    reason = "closes the control socket, which is standard input"
)]
fn be_a_child<G: Guest>(ready: G::Ready, connection: Connection, filter: &Filter) -> ! {
    // SAFETY: nothing in a child reads standard input, and the number stays free: a child makes no descriptors but its artifact's.
    let closed = unsafe { sys::call(libc::SYS_close, [0]) };
    if closed.is_err() || filter.put_up().is_err() {
        sys::exit(NOT_NARROWED);
    }
    G::answer(ready, connection);
    sys::exit(ANSWERED)
}
