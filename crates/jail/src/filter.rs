//! The list of allowed system calls as a program for the kernel's filter.
//!
//! The kernel keeps a table of calls that are allowed whatever their arguments, so those cost nothing; only the few whose arguments
//! are looked at run the program. Putting a filter up costs about 2 µs a line, which is why a child's own is so short.

use std::io;

use crate::sys;

/// A system call, and what its arguments must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    pub number: i64,
    pub name: &'static str,
    /// Who needs it and for what.
    pub reason: &'static str,
    /// All must hold.
    pub arguments: &'static [Argument],
}

/// One condition on an argument, all 64 bits of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    /// From 0 to 5.
    pub place: u8,
    pub rule: Rule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Exactly this.
    Is(u64),
    /// No bit outside these.
    Within(u64),
}

/// A program for the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(Vec<Line>);

/// The kernel's `struct sock_filter`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    code: u16,
    if_true: u8,
    if_false: u8,
    value: u32,
}

/// The kernel's `struct sock_fprog`.
#[repr(C)]
struct Program {
    len: u16,
    lines: usize,
}

const LOAD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_BITS: u16 = 0x45;
const RETURN: u16 = 0x06;

const ALLOW: u32 = 0x7fff_0000;
const KILL_PROCESS: u32 = 0x8000_0000;
const REFUSE: u32 = 0x0005_0000;

/// `AUDIT_ARCH_X86_64`. The i386 door has another number; x32 has this one, but bit 30 in each call's number, which no list has.
const ARCHITECTURE: u32 = 0xc000_003e;
const OFFSET_NUMBER: u32 = 0;
const OFFSET_ARCHITECTURE: u32 = 4;
const OFFSET_ARGUMENTS: u32 = 16;
/// Both `mmap` and `mprotect` take the protection as their third argument.
const OFFSET_PROTECTION: u32 = OFFSET_ARGUMENTS + 16;
/// `PROT_EXEC`.
const RUNNABLE: u32 = 4;

impl Filter {
    /// Allows these calls and kills the process at any other, and at any through another door.
    pub fn only(calls: &[Call]) -> Self {
        let mut filter = Self(vec![
            load(OFFSET_ARCHITECTURE),
            jump(JUMP_EQUAL, ARCHITECTURE, 1, 0),
            give(KILL_PROCESS),
            load(OFFSET_NUMBER),
        ]);
        for call in calls {
            filter.allow(call);
        }
        filter.0.push(give(KILL_PROCESS));
        filter
    }

    /// Allows these calls; with other arguments than theirs they are not permitted, and any other call does not exist, so that
    /// programs which try the newest call first go on with an older one. Another door kills.
    pub fn lenient(calls: &[Call]) -> Self {
        const NOT_PERMITTED: u32 = 1;
        const NO_SUCH_CALL: u32 = 38;
        let mut filter = Self(vec![
            load(OFFSET_ARCHITECTURE),
            jump(JUMP_EQUAL, ARCHITECTURE, 1, 0),
            give(KILL_PROCESS),
            load(OFFSET_NUMBER),
        ]);
        for call in calls {
            filter.checked(call, ALLOW, REFUSE | NOT_PERMITTED);
        }
        filter.0.push(give(REFUSE | NO_SUCH_CALL));
        filter
    }

    /// To be stacked on [`Filter::only`]: takes calls away, and from others the right to make memory runnable.
    ///
    /// Every child puts it up, so it is short: 8.6 µs for one line, 9.9 µs for taking four calls away.
    pub fn narrower(gone: &[Call], no_code: &[Call]) -> Self {
        let to = |lines: usize| u8::try_from(lines).unwrap_or(u8::MAX);
        let (all, ends) = (no_code.len().saturating_add(gone.len()), 3);
        let mut lines = vec![load(OFFSET_NUMBER)];
        let after = |place: usize| all.saturating_sub(place.saturating_add(1));
        // Behind the numbers: allow; then, for those that may not make code, the look at the protection; then the end.
        lines.extend(no_code.iter().enumerate().map(|(place, call)| {
            jump(
                JUMP_EQUAL,
                number(call),
                to(after(place).saturating_add(1)),
                0,
            )
        }));
        lines.extend(gone.iter().enumerate().map(|(place, call)| {
            let place = place.saturating_add(no_code.len());
            jump(
                JUMP_EQUAL,
                number(call),
                to(after(place).saturating_add(1).saturating_add(ends)),
                0,
            )
        }));
        lines.extend([
            give(ALLOW),
            load(OFFSET_PROTECTION),
            jump(JUMP_BITS, RUNNABLE, 1, 0),
            give(ALLOW),
            give(KILL_PROCESS),
        ]);
        Self(lines)
    }

    /// Has these calls fail with `error` and allows all others: how a test takes a layer away.
    pub fn refusing(calls: &[Call], error: u16) -> Self {
        let mut filter = Self(vec![load(OFFSET_NUMBER)]);
        for call in calls {
            filter.checked(call, REFUSE | u32::from(error), ALLOW);
        }
        filter.0.push(give(ALLOW));
        filter
    }

    /// Puts the filter up, for good, over those that are up already.
    #[expect(unsafe_code, reason = "std has no seccomp")]
    pub fn put_up(&self) -> io::Result<()> {
        const SET_MODE_FILTER: usize = 1;
        let len = u16::try_from(self.0.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let program = Program {
            len,
            lines: self.0.as_ptr().expose_provenance(),
        };
        // SAFETY: the kernel reads the program and its lines, which live through the call.
        unsafe { sys::call(libc::SYS_seccomp, [SET_MODE_FILTER, 0, sys::at(&program)])? };
        Ok(())
    }

    fn allow(&mut self, call: &Call) {
        self.checked(call, ALLOW, KILL_PROCESS);
    }

    /// `good` if the number is this call's and its arguments are as they must be, `bad` if only the number is; falls through if not.
    fn checked(&mut self, call: &Call, good: u32, bad: u32) {
        let mut body = Vec::new();
        for argument in call.arguments {
            for half in 0..2_u32 {
                let offset = u32::from(argument.place)
                    .saturating_mul(8)
                    .saturating_add(half.saturating_mul(4))
                    .saturating_add(OFFSET_ARGUMENTS);
                body.push(load(offset));
                match argument.rule {
                    Rule::Is(value) => body.push(jump(JUMP_EQUAL, half_of(value, half), 1, 0)),
                    Rule::Within(bits) => body.push(jump(JUMP_BITS, half_of(!bits, half), 0, 1)),
                }
                body.push(give(bad));
            }
        }
        body.push(give(good));
        // No call has more than six arguments, so a body is at most 37 lines.
        let past = u8::try_from(body.len()).unwrap_or(u8::MAX);
        self.0.push(jump(JUMP_EQUAL, number(call), 0, past));
        self.0.append(&mut body);
    }
}

fn number(call: &Call) -> u32 {
    u32::try_from(call.number).unwrap_or(u32::MAX)
}

fn half_of(value: u64, half: u32) -> u32 {
    let shifted = if half == 0 { value } else { value >> 32 };
    u32::try_from(shifted & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

const fn load(offset: u32) -> Line {
    Line {
        code: LOAD,
        if_true: 0,
        if_false: 0,
        value: offset,
    }
}

const fn jump(code: u16, value: u32, if_true: u8, if_false: u8) -> Line {
    Line {
        code,
        if_true,
        if_false,
        value,
    }
}

const fn give(verdict: u32) -> Line {
    Line {
        code: RETURN,
        if_true: 0,
        if_false: 0,
        value: verdict,
    }
}
