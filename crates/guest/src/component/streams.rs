//! stdin, stdout and stderr: memory, always ready.

use async_trait::async_trait;
use bytes::Bytes;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::cli::{stderr, stdin, stdout};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

use super::Room;
use super::shared::Shared;
use crate::wasi::{keep_message, keep_output};
use crate::world::Stop;

/// What a stream takes at a time. Unit: bytes.
const PERMIT: usize = 1 << 20;

/// The input; all streams of it share one position.
struct Input(Shared);

#[async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {}
}

#[async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let wanted = {
            let world = self.0.lock();
            size.min(world.input.len().saturating_sub(world.read))
        };
        stopped(self.0.charge(wanted))?;
        let mut world = self.0.lock();
        let (start, end) = (world.read, world.read.saturating_add(wanted));
        if wanted == 0 && size > 0 {
            return Err(StreamError::Closed);
        }
        world.read = end;
        let bytes = world.input.get(start..end).unwrap_or_default();
        Ok(Bytes::copy_from_slice(bytes))
    }
}

/// The output or the messages.
struct Output {
    shared: Shared,
    is_message: bool,
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        stopped(self.shared.charge(bytes.len()))?;
        let world = self.shared.lock();
        if self.is_message {
            keep_message(&world, &bytes);
        } else if !keep_output(&world, &bytes) {
            return stopped(Err(Stop::OutputTooLarge));
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

/// A guest that is stopped does not come back from its call.
fn stopped(charged: Result<(), Stop>) -> StreamResult<()> {
    charged.map_err(|stop| StreamError::Trap(stop.into()))
}

impl Room {
    fn output(&mut self, is_message: bool) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(Output {
            shared: self.shared.clone(),
            is_message,
        });
        Ok(self.table.push(stream)?)
    }
}

impl stdin::Host for Room {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        let stream: DynInputStream = Box::new(Input(self.shared.clone()));
        Ok(self.table.push(stream)?)
    }
}

impl stdout::Host for Room {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.output(false)
    }
}

impl stderr::Host for Room {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.output(true)
    }
}
