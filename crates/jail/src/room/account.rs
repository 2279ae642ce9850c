//! What became of a room, told by its launcher in a file that nobody in the room can reach.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// What became of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Whether the program was started: if not, the room could not be had.
    pub started: bool,
    /// Why there was no room.
    pub refused: Vec<String>,
    /// The layers that were missing, where that is allowed.
    pub without: Vec<String>,
    /// What the machine does not give and the room stands without.
    pub absent: Vec<String>,
    /// What the room was ended for.
    pub excess: Option<Excess>,
}

/// What a room was ended for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Excess {
    /// All processes together held more memory than they may.
    Memory,
    /// This space had no room left, for bytes or for files.
    Space(PathBuf),
}

impl Account {
    /// Reads what a launcher wrote. An account that is not there says nothing: no launcher has begun.
    pub fn read(path: &Path) -> io::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(text.lines().fold(Self::default(), Self::with)),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(err) => Err(err),
        }
    }

    fn with(mut self, line: &str) -> Self {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "started" => self.started = true,
            "refused" => self.refused.push(rest.to_owned()),
            "without" => self.without.push(rest.to_owned()),
            "absent" => self.absent.push(rest.to_owned()),
            "memory" => self.excess = Some(Excess::Memory),
            "full" => self.excess = Some(Excess::Space(rest.into())),
            _ => {}
        }
        self
    }
}

/// One thing to tell.
#[derive(Debug)]
pub(super) enum Line {
    Started,
    Refused(String),
    Without(String),
    Absent(String),
    Memory,
    Full(PathBuf),
}

/// Who writes the account.
#[derive(Debug)]
pub(super) struct Teller(File);

impl Teller {
    pub(super) fn new(file: File) -> Self {
        Self(file)
    }

    pub(super) fn file(&self) -> &File {
        &self.0
    }

    /// Tells it. If the disk is full there is nobody to tell that to: an account that lacks its lines says that there was no room.
    pub(super) fn say(&mut self, line: &Line) {
        let text = match line {
            Line::Started => "started".to_owned(),
            Line::Refused(reason) => format!("refused {reason}"),
            Line::Without(layer) => format!("without {layer}"),
            Line::Absent(what) => format!("absent {what}"),
            Line::Memory => "memory".to_owned(),
            Line::Full(path) => format!("full {}", path.display()),
        };
        let line = format!("{}\n", text.replace('\n', " "));
        self.0.write_all(line.as_bytes()).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("account");
        let mut teller = Teller::new(File::create(&path).unwrap());

        for line in [
            Line::Absent("cgroup".to_owned()),
            Line::Without("landlock (x)\ny".to_owned()),
            Line::Refused("no such program".to_owned()),
            Line::Started,
            Line::Full("/tmp".into()),
        ] {
            teller.say(&line);
        }

        let account = Account::read(&path).unwrap();
        assert_eq!(
            account,
            Account {
                started: true,
                refused: vec!["no such program".to_owned()],
                without: vec!["landlock (x) y".to_owned()],
                absent: vec!["cgroup".to_owned()],
                excess: Some(Excess::Space("/tmp".into())),
            }
        );
    }

    #[test]
    fn an_account_that_is_not_there_says_that_nothing_was_started() {
        let folder = tempfile::tempdir().unwrap();

        let account = Account::read(&folder.path().join("account")).unwrap();

        assert_eq!(account, Account::default());
    }
}
