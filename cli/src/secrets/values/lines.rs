//! Lines of `NAME=value`, as in `.env` files.
//!
//! Readers of such files disagree about blanks before a `#`, about what a backslash means and about values of several lines. What two of
//! them would read differently is refused here: a secret that is cut short is found out late. No error shows what stands in a line.

use anyhow::{Context as _, Result, bail, ensure};
use zeroize::Zeroizing;

use super::Entry;

/// Names and values in the order of the lines; of a name that stands twice, both.
pub(super) fn read(text: &str) -> Result<Vec<Entry>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut entries = Vec::new();
    for (line, number) in text.lines().zip(1_usize..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let read = entry(line).with_context(|| format!("line {number}"));
        entries.push(read?);
    }
    Ok(entries)
}

fn entry(line: &str) -> Result<Entry> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=').context("a line is NAME=value")?;
    let value = value.trim();
    let value = match value.chars().next() {
        Some('\'') => single_quoted(value)?,
        Some('"') => double_quoted(value)?,
        _ => plain(value)?,
    };
    Ok((name.trim().to_owned(), value))
}

fn plain(value: &str) -> Result<Zeroizing<String>> {
    let comment = value.starts_with('#') || value.contains(" #") || value.contains("\t#");
    ensure!(
        !comment,
        "a # after a blank may or may not begin a comment: put the value into quotes"
    );
    Ok(Zeroizing::new(value.to_owned()))
}

/// Up to the next quotation mark, as it stands.
fn single_quoted(value: &str) -> Result<Zeroizing<String>> {
    let inside = value.strip_prefix('\'').and_then(|it| it.split_once('\''));
    let (inside, after) = inside.context(UNCLOSED)?;
    nothing_but_a_comment(after)?;
    Ok(Zeroizing::new(inside.to_owned()))
}

/// Up to the next quotation mark without a backslash, with `\n`, `\r`, `\t`, `\"`, `\\` and `\$` undone. It never grows beyond the room
/// that it has from the start, and so leaves no copy.
fn double_quoted(value: &str) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(value.len()));
    let mut chars = value.strip_prefix('"').unwrap_or(value).chars();
    loop {
        match chars.next().context(UNCLOSED)? {
            '"' => break,
            '\\' => text.push(match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(itself @ ('"' | '\\' | '$')) => itself,
                _ => bail!(
                    "after a backslash in double quotes stands one of n r t \" \\ $; in single quotes it stands for itself"
                ),
            }),
            other => text.push(other),
        }
    }
    nothing_but_a_comment(chars.as_str())?;
    Ok(text)
}

const UNCLOSED: &str =
    "a quote is not closed on its line: write a new line as \\n in double quotes, or use JSON";

fn nothing_but_a_comment(after: &str) -> Result<()> {
    let after = after.trim();
    ensure!(
        after.is_empty() || after.starts_with('#'),
        "after a closing quote nothing stands but a comment"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        let entries = read(text).unwrap();
        let plain = entries
            .into_iter()
            .map(|(name, value)| (name, value.as_str().to_owned()));
        plain.collect()
    }

    fn value(line: &str) -> String {
        values(line).pop().unwrap().1
    }

    #[test]
    fn blank_lines_and_comments_say_nothing() {
        let read = values("\u{feff}# a comment\r\n\r\n  A = 1 \r\nexport B=2\n\t# C=3\nA=4");

        let expected = [("A", "1"), ("B", "2"), ("A", "4")];
        assert_eq!(read, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn quotes_keep_what_would_mean_something_else() {
        assert_eq!(value("A="), "");
        assert_eq!(value("A=b=c#d"), "b=c#d");
        assert_eq!(value("A=it's"), "it's");
        assert_eq!(value(r#"A=' a # "b\n' # why"#), r#" a # "b\n"#);
        assert_eq!(value(r#"A=" a # 'b\n\t\"\\\$" # why"#), " a # 'b\n\t\"\\$");
    }

    #[test]
    fn what_readers_would_read_differently_is_refused_with_its_line_and_without_its_text() {
        for line in [
            "s3cr3t",
            "A=s3cr3t # why",
            "A=s3cr3t\t#",
            "A=# s3cr3t",
            "A='s3cr3t",
            r#"A="s3cr3t"#,
            r#"A="s3cr3t\"#,
            r#"A="s3cr3t\x""#,
            "A='s3cr3t' more",
            r#"A="s3cr3t"more"#,
        ] {
            let refused = read(&format!("\n{line}")).unwrap_err();

            let told = format!("{refused:#}");
            assert!(told.starts_with("line 2: "), "{told}");
            assert!(!told.contains("s3cr3t"), "{told}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in r#"[ -~\n\t=#'"\\]{0,80}"#) {
            let _ = read(&text);
        }

        #[test]
        fn what_is_quoted_arrives_whole(text in r"[^'\p{Cc}]{0,40}") {
            prop_assert_eq!(value(&format!("A='{text}'")), text);
        }
    }
}
