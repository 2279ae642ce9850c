//! Names and values, from a file, from stdin or from the terminal; never from arguments, which every process of the machine can read.
//!
//! However they come, they are brought to JSON and read by the same rules as in the keystore. What held a value is wiped.

mod lines;

use std::fs::File;
use std::io::{IsTerminal as _, Read};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use sealing::{Secrets, names};
use zeroize::Zeroizing;

use crate::args::secrets::Values;

/// The most that is read: twice what the contract stores, so that it is the contract that says what is too much.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// A name and its value.
type Entry = (String, Zeroizing<String>);

/// Reads the values from where the flags say; nothing if they say nowhere.
pub(super) fn read(values: &Values) -> Result<Option<Secrets>> {
    if let Some(path) = &values.from_file {
        let from_file = || of_file(path);
        return from_file()
            .map(Some)
            .with_context(|| format!("read the values from {}", path.display()));
    }
    if values.from_stdin {
        return of_stdin().map(Some).context("read the values from stdin");
    }
    if values.names.is_empty() {
        return Ok(None);
    }
    ask(&values.names).map(Some)
}

fn of_file(path: &Path) -> Result<Secrets> {
    let text = all_of(File::open(path)?)?;
    let is_json = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if is_json {
        Ok(Secrets::from_user_json(&text)?)
    } else {
        of_lines(&text)
    }
}

fn of_stdin() -> Result<Secrets> {
    let stdin = std::io::stdin();
    ensure!(
        !stdin.is_terminal(),
        "stdin is a terminal, which would show what is typed: use --name NAME, or a pipe"
    );
    let text = all_of(stdin.lock())?;
    if text.trim_ascii_start().starts_with(b"{") {
        Ok(Secrets::from_user_json(&text)?)
    } else {
        of_lines(&text)
    }
}

/// All that there is, in one buffer that never moves and so leaves no copy.
fn all_of(from: impl Read) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES.saturating_add(64)));
    let cap = u64::try_from(MAX_BYTES)?;
    from.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() <= MAX_BYTES,
        "it has more than {MAX_BYTES} bytes; the contract stores about half of that"
    );
    Ok(bytes)
}

fn of_lines(text: &[u8]) -> Result<Secrets> {
    let text = std::str::from_utf8(text)
        .ok()
        .context("it is no text in UTF-8")?;
    let entries = lines::read(text)?;
    ensure!(!entries.is_empty(), "it holds no line NAME=value");
    of_entries(&entries)
}

/// Asks for one value after the other, without showing what is typed.
fn ask(asked: &[String]) -> Result<Secrets> {
    for name in asked {
        names::check_of_user(name)?;
    }
    ensure!(
        std::io::stdin().is_terminal(),
        "--name asks on a terminal, and stdin is none: use --from-stdin or --from-file"
    );
    let mut entries = Vec::with_capacity(asked.len());
    for name in asked {
        let typed = rpassword::prompt_password(format!("{name}: "));
        let value = Zeroizing::new(typed.context("read from the terminal")?);
        if value.is_empty() {
            bail!(
                "no value was typed for {name}; one that is empty on purpose comes from a file or stdin"
            );
        }
        entries.push((name.clone(), value));
    }
    of_entries(&entries)
}

/// Entries as JSON, by whose reader they are checked.
fn of_entries(entries: &[Entry]) -> Result<Secrets> {
    // A byte takes at most six in JSON. The buffer is as long as it can ever be, so that it never moves.
    let longest = entries.iter().fold(2_usize, |sum, (name, value)| {
        let bytes = name.len().saturating_add(value.len());
        sum.saturating_add(bytes.saturating_mul(6))
            .saturating_add(6)
    });
    let mut json = Zeroizing::new(Vec::with_capacity(longest));
    json.push(b'{');
    for (index, (name, value)) in entries.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        serde_json::to_writer(&mut *json, name)?;
        json.push(b':');
        serde_json::to_writer(&mut *json, value.as_str())?;
    }
    json.push(b'}');
    Ok(Secrets::from_user_json(&json)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> Result<Secrets> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let values = Values {
            from_file: Some(path),
            from_stdin: false,
            names: Vec::new(),
        };
        read(&values).map(Option::unwrap)
    }

    #[test]
    fn a_file_is_json_or_lines_by_its_name() {
        let json = of("a.json", r#"{"A":"1","B":"x\ny"}"#).unwrap();
        let lines = of(".env", "# keys\n\nA=1\nB=\"x\\ny\"\n").unwrap();

        assert!(json == lines);
        assert_eq!(json.get("B"), Some("x\ny"));
    }

    #[test]
    fn every_character_of_a_value_arrives() {
        let secrets = of(".env", "A='\"\\\u{1}\u{7f}ü{}'").unwrap();

        assert_eq!(secrets.get("A"), Some("\"\\\u{1}\u{7f}ü{}"));
    }

    #[test]
    fn the_same_rules_hold_for_json_and_for_lines() {
        for (name, text, reason) in [
            ("a.json", r#"{"A":"1","A":"2"}"#, "A is given twice"),
            (".env", "A=1\nA=2", "A is given twice"),
            ("a.json", r#"{"A":1}"#, "the value of A is not a string"),
            ("a.json", r#"{"PROTECTED_A":"1"}"#, "PROTECTED_A begins"),
            (".env", "PROTECTED_A=1", "PROTECTED_A begins"),
            (".env", "NEAR_SENDER_ID=1", "NEAR_SENDER_ID is set by"),
            (".env", "=1", "a secret has a name"),
            (".env", "# nothing\n", "no line NAME=value"),
        ] {
            let refused = of(name, text).unwrap_err();

            assert!(format!("{refused:#}").contains(reason), "{refused:#}");
        }
    }

    #[test]
    fn no_more_is_read_than_could_be_stored() {
        let refused = of(".env", &"#".repeat(MAX_BYTES + 1)).unwrap_err();

        assert!(format!("{refused:#}").contains("more than"));
    }

    #[test]
    fn names_are_checked_before_anything_is_asked() {
        let refused = ask(&["PROTECTED_A".to_owned()]).unwrap_err();

        assert!(refused.to_string().contains("PROTECTED_A begins"));
    }
}
