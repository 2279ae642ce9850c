//! What the compiler printed, to a failure that may be shown.

use protocol::FailureCode;

use crate::confined;
use crate::error::Error;
use crate::process::Ended;

/// What stands before the place of an error: `└─ in assembly/index.ts(1,14)`.
const MARK: &str = "\u{2514}\u{2500} in ";

/// Why the program did not build.
pub(super) fn of_build(ended: &Ended) -> Error {
    let text = format!("{}\n{}", ended.stderr, ended.stdout);
    let sentence = match first_place(&text) {
        Some(place) => format!("the code does not compile, first at {place}"),
        None if text.contains("ERROR TS") || text.contains("ERROR AS") => {
            "the code does not compile".to_owned()
        }
        None => "the build failed, and not by an error of the compiler's".to_owned(),
    };
    Error::saying(FailureCode::CompilationError, sentence)
}

/// Where the first error is, as `file:line:column`.
fn first_place(text: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("ERROR"));
    let place = lines.find_map(|line| line.trim_start().strip_prefix(MARK))?;
    let (file, numbers) = place.strip_suffix(')')?.rsplit_once('(')?;
    let (line, column) = numbers.split_once(',')?;
    let place = format!("{file}:{line}:{column}");
    confined::shown_place(&place, &[]).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_placed() {
        let warned = "WARNING AS201: x\n   :\n   \u{2514}\u{2500} in assembly/a.ts(9,9)\n\n";
        let printed = "ERROR TS2304: Cannot find name 'foo'.\n   :\n 1 \u{2502} let x: i32 = foo();\n   \u{2502}              ~~~\n   \u{2514}\u{2500} in assembly/index.ts(1,14)\n";

        let place = first_place(&format!("{warned}{printed}"));

        assert_eq!(place.as_deref(), Some("assembly/index.ts:1:14"));
        assert_eq!(
            first_place("ERROR\n \u{2514}\u{2500} in /etc/shadow(1,1)"),
            None
        );
    }
}
