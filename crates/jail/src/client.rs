//! The host's side: start a server, take its children, ask each one thing.
//!
//! Everything here blocks or, by `try_`, does not; nothing needs a runtime. A host with one waits for [`Server`]'s descriptor to be
//! readable, and makes streams of its children's connections.

mod child;
mod launched;

use std::{
    collections::VecDeque,
    io, mem,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{Mutex, PoisonError},
};

pub use self::{
    child::{AskError, Child, Ending},
    launched::Launched,
};
use crate::{
    layer::{Missing, Report},
    socket::{self, Kind},
    sys,
    wire::{Garbled, MOST_BYTES, Said, Start, TAKEN},
};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the server's program does not start")]
    Launch(#[source] io::Error),
    #[error("the jail is refused")]
    Refused(#[source] Missing),
    #[error("the guest is not ready: {0}")]
    Unprepared(String),
    #[error("no child: {0}")]
    NoChild(String),
    #[error("the server has said nothing for {} s", READY_WITHIN_MS / 1000)]
    Silent,
    #[error("the server has ended")]
    Ended,
    #[error("the server speaks nonsense")]
    Garbled(#[from] Garbled),
    #[error("the control socket failed")]
    Control(#[source] io::Error),
}

/// How long a server may take to be ready: jail, engine, artifact, each some milliseconds on an idle machine.
///
/// Unit: milliseconds. Source: generous, so that only a program that is no server is given up.
const READY_WITHIN_MS: i32 = 30_000;

/// A running server. Dropped, it ends with all its children, and is waited for: some milliseconds.
#[derive(Debug)]
pub struct Server {
    control: OwnedFd,
    launched: Launched,
    report: Report,
    waiting: Mutex<Waiting>,
}

impl Server {
    /// Starts the program behind this descriptor, which calls [`serve`](crate::server::serve), and waits until it is ready.
    pub fn start(
        program: BorrowedFd<'_>,
        start: &Start,
        artifact: Option<BorrowedFd<'_>>,
    ) -> Result<Self, Error> {
        start.check()?;
        let (control, theirs) = socket::pair(Kind::Messages).map_err(Error::Control)?;
        let launched = Launched::start(program, &[], theirs).map_err(Error::Launch)?;
        socket::send(
            control.as_fd(),
            [&start.encode(), &[]],
            artifact.as_slice(),
            0,
        )
        .map_err(ended_or(Error::Control))?;
        if sys::poll(&mut [sys::readable(control.as_fd())], READY_WITHIN_MS)
            .map_err(Error::Control)?
            == 0
        {
            return Err(Error::Silent);
        }
        let (said, _) = hear(control.as_fd(), 0)?.ok_or(Error::Ended)?;
        match said {
            Said::Ready(report) => Ok(Self {
                control,
                launched,
                report,
                waiting: Mutex::new(Waiting::for_first(usize::from(start.ahead))),
            }),
            Said::Refused(lacks) => Err(Error::Refused(Missing(lacks))),
            Said::Unprepared(reason) => Err(Error::Unprepared(reason)),
            Said::Child | Said::NoChild(_) => Err(Garbled("a child before it is ready").into()),
        }
    }

    /// What stands, and what is missing if that was allowed.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// Takes a waiting child; another is then forked. One that could not be forked is tried again with the next.
    pub fn take(&self) -> Result<Child, Error> {
        self.take_with(0)?.ok_or(Error::Ended)
    }

    /// As [`Server::take`], but `None` rather than wait: then, and only then, wait for this server's descriptor to be readable.
    pub fn try_take(&self) -> Result<Option<Child>, Error> {
        self.take_with(socket::DONT_WAIT)
    }

    fn take_with(&self, flags: usize) -> Result<Option<Child>, Error> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..mem::take(&mut waiting.owed) {
            self.order(&mut waiting)?;
        }
        // Descriptors under way count towards a limit that all servers of a user share, so none is left there.
        let mut lacking = None;
        while let Some(next) = self.next(socket::DONT_WAIT)? {
            waiting.add(next, &mut lacking)?;
        }
        if waiting.children.is_empty() && lacking.is_none() && flags != socket::DONT_WAIT {
            let next = self.next(flags)?.ok_or(Error::Ended)?;
            waiting.add(next, &mut lacking)?;
        }
        let Some(child) = waiting.children.pop_front() else {
            return lacking.map_or(Ok(None), |reason| Err(Error::NoChild(reason)));
        };
        self.order(&mut waiting)?;
        Ok(Some(child))
    }

    /// Has another child forked.
    fn order(&self, waiting: &mut Waiting) -> Result<(), Error> {
        waiting.ordered = waiting.ordered.saturating_add(1);
        socket::send(self.control.as_fd(), [TAKEN, &[]], &[], 0)
            .map(drop)
            .map_err(ended_or(Error::Control))
    }

    /// The next child, or why there is none; `None` if nothing is there and the flags say not to wait.
    fn next(&self, flags: usize) -> Result<Option<Result<Child, String>>, Error> {
        let Some((said, descriptors)) = hear(self.control.as_fd(), flags)? else {
            return Ok(None);
        };
        match (said, descriptors) {
            (Said::Child, [Some(connection), Some(pidfd)]) => {
                Ok(Some(Ok(Child { connection, pidfd })))
            }
            (Said::Child, _) => Err(Garbled("a child without its descriptors").into()),
            (Said::NoChild(reason), _) => Ok(Some(Err(reason))),
            _ => Err(Garbled("out of turn").into()),
        }
    }

    /// A descriptor that is readable once the server has ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.launched.pidfd()
    }

    /// Ends the server and its children, and waits for it.
    pub fn stop(self) -> io::Result<std::process::ExitStatus> {
        let Self {
            control, launched, ..
        } = self;
        drop(control);
        launched.stop()
    }
}

impl AsFd for Server {
    /// Readable when a child waits or the server has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }
}

/// Children that are ours already.
#[derive(Debug)]
struct Waiting {
    children: VecDeque<Child>,
    /// Children that are to come. A server that hands out more has been taken over, and would fill this host with descriptors.
    ordered: usize,
    /// Children that could not be forked when it was their turn, to be ordered again.
    owed: usize,
}

impl Waiting {
    const fn for_first(ahead: usize) -> Self {
        Self {
            children: VecDeque::new(),
            ordered: ahead,
            owed: 0,
        }
    }

    fn add(
        &mut self,
        next: Result<Child, String>,
        lacking: &mut Option<String>,
    ) -> Result<(), Garbled> {
        self.ordered = self
            .ordered
            .checked_sub(1)
            .ok_or(Garbled("a child that nobody ordered"))?;
        match next {
            Ok(child) => self.children.push_back(child),
            Err(reason) => {
                self.owed = self.owed.saturating_add(1);
                *lacking = Some(reason);
            }
        }
        Ok(())
    }
}

fn ended_or(otherwise: impl FnOnce(io::Error) -> Error) -> impl FnOnce(io::Error) -> Error {
    |err| match err.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Error::Ended,
        _ => otherwise(err),
    }
}

/// A message and what came with it.
type Heard = (Said, [Option<OwnedFd>; 2]);

/// The next message; `None` if there is none and the flags say not to wait.
fn hear(control: BorrowedFd<'_>, flags: usize) -> Result<Option<Heard>, Error> {
    let mut buffer = [0; MOST_BYTES];
    let received = match socket::receive(control, &mut buffer, flags) {
        Err(err) if err.kind() == io::ErrorKind::WouldBlock => return Ok(None),
        other => other.map_err(ended_or(Error::Control))?,
    };
    if received.bytes == 0 {
        return Err(Error::Ended);
    }
    if received.cut_short {
        return Err(Garbled("too long or with too many descriptors").into());
    }
    let said = Said::decode(buffer.get(..received.bytes).unwrap_or_default())?;
    Ok(Some((said, received.descriptors)))
}
