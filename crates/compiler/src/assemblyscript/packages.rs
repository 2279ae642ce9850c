//! What a repository depends on, if npm may be asked for it: packages of the one registry, each with its sha512.
//!
//! npm would also take packages from git repositories, from any address and from any folder, and would run programs for some of them
//! whatever it is told. So its two files are read here first, and what it gets is written anew from what was understood.

use protocol::FailureCode;
use serde_json::{Map, Value, json};

use crate::artifact::Sha256;
use crate::error::Error;

/// Where packages come from. A machine's own configuration may have npm ask a mirror instead.
const REGISTRY: &str = "https://registry.npmjs.org/";

/// The most packages; the compiler and what goes with it are five.
const MOST_PACKAGES: usize = 500;

/// The longest name, version or range; npm's own limit on names is 214.
const LONGEST_WORD: usize = 256;

/// A sha512, as base64.
const HASH_LENGTH: usize = 88;

/// Where a package, or the root, says what it depends on.
const DEPENDENCIES: [&str; 4] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];

/// What of a package's entry npm gets to see.
const ENTRY: [&str; 12] = [
    "name",
    "version",
    "resolved",
    "integrity",
    "dev",
    "optional",
    "devOptional",
    "peer",
    "peerDependenciesMeta",
    "os",
    "cpu",
    "libc",
];

/// The two files that npm gets, and what is known from them.
#[derive(Debug)]
pub(super) struct Packages {
    pub(super) manifest: Value,
    pub(super) lock: Value,
    /// The compiler's version.
    pub(super) compiler: String,
    /// Of the lock file as it was committed.
    pub(super) hash: Sha256,
}

impl Packages {
    pub(super) fn read(manifest: &[u8], lock: &[u8], hash: Sha256) -> Result<Self, Error> {
        let manifest = object(manifest).ok_or_else(|| unreadable("package.json"))?;
        let lock = object(lock).ok_or_else(|| unreadable("package-lock.json"))?;
        if !matches!(
            lock.get("lockfileVersion").and_then(Value::as_u64),
            Some(2 | 3)
        ) {
            return Err(refused(
                "package-lock.json is of another version than 2 or 3",
            ));
        }
        if manifest.contains_key("workspaces") || manifest.contains_key("overrides") {
            return Err(refused(
                "package.json has workspaces or overrides, which are not built here",
            ));
        }
        let empty = Map::new();
        let entries = lock
            .get("packages")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        if entries.len() > MOST_PACKAGES {
            return Err(refused("package-lock.json names too many packages"));
        }
        let mut packages = Map::new();
        for (place, entry) in entries {
            let entry = entry.as_object().unwrap_or(&empty);
            let checked = match place.as_str() {
                "" => dependencies_of(entry, "package-lock.json")?,
                place => package(place, entry)?,
            };
            packages.insert(place.clone(), checked.into());
        }
        let compiler = packages
            .get("node_modules/assemblyscript")
            .and_then(|entry| entry.get("version"))
            .and_then(Value::as_str)
            .ok_or_else(|| refused("package-lock.json has no package assemblyscript"))?
            .to_owned();
        Ok(Self {
            manifest: dependencies_of(&manifest, "package.json")?.into(),
            lock: json!({"lockfileVersion": 3, "requires": true, "packages": packages}),
            compiler,
            hash,
        })
    }
}

/// One of the two files is not what it should be.
pub(super) fn unreadable(name: &str) -> Error {
    let sentence = format!("{name} cannot be read");
    Error::saying(FailureCode::CompilationError, sentence)
}

fn refused(sentence: impl Into<String>) -> Error {
    Error::saying(FailureCode::DependencyNotFound, sentence.into())
}

fn object(text: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(text).ok()
}

