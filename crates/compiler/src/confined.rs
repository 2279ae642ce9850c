//! Runs a step of a build in the jail and tells what ended it, for every language alike.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::iter;
use std::path::Path;
use std::time::Duration;

use protocol::FailureCode;

use crate::error::Error;
use crate::jail::{Confine, SEEMING_ROOT, Step, Verdict};
use crate::process::{self, End, Ended, ProcessLimits};
use crate::progress::Drawings;

/// The longest place that is shown; paths in packages are shorter.
const LONGEST_PLACE: usize = 120;

/// Signs that a program got no more memory. The last is of one that somebody else killed: here only the kernel does that.
const MEMORY: &[&str] = &[
    "memory allocation of ",
    "LLVM ERROR: out of memory",
    "JavaScript heap out of memory",
    "Cannot allocate Wasm memory",
    "Cannot allocate memory",
    "virtual memory exhausted",
    "(signal: 9, SIGKILL: kill)",
];

/// Signs that a program could write no more.
const DISK: &[&str] = &["No space left on device", "(os error 28)"];

/// A step that has ended.
pub(crate) struct Finished {
    pub(crate) ended: Ended,
    pub(crate) log: String,
    verdict: Verdict,
}

/// How a step is run.
pub(crate) struct Running<'a> {
    /// What logs call it.
    pub(crate) name: &'a str,
    /// What each of its processes may use.
    pub(crate) limits: &'a ProcessLimits,
    /// Wall-clock time.
    pub(crate) wall: Duration,
    /// Who is told of the progress that it draws, if it draws any.
    pub(crate) drawings: Option<Drawings>,
}

/// Runs `step`.
pub(crate) async fn run(
    jail: &dyn Confine,
    step: &Step,
    how: Running<'_>,
) -> Result<Finished, Error> {
    let ours = |error| Error::ours(format!("{}: {error}", how.name));
    // That of a step before it would be taken for its own.
    fs::remove_file(&step.account).ok();
    let command = jail.confine(step).map_err(ours)?;
    let ended = process::run_drawing(command, how.limits, how.wall, how.drawings)
        .await
        .map_err(ours)?;
    let verdict = jail.verdict(step).map_err(ours)?;
    Ok(Finished::of(ended, verdict, how.name))
}

impl Finished {
    pub(crate) fn of(ended: Ended, verdict: Verdict, name: &str) -> Self {
        Self {
            log: ended.log(name),
            ended,
            verdict,
        }
    }

    /// Why it failed, if it did; `explain` finds the sentence in what was printed.
    ///
    /// Never a network error: there is none, and what a build prints chooses no retry.
    pub(crate) fn failure(&self, explain: impl FnOnce(&Ended) -> Error) -> Option<Error> {
        let error = match from_outside(&self.ended, self.verdict.clone()) {
            Some(error) => error,
            None if self.ended.is_success() => return None,
            None => match by_signs(&self.ended.stderr) {
                Some(code) => Error::new(code),
                None => explain(&self.ended),
            },
        };
        let hidden = format!("{}{}", error.hidden_logs(), self.log);
        Some(error.hiding(hidden))
    }
}

/// The failure of a step that did not end by itself.
fn from_outside(ended: &Ended, verdict: Verdict) -> Option<Error> {
    match verdict {
        _ if ended.end == End::TimedOut => Some(Error::new(FailureCode::CompilationTimedOut)),
        Verdict::Unavailable { reason } => {
            Some(Error::new(FailureCode::JailUnavailable).hiding(format!("{reason}\n")))
        }
        Verdict::OutOfMemory => Some(Error::new(FailureCode::OutOfMemory)),
        Verdict::OutOfDisk => Some(Error::new(FailureCode::OutOfDisk)),
        Verdict::Held => None,
    }
}

/// Whether what was printed says that there was no more memory, or disk.
fn by_signs(text: &str) -> Option<FailureCode> {
    let has = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    if has(DISK) {
        Some(FailureCode::OutOfDisk)
    } else if has(MEMORY) {
        Some(FailureCode::OutOfMemory)
    } else {
        None
    }
}

/// A place that a compiler has named, as `file:line:column`, if it can be shown: a plain path, below one of `roots` if it is absolute.
pub(crate) fn shown_place<'a>(place: &'a str, roots: &[&str]) -> Option<&'a str> {
    let place = roots
        .iter()
        .find_map(|root| place.strip_prefix(root)?.strip_prefix('/'))
        .unwrap_or(place);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@+".contains(&byte);
    let is_below = !place.starts_with('/') && !place.contains("..");
    let is_short = place.len() <= LONGEST_PLACE;
    (is_below && is_short && place.bytes().all(is_plain)).then_some(place)
}

/// What `step` runs, as a line for a shell, with its own folders where they seem to be.
pub(crate) fn line_of(step: &Step) -> String {
    let folder = seeming(step.folder.as_os_str(), &step.root);
    let words =
        iter::once(step.program.as_os_str()).chain(step.args.iter().map(OsString::as_os_str));
    let words: Vec<_> = words
        .map(|word| quoted(&seeming(word, &step.root)))
        .collect();
    format!("cd {} && {}", quoted(&folder), words.join(" "))
}

fn seeming(word: &OsStr, root: &Path) -> String {
    let root = root.display().to_string();
    word.to_string_lossy().replace(&root, SEEMING_ROOT)
}

fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,@+%".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_the_folders_of_the_build_and_no_other_place_is() {
        let roots = ["/outlayer/source", "/outlayer"];
        let shown = |place| shown_place(place, &roots);

        assert_eq!(shown("src/main.c:3:5"), Some("src/main.c:3:5"));
        assert_eq!(shown("/outlayer/source/a.c:3:5"), Some("a.c:3:5"));
        assert_eq!(shown("/outlayer/b/a.c:3:5"), Some("b/a.c:3:5"));
        for hidden in ["/etc/x.c:1:1", "../x.c:1:1", "a b.c:1:1", "\u{1b}[1m:1:1"] {
            assert_eq!(shown(hidden), None, "{hidden}");
        }
    }

    #[test]
    fn a_word_for_a_shell_is_quoted_when_it_must_be() {
        let words = ["--release", "", "two words", "it's"];

        let quoted = words.map(quoted);

        assert_eq!(quoted, ["--release", "''", "'two words'", r"'it'\''s'"]);
    }
}
