//! The layers by name, and the report of which of them stand.

use std::{fmt, io};

/// One thing that keeps a jailed process in. `docs/sandbox.md` says what each stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Only the descriptors of the plan are open; 0, 1 and 2 lead nowhere unless the plan keeps them.
    Descriptors,
    /// As root: the process runs as nobody, outside as well as inside.
    Identity,
    UserNamespace,
    Limits,
    MountNamespace,
    IpcNamespace,
    UtsNamespace,
    NetworkNamespace,
    /// The root folder is empty and read-only, and the old one is gone.
    EmptyRoot,
    /// The name of the machine says nothing.
    Hostname,
    PidNamespace,
    /// Everything dies with the process that started it.
    DiesWithHost,
    Capabilities,
    NoNewPrivileges,
    Landlock,
    /// No core dump, and nobody of the same user looks inside.
    Undumpable,
    SystemCalls,
    /// Of a room: the root folder holds what the room was given and nothing else, and the old one is gone.
    PrivateRoot,
}

impl Layer {
    /// The layers of [`enter`](fn@crate::enter).
    pub const ALL: [Self; 17] = [
        Self::Descriptors,
        Self::Identity,
        Self::UserNamespace,
        Self::Limits,
        Self::MountNamespace,
        Self::IpcNamespace,
        Self::UtsNamespace,
        Self::NetworkNamespace,
        Self::EmptyRoot,
        Self::Hostname,
        Self::PidNamespace,
        Self::DiesWithHost,
        Self::Capabilities,
        Self::NoNewPrivileges,
        Self::Landlock,
        Self::Undumpable,
        Self::SystemCalls,
    ];

    /// The layers of a [`Room`](crate::room::Room).
    pub const ROOM: [Self; 17] = [
        Self::Descriptors,
        Self::UserNamespace,
        Self::MountNamespace,
        Self::IpcNamespace,
        Self::UtsNamespace,
        Self::NetworkNamespace,
        Self::PidNamespace,
        Self::PrivateRoot,
        Self::Hostname,
        Self::Identity,
        Self::Limits,
        Self::Capabilities,
        Self::NoNewPrivileges,
        Self::DiesWithHost,
        Self::Undumpable,
        Self::Landlock,
        Self::SystemCalls,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Descriptors => "descriptors",
            Self::Identity => "identity",
            Self::UserNamespace => "user namespace",
            Self::Limits => "limits",
            Self::MountNamespace => "mount namespace",
            Self::IpcNamespace => "ipc namespace",
            Self::UtsNamespace => "uts namespace",
            Self::NetworkNamespace => "network namespace",
            Self::EmptyRoot => "empty root",
            Self::Hostname => "hostname",
            Self::PidNamespace => "pid namespace",
            Self::DiesWithHost => "dies with host",
            Self::Capabilities => "capabilities",
            Self::NoNewPrivileges => "no new privileges",
            Self::Landlock => "landlock",
            Self::Undumpable => "undumpable",
            Self::SystemCalls => "system calls",
            Self::PrivateRoot => "private root",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A layer that this machine would not give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    pub layer: Layer,
    pub reason: String,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.layer, self.reason)
    }
}

/// What [`enter`](fn@crate::enter) put up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Empty unless the plan allows layers to be missing.
    pub missing: Vec<Lack>,
    /// The version of landlock's interface that this kernel speaks: 1 closes files, 4 TCP, 6 signals and abstract sockets. 0: none.
    pub landlock_abi: u8,
}

impl Report {
    /// Runs one step and notes the layer as missing if it fails.
    pub(crate) fn put_up(&mut self, layer: Layer, step: impl FnOnce() -> io::Result<()>) -> bool {
        let outcome = step();
        if let Err(err) = &outcome {
            self.missing.push(Lack {
                layer,
                reason: err.to_string(),
            });
        }
        outcome.is_ok()
    }
}

/// The jail was refused: these layers could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub Vec<Lack>);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no jail without ")?;
        for (place, lack) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{lack}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Missing {}