/// What an entry of the lock file says of a package, if the package can be had.
fn package(place: &str, entry: &Map<String, Value>) -> Result<Map<String, Value>, Error> {
    if !is_place(place) {
        return Err(refused(
            "package-lock.json puts a package elsewhere than below node_modules",
        ));
    }
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let has = |key: &str| entry.contains_key(key);
    let sentence = if has("link") || has("inBundle") || has("workspaces") {
        Some("is a link or part of another, not a package of the registry")
    } else if !text("version").is_some_and(is_version) || !text("name").is_none_or(is_name) {
        Some("has no version of the registry's")
    } else if has("resolved") && !text("resolved").is_some_and(is_in_registry) {
        Some("does not come from https://registry.npmjs.org/")
    } else if !text("integrity").is_some_and(is_sha512) {
        Some("has no sha512 as its integrity")
    } else {
        None
    };
    if let Some(sentence) = sentence {
        return Err(refused(format!("package-lock.json: {place} {sentence}")));
    }
    let mut checked = dependencies_of(entry, "package-lock.json")?;
    for key in ENTRY {
        if let Some(value) = entry.get(key) {
            checked.insert(key.to_owned(), value.clone());
        }
    }
    Ok(checked)
}

/// What an entry depends on, if all of it is in a registry.
fn dependencies_of(entry: &Map<String, Value>, file: &str) -> Result<Map<String, Value>, Error> {
    let mut checked = Map::new();
    for kind in DEPENDENCIES {
        let Some(all) = entry.get(kind) else {
            continue;
        };
        let all = all.as_object().ok_or_else(|| unreadable(file))?;
        for (name, range) in all {
            if !is_name(name) {
                return Err(refused(format!("{file} names a dependency that cannot be")));
            }
            if !range.as_str().is_some_and(is_range) {
                return Err(refused(format!(
                    "{file}: {name} is not asked of the registry by a version"
                )));
            }
        }
        checked.insert(kind.to_owned(), all.clone().into());
    }
    Ok(checked)
}

/// `node_modules/a`, `node_modules/@b/c/node_modules/d`.
fn is_place(place: &str) -> bool {
    let Some(names) = place.strip_prefix("node_modules/") else {
        return false;
    };
    names.split("/node_modules/").all(is_name)
}

/// `name` or `@scope/name`.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        !part.is_empty() && part.bytes().all(plain) && !part.starts_with(['.', '-', '_'])
    };
    let parts = match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/'),
        None => Some(("x", name)),
    };
    name.len() <= LONGEST_WORD
        && name != "node_modules"
        && parts.is_some_and(|(scope, name)| is_part(scope) && is_part(name))
}

fn is_version(version: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.+".contains(&byte);
    version.len() <= LONGEST_WORD
        && version.starts_with(|first: char| first.is_ascii_digit())
        && version.bytes().all(plain)
        && !is_file(version)
}

