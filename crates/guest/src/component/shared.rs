//! A component's world, shared by its streams, its clocks and its calls.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::ResourceLimiter;

use crate::world::{MAX_TABLES, Stop, World, initial_gas};

/// Core instances of a component, the ones of `wit-component` and of metering included.
const MAX_INSTANCES: usize = 200;

/// Memories of a component: one is usual, composed components have one each.
const MAX_MEMORIES: usize = 20;

/// A component's world. One thread has it; the lock is what the traits of streams ask for.
#[derive(Debug, Clone)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every call passes here before it does anything: it costs 1 for each byte that it moves, and what all calls cost together may not
    /// be above what the component was given.
    pub(super) fn charge(&self, bytes: usize) -> Result<(), Stop> {
        let mut world = self.lock();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        world.moved = world.moved.saturating_add(bytes);
        world.seen.charged.store(world.moved, Ordering::Relaxed);
        let given = u64::try_from(initial_gas(&world.limits)).unwrap_or_default();
        if world.moved > given {
            return Err(Stop::OutOfInstructions);
        }
        Ok(())
    }
}

impl ResourceLimiter for Shared {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.lock().grant_memory(current, desired, maximum))
    }

    /// The kernel had none to give: as good as our own refusal.
    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.lock().granted.denied = true;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.lock().granted.table(current, desired, maximum))
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }
}
