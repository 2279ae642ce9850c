//! What an executor and the process of a guest say to each other: one message each way.
//!
//! The guest's process believes the executor; the executor bounds and checks whatever a guest's process says.

use std::io::{self, Read, Write};
use std::time::Duration;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::outcome::Outcome;
use crate::profile::{self, Stack};
use crate::run::Run;

/// Frames of a backtrace that are told, the innermost ones.
pub const MAX_FRAMES: usize = 64;

/// The longest name of a function in a backtrace, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// Readings of the clock are the longest part of a report besides the output: eight bytes each.
const READINGS_BYTES: usize = 8 << 17;

/// Room in an answer for all but the output and the messages.
pub const REPORT_SLACK_BYTES: usize =
    READINGS_BYTES + MAX_FRAMES * (MAX_NAME_BYTES + 32) + (16 << 10);

/// Room for a profile.
pub const PROFILE_BYTES: usize = profile::MAX_STACKS * (profile::MAX_DEPTH * 4 + 12);

/// What a guest's process is asked: one run.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct Ask {
    /// What the guest is given.
    pub run: Run,
    /// Whether the code counts exactly up to every trap; see [`metering`].
    pub is_exact: bool,
}

/// What a guest's process answers.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Told {
    /// The guest ended.
    Ran(Box<Report>),
    /// The compiled code is of another engine, or damaged.
    Unusable(String),
    /// The process itself failed.
    Failed(String),
}

/// How a guest ended. Its output and messages follow it as they are.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Report {
    /// How it ended; the backtrace of a trap is in `frames`.
    pub outcome: Outcome,
    /// What was charged; above the limit if the guest overdrew it.
    pub charged: u64,
    /// Whether `charged` is exact. If not, code that counts exactly tells what it was.
    pub is_exact: bool,
    /// Where it trapped, the innermost frame first.
    pub frames: Vec<Frame>,
    /// Bytes of output, which follow.
    pub stdout_bytes: u32,
    /// Bytes of messages, which follow the output.
    pub stderr_bytes: u32,
    /// Bytes of messages that were dropped.
    pub stderr_dropped: u64,
    /// The most linear memory it had.
    pub memory_peak_bytes: u64,
    /// What it gave back of the dollars that were attached. Unit: millionths.
    pub refund_usd: Option<u64>,
    /// What it read of the machine's clock; `None` if it was more than is kept.
    pub readings: Option<Vec<u64>>,
    /// Where its gas went, if its code was made to tell.
    pub profile: Vec<Stack>,
}

/// A frame of a backtrace.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Frame {
    /// The function's number, imported ones counted.
    pub function: u32,
    /// Its name, as the module has it.
    pub name: Option<String>,
    /// The place in the body of the metered function, in bytes.
    pub offset: Option<u32>,
}

/// An answer and the bytes that follow it.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The answer.
    pub told: Told,
    /// The output.
    pub stdout: &'a [u8],
    /// The messages.
    pub stderr: &'a [u8],
}

/// The longest answer about a guest that ran out of time, without the bytes that follow.
pub const SHORT_BYTES: usize = 128;

/// What is told, and before it its length: the first parts of an answer, which the output and the messages follow.
pub fn head(told: &Told) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    told.serialize(&mut bytes)?;
    let length = u32::try_from(bytes.len().saturating_sub(4)).map_err(io::Error::other)?;
    if let Some(head) = bytes.first_chunk_mut() {
        *head = length.to_le_bytes();
    }
    Ok(bytes)
}

/// As [`head`] of [`Told::Ran`], into `room` and without allocating, for a signal handler: what was used of `room`.
pub fn head_of_report<'a>(
    report: &Report,
    room: &'a mut [u8; SHORT_BYTES],
) -> io::Result<&'a [u8]> {
    /// The number by which borsh names the first of the things told.
    const RAN: u8 = 0;
    let (length, body) = room
        .split_first_chunk_mut::<4>()
        .ok_or(io::ErrorKind::Other)?;
    let most = body.len();
    let mut rest = &mut *body;
    RAN.serialize(&mut rest)?;
    report.serialize(&mut rest)?;
    let used = most.saturating_sub(rest.len());
    *length = u32::try_from(used).map_err(io::Error::other)?.to_le_bytes();
    room.get(..used.saturating_add(4))
        .ok_or_else(|| io::ErrorKind::Other.into())
}

