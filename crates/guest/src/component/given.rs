//! What a component is given: arguments, environment, random bytes; and how it ends early.

use rand_chacha::rand_core::RngCore as _;
use wasmtime_wasi::p2::bindings::cli::{environment, exit};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use super::Room;
use crate::world::Stop;

/// Random bytes of one call. They are made here before they are the component's, so this is no more than a process has room for.
const MAX_RANDOM_BYTES: usize = 16 << 20;

impl environment::Host for Room {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        let all = self.texts(|world| world.env.clone())?;
        let pair = |text: String| match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (text, String::new()),
        };
        Ok(all.into_iter().map(pair).collect())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        self.texts(|world| world.args.clone())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        self.shared.charge(0)?;
        Ok(None)
    }
}

impl exit::Host for Room {
    fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
        self.shared.charge(0)?;
        Err(Stop::Exit(status.map_or(1, |()| 0)).into())
    }

    fn exit_with_code(&mut self, code: u8) -> wasmtime::Result<()> {
        self.shared.charge(0)?;
        Err(Stop::Exit(code.into()).into())
    }
}

impl random::Host for Room {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random_u64()
    }
}

impl insecure::Host for Room {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random_u64()
    }
}

impl insecure_seed::Host for Room {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.random_u64()?, self.random_u64()?))
    }
}

impl Room {
    /// Texts of the world, which a module gets with a NUL at their ends.
    fn texts(
        &self,
        of: impl FnOnce(&crate::world::World) -> Vec<Vec<u8>>,
    ) -> wasmtime::Result<Vec<String>> {
        let all = of(&self.shared.lock());
        self.shared.charge(all.iter().map(Vec::len).sum())?;
        let text = |mut bytes: Vec<u8>| {
            bytes.pop();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Ok(all.into_iter().map(text).collect())
    }

    fn random_bytes(&self, length: u64) -> wasmtime::Result<Vec<u8>> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.shared.charge(length)?;
        if length > MAX_RANDOM_BYTES {
            return Err(wasmtime::format_err!(
                "{length} random bytes in one call, and {MAX_RANDOM_BYTES} are the most"
            ));
        }
        let mut bytes = vec![0; length];
        self.shared.lock().random.fill_bytes(&mut bytes);
        Ok(bytes)
    }

    fn random_u64(&self) -> wasmtime::Result<u64> {
        self.shared.charge(8)?;
        Ok(self.shared.lock().random.next_u64())
    }
}
