//! The one module that prints. Everything the command says goes through here, for people or, with `--json`, for scripts.

use std::io::Write as _;

use serde::Serialize;

/// Who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// A person at a terminal.
    People,
    /// A script: one JSON object a line, on stdout.
    Scripts,
}

impl Voice {
    /// Says a line to people; scripts do not hear it.
    pub fn line(self, text: impl AsRef<str>) {
        if self == Self::People {
            put(text.as_ref());
        }
    }

    /// Says a result: the text to people, the value to scripts.
    pub fn result(self, text: impl AsRef<str>, value: &impl Serialize) {
        match self {
            Self::People => put(text.as_ref()),
            Self::Scripts => {
                put(&serde_json::to_string(value).unwrap_or_else(|err| err.to_string()));
            }
        }
    }
}

/// A closed pipe is the reader's wish to hear no more, not a failure.
fn put(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}");
    let _ = stdout.flush();
}

/// Says why the command failed, on stderr.
pub fn failure(voice: Voice, err: &anyhow::Error) {
    let mut stderr = std::io::stderr().lock();
    let _ = match voice {
        Voice::People => writeln!(stderr, "error: {err:#}"),
        Voice::Scripts => writeln!(
            stderr,
            "{}",
            serde_json::json!({ "error": "failed", "message": format!("{err:#}") })
        ),
    };
}