/// Reads an answer that has come as a whole.
pub fn parse(message: &[u8]) -> io::Result<Answer<'_>> {
    let short = || {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "the answer's lengths do not fit",
        )
    };
    let (length, rest) = message.split_first_chunk().ok_or_else(short)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(io::Error::other)?;
    let (head, rest) = rest.split_at_checked(length).ok_or_else(short)?;
    let told: Told = borsh::from_slice(head)?;
    let (stdout, stderr) = match &told {
        Told::Ran(report) => {
            let stdout = usize::try_from(report.stdout_bytes).map_err(io::Error::other)?;
            let stderr = usize::try_from(report.stderr_bytes).map_err(io::Error::other)?;
            let (stdout, rest) = rest.split_at_checked(stdout).ok_or_else(short)?;
            if rest.len() != stderr {
                return Err(short());
            }
            (stdout, rest)
        }
        Told::Unusable(_) | Told::Failed(_) if rest.is_empty() => (rest, rest),
        Told::Unusable(_) | Told::Failed(_) => return Err(short()),
    };
    Ok(Answer {
        told,
        stdout,
        stderr,
    })
}

/// A duration as seconds and nanoseconds.
pub(crate) fn write_duration(duration: &Duration, to: &mut impl Write) -> io::Result<()> {
    (duration.as_secs(), duration.subsec_nanos()).serialize(to)
}

/// The inverse of [`write_duration`].
pub(crate) fn read_duration(from: &mut impl Read) -> io::Result<Duration> {
    let (seconds, nanos) = <(u64, u32)>::deserialize_reader(from)?;
    Duration::from_secs(seconds)
        .checked_add(Duration::from_nanos(nanos.into()))
        .ok_or_else(|| io::Error::other("the duration is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            outcome: Outcome::OutOfTime,
            charged: u64::MAX,
            is_exact: true,
            frames: Vec::new(),
            stdout_bytes: 3,
            stderr_bytes: 2,
            stderr_dropped: 1,
            memory_peak_bytes: 65_536,
            refund_usd: None,
            readings: None,
            profile: Vec::new(),
        }
    }

    #[test]
    fn a_signal_handler_says_what_anybody_says() {
        let mut room = [0; SHORT_BYTES];

        let short = head_of_report(&report(), &mut room).unwrap().to_vec();

        assert_eq!(short, head(&Told::Ran(Box::new(report()))).unwrap());
        let message = [short.as_slice(), b"abc", b"de"].concat();
        let answer = parse(&message).unwrap();
        assert_eq!(answer.told, Told::Ran(Box::new(report())));
        assert_eq!((answer.stdout, answer.stderr), (&b"abc"[..], &b"de"[..]));
    }

    #[test]
    fn an_answer_whose_lengths_do_not_fit_is_no_answer() {
        let mut room = [0; SHORT_BYTES];
        let head = head_of_report(&report(), &mut room).unwrap().to_vec();

        for rest in [&b"abcd"[..], b"abcdef", b""] {
            let message = [head.as_slice(), rest].concat();
            assert!(parse(&message).is_err(), "{rest:?}");
        }
        for cut in 0..head.len() {
            assert!(parse(&head[..cut]).is_err(), "cut at {cut}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_damaged_answer_is_read_without_a_panic(at in 0_usize..64, byte: u8) {
            let mut message = head(&Told::Ran(Box::new(report()))).unwrap();
            message.extend_from_slice(b"abcde");
            if let Some(place) = message.get_mut(at) {
                *place = byte;
            }

            if let Ok(answer) = parse(&message) {
                let kept = answer.stdout.len().saturating_add(answer.stderr.len());
                assert!(kept <= message.len());
            }
        }
    }
}
