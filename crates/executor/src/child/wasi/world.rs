//! Arguments, environment, clocks, randomness, and the way out.

use rand_chacha::rand_core::RngCore as _;
use wasmtime::{Caller, Linker};

use super::MODULE;
use super::errno::{Answer, Errno, FAULT, INVALID, answer};
use super::view::{View, step};
use crate::child::host::{Host, Stop, charge};

/// `clockid` of the wall clock and of the one that only goes forward.
pub(super) const REALTIME: u32 = 0;
pub(super) const MONOTONIC: u32 = 1;

/// Links `name` if it is one of these.
pub(super) fn link(linker: &mut Linker<Host>, name: &str) -> wasmtime::Result<bool> {
    match name {
        "args_get" => linker.func_wrap(
            MODULE,
            name,
            |caller: Caller<'_, Host>, list: u32, text: u32| {
                texts(caller, list, text, |host| &host.args)
            },
        )?,
        "args_sizes_get" => linker.func_wrap(
            MODULE,
            name,
            |caller: Caller<'_, Host>, count: u32, size: u32| {
                sizes(caller, count, size, |host| &host.args)
            },
        )?,
        "environ_get" => linker.func_wrap(
            MODULE,
            name,
            |caller: Caller<'_, Host>, list: u32, text: u32| {
                texts(caller, list, text, |host| &host.env)
            },
        )?,
        "environ_sizes_get" => linker.func_wrap(
            MODULE,
            name,
            |caller: Caller<'_, Host>, count: u32, size: u32| {
                sizes(caller, count, size, |host| &host.env)
            },
        )?,
        "clock_res_get" => linker.func_wrap(MODULE, name, clock_resolution)?,
        "clock_time_get" => linker.func_wrap(MODULE, name, clock_time)?,
        "random_get" => linker.func_wrap(MODULE, name, random)?,
        "proc_exit" => linker.func_wrap(MODULE, name, exit)?,
        "sched_yield" => linker.func_wrap(MODULE, name, step_aside)?,
        _ => return Ok(false),
    };
    Ok(true)
}

fn size_of(texts: &[Vec<u8>]) -> u64 {
    let bytes = texts
        .iter()
        .fold(0_usize, |sum, text| sum.saturating_add(text.len()));
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn sizes(
    mut caller: Caller<'_, Host>,
    count: u32,
    size: u32,
    texts: fn(&Host) -> &Vec<Vec<u8>>,
) -> Answer {
    charge(&mut caller, 8)?;
    answer(View::of(&mut caller).and_then(|mut view| {
        let texts = texts(view.host);
        let number = u32::try_from(texts.len()).map_err(|_| FAULT)?;
        let bytes = u32::try_from(size_of(texts)).map_err(|_| FAULT)?;
        view.put_u32(count, number)?;
        view.put_u32(size, bytes)
    }))
}

fn texts(
    mut caller: Caller<'_, Host>,
    list: u32,
    text: u32,
    texts: fn(&Host) -> &Vec<Vec<u8>>,
) -> Answer {
    let bytes = size_of(texts(caller.data()));
    charge(&mut caller, bytes)?;
    answer(View::of(&mut caller).and_then(|mut view| {
        let all = texts(view.host).clone();
        let mut place = text;
        for (number, one) in all.iter().enumerate() {
            let number = u32::try_from(number).map_err(|_| FAULT)?;
            view.put_u32(step(list, number, 4)?, place)?;
            view.put(place, one)?;
            let length = u32::try_from(one.len()).map_err(|_| FAULT)?;
            place = place.checked_add(length).ok_or(FAULT)?;
        }
        Ok(())
    }))
}

/// What a clock tells, in nanoseconds.
pub(super) fn now(host: &Host, clock: u32) -> Result<u64, Errno> {
    match clock {
        REALTIME => Ok(host.clock.realtime()),
        MONOTONIC => Ok(host.clock.monotonic()),
        _ => Err(INVALID),
    }
}

fn clock_resolution(mut caller: Caller<'_, Host>, clock: u32, out: u32) -> Answer {
    charge(&mut caller, 8)?;
    answer(View::of(&mut caller).and_then(|mut view| {
        now(view.host, clock)?;
        view.put_u64(out, 1)
    }))
}

fn clock_time(mut caller: Caller<'_, Host>, clock: u32, _precision: u64, out: u32) -> Answer {
    charge(&mut caller, 8)?;
    answer(View::of(&mut caller).and_then(|mut view| {
        let now = now(view.host, clock)?;
        view.put_u64(out, now)
    }))
}

fn random(mut caller: Caller<'_, Host>, at: u32, length: u32) -> Answer {
    let within = View::of(&mut caller).and_then(|view| view.bytes(at, length).map(|_| length));
    charge(&mut caller, within.unwrap_or(0).into())?;
    answer(View::of(&mut caller).and_then(|mut view| {
        let (bytes, host) = view.split(at, length)?;
        host.random.fill_bytes(bytes);
        Ok(())
    }))
}

fn exit(mut caller: Caller<'_, Host>, code: i32) -> wasmtime::Result<()> {
    charge(&mut caller, 0)?;
    Err(Stop::Exit(code).into())
}

fn step_aside(mut caller: Caller<'_, Host>) -> Answer {
    charge(&mut caller, 0)?;
    answer(Ok(()))
}
