//! What the host and the server say to each other over the control socket: short messages that keep their bounds.

use crate::{
    enter::MissingLayers,
    layer::{Lack, Layer, Report},
    limits::Limits,
};

/// The longest message either way.
pub const MOST_BYTES: usize = 4096;

/// The most children a server keeps waiting: their descriptors wait in the control socket, which holds a few hundred messages.
pub const MOST_AHEAD: u16 = 64;

/// Longest text that goes into a message.
const MOST_TEXT_BYTES: usize = 160;
/// Changes with every change to a message: the host and the program it starts are built together.
const VERSION: u8 = 1;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a message of the control socket that makes no sense: {0}")]
pub struct Garbled(pub(crate) &'static str);

/// Where an artifact's code is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// By the server, before it forks: its children may make nothing runnable.
    InServer,
    /// By each child, from the descriptor that comes with its request.
    InChildren,
}

/// The host's first message; an artifact's descriptor may come with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Children that wait for a request, at most [`MOST_AHEAD`].
    pub ahead: u16,
    pub code: Code,
    pub missing_layers: MissingLayers,
    pub limits: Limits,
}

/// The host's every later message: a child has been taken, fork another.
pub(crate) const TAKEN: &[u8] = &[1];

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The jail stands and the guest is ready.
    Ready(Report),
    /// The jail was refused.
    Refused(Vec<Lack>),
    /// The guest could not be made ready.
    Unprepared(String),
    /// A child waits; its connection and its pidfd come along.
    Child,
    /// No child could be forked.
    NoChild(String),
}

impl Start {
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![
            VERSION,
            u8::from(self.code == Code::InChildren),
            u8::from(self.missing_layers == MissingLayers::Allowed),
        ];
        bytes.extend(self.ahead.to_le_bytes());
        let Limits {
            descriptors,
            processes,
            memory_bytes,
            address_space_bytes,
            stack_bytes,
            cpu_seconds,
        } = self.limits;
        // No process has used no time at all, so 0 is free to mean none.
        for number in [
            descriptors,
            processes,
            memory_bytes,
            address_space_bytes,
            stack_bytes,
            cpu_seconds.unwrap_or(0),
        ] {
            bytes.extend(number.to_le_bytes());
        }
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Garbled> {
        let mut bytes = Bytes(bytes);
        if bytes.byte()? != VERSION {
            return Err(Garbled("another version"));
        }
        let code = if bytes.flag()? {
            Code::InChildren
        } else {
            Code::InServer
        };
        let missing_layers = if bytes.flag()? {
            MissingLayers::Allowed
        } else {
            MissingLayers::Refused
        };
        let ahead = u16::from_le_bytes(bytes.array()?);
        let mut number = || bytes.array().map(u64::from_le_bytes);
        let limits = Limits {
            descriptors: number()?,
            processes: number()?,
            memory_bytes: number()?,
            address_space_bytes: number()?,
            stack_bytes: number()?,
            cpu_seconds: Some(number()?).filter(|seconds| *seconds > 0),
        };
        bytes.end()?;
        let start = Self {
            ahead,
            code,
            missing_layers,
            limits,
        };
        start.check().map(|()| start)
    }

    pub(crate) const fn check(&self) -> Result<(), Garbled> {
        if self.ahead == 0 || self.ahead > MOST_AHEAD {
            return Err(Garbled("a number of children out of bounds"));
        }
        Ok(())
    }
}

const READY: u8 = 1;
const REFUSED: u8 = 2;
const UNPREPARED: u8 = 3;
const CHILD: u8 = 4;
const NO_CHILD: u8 = 5;

impl Said {
    /// What goes with a child's descriptors, without allocating.
    pub(crate) const CHILD_BYTES: &'static [u8] = &[CHILD];

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Ready(report) => {
                bytes.extend([READY, report.landlock_abi]);
                put_lacks(&mut bytes, &report.missing);
            }
            Self::Refused(lacks) => {
                bytes.push(REFUSED);
                put_lacks(&mut bytes, lacks);
            }
            Self::Unprepared(reason) => put_text(&mut bytes, UNPREPARED, reason),
            Self::Child => bytes.extend(Self::CHILD_BYTES),
            Self::NoChild(reason) => put_text(&mut bytes, NO_CHILD, reason),
        }
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Garbled> {
        let mut bytes = Bytes(bytes);
        let said = match bytes.byte()? {
            READY => {
                let landlock_abi = bytes.byte()?;
                Self::Ready(Report {
                    landlock_abi,
                    missing: bytes.lacks()?,
                })
            }
            REFUSED => Self::Refused(bytes.lacks()?),
            UNPREPARED => Self::Unprepared(bytes.text()?),
            CHILD => Self::Child,
            NO_CHILD => Self::NoChild(bytes.text()?),
            _ => return Err(Garbled("an unknown kind")),
        };
        bytes.end()?;
        Ok(said)
    }
}

fn put_lacks(bytes: &mut Vec<u8>, lacks: &[Lack]) {
    let lacks = lacks
        .get(..lacks.len().min(Layer::ALL.len()))
        .unwrap_or_default();
    bytes.push(u8::try_from(lacks.len()).unwrap_or(0));
    for lack in lacks {
        let layer = Layer::ALL
            .iter()
            .position(|layer| *layer == lack.layer)
            .and_then(|place| u8::try_from(place).ok());
        put_text(bytes, layer.unwrap_or(u8::MAX), &lack.reason);
    }
}

fn put_text(bytes: &mut Vec<u8>, kind: u8, text: &str) {
    let text = text
        .get(..text.floor_char_boundary(MOST_TEXT_BYTES))
        .unwrap_or_default();
    bytes.extend([kind, u8::try_from(text.len()).unwrap_or(0)]);
    bytes.extend(text.as_bytes());
}

/// What is left of a message.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> Result<u8, Garbled> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn flag(&mut self) -> Result<bool, Garbled> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Garbled("a flag that is neither on nor off")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Garbled> {
        let (array, rest) = self
            .0
            .split_first_chunk()
            .ok_or(Garbled("it ends too early"))?;
        self.0 = rest;
        Ok(*array)
    }

    fn text(&mut self) -> Result<String, Garbled> {
        let len = usize::from(self.byte()?);
        let (text, rest) = self
            .0
            .split_at_checked(len)
            .ok_or(Garbled("it ends too early"))?;
        self.0 = rest;
        // It ends up in a log: no line breaks, no colours.
        Ok(String::from_utf8_lossy(text)
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .collect())
    }

    fn lacks(&mut self) -> Result<Vec<Lack>, Garbled> {
        let count = usize::from(self.byte()?);
        if count > Layer::ALL.len() {
            return Err(Garbled("more layers than there are"));
        }
        let mut lacks = Vec::with_capacity(count);
        for _ in 0..count {
            let layer = Layer::ALL
                .get(usize::from(self.byte()?))
                .ok_or(Garbled("an unknown layer"))?;
            lacks.push(Lack {
                layer: *layer,
                reason: self.text()?,
            });
        }
        Ok(lacks)
    }

    fn end(&self) -> Result<(), Garbled> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Garbled("bytes follow its end"))
        }
    }
}
