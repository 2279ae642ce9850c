//! Goes to jail on a machine that will not give one layer: a filter has the kernel refuse what the layer is made with.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    os::fd::AsFd as _,
    process::ExitCode,
};

use jail::{
    Layer, Limits, MissingLayers, Plan, calls,
    filter::{Argument, Call, Filter, Rule},
};

const PERMISSION: u16 = 1;
const SET_NO_NEW_PRIVS: u64 = 38;
const SET_DUMPABLE: u64 = 4;
const NEW_MOUNT: u64 = 0x2_0000;
const NEW_UTS: u64 = 0x400_0000;
const NEW_IPC: u64 = 0x800_0000;
const NEW_USER: u64 = 0x1000_0000;
const NEW_PID: u64 = 0x2000_0000;
const NEW_NET: u64 = 0x4000_0000;

/// `refused layer` or `allowed layer`: what to do about it, and which.
pub(crate) fn try_to_enter(words: &[&str]) -> Result<(), String> {
    let [missing, layer] = words else {
        return Err("what is missing?".to_owned());
    };
    let missing_layers = if *missing == "allowed" {
        MissingLayers::Allowed
    } else {
        MissingLayers::Refused
    };
    take_away(layer)?;
    let stdout = io::stdout();
    let plan = Plan {
        keep: &[stdout.as_fd()],
        calls: &calls::FORK_SERVER,
        limits: Limits::FORK_SERVER,
        missing_layers,
    };
    let said = match jail::enter(&plan) {
        Ok(report) => format!("entered without {:?}", report.missing),
        Err(missing) => missing.to_string(),
    };
    stdout
        .lock()
        .write_all(said.as_bytes())
        .map_err(|err| err.to_string())
}

/// Makes a room without what a layer of it is made with.
pub(crate) fn make_room(layer: &str, room: impl Iterator<Item = OsString>) -> ExitCode {
    match take_away(layer) {
        Ok(()) => jail::room::main(room),
        Err(_) => ExitCode::FAILURE,
    }
}

fn take_away(layer: &str) -> Result<(), String> {
    let layer = Layer::ALL
        .into_iter()
        .chain(Layer::ROOM)
        .find(|known| known.name() == layer)
        .ok_or("no such layer")?;
    allow_filters_to_ordinary_users()?;
    Filter::refusing(&[made_with(layer)], PERMISSION)
        .put_up()
        .map_err(|err| err.to_string())
}

#[expect(unsafe_code, reason = "std has no prctl")]
fn allow_filters_to_ordinary_users() -> Result<(), String> {
    // SAFETY: it touches no memory.
    let done = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error().to_string())
    }
}

fn made_with(layer: Layer) -> Call {
    match layer {
        Layer::Descriptors => any(libc::SYS_close_range),
        Layer::Identity => any(libc::SYS_setresuid),
        Layer::UserNamespace => only(libc::SYS_unshare, vec![is(0, NEW_USER)]),
        Layer::Limits => any(libc::SYS_prlimit64),
        Layer::MountNamespace => only(libc::SYS_unshare, vec![is(0, NEW_MOUNT)]),
        Layer::IpcNamespace => only(libc::SYS_unshare, vec![is(0, NEW_IPC)]),
        Layer::UtsNamespace => only(libc::SYS_unshare, vec![is(0, NEW_UTS)]),
        Layer::NetworkNamespace => only(libc::SYS_unshare, vec![is(0, NEW_NET)]),
        Layer::PidNamespace => only(libc::SYS_unshare, vec![is(0, NEW_PID)]),
        Layer::EmptyRoot => any(libc::SYS_pivot_root),
        Layer::Hostname => any(libc::SYS_sethostname),
        Layer::DiesWithHost => any(libc::SYS_pidfd_open),
        Layer::Capabilities => any(libc::SYS_capset),
        Layer::NoNewPrivileges => only(libc::SYS_prctl, vec![is(0, SET_NO_NEW_PRIVS)]),
        Layer::Landlock => any(libc::SYS_landlock_create_ruleset),
        Layer::Undumpable => only(libc::SYS_prctl, vec![is(0, SET_DUMPABLE), is(1, 0)]),
        Layer::SystemCalls => any(libc::SYS_seccomp),
        Layer::PrivateRoot => any(libc::SYS_open_tree),
    }
}

fn any(number: i64) -> Call {
    only(number, vec![])
}

fn only(number: i64, arguments: Vec<Argument>) -> Call {
    Call {
        number,
        name: "",
        reason: "",
        arguments: arguments.leak(),
    }
}

const fn is(place: u8, value: u64) -> Argument {
    Argument {
        place,
        rule: Rule::Is(value),
    }
}
