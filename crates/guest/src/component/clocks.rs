//! Clocks, and waiting for them.

use std::future;
use std::task::Poll;

use async_trait::async_trait;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::sync::io::poll;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use super::Room;
use super::shared::Shared;

/// A moment that is waited for.
struct Alarm {
    /// Nanoseconds of the monotonic clock.
    at: u64,
    shared: Shared,
}

#[async_trait]
impl Pollable for Alarm {
    /// All that is waited for together is looked at first, since any of it may be ready; then the earliest moment is slept for.
    async fn ready(&mut self) {
        let left = {
            let mut world = self.shared.lock();
            let left = self.at.saturating_sub(world.clock.monotonic());
            if left > 0 {
                world.alarm = Some(world.alarm.map_or(self.at, |first| first.min(self.at)));
            }
            left
        };
        if left == 0 {
            return;
        }
        let mut has_looked = false;
        future::poll_fn(|context| {
            if has_looked && self.shared.lock().alarm == Some(self.at) {
                return Poll::Ready(());
            }
            if !has_looked {
                has_looked = true;
                context.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await;
        let mut world = self.shared.lock();
        world.alarm = None;
        world.clock.sleep(left);
    }
}

impl Room {
    fn alarm(&mut self, at: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let shared = self.shared.clone();
        let alarm = self.table.push(Alarm { at, shared })?;
        subscribe(&mut self.table, alarm)
    }
}

impl monotonic_clock::Host for Room {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.shared.charge(8)?;
        Ok(self.shared.lock().clock.monotonic())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        self.shared.charge(8)?;
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.shared.charge(8)?;
        self.alarm(when)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.shared.charge(8)?;
        let now = self.shared.lock().clock.monotonic();
        self.alarm(now.saturating_add(duration))
    }
}

impl wall_clock::Host for Room {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.shared.charge(12)?;
        let now = self.shared.lock().clock.realtime();
        Ok(datetime(now))
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.shared.charge(12)?;
        Ok(datetime(1))
    }
}

fn datetime(nanos: u64) -> wall_clock::Datetime {
    const SECOND: u64 = 1_000_000_000;
    wall_clock::Datetime {
        seconds: nanos / SECOND,
        nanoseconds: u32::try_from(nanos % SECOND).unwrap_or(0),
    }
}

impl poll::Host for Room {
    fn poll(&mut self, all: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.shared.charge(all.len().saturating_mul(4))?;
        poll::Host::poll(self.waiting(), all)
    }
}

impl poll::HostPollable for Room {
    fn ready(&mut self, one: Resource<DynPollable>) -> wasmtime::Result<bool> {
        self.shared.charge(0)?;
        poll::HostPollable::ready(self.waiting(), one)
    }

    fn block(&mut self, one: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.shared.charge(0)?;
        poll::HostPollable::block(self.waiting(), one)
    }

    fn drop(&mut self, one: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(self.waiting(), one)
    }
}

impl Room {
    /// The table, with nothing waited for yet.
    fn waiting(&mut self) -> &mut ResourceTable {
        self.shared.lock().alarm = None;
        &mut self.table
    }
}
