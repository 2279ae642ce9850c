//! How long a jailed child takes from being taken to being gone, against a new process of the same small program.
//!
//! `latency measure [executions]`; without arguments it is the jailed program, with `null` the bare one. To be built static:
//! `cargo run --release --target x86_64-unknown-linux-musl -p jail --example latency -- measure`.

use std::{
    env,
    error::Error,
    fs::File,
    io::{self, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use jail::{
    Limits, MissingLayers, calls,
    client::Server,
    server::{Connection, Guest},
    wire::{Code, Start},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const START: Start = Start {
    ahead: 4,
    code: Code::InServer,
    missing_layers: MissingLayers::Refused,
    limits: Limits::FORK_SERVER,
};

/// Executions that are not counted.
const WARM_UP: usize = 100;
const TOUCHED_BYTES: usize = 64 << 20;
const PAGE_BYTES: usize = 4096;

fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        None => Ok(jail::server::serve(Trivial, &calls::FORK_SERVER)?),
        Some("null") => Ok(()),
        Some(_) => measure(arguments.next().map_or(Ok(5000), |count| count.parse())?),
    }
}

/// Gives back what it is given, or touches memory and waits.
struct Trivial;

impl Guest for Trivial {
    type Ready = ();

    fn set_up(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn prepare(&mut self, _artifact: Option<OwnedFd>) -> Result<(), String> {
        Ok(())
    }

    fn answer((): (), connection: Connection) {
        let Ok((request, _)) = connection.receive(1 << 20) else {
            return;
        };
        match request.as_slice() {
            b"touch" => touch(ask_for_small_pages, &connection),
            b"touch huge" => touch(ask_for_huge_pages, &connection),
            other => drop(connection.send(&[other])),
        }
    }
}

/// Touches memory, says so, and waits to be killed.
fn touch(ask: fn(&mut [u8]), connection: &Connection) {
    let mut memory = vec![0_u8; TOUCHED_BYTES];
    ask(&mut memory);
    for page in memory.chunks_mut(PAGE_BYTES) {
        page.iter_mut().take(1).for_each(|byte| *byte = 1);
    }
    connection.send(&[b"touched"]).ok();
    std::hint::black_box(&memory);
    connection.receive(0).ok();
}

fn ask_for_small_pages(_memory: &mut [u8]) {}

#[expect(unsafe_code, reason = "std gives no advice")]
fn ask_for_huge_pages(memory: &mut [u8]) {
    let start = memory.as_mut_ptr();
    let skipped = start.align_offset(PAGE_BYTES);
    let length = memory.len().saturating_sub(skipped);
    // SAFETY: within the memory, and advice changes nothing in it.
    unsafe {
        libc::madvise(
            start.wrapping_add(skipped).cast(),
            length,
            libc::MADV_HUGEPAGE,
        )
    };
}

fn measure(executions: usize) -> Outcome<()> {
    let program = File::open("/proc/self/exe")?;
    let rows = [
        ("new process", run(1, executions, || Ok(bare()))?),
        ("new process, 2 clients", run(2, executions, || Ok(bare()))?),
        (
            "server, start to stop",
            run(1, 200, || Ok(server(&program)))?,
        ),
        ("jailed child", with_servers(&program, 1, executions)?),
        (
            "jailed child, 2 clients",
            with_servers(&program, 2, executions)?,
        ),
        (
            "jailed child, 4 clients",
            with_servers(&program, 4, executions)?,
        ),
        ("kill, 64 MB touched", kills(&program, b"touch", 200)?),
        (
            "kill, 64 MB, huge pages",
            kills(&program, b"touch huge", 200)?,
        ),
    ];
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<26}{:>10}{:>10}{:>10}",
        "", "p50 µs", "p99 µs", "a second"
    )?;
    for (name, row) in rows {
        writeln!(
            out,
            "{name:<26}{:>10}{:>10}{:>10}",
            row.median.as_micros(),
            row.worst.as_micros(),
            row.each_second
        )?;
    }
    Ok(())
}

struct Row {
    median: Duration,
    worst: Duration,
    each_second: u128,
}

impl Row {
    fn of(mut times: Vec<Duration>, whole: Duration) -> Self {
        times.sort_unstable();
        let count = times.len();
        let at = |part: usize| {
            times
                .get(count.saturating_mul(part).checked_div(1000).unwrap_or(0))
                .copied()
                .unwrap_or_default()
        };
        Self {
            median: at(500),
            worst: at(990),
            each_second: each_second(count, whole),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement is about time")]
fn now() -> Instant {
    Instant::now()
}

fn timed(step: &mut impl FnMut() -> Outcome<()>) -> Outcome<Duration> {
    let start = now();
    step()?;
    Ok(start.elapsed())
}

/// So many clients at once, each of which does its steps one after the other.
fn run<S: FnMut() -> Outcome<()>>(
    clients: usize,
    executions: usize,
    make: impl Fn() -> Outcome<S> + Sync,
) -> Outcome<Row> {
    let start = now();
    let each = executions.checked_div(clients).unwrap_or(0);
    let times = thread::scope(|scope| {
        let one = || -> Outcome<Vec<Duration>> {
            let mut step = make()?;
            let times: Outcome<Vec<Duration>> = (0..each.saturating_add(WARM_UP))
                .map(|_| timed(&mut step))
                .collect();
            Ok(times?.split_off(WARM_UP))
        };
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(one)).collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err("a client died".into()))
            })
            .collect::<Outcome<Vec<_>>>()
    })?;
    let whole = start.elapsed();
    let mut row = Row::of(times.concat(), whole);
    // The warm-up took its part of the time.
    row.each_second = each_second(each.saturating_add(WARM_UP).saturating_mul(clients), whole);
    Ok(row)
}

fn each_second(count: usize, whole: Duration) -> u128 {
    let count = u128::try_from(count).unwrap_or(0).saturating_mul(1_000_000);
    count.checked_div(whole.as_micros()).unwrap_or(0)
}

fn bare() -> impl FnMut() -> Outcome<()> {
    let mut command = Command::new("/proc/self/exe");
    command.arg("null").env_clear();
    move || {
        let status = command.status()?;
        if status.success() {
            Ok(())
        } else {
            Err("the bare program failed".into())
        }
    }
}

fn server(program: &File) -> impl FnMut() -> Outcome<()> {
    || {
        Server::start(program.as_fd(), &START, None)?.stop()?;
        Ok(())
    }
}

fn with_servers(program: &File, clients: usize, executions: usize) -> Outcome<Row> {
    run(clients, executions, || {
        let server = Server::start(program.as_fd(), &START, None)?;
        Ok(move || {
            let child = server.take()?;
            let answer = child.ask(b"hello", None, 100)?;
            child.wait()?;
            if answer == b"hello" {
                Ok(())
            } else {
                Err("another answer".into())
            }
        })
    })
}

fn kills(program: &File, request: &[u8], count: usize) -> Outcome<Row> {
    let server = Server::start(program.as_fd(), &START, None)?;
    let start = now();
    let mut times = Vec::new();
    for _ in 0..count {
        let child = server.take()?;
        child.ask(request, None, 100)?;
        times.push(timed(&mut || {
            child.kill()?;
            Ok(child.wait()?)
        })?);
    }
    Ok(Row::of(times, start.elapsed()))
}
