//! A guest process's answer, read with distrust, and the execution that it comes to.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use guest::wire::{self, Frame, Report, Told};
use guest::{Limits, Outcome, TrapKind};
use metering::Refusal;

use super::Error;
use crate::child::wire::Origin;
use crate::execution::Execution;

/// What a guest's process told.
#[derive(Debug)]
pub(super) enum Answer {
    Ran(Ran),
    Unusable(String),
    Failed(String),
}

/// What a guest did.
#[derive(Debug)]
pub(super) struct Ran {
    report: Report,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Answer {
    /// The guest's doing, or why the code was not fit to run it.
    pub(super) fn usable(self) -> Result<Result<Ran, String>, Error> {
        match self {
            Self::Ran(ran) => Ok(Ok(ran)),
            Self::Unusable(reason) => Ok(Err(reason)),
            Self::Failed(reason) => Err(Error::Failed(reason)),
        }
    }
}

impl Ran {
    /// Reads an answer.
    pub(super) fn read(message: &[u8]) -> io::Result<Answer> {
        let answer = wire::parse(message)?;
        Ok(match answer.told {
            Told::Ran(report) => Answer::Ran(Self {
                report: *report,
                stdout: answer.stdout.to_vec(),
                stderr: answer.stderr.to_vec(),
            }),
            Told::Unusable(reason) => Answer::Unusable(reason),
            Told::Failed(reason) => Answer::Failed(reason),
        })
    }

    /// What is known of a guest whose process was killed.
    pub(super) const fn out_of_time() -> Self {
        Self {
            report: Report {
                outcome: Outcome::OutOfTime,
                charged: 0,
                is_exact: true,
                frames: Vec::new(),
                stdout_bytes: 0,
                stderr_bytes: 0,
                stderr_dropped: 0,
                memory_peak_bytes: 0,
                refund_usd: None,
                readings: None,
                profile: Vec::new(),
            },
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }

    /// What is said of a guest whose process ended without an answer each time: what it used is not known, so it is charged in full.
    pub(super) fn crashed(limits: &Limits) -> Self {
        let mut ran = Self::out_of_time();
        ran.report.charged = limits.instructions;
        ran.report.outcome = Outcome::Trapped {
            kind: TrapKind::Crash,
            backtrace: String::new(),
        };
        ran
    }

    pub(super) const fn is_exact(&self) -> bool {
        self.report.is_exact
    }

    pub(super) fn readings(&self) -> Option<&[u64]> {
        self.report.readings.as_deref()
    }

    /// Where it trapped; nothing of a guest that did not.
    pub(super) fn frames(&self) -> &[Frame] {
        match self.report.outcome {
            Outcome::Trapped { .. } => &self.report.frames,
            _ => &[],
        }
    }

    /// This, with the gas of a run that counted exactly, if that run was the same. One that took too long to be counted within the
    /// time that an answer has is charged in full.
    pub(super) fn counted_by(mut self, again: &Self, limits: &Limits) -> Result<Self, Error> {
        if again.report.outcome == Outcome::OutOfTime {
            self.report.charged = limits.instructions;
            return Ok(self);
        }
        if again.report.outcome != self.report.outcome || again.stdout != self.stdout {
            return Err(Error::Failed(format!(
                "counting again came to another end: {} and not {}",
                again.report.outcome, self.report.outcome
            )));
        }
        self.report.charged = again.report.charged;
        self.report.is_exact = again.report.is_exact;
        Ok(self)
    }

    /// An execution, with the guest held to the limits it was given.
    pub(super) fn settle(
        self,
        limits: &Limits,
        lines: &[Vec<Origin>],
        wall: Duration,
        compile: Option<Duration>,
    ) -> Execution {
        let Report {
            mut outcome,
            charged,
            frames,
            ..
        } = self.report;
        if let Outcome::Trapped { backtrace, .. } = &mut outcome {
            *backtrace = told(&frames, lines);
        }
        if charged > limits.instructions {
            outcome = Outcome::OutOfInstructions;
        }
        let cut = |mut bytes: Vec<u8>, most| {
            bytes.truncate(most);
            bytes
        };
        Execution {
            instructions: if outcome == Outcome::OutOfInstructions {
                limits.instructions
            } else {
                charged
            },
            outcome,
            stdout: cut(self.stdout, limits.stdout_bytes),
            stderr: cut(self.stderr, limits.stderr_bytes),
            stderr_dropped: self.report.stderr_dropped,
            wall: wall.min(limits.wall),
            memory_peak_bytes: self.report.memory_peak_bytes.min(limits.memory_bytes),
            compile,
            refund_usd: self.report.refund_usd,
            readings: self.report.readings,
            profile: self.report.profile,
        }
    }
}

impl Execution {
    /// The execution of a module that is not run.
    pub(super) fn refused(refusal: Refusal, compile: Option<Duration>) -> Self {
        Self {
            outcome: match refusal {
                Refusal::BadModule { reason } => Outcome::BadModule { reason },
                Refusal::Feature { feature } => Outcome::Refused { feature },
            },
            stdout: Vec::new(),
            stderr: Vec::new(),
            stderr_dropped: 0,
            instructions: 0,
            wall: Duration::ZERO,
            memory_peak_bytes: 0,
            compile,
            refund_usd: None,
            readings: None,
            profile: Vec::new(),
        }
    }
}

/// A line for each frame, the innermost first; where the source is known, one for each function that was inlined there as well.
fn told(frames: &[Frame], lines: &[Vec<Origin>]) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    for (number, frame) in frames.iter().enumerate() {
        let name = match &frame.name {
            Some(name) => readable(name),
            None => format!("function {}", frame.function),
        };
        let lines = lines.get(number).map_or(&[][..], Vec::as_slice);
        if lines.is_empty() {
            let _ = writeln!(text, "{number}: {name}");
        }
        for Origin {
            function,
            file,
            line,
        } in lines
        {
            let name = function.as_deref().map_or_else(|| name.clone(), readable);
            let _ = writeln!(text, "{number}: {name} at {file}:{line}");
        }
    }
    text
}

/// A function's name without what the compiler adds to it.
fn readable(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}
