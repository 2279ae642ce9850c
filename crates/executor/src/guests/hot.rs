//! Servers with code loaded, for what a tenant runs again and again.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::running::{Code, Running};
use crate::cache::Compiled;
use crate::executor::Tenant;
use crate::settings::Jail;

/// Runs by one tenant after which code is worth a server of its own.
const WORTH: u32 = 2;

/// Pairs of tenant and code whose runs are counted.
const MOST_COUNTED: usize = 4_096;

/// Whose, and the code's key.
type Name = (Tenant, String);

/// The servers.
#[derive(Debug)]
pub(super) struct Hot {
    most: usize,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    runs: HashMap<Name, u32>,
    servers: HashMap<Name, Slot>,
    /// Counts uses; the server with the lowest number goes first.
    uses: u64,
}

#[derive(Debug)]
struct Slot {
    used: u64,
    /// `None` while it starts.
    server: Option<Arc<Running>>,
}

impl Hot {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            known: Arc::default(),
        }
    }

    /// The server that has this code loaded for this tenant. If it is time for one, it is started beside everything else.
    pub(super) fn server(
        &self,
        tenant: &Tenant,
        compiled: &Arc<Compiled>,
        program: &Arc<OwnedFd>,
        jail: Jail,
    ) -> Option<Arc<Running>> {
        let name = (tenant.clone(), compiled.key.clone());
        let mut known = lock(&self.known);
        known.uses = known.uses.saturating_add(1);
        let used = known.uses;
        if let Some(slot) = known.servers.get_mut(&name) {
            slot.used = used;
            return slot.server.clone();
        }
        if self.most == 0 || !known.is_worth_it(&name) {
            return None;
        }
        let let_go = known.make_room(self.most);
        known
            .servers
            .insert(name.clone(), Slot { used, server: None });
        drop(known);
        let (all, program, compiled) = (
            Arc::clone(&self.known),
            Arc::clone(program),
            Arc::clone(compiled),
        );
        // Starting and ending one takes milliseconds and blocks.
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            drop(let_go);
            let _entered = runtime.enter();
            let code = Some(compiled.file());
            let started = Running::start(program.as_fd(), jail, Code::InServer, code);
            let mut known = lock(&all);
            match started {
                Ok(server) => {
                    if let Some(slot) = known.servers.get_mut(&name) {
                        slot.server = Some(Arc::new(server));
                    }
                }
                Err(error) => {
                    known.servers.remove(&name);
                    known.runs.remove(&name);
                    tracing::info!(%error, "code is not kept loaded");
                }
            }
        });
        None
    }

    /// Lets go of a server that does not work.
    pub(super) fn forget(&self, tenant: &Tenant, compiled: &Compiled) {
        let name = (tenant.clone(), compiled.key.clone());
        let slot = lock(&self.known).servers.remove(&name);
        tokio::task::spawn_blocking(move || drop(slot));
    }
}

impl Known {
    /// Counts a run.
    fn is_worth_it(&mut self, name: &Name) -> bool {
        if self.runs.len() >= MOST_COUNTED {
            self.runs.clear();
        }
        let runs = self.runs.entry(name.clone()).or_default();
        *runs = runs.saturating_add(1);
        *runs >= WORTH
    }

    /// Takes out servers that were used longest ago, so that one more fits.
    fn make_room(&mut self, most: usize) -> Vec<Slot> {
        let mut gone = Vec::new();
        while self.servers.len() >= most {
            let oldest = self
                .servers
                .iter()
                .min_by_key(|(_, slot)| slot.used)
                .map(|(name, _)| name.clone());
            let Some(slot) = oldest.and_then(|name| self.servers.remove(&name)) else {
                break;
            };
            gone.push(slot);
        }
        gone
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
