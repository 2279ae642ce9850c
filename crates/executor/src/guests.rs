//! The processes of guests: servers that fork them, and what is said to one.
//!
//! One server has no code of its own and gives its processes whatever is to run. What a tenant runs again and again gets a server
//! that has it loaded: its processes begin where the guest's own code does. Such a server is never another tenant's.

mod hot;
mod running;

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use borsh::BorshSerialize as _;
use guest::wire::Ask;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::cache::Compiled;
use crate::executor::{Error, Tenant, most_bytes};
use crate::settings::{Jail, Settings};
use hot::Hot;
use running::{Code, Running};

/// The program that guests run in: `outlayer-guest`, built beside this crate for a machine without libraries.
pub const GUEST_PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/outlayer-guest"));

/// How talking to a guest's process ended. Whichever it is, the process is gone.
#[derive(Debug)]
pub(crate) enum Reply {
    /// It answered.
    Said(Vec<u8>),
    /// It was killed at its deadline.
    OutOfTime,
    /// It ended without an answer.
    Fell,
}

/// The servers.
#[derive(Debug)]
pub(crate) struct Guests {
    program: Arc<OwnedFd>,
    jail: Jail,
    /// For code that is loaded when it is asked for.
    any: Mutex<Arc<Running>>,
    hot: Hot,
}

impl Guests {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let program = Arc::new(jail::program(GUEST_PROGRAM).map_err(Error::Process)?);
        let any = Running::start(program.as_fd(), settings.jail, Code::InChildren, None)?;
        for lack in &any.report().missing {
            tracing::warn!(%lack, "guests run with a layer of their jail missing; for development only");
        }
        Ok(Self {
            program,
            jail: settings.jail,
            any: Mutex::new(Arc::new(any)),
            hot: Hot::new(settings.hot),
        })
    }

    /// Asks a fresh process one thing.
    pub(crate) async fn ask(
        &self,
        tenant: &Tenant,
        compiled: &Arc<Compiled>,
        ask: &Ask,
        deadline: Instant,
    ) -> Result<Reply, Error> {
        let request = message(ask).map_err(Error::Process)?;
        let most = most_bytes(&ask.run.limits);
        if let Some(server) = self.hot.server(tenant, compiled, &self.program, self.jail) {
            match server.ask(&request, None, deadline, most).await {
                Err(error) => {
                    tracing::warn!(%error, "a server of loaded code failed; another one does its work");
                    self.hot.forget(tenant, compiled);
                }
                Ok(reply) => return Ok(reply),
            }
        }
        let server = self.any();
        match server
            .ask(&request, Some(compiled.file()), deadline, most)
            .await
        {
            Err(jail::client::Error::Ended) => {
                let server = self.replace(&server)?;
                let again = server.ask(&request, Some(compiled.file()), deadline, most);
                again.await.map_err(client_failed)
            }
            other => other.map_err(client_failed),
        }
    }

    fn any(&self) -> Arc<Running> {
        Arc::clone(&self.any.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A new server for one that has ended, unless somebody was quicker.
    fn replace(&self, ended: &Arc<Running>) -> Result<Arc<Running>, Error> {
        let mut any = self.any.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&any, ended) {
            tracing::warn!("the server of guests' processes has ended; it is started anew");
            let program = self.program.as_fd();
            *any = Arc::new(Running::start(program, self.jail, Code::InChildren, None)?);
        }
        Ok(Arc::clone(&any))
    }
}

/// What is asked, as bytes of which no copy is left behind: it holds what the guest alone may read.
fn message(ask: &Ask) -> io::Result<Zeroizing<Vec<u8>>> {
    let length = borsh::object_length(ask)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    ask.serialize(&mut *bytes)?;
    Ok(bytes)
}

fn client_failed(error: jail::client::Error) -> Error {
    match error {
        jail::client::Error::Refused(missing) => Error::Jail(missing.to_string()),
        other => Error::Process(io::Error::other(other)),
    }
}
