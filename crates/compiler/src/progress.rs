//! How far a build is: told by the steps of the compiler, and read from what cargo draws for a terminal.

use std::fmt;
use std::sync::Arc;

use protocol::progress::{BuildProgress, BuildStage};

/// Is told how far a build is.
pub trait WatchBuild: Send + Sync + fmt::Debug {
    /// It has come this far.
    fn reached(&self, progress: BuildProgress);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl WatchBuild for Unwatched {
    fn reached(&self, _: BuildProgress) {}
}

/// Who watches a build. Cheap to clone.
pub(crate) type Watcher = Arc<dyn WatchBuild>;

/// Has cargo draw its progress though nobody looks at it. Source: cargo's reference, `term.progress`.
pub(crate) const DRAWN: [(&str, &str); 2] = [
    ("CARGO_TERM_PROGRESS_WHEN", "always"),
    ("CARGO_TERM_PROGRESS_WIDTH", "120"),
];

/// The longest line that is looked at; cargo draws 120 columns.
const LONGEST: usize = 1024;

/// The most that is shown of what is at hand.
const LONGEST_WHAT: usize = 60;

/// Takes the drawings out of what cargo prints, and tells of them.
pub(crate) struct Drawings {
    watcher: Watcher,
    line: Vec<u8>,
    last: Option<BuildProgress>,
}

impl Drawings {
    pub(crate) fn told_to(watcher: Watcher) -> Self {
        Self {
            watcher,
            line: Vec::new(),
            last: None,
        }
    }

    /// What is left of `piece`, and of what was held back, without drawings.
    pub(crate) fn take_out(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut rest = Vec::with_capacity(piece.len());
        for byte in piece {
            self.line.push(*byte);
            match byte {
                b'\r' => {
                    let drawing = read(&self.line);
                    if drawing.is_none() {
                        rest.append(&mut self.line);
                    }
                    self.line.clear();
                    self.tell(drawing);
                }
                b'\n' => rest.append(&mut self.line),
                _ if self.line.len() > LONGEST => rest.append(&mut self.line),
                _ => {}
            }
        }
        rest
    }

    /// What was held back, at the end of the stream.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.line)
    }

    fn tell(&mut self, drawing: Option<BuildProgress>) {
        if drawing.is_some() && drawing != self.last {
            self.last.clone_from(&drawing);
            if let Some(progress) = drawing {
                self.watcher.reached(progress);
            }
        }
    }
}

/// Reads `    Building [===>   ] 17/42: serde, syn   `.
fn read(line: &[u8]) -> Option<BuildProgress> {
    let line = std::str::from_utf8(line).ok()?;
    let (_, after) = line
        .trim_start()
        .strip_prefix("Building [")?
        .split_once("] ")?;
    let (counts, what) = match after.split_once(':') {
        Some((counts, what)) => (counts, what.trim()),
        None => (after, ""),
    };
    let (done, of) = counts.trim().split_once('/')?;
    let (done, of) = (done.parse::<u32>().ok()?, of.parse::<u32>().ok()?);
    let is_last = done.saturating_add(1) >= of && what.ends_with("(bin)");
    Some(BuildProgress {
        stage: if is_last {
            BuildStage::Linking
        } else {
            BuildStage::Building
        },
        done: Some(done),
        of: Some(of),
        what: plain(what),
    })
}

/// The text, if it is nothing but characters of crates' names.
fn plain(what: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " ,.-_()".contains(c);
    let is_shown = !what.is_empty() && what.chars().all(is_plain);
    is_shown.then(|| what.chars().take(LONGEST_WHAT).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::Mutex;

    #[derive(Debug, Default)]
    struct Notes(Mutex<Vec<String>>);

    impl WatchBuild for Notes {
        fn reached(&self, progress: BuildProgress) {
            self.0.lock().unwrap().push(progress.to_string());
        }
    }

    const PRINTED: &str = "   Compiling serde v1.0.0\n    Building [=>        ] 1/24: quote(build.rs)   \r   \
         Compiling pt v0.1.0 (/x)\n    Building [========> ] 23/24: pt(bin)    \r    Finished\n";

    #[test]
    fn drawings_are_told_and_taken_out_however_the_stream_is_cut() {
        for size in [1, 7, 1000] {
            let notes = Arc::new(Notes::default());
            let mut drawings = Drawings::told_to(notes.clone());

            let mut rest: Vec<u8> = PRINTED
                .as_bytes()
                .chunks(size)
                .flat_map(|piece| drawings.take_out(piece))
                .collect();
            rest.extend(drawings.finish());

            assert_eq!(
                String::from_utf8(rest).unwrap(),
                "   Compiling serde v1.0.0\n   Compiling pt v0.1.0 (/x)\n    Finished\n"
            );
            assert_eq!(
                *notes.0.lock().unwrap(),
                [
                    "building 1 of 24: quote(build.rs)",
                    "linking 23 of 24: pt(bin)"
                ]
            );
        }
    }

    #[test]
    fn what_only_looks_like_a_drawing_stays() {
        let mut drawings = Drawings::told_to(Arc::new(Unwatched));
        let printed = "Building [x] a/b: c\rBuilding [\u{1b}\r";

        let mut rest = drawings.take_out(printed.as_bytes());
        rest.extend(drawings.finish());

        assert_eq!(rest, printed.as_bytes());
    }

    #[test]
    fn what_a_stranger_draws_steers_no_terminal() {
        let drawn = read("Building [] 1/2: \u{1b}[2J\r".as_bytes()).unwrap();

        assert_eq!(drawn.what, None);
    }
}