/// A range of versions or a tag, also under another name.
fn is_range(range: &str) -> bool {
    let range = match range.strip_prefix("npm:") {
        Some(alias) => match alias.rsplit_once('@') {
            Some((name, range)) if is_name(name) => range,
            _ => return false,
        },
        None => range,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" -.+*^~<>=|".contains(&byte);
    range.len() <= LONGEST_WORD
        && range.bytes().all(plain)
        && !range.starts_with('.')
        && !is_file(range)
}

/// Whether npm would take it for the name of an archive.
fn is_file(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    [".tgz", ".tar.gz", ".tar"]
        .iter()
        .any(|end| word.ends_with(end))
}

fn is_in_registry(address: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@/+%".contains(&byte);
    address.len() <= LONGEST_WORD.saturating_mul(2)
        && address
            .strip_prefix(REGISTRY)
            .is_some_and(|path| path.bytes().all(plain) && !path.contains(".."))
}

fn is_sha512(integrity: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    integrity
        .strip_prefix("sha512-")
        .is_some_and(|hash| hash.len() == HASH_LENGTH && hash.bytes().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock file of the compiler and one package more.
    fn read(place: &str, entry: &Value) -> Result<Packages, String> {
        let integrity = format!("sha512-{}", "A".repeat(HASH_LENGTH));
        let lock = json!({"lockfileVersion": 3, "packages": {
            "": {"dependencies": {"assemblyscript": "^0.28.0"}},
            "node_modules/assemblyscript": {"version": "0.28.9", "integrity": integrity},
            place: entry,
        }});
        let lock = lock.to_string();
        let manifest =
            br#"{"scripts": {"install": "evil"}, "dependencies": {"assemblyscript": "^0.28.0"}}"#;
        Packages::read(manifest, lock.as_bytes(), Sha256::of(b""))
            .map_err(|error| error.to_string())
    }

    fn good() -> Value {
        json!({"version": "5.3.2", "integrity": format!("sha512-{}", "A".repeat(HASH_LENGTH))})
    }

    fn with(key: &str, value: Value) -> Value {
        let mut entry = good();
        entry[key] = value;
        entry
    }

    #[test]
    fn packages_of_the_registry_pass_and_scripts_do_not() {
        let resolved = "https://registry.npmjs.org/@a/long/-/long-5.3.2.tgz";

        let packages = read("node_modules/@a/long", &with("resolved", resolved.into())).unwrap();

        assert_eq!(packages.compiler, "0.28.9");
        let manifest = json!({"dependencies": {"assemblyscript": "^0.28.0"}});
        assert_eq!(packages.manifest, manifest);
        let place = "/packages/node_modules~1@a~1long/resolved";
        assert_eq!(packages.lock.pointer(place), Some(&json!(resolved)));
        assert!(read("node_modules/a/node_modules/b", &good()).is_ok());
    }

    #[test]
    fn a_package_from_anywhere_else_is_refused() {
        let elsewhere = [
            "git+ssh://git@github.com/a/b.git#1234",
            "http://registry.npmjs.org/a/-/a-1.0.0.tgz",
            "https://registry.npmjs.org.evil.example/a.tgz",
            "https://registry.npmjs.org@evil.example/a.tgz",
            "https://registry.npmjs.org/../a.tgz",
            "https://evil.example/a.tgz",
            "file:../a.tgz",
            "../a",
        ];
        for resolved in elsewhere {
            let told = read("node_modules/a", &with("resolved", resolved.into())).unwrap_err();

            assert!(told.contains("does not come from"), "{resolved}: {told}");
        }
        for version in ["git+https://x/y", "file:..", "latest", "1.0.0.tgz"] {
            let told = read("node_modules/a", &with("version", version.into())).unwrap_err();

            assert!(told.contains("no version"), "{version}: {told}");
        }
        for place in [
            "../a",
            "a",
            "node_modules/..",
            "node_modules/a/../b",
            "node_modules/.bin",
        ] {
            let told = read(place, &good()).unwrap_err();

            assert!(told.contains("elsewhere"), "{place}: {told}");
        }
    }

    #[test]
    fn a_package_without_its_sha512_is_refused() {
        let sha1 = with("integrity", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=".into());
        let none = json!({"version": "1.0.0"});

        for entry in [sha1, none] {
            let told = read("node_modules/a", &entry).unwrap_err();

            assert!(told.contains("no sha512"), "{told}");
        }
        for key in ["link", "inBundle"] {
            let told = read("node_modules/a", &with(key, true.into())).unwrap_err();

            assert!(told.contains("is a link"), "{told}");
        }
    }

    #[test]
    fn what_is_asked_for_is_asked_of_the_registry() {
        let good = ["^1.2.3", "1.x || >=2.5.0", "*", "latest", "npm:@a/b@^1", ""];
        let bad = [
            "a/b",
            "github:a/b",
            "git+https://x/y.git",
            "https://x/y.tgz",
            "file:../x",
            "../x",
            ".",
            "x.tgz",
            "npm:../x@1",
            "workspace:*",
            "$x",
        ];

        assert!(good.iter().all(|range| is_range(range)));
        for range in bad {
            let dependencies = json!({"x": range});
            let told = read("node_modules/a", &with("dependencies", dependencies)).unwrap_err();

            assert!(
                told.contains("is not asked of the registry"),
                "{range}: {told}"
            );
        }
    }
}
