//! Process 1 of the room: starts the program, buries orphans, measures, and ends everything at the program's end.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::process::CommandExt as _,
    },
    path::Path,
    process::{Command, ExitCode},
};

use super::{
    Excess, NO_ROOM, Openings, Room,
    account::{Line, Teller},
    calls, products,
    spending::Spending,
    tree::{DEVICES, SYSTEM_AND_CONFIGURATION},
    whole,
};
use crate::{
    enter::MissingLayers,
    filter::Filter,
    layer::{Layer, Missing, Report},
    layers::landlock::{Access, Closed, Rules, Signals},
    socket,
    sys::{self, Blocking, Ended},
    watch,
};

/// How often memory and disk are measured. In that time a program fills a few hundred MiB.
const BETWEEN_MEASURES_MS: i32 = 50;
/// What a shell says of a program that a signal has ended.
const BY_SIGNAL: i32 = 128;

/// Runs the program to its end, and the room's.
pub(super) fn run(room: &Room, openings: Openings) -> ExitCode {
    let Openings { mut account, out } = openings;
    match try_to_run(room, &mut account, out.as_ref()) {
        Ok(Ended::Exited(code)) => exit_code(code),
        Ok(Ended::Killed(signal)) => exit_code(signal.saturating_add(BY_SIGNAL)),
        Err(err) => {
            account.say(&Line::Refused(err.to_string()));
            ExitCode::from(NO_ROOM)
        }
    }
}

fn exit_code(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

fn try_to_run(room: &Room, account: &mut Teller, out: Option<&OwnedFd>) -> io::Result<Ended> {
    let spending = Spending::of(room)?;
    if !spending.sees_memory() {
        let what = "view of its own processes, so the memory of all together is not measured";
        account.say(&Line::Absent(what.to_owned()));
    }
    whole::fill(room).map_err(|err| io::Error::other(format!("nothing is filled: {err}")))?;
    let (ours, theirs) = socket::pair(socket::Kind::Stream)?;
    let program = match watch::fork()? {
        watch::Side::Inside => {
            drop(ours);
            become_program(room, theirs)
        }
        watch::Side::Outside(program) => program,
    };
    drop(theirs);
    hear(ours, account)?;
    let (ended, excess) = wait(program, &spending)?;
    end_all();
    match excess.or_else(|| spending.excess().filter(|_| ended != Ended::Exited(0))) {
        Some(Excess::Memory) => account.say(&Line::Memory),
        Some(Excess::Space(path)) => account.say(&Line::Full(path)),
        None => {}
    }
    if let (Ended::Exited(0), Some(product), Some(out)) = (ended, &room.product, out) {
        products::copy_out(product, out)
            .map_err(|err| io::Error::other(format!("what was made does not come out: {err}")))?;
    }
    Ok(ended)
}

/// Puts up the last layers and becomes the program. What goes wrong is said to process 1; silence means that the program runs.
fn become_program(room: &Room, first: OwnedFd) -> ! {
    let mut report = Report::default();
    report.put_up(Layer::Landlock, || landlock(room));
    report.put_up(Layer::SystemCalls, || {
        Filter::lenient(&calls::allowed()).put_up()
    });
    let mut first = File::from(first);
    for lack in &report.missing {
        writeln!(first, "without {lack}").ok();
    }
    if !report.missing.is_empty() && room.missing_layers == MissingLayers::Refused {
        writeln!(first, "refused {}", Missing(report.missing)).ok();
        sys::exit(NO_ROOM.into());
    }
    let err = Command::new(&room.program)
        .args(&room.args)
        .current_dir(&room.folder)
        .exec();
    writeln!(first, "refused {}: {err}", room.program.display()).ok();
    sys::exit(NO_ROOM.into())
}

fn landlock(room: &Room) -> io::Result<()> {
    let rules = Rules::closing(Closed::Everything(Signals::Closed))?;
    let system = SYSTEM_AND_CONFIGURATION.into_iter().map(Path::new);
    for path in system.filter(|path| path.exists()) {
        rules.open(path, Access::Read)?;
    }
    for path in DEVICES {
        rules.open(Path::new(path), Access::Write)?;
    }
    for read in &room.reads {
        rules.open(&read.at, Access::Read)?;
    }
    for space in &room.spaces {
        rules.open(&space.path, Access::Write)?;
    }
    rules.put_up().map(drop)
}

/// Tells the account what the program says before it runs.
fn hear(connection: OwnedFd, account: &mut Teller) -> io::Result<()> {
    let mut said = String::new();
    File::from(connection).read_to_string(&mut said)?;
    let mut refused = false;
    for line in said.lines() {
        if let Some(layer) = line.strip_prefix("without ") {
            account.say(&Line::Without(layer.to_owned()));
        } else if let Some(reason) = line.strip_prefix("refused ") {
            account.say(&Line::Refused(reason.to_owned()));
            refused = true;
        }
    }
    if refused {
        sys::exit(NO_ROOM.into());
    }
    account.say(&Line::Started);
    Ok(())
}

/// Waits for the program, and for the first sign that the room holds too much.
fn wait(program: usize, spending: &Spending) -> io::Result<(Ended, Option<Excess>)> {
    let pidfd = sys::pidfd_open(program)?;
    let mut entries = [sys::readable(pidfd.as_fd())];
    loop {
        sys::poll(&mut entries, BETWEEN_MEASURES_MS)?;
        while let Some((pid, ended)) = sys::reap(Blocking::No)? {
            if pid == program {
                return Ok((ended, None));
            }
        }
        if let Some(excess) = spending.excess() {
            sys::pidfd_kill(pidfd.as_fd(), libc::SIGKILL)?;
            return Ok((Ended::Killed(libc::SIGKILL), Some(excess)));
        }
    }
}

/// Kills and buries everything in the room but this process. Without processes of its own it would be everything else there is.
fn end_all() {
    const EVERYBODY: usize = usize::MAX;
    let is_first = sys::plain(libc::SYS_getpid, []).is_ok_and(|pid| pid == 1);
    if !is_first {
        return;
    }
    loop {
        sys::plain(libc::SYS_kill, [EVERYBODY, sys::word(libc::SIGKILL)]).ok();
        if sys::reap(Blocking::Yes).is_err() {
            break;
        }
    }
}
