//! What holds for every file: its length, its name, its promises, and no trace of the machine it was written on.

use anyhow::Result;
use xshell::{Shell, cmd};

use super::texts;

/// A file longer than this holds two ideas. Unit: lines. Source: STYLE.md, "Files".
const LINES: usize = 600;

/// Endings of files that people write and read as code.
const CODE: &str = "rs js css html sql sh wit";

/// Folders of people's homes; what stands below them is on one machine only.
const HOMES: [&str; 3] = [
    concat!("/", "home/"),
    concat!("/", "Users/"),
    concat!("/", "root/"),
];

/// Top folders that every machine has, so that a path below one of them tells nothing about ours.
const EVERYWHERE: &str = "app bin build ci code data dev etc lib mnt opt proc repo run src srv sys tmp usr var workspace";

/// Where the packages in lock files come from, and nowhere else.
const CRATES: &str = "registry+https://github.com/rust-lang/crates.io-index";
const NPM: &str = "https://registry.npmjs.org/";

pub(super) fn check(shell: &Shell) -> Result<Vec<String>> {
    let mut traces: Vec<String> = HOMES.map(str::to_owned).into();
    traces.extend(top(&shell.current_dir().to_string_lossy()));
    let mut complaints = Vec::new();
    for (path, text) in texts(shell)? {
        let code = path
            .rsplit_once('.')
            .is_some_and(|(_, ending)| CODE.split(' ').any(|code| code == ending));
        if code && text.lines().count() > LINES {
            complaints.push(format!(
                "{path} has more than {LINES} lines: a part of it has a name of its own"
            ));
        }
        if path.ends_with("/mod.rs") {
            complaints.push(format!("{path}: a module is foo.rs beside foo/"));
        }
        for (number, line) in (1..).zip(text.lines()) {
            complaints.extend(
                fault(&path, line, &traces).map(|fault| format!("{path}:{number}: {fault}")),
            );
        }
    }
    // git ignores these, so they are asked for by name; target/ is not searched.
    let new = cmd!(
        shell,
        "git ls-files --others -- *.snap.new *.pending-snap :!target"
    )
    .quiet()
    .read()?;
    complaints.extend(
        new.lines()
            .map(|path| format!("{path}: accept or remove this snapshot")),
    );
    Ok(complaints)
}

/// The first folder of a path, unless every machine has one of that name.
fn top(path: &str) -> Option<String> {
    let first = path.split('/').nth(1)?;
    (!first.is_empty() && !EVERYWHERE.split(' ').any(|folder| folder == first))
        .then(|| format!("/{first}/"))
}

/// What is wrong with a line, if anything.
fn fault(path: &str, line: &str, traces: &[String]) -> Option<String> {
    if let Some(trace) = traces.iter().find(|trace| names(line, trace)) {
        return Some(format!("`{trace}` is a place on one machine only"));
    }
    let line = line.trim();
    let foreign = match path.rsplit('/').next()? {
        "Cargo.lock" => line.starts_with("source = ") && !line.contains(CRATES),
        "package-lock.json" => line.starts_with("\"resolved\": ") && !line.contains(NPM),
        _ => return promise(line),
    };
    foreign.then(|| "a package that does not come from the public registry".to_owned())
}

/// Whether a line names a path below `folder`, and not only one that has `folder` somewhere inside.
fn names(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|before| {
            !before.is_alphanumeric()
                && !matches!(before, '.' | '-' | '_' | '/' | '}' | '>' | '*' | '~')
        })
    })
}

/// A promise names the issue that keeps it.
fn promise(line: &str) -> Option<String> {
    let (before, after) = line.split_once(concat!("TO", "DO"))?;
    let word = |side: Option<char>| side.is_some_and(|side| side.is_alphanumeric() || side == '_');
    if word(before.chars().next_back()) || word(after.chars().next()) {
        return None;
    }
    let number = after
        .strip_prefix("(#")
        .and_then(|rest| rest.split_once("): "))
        .map(|(number, _)| number);
    let kept = number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    (!kept).then(|| {
        concat!(
            "a promise has the form `TO",
            "DO(#12): `, with the issue that keeps it"
        )
        .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_names_its_issue() {
        assert_eq!(promise(concat!("// TO", "DO(#12): later")), None);
        assert_eq!(promise(concat!("let TO", "DOS = 1;")), None);
        assert!(promise(concat!("// TO", "DO: later")).is_some());
        assert!(promise(concat!("// TO", "DO(me): later")).is_some());
    }

    #[test]
    fn a_place_on_one_machine_is_a_path_of_its_own() {
        let folder = "/here/";

        assert!(names("see /here/notes", folder));
        assert!(names("\"/here/notes\"", folder));
        assert!(!names("https://example.com/here/notes", folder));
        assert!(!names("src/here/notes", folder));
    }

    #[test]
    fn a_lock_file_names_only_the_public_registry() {
        let line = |source: &str| format!("source = \"{source}\"");

        assert_eq!(fault("Cargo.lock", &line(CRATES), &[]), None);
        assert!(
            fault(
                "examples/x/Cargo.lock",
                &line("registry+https://mirror.example"),
                &[]
            )
            .is_some()
        );
    }
}
