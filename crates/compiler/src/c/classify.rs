//! What clang, its linker, make and CMake printed, to a failure that may be shown.

use std::path::Path;

use protocol::FailureCode;

use crate::confined;
use crate::error::Error;
use crate::process::Ended;

/// Where the sources seem to be: the copy that make works on, and those that CMake does.
const SEEMING_FOLDERS: [&str; 3] = ["/outlayer/target/build", "/outlayer/source", "/outlayer"];

/// What clang puts between a place and what is wrong there.
const MARKS: [&str; 2] = [": error: ", ": fatal error: "];

/// What an error of CMake's own begins with; often its place follows, as ` at CMakeLists.txt:3 (project):`.
const CMAKE_MARK: &str = "CMake Error";

/// Why the program did not build.
pub(super) fn of_build(ended: &Ended, root: &Path) -> Error {
    let text = format!("{}\n{}", ended.stderr, ended.stdout);
    let sentence = if let Some(place) = first_place(&text, root) {
        format!("the code does not compile, first at {place}")
    } else if text.contains("wasm-ld: error:") {
        "the program does not link".to_owned()
    } else if has_any(&text, &MARKS) {
        "the code does not compile".to_owned()
    } else if let Some(line) = text.lines().find(|line| line.starts_with(CMAKE_MARK)) {
        let place = line.strip_prefix(CMAKE_MARK).and_then(cmake_place);
        let place = place.map(|place| format!(", first at {place}"));
        format!("CMake found an error{}", place.unwrap_or_default())
    } else {
        "the build failed, and not by an error of the compiler".to_owned()
    };
    Error::saying(FailureCode::CompilationError, sentence)
}

fn has_any(text: &str, signs: &[&str]) -> bool {
    signs.iter().any(|sign| text.contains(sign))
}

/// Where the first error is, as `file:line:column`.
fn first_place<'a>(text: &'a str, root: &Path) -> Option<&'a str> {
    let real = root.display().to_string();
    let real = [
        format!("{real}/target/build"),
        format!("{real}/source"),
        real,
    ];
    let roots: Vec<_> = real
        .iter()
        .map(String::as_str)
        .chain(SEEMING_FOLDERS)
        .collect();
    let place = text.lines().find_map(|line| {
        let (place, _) = MARKS.iter().find_map(|mark| line.split_once(mark))?;
        let numbers = place.rsplitn(3, ':').take(2);
        let mut numbers = numbers.map(|number| number.parse::<u32>().is_ok());
        (numbers.next()? && numbers.next()?).then_some(place)
    })?;
    confined::shown_place(place, &roots)
}

fn cmake_place(rest: &str) -> Option<&str> {
    let (place, _) = rest.strip_prefix(" at ")?.split_once(" (")?;
    confined::shown_place(place, &SEEMING_FOLDERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::process::End;

    fn told(stderr: &str) -> String {
        let ended = Ended {
            end: End::Exited(2),
            stdout: String::new(),
            stderr: stderr.to_owned(),
            stdout_is_cut: false,
        };
        of_build(&ended, Path::new("/builds/build-1-x")).to_string()
    }

    #[test]
    fn the_first_error_is_placed_wherever_it_was_built() {
        let printed = [
            "src/a.c:1:2: warning: w\nsrc/a.c:3:5: error: e\nsrc/b.c:1:1: error: f",
            "/builds/build-1-x/source/src/a.c:3:5: error: e",
            "/outlayer/target/build/src/a.c:3:5: fatal error: 'x.h' file not found",
        ];

        for text in printed {
            assert!(told(text).ends_with("first at src/a.c:3:5"), "{text}");
        }
    }

    #[test]
    fn what_is_no_place_is_not_shown() {
        assert_eq!(
            told("/etc/shadow:1:1: error: e"),
            "the code does not compile"
        );
        assert_eq!(
            told("clang: error: no such file"),
            "the code does not compile"
        );
        assert_eq!(
            told("wasm-ld: error: a.o: undefined symbol: x"),
            "the program does not link"
        );
        let cmake = "CMake Error at lib/CMakeLists.txt:3 (find_package):\n  x";
        assert_eq!(
            told(cmake),
            "CMake found an error, first at lib/CMakeLists.txt:3"
        );
        assert_eq!(told("CMake Error: no"), "CMake found an error");
        assert!(told("make: *** No rule to make target").starts_with("the build failed"));
    }
}
