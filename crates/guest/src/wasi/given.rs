//! Arguments, environment, clocks, randomness, and the way out.

use rand_chacha::rand_core::RngCore as _;

use super::errno::{Answer, Errno, FAULT, INVALID, answer};
use super::words;
use crate::memory::{View, step};
use crate::world::{Calling, Stop, World, charge};

/// `clockid` of the wall clock and of the one that only goes forward.
pub(super) const REALTIME: u32 = 0;
pub(super) const MONOTONIC: u32 = 1;

fn size_of(texts: &[Vec<u8>]) -> u64 {
    let bytes = texts
        .iter()
        .fold(0_usize, |sum, text| sum.saturating_add(text.len()));
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

pub(super) fn args_sizes(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    sizes(caller, args, |world| &world.args)
}

pub(super) fn environ_sizes(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    sizes(caller, args, |world| &world.env)
}

pub(super) fn args(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    texts(caller, args, |world| &world.args)
}

pub(super) fn environ(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    texts(caller, args, |world| &world.env)
}

type Texts = fn(&World) -> &Vec<Vec<u8>>;

fn sizes(caller: &mut dyn Calling, args: &[u64], texts: Texts) -> Answer {
    let [count, size] = words(args);
    charge(caller, 8)?;
    answer(View::of(caller).and_then(|mut view| {
        let texts = texts(view.world);
        let number = u32::try_from(texts.len()).map_err(|_| FAULT)?;
        let bytes = u32::try_from(size_of(texts)).map_err(|_| FAULT)?;
        view.put_u32(count, number)?;
        view.put_u32(size, bytes)
    }))
}

fn texts(caller: &mut dyn Calling, args: &[u64], texts: Texts) -> Answer {
    let [list, text] = words(args);
    let bytes = size_of(texts(caller.parts().1));
    charge(caller, bytes)?;
    answer(View::of(caller).and_then(|mut view| {
        let all = texts(view.world).clone();
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

fn known(clock: u32) -> Result<(), Errno> {
    match clock {
        REALTIME | MONOTONIC => Ok(()),
        _ => Err(INVALID),
    }
}

/// What a clock tells, in nanoseconds.
pub(super) fn now(world: &mut World, clock: u32) -> Result<u64, Errno> {
    match clock {
        REALTIME => Ok(world.clock.realtime()),
        MONOTONIC => Ok(world.clock.monotonic()),
        _ => Err(INVALID),
    }
}

pub(super) fn clock_resolution(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    let [clock, out] = words(args);
    charge(caller, 8)?;
    answer(View::of(caller).and_then(|mut view| {
        known(clock)?;
        view.put_u64(out, 1)
    }))
}

pub(super) fn clock_time(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    let [clock, _precision, out] = words(args);
    charge(caller, 8)?;
    answer(View::of(caller).and_then(|mut view| {
        let now = now(view.world, clock)?;
        view.put_u64(out, now)
    }))
}

pub(super) fn random(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    let [at, length] = words(args);
    let within = View::of(caller).and_then(|view| view.bytes(at, length).map(|_| length));
    charge(caller, within.unwrap_or(0).into())?;
    answer(View::of(caller).and_then(|mut view| {
        let (bytes, world) = view.split(at, length)?;
        world.random.fill_bytes(bytes);
        Ok(())
    }))
}

pub(super) fn exit(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    let [code] = words(args);
    charge(caller, 0)?;
    Err(Stop::Exit(i32::from_le_bytes(code.to_le_bytes())))
}

pub(super) fn step_aside(caller: &mut dyn Calling, _args: &[u64]) -> Answer {
    charge(caller, 0)?;
    answer(Ok(()))
}
