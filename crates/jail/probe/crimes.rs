//! What a guest that has been taken over might try.

#![expect(
    unsafe_code,
    reason = "a guest that has been taken over does what it likes"
)]

use std::{
    arch::asm,
    os::fd::{AsFd as _, AsRawFd as _, OwnedFd},
    ptr,
    sync::atomic::{AtomicI32, Ordering},
    time::Duration,
};

use jail::{Deadline, Mapped, Report, frame, server::Connection, wire::Said};

const PAGE: usize = 4096;
const X32: i64 = 0x4000_0000;

/// Where the handler of the deadline sends what there is.
static CONNECTION: AtomicI32 = AtomicI32::new(-1);

/// The text of an artifact.
pub(crate) fn text_of(artifact: &OwnedFd) -> Result<String, String> {
    let bytes = Mapped::sealed(artifact.as_fd()).map_err(|err| err.to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Crimes of the server itself, before it has children.
pub(crate) fn commit_in_server(crime: &str) -> Result<(), String> {
    match crime.split_once(' ') {
        Some(("call", number)) => Err(format!("returned {}", call(parse(number)))),
        Some(("flood", _)) => flood_host(),
        Some(("spin", _)) => loop {
            std::hint::spin_loop();
        },
        Some(("fail", reason)) => Err(reason.to_owned()),
        _ => Err(format!("no such crime: {crime}")),
    }
}

/// Says it is ready, and then that there is no child, again and again.
fn flood_host() -> ! {
    let say = |said: Said| {
        let bytes = said.encode();
        // SAFETY: the bytes live through the call; standard input is the control socket.
        unsafe { libc::write(0, bytes.as_ptr().cast(), bytes.len()) }
    };
    say(Said::Ready(Report::default()));
    while say(Said::NoChild("none".to_owned())) > 0 {}
    jail_exit(0)
}

/// Commits one and tells what came of it, if it lives to tell.
pub(crate) fn commit(
    verb: &str,
    argument: &str,
    connection: &Connection,
    deadline: Deadline,
) -> String {
    let number = || parse(argument);
    match verb {
        "call" => format!("returned {}", call(number())),
        "x32" => format!("returned {}", call(number() | X32)),
        "i386" => format!("returned {}", call_i386(number())),
        "map" => map(argument),
        "run-code" => run_code(),
        "fork-flags" => format!(
            "returned {}",
            raw(libc::SYS_clone, [number(), 0, 0, 0, 0, 0])
        ),
        "touch" => touch(number(), connection),
        "memory-bomb" => memory_bomb(number()),
        "spin" => loop {
            std::hint::spin_loop();
        },
        "hog" => hog(number()),
        "wait" => wait(connection),
        "overlong" => overlong(number(), connection),
        "torn" => torn(number(), connection),
        "flood" => flood(connection),
        "late" => late(number(), connection, deadline),
        "end" => jail_exit(number()),
        "abort" => std::process::abort(),
        _ => format!("no such crime: {verb}"),
    }
}

fn parse(number: &str) -> i64 {
    number.parse().unwrap_or(-1)
}

fn raw(number: i64, arguments: [i64; 6]) -> i64 {
    let [first, second, third, fourth, fifth, sixth] = arguments;
    // SAFETY: none: this is the crime.
    unsafe { libc::syscall(number, first, second, third, fourth, fifth, sixth) }
}

/// A call with arguments of nothing; for one that is allowed this is harmless or fails.
fn call(number: i64) -> i64 {
    raw(number, [0; 6])
}

/// The same through the door of 32-bit programs.
fn call_i386(number: i64) -> i64 {
    let mut answer = number;
    // SAFETY: none: this is the crime. The compiler keeps rbx for itself, so it is put back.
    unsafe {
        asm!("xchg {spare}, rbx", "int 0x80", "xchg {spare}, rbx", spare = inout(reg) 0_i64 => _, inout("rax") answer,
            in("rcx") 0, in("rdx") 0, in("rsi") 0, in("rdi") 0);
    }
    answer
}

/// Maps memory in the ways given: `protection flags`, as numbers.
fn map(ways: &str) -> String {
    let (protection, flags) = ways.split_once(' ').unwrap_or(("", ""));
    let length = i64::try_from(PAGE).unwrap_or(0);
    format!(
        "returned {}",
        raw(
            libc::SYS_mmap,
            [0, length, parse(protection), parse(flags), -1, 0]
        )
    )
}

/// Makes code of its own and runs it.
pub(crate) fn run_code() -> String {
    const RETURN: u8 = 0xc3;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: none: this is the crime.
    unsafe {
        let page = libc::mmap(
            ptr::null_mut(),
            PAGE,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            -1,
            0,
        );
        page.cast::<u8>().write(RETURN);
        if libc::mprotect(page, PAGE, libc::PROT_READ | libc::PROT_EXEC) != 0 {
            return "refused".to_owned();
        }
        std::mem::transmute::<*mut libc::c_void, extern "C" fn()>(page)();
    }
    "ran".to_owned()
}

/// Touches so many MB, says so, and waits to be killed.
fn touch(megabytes: i64, connection: &Connection) -> String {
    let bytes = usize::try_from(megabytes).unwrap_or(0) << 20;
    let mut memory = vec![0_u8; bytes];
    for page in memory.chunks_mut(PAGE) {
        page.fill(1);
    }
    connection.send(&[b"touched"]).ok();
    std::hint::black_box(&memory);
    wait(connection)
}

/// Takes memory in every way it knows until there is no more; the answer is how many MB it got.
fn memory_bomb(limit_megabytes: i64) -> String {
    jail::lower_memory(u64::try_from(limit_megabytes).unwrap_or(0) << 20).ok();
    let mut megabytes = 0_u64;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    loop {
        // SAFETY: a new mapping, written within its bounds.
        unsafe {
            let block = libc::mmap(
                ptr::null_mut(),
                1 << 20,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            );
            if block == libc::MAP_FAILED {
                return megabytes.to_string();
            }
            ptr::write_bytes(block.cast::<u8>(), 1, 1 << 20);
        }
        megabytes = megabytes.saturating_add(1);
    }
}

/// Uses the processor until the limit of so many seconds.
fn hog(seconds: i64) -> String {
    jail::lower_cpu(u64::try_from(seconds).unwrap_or(0)).ok();
    loop {
        std::hint::spin_loop();
    }
}

/// Says nothing until the host goes away.
fn wait(connection: &Connection) -> String {
    connection.receive(0).ok();
    jail_exit(0)
}

/// Promises so many bytes and sends three.
fn overlong(bytes: i64, connection: &Connection) -> String {
    let header = u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    write(connection, &header);
    write(connection, b"abc");
    jail_exit(0)
}

/// Sends so many bytes of a message of ten.
fn torn(bytes: i64, connection: &Connection) -> String {
    let whole = [10, 0, 0, 0, b'a', b'b', b'c'];
    write(
        connection,
        whole
            .get(..usize::try_from(bytes).unwrap_or(0))
            .unwrap_or(&whole),
    );
    jail_exit(0)
}

/// Writes as long as anybody takes it.
fn flood(connection: &Connection) -> String {
    let block = [7_u8; PAGE];
    while write(connection, &block) {}
    jail_exit(0)
}

fn write(connection: &Connection, bytes: &[u8]) -> bool {
    // SAFETY: the bytes live through the call.
    unsafe {
        libc::write(
            connection.as_fd().as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
        ) > 0
    }
}

/// Spins with a deadline of so many milliseconds, at which it sends what it has.
fn late(milliseconds: i64, connection: &Connection, deadline: Deadline) -> String {
    CONNECTION.store(connection.as_fd().as_raw_fd(), Ordering::Relaxed);
    let after = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
    if let Err(err) = deadline.arm(after, send_what_there_is) {
        return err.to_string();
    }
    loop {
        std::hint::spin_loop();
    }
}

fn send_what_there_is() {
    // SAFETY: the connection stays open as long as the process lives.
    let connection =
        unsafe { std::os::fd::BorrowedFd::borrow_raw(CONNECTION.load(Ordering::Relaxed)) };
    frame::send(connection, &[b"as far ", b"as it got"]).ok();
}

fn jail_exit(code: i64) -> ! {
    raw(libc::SYS_exit_group, [code, 0, 0, 0, 0, 0]);
    unreachable!("nothing comes after the end")
}
