//! `outlayer.toml`, by which a repository says how it is built.

use std::path::{Component, Path, PathBuf};

use protocol::FailureCode;
use toml::{Table, Value};

use super::{Language, Tool, tool_of};
use crate::error::Error;
use crate::product::EXTENSION;

/// The file's name.
pub(super) const FILE: &str = "outlayer.toml";

/// The longest word of a repository that a sentence repeats, or that becomes an argument.
const LONGEST_WORD: usize = 100;

/// The keys of `[build]`.
const KEYS: [&str; 4] = ["language", "tool", "artifact", "package"];

/// Something is wrong in the file.
pub(super) fn wrong(what: &str) -> Error {
    Error::saying(
        FailureCode::CompilationError,
        format!("outlayer.toml: {what}"),
    )
}

/// What the file says of the repository in `source`.
pub(super) fn language(text: &[u8], source: &Path) -> Result<Language, Error> {
    let table: Option<Table> = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok());
    let table = table.ok_or_else(|| wrong("the file is not TOML"))?;
    only_known(&table, &["build"], "")?;
    let Some(Value::Table(build)) = table.get("build") else {
        return Err(wrong("there must be a table `[build]`"));
    };
    only_known(build, &KEYS, "build.")?;
    let said = Said {
        tool: word(build, "tool")?,
        artifact: word(build, "artifact")?,
        package: word(build, "package")?,
    };
    match word(build, "language")? {
        Some("rust") => said.rust(),
        Some("c") => said.c(source),
        Some("assemblyscript") => said.assemblyscript(),
        _ => Err(wrong(
            "`build.language` must be \"rust\", \"c\" (for C++ too) or \"assemblyscript\"",
        )),
    }
}

/// What goes with the language.
struct Said<'a> {
    tool: Option<&'a str>,
    artifact: Option<&'a str>,
    package: Option<&'a str>,
}

impl Said<'_> {
    fn rust(&self) -> Result<Language, Error> {
        self.only_c()?;
        let package = match self.package {
            Some(name) if is_plain(name) => Some(name.to_owned()),
            Some(_) => return Err(wrong("`build.package` is not the name of a package")),
            None => None,
        };
        Ok(Language::Rust { package })
    }

    fn c(&self, source: &Path) -> Result<Language, Error> {
        self.only_rust()?;
        let tool = match self.tool {
            Some("make") => Tool::Make,
            Some("cmake") => Tool::CMake,
            Some(_) => return Err(wrong("`build.tool` must be \"make\" or \"cmake\"")),
            None => tool_of(source)
                .ok_or_else(|| wrong("the repository has neither CMakeLists.txt nor Makefile"))?,
        };
        let artifact = self.artifact.map(artifact).transpose()?;
        Ok(Language::C { tool, artifact })
    }

    fn assemblyscript(&self) -> Result<Language, Error> {
        self.only_c()?;
        self.only_rust()?;
        Ok(Language::AssemblyScript)
    }

    fn only_c(&self) -> Result<(), Error> {
        if self.tool.is_some() || self.artifact.is_some() {
            return Err(wrong("`build.tool` and `build.artifact` are for C only"));
        }
        Ok(())
    }

    fn only_rust(&self) -> Result<(), Error> {
        if self.package.is_some() {
            return Err(wrong("`build.package` is for Rust only"));
        }
        Ok(())
    }
}

fn only_known(table: &Table, known: &[&str], above: &str) -> Result<(), Error> {
    let unknown = table.keys().find(|key| !known.contains(&key.as_str()));
    match unknown {
        None => Ok(()),
        Some(key) if is_plain(key) => Err(wrong(&format!("there is no key `{above}{key}`"))),
        Some(_) => Err(wrong("there is a key that has no meaning")),
    }
}

fn word<'a>(table: &'a Table, key: &str) -> Result<Option<&'a str>, Error> {
    match table.get(key) {
        None => Ok(None),
        Some(Value::String(word)) => Ok(Some(word)),
        Some(_) => Err(wrong(&format!("`build.{key}` must be a text"))),
    }
}

/// A path to a module that neither leaves its folder nor means anything to a shell.
fn artifact(text: &str) -> Result<PathBuf, Error> {
    let path = Path::new(text);
    let stays = path
        .components()
        .all(|part| matches!(part, Component::Normal(name) if name.to_str().is_some_and(is_plain)));
    if stays && path.extension().is_some_and(|kind| kind == EXTENSION) {
        Ok(path.to_owned())
    } else {
        Err(wrong(
            "`build.artifact` must be the path of a .wasm file below the folder of the build, without `..`",
        ))
    }
}

fn is_plain(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.+".contains(&byte);
    (1..=LONGEST_WORD).contains(&word.len()) && word.bytes().all(plain) && !word.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Language, String> {
        language(text.as_bytes(), Path::new("/nowhere")).map_err(|error| error.to_string())
    }

    #[test]
    fn each_language_has_what_goes_with_it() {
        let rust = read("[build]\nlanguage = 'rust'\npackage = 'ark'\n");
        let c = read("build = { language = 'c', tool = 'cmake', artifact = 'a/b.wasm' }");
        let assemblyscript = read("[build]\nlanguage = 'assemblyscript'\n");

        let package = Some("ark".to_owned());
        assert_eq!(rust, Ok(Language::Rust { package }));
        let artifact = Some("a/b.wasm".into());
        let tool = Tool::CMake;
        assert_eq!(c, Ok(Language::C { tool, artifact }));
        assert_eq!(assemblyscript, Ok(Language::AssemblyScript));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_what_is_wrong() {
        let refused = [
            ("[build", "is not TOML"),
            ("", "a table `[build]`"),
            ("build = 1", "a table `[build]`"),
            ("[build]\n", "must be \"rust\""),
            ("[build]\nlanguage = 'go'", "must be \"rust\""),
            ("[build]\nlanguage = 1", "must be a text"),
            ("[build]\nlanguage = 'c'", "neither CMakeLists.txt"),
            (
                "[build]\nlanguage = 'rust'\ncommand = 'x'",
                "no key `build.command`",
            ),
            ("[build]\nlanguage = 'rust'\n[deploy]", "no key `deploy`"),
            (
                "[build]\nlanguage = 'rust'\n\"\\u001b\" = 1",
                "has no meaning",
            ),
            (
                "[build]\nlanguage = 'rust'\ntool = 'make'",
                "are for C only",
            ),
            (
                "[build]\nlanguage = 'rust'\npackage = '--x'",
                "not the name",
            ),
            ("[build]\nlanguage = 'c'\npackage = 'x'", "is for Rust only"),
            (
                "[build]\nlanguage = 'c'\ntool = 'sh'",
                "\"make\" or \"cmake\"",
            ),
        ];

        for (text, sentence) in refused {
            let told = read(text).unwrap_err();

            assert!(told.contains(sentence), "{text}: {told}");
        }
        for path in [
            "../a.wasm",
            "/a.wasm",
            "a/../b.wasm",
            "a",
            "a b.wasm",
            "",
            "-a.wasm",
        ] {
            let text = format!("[build]\nlanguage = 'c'\ntool = 'make'\nartifact = '{path}'");

            assert!(read(&text).unwrap_err().contains("without `..`"), "{path}");
        }
    }
}
