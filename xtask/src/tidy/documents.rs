//! Documents that stay true: their links lead somewhere, and the commands they name exist.

use std::path::Path;

use anyhow::Result;
use clap::CommandFactory;
use xshell::{Shell, cmd};

use super::texts;
use crate::Deed;

/// Subcommands of cargo that a document may name though this machine lacks them.
const PLUGINS: &[&str] = &["deny", "near", "nextest"];

pub(super) fn check(shell: &Shell) -> Result<Vec<String>> {
    // The aliases of .cargo/config.toml are in the list too.
    let listed = cmd!(shell, "cargo --list").quiet().read()?;
    let mut known: Vec<&str> = listed
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    known.extend(PLUGINS);
    let mut complaints = Vec::new();
    for (path, text) in texts(shell)?
        .iter()
        .filter(|(path, _)| path.rsplit('.').next() == Some("md"))
    {
        let folder = shell
            .current_dir()
            .join(path)
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        let mut code = false;
        for (number, line) in (1..).zip(text.lines()) {
            let fence = line.trim_start().starts_with("```");
            code ^= fence;
            let faults: Vec<String> = if code {
                command(line, &known).into_iter().collect()
            } else {
                let dead = links(line)
                    .filter(|link| !folder.join(link).exists())
                    .map(|link| format!("`{link}` leads nowhere"));
                dead.chain(spans(line).filter_map(|span| command(span, &known)))
                    .collect()
            };
            complaints.extend(
                faults
                    .into_iter()
                    .map(|fault| format!("{path}:{number}: {fault}")),
            );
        }
    }
    Ok(complaints)
}

/// The files that a line of Markdown links to; not what is elsewhere in the network or further down the page.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let inline = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next());
    let reference = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]: "))
        .map(|(_, target)| target.trim());
    inline
        .chain(reference)
        .filter(|target| !target.contains(':'))
        .filter_map(|target| target.split('#').next())
        .filter(|target| !target.is_empty())
}

/// The `code spans` of a line.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// A complaint, if a line is a cargo command that does not exist.
fn command(line: &str, known: &[&str]) -> Option<String> {
    let mut words = line.trim().trim_start_matches("$ ").split_whitespace();
    if words.next() != Some("cargo") {
        return None;
    }
    let mut words = words.filter(|word| !word.starts_with(['-', '+']));
    let subcommand = words.next().filter(|word| is_word(word))?;
    if !known.contains(&subcommand) {
        return Some(format!("there is no `cargo {subcommand}`"));
    }
    let deed = words
        .next()
        .filter(|word| subcommand == "xtask" && is_word(word))?;
    let missing = Deed::command().find_subcommand(deed).is_none();
    missing.then(|| format!("there is no `cargo xtask {deed}`"))
}

/// Not a placeholder such as `<deed>` or `…`.
fn is_word(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_files_a_line_links_to() {
        let line = "see [a](docs/a.md#part), [b](https://b.example) and [c](#c) ![d](d.png)";

        let found: Vec<&str> = links(line).collect();

        assert_eq!(found, ["docs/a.md", "d.png"]);
    }

    #[test]
    fn a_command_that_does_not_exist_is_told() {
        let known = ["demo", "test", "xtask"];

        assert_eq!(command("$ cargo demo  # once", &known), None);
        assert_eq!(command("cargo xtask test", &known), None);
        assert_eq!(command("cargo xtask <deed>", &known), None);
        assert!(command("cargo dmeo", &known).is_some());
        assert!(command("cargo xtask tset", &known).is_some());
    }
}
