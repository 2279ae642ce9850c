//! Hostile repositories against the sealed jail: each ends as it must, tells nothing, leaves nothing, and the next honest build works.
//!
//! A case is one repository. Most are a guest whose build script commits one crime and then fails, either with what it took or
//! with why it got nothing; what it printed is read from the hidden logs.

mod assemblyscript;
mod c;
mod crimes;
mod packages;

use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use compiler::jail::{Confine, RoomLimits, Sealed};
use compiler::{Compiler, Error, Settings};
use protocol::FailureCode;
use tokio::task::JoinSet;

use crate::docker::engine;
use crate::origin::{LOCK, MANIFEST, Origin, build, compiler, launcher};

const MIB: u64 = 1 << 20;
/// What nobody but the worker may see.
const CANARY: &str = "canary-6b0a1d-secret";
/// What a build script prints when its crime has worked.
const LOOT: &str = "LOOT:";
/// What it prints when not.
const FOILED: &str = "FOILED:";

/// What a build may use.
const LIMITS: RoomLimits = RoomLimits {
    memory_bytes: 768 * MIB,
    process_memory_bytes: 640 * MIB,
    processes: 128,
    output_bytes: 96 * MIB,
    scratch_bytes: 16 * MIB,
    inodes: 3000,
};

/// How a case must end.
#[derive(Clone, Copy, Debug)]
enum Ends {
    /// The crime fails, and the build script with it.
    Foiled,
    /// With one of these codes.
    With(&'static [FailureCode]),
    /// With an artifact.
    Built,
}

/// A build script that commits a crime.
struct Crime {
    name: &'static str,
    /// The body of a function that returns what it got hold of.
    body: &'static str,
    ends: Ends,
}

/// A whole repository.
struct Package {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    ends: Ends,
}

const fn crime(name: &'static str, ends: Ends, body: &'static str) -> Crime {
    Crime { name, body, ends }
}

/// What crimes begin with. The C library is what the standard one stands on, so it is there without a package of its name.
const PRELUDE: &str = r#"
#![allow(unused, improper_ctypes)]
use std::{collections::*, env, error::Error, fs, io::{self, Read, Write}, net::*, process::*, thread, time::Duration};
use std::os::unix::{fs::*, net::*, process::*};
use std::os::linux::net::SocketAddrExt;
use std::path::*;

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn kill(pid: i32, signal: i32) -> i32;
    fn mmap(at: *mut u8, len: usize, rights: i32, flags: i32, fd: i32, from: i64) -> *mut u8;
}

fn crime() -> Result<String, Box<dyn Error>> {
"#;

/// A machine with secrets on it, and a worker that builds there.
struct Scene {
    origin: Origin,
    compiler: Compiler,
    /// The same with little time, for crimes that take all there is.
    hasty: Compiler,
    work: PathBuf,
    /// A file of a build of somebody else's that goes on at the same time.
    other: PathBuf,
    /// What is to be found on the machine, by the names that crimes know it by.
    places: Vec<(&'static str, String)>,
    /// Held open: crimes try to reach them.
    _listeners: (TcpListener, UnixListener, UnixListener),
}

impl Scene {
    fn set() -> Self {
        Self::set_with(|_| {})
    }

    /// The same with builds in another jail.
    fn with(jail: Arc<dyn Confine>) -> Self {
        Self::set_with(|settings| settings.jail = jail)
    }

    fn set_with(change: impl FnOnce(&mut Settings)) -> Self {
        let origin = Origin::new();
        let mut settings = origin.settings("compiler");
        settings.limits.build = Duration::from_mins(2);
        let mut jail = Sealed::new(launcher());
        jail.limits = LIMITS;
        settings.jail = Arc::new(jail);
        change(&mut settings);
        let (work, cargo_home) = (settings.work.clone(), settings.cargo_home.clone());
        let sysroot = settings.toolchain.sysroot.clone();
        let mut hasty = settings.clone();
        hasty.limits.build = Duration::from_secs(8);
        let (compiler, hasty) = (compiler(settings), compiler(hasty));

        let canary = origin.write("canary", CANARY);
        fs::write(cargo_home.join("credentials.toml"), CANARY).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = origin.root().join("socket");
        let unix = UnixListener::bind(&socket).unwrap();
        let name = format!("outlayer-test-{}", std::process::id());
        let abstract_address = SocketAddr::from_abstract_name(&name).unwrap();
        let nameless = UnixListener::bind_addr(&abstract_address).unwrap();
        let other = origin.write("../compiler/builds/build-1-other/source/secret", CANARY);
        let show = |path: &std::path::Path| path.display().to_string();
        let places = vec![
            ("{CANARY}", show(&canary)),
            ("{OTHER}", show(&other)),
            ("{WORK}", show(&work)),
            ("{CARGO_HOME}", show(&cargo_home)),
            ("{SYSROOT}", show(&sysroot)),
            ("{SOCKET}", show(&socket)),
            ("{ABSTRACT}", name),
            ("{PORT}", tcp.local_addr().unwrap().port().to_string()),
            ("{PID}", std::process::id().to_string()),
            ("{MARK}", mark()),
        ];
        Self {
            origin,
            compiler,
            hasty,
            work,
            other,
            places,
            _listeners: (tcp, unix, nameless),
        }
    }

    /// The text with the machine's places in it.
    fn place(&self, text: &str) -> String {
        self.places
            .iter()
            .fold(text.to_owned(), |text, (name, place)| {
                text.replace(name, place)
            })
    }

    fn commit_crime(&self, crime: &Crime) {
        let end = match crime.ends {
            Ends::Built => "fn main() { crime().unwrap(); }".to_owned(),
            _ => format!(
                "fn main() {{ match crime() {{ Ok(loot) => panic!(\"{LOOT} {{loot}}\"), Err(why) => panic!(\"{FOILED} {{why}}\") }} }}"
            ),
        };
        let script = format!("{PRELUDE}{}\n}}\n{end}\n", self.place(crime.body));
        let repository = self.origin.repository(&format!("evil/{}", crime.name));
        repository.commit_guest("fn main() {}");
        repository.commit(&[("build.rs", &script)]);
    }

    fn commit_package(&self, package: &Package) {
        let repository = self.origin.repository(&format!("evil/{}", package.name));
        repository.commit(&[
            ("Cargo.toml", MANIFEST),
            ("Cargo.lock", LOCK),
            ("src/main.rs", "fn main() {}"),
        ]);
        for (path, text) in package.files {
            repository.commit(&[(path, &self.place(text))]);
        }
    }

    /// Commits a package that is not Rust.
    fn commit_other(&self, package: &Package) {
        let repository = self.origin.repository(&format!("evil/{}", package.name));
        for (path, text) in package.files {
            repository.commit(&[(path, &self.place(text))]);
        }
    }

    /// Builds them all and says what is wrong with the ends.
    async fn wrong_ends(&self, cases: Vec<(&'static str, Ends)>) -> Vec<String> {
        let mut builds = JoinSet::new();
        for (name, ends) in cases {
            let takes_all = matches!(ends, Ends::With([FailureCode::CompilationTimedOut, ..]));
            let compiler = if takes_all {
                &self.hasty
            } else {
                &self.compiler
            }
            .clone();
            builds.spawn(async move {
                let end = build(&compiler, &format!("evil/{name}"), "main").await;
                wrong(name, ends, end.map(|artifact| artifact.wasm))
            });
        }
        builds.join_all().await.into_iter().flatten().collect()
    }

    /// Commits the crimes and holds the machine to what was promised.
    async fn judge(self, crimes: impl IntoIterator<Item = &Crime>) {
        let mut cases = Vec::new();
        for crime in crimes {
            self.commit_crime(crime);
            cases.push((crime.name, crime.ends));
        }
        let wrong = self.wrong_ends(cases).await;
        self.is_as_before(&wrong).await;
    }

    /// Nothing wrong, nothing left, and an honest build works.
    async fn is_as_before(&self, wrong: &[String]) {
        let honest = self.origin.repository("acme/honest");
        honest.commit_guest("fn main() { println!(\"honest\") }");

        let built = build(&self.compiler, "acme/honest", "main").await;

        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        assert!(built.is_ok(), "{}", built.unwrap_err().hidden_logs());
        let left: Vec<_> = fs::read_dir(&self.work)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["build-1-other"]);
        assert_eq!(processes_of_crimes(), Vec::<String>::new());
        assert_eq!(fs::read_to_string(&self.other).unwrap(), CANARY);
    }
}

/// What is wrong with how a case ended, if anything.
fn wrong(name: &str, ends: Ends, end: Result<bytes::Bytes, Error>) -> Option<String> {
    let (told, logs, is_right) = match end {
        Ok(wasm) => {
            let leaks = wasm
                .windows(CANARY.len())
                .any(|window| window == CANARY.as_bytes());
            let is_right = matches!(ends, Ends::Built) && !leaks;
            ("an artifact".to_owned(), String::new(), is_right)
        }
        Err(error) => {
            let logs = error.hidden_logs().to_owned();
            let is_right = match ends {
                Ends::Foiled => {
                    error.code() == FailureCode::BuildScriptError && logs.contains(FOILED)
                }
                Ends::With(codes) => codes.contains(&error.code()),
                Ends::Built => false,
            };
            (format!("{error} {error:?}"), logs, is_right)
        }
    };
    let leaks = [&told, &logs]
        .iter()
        .any(|text| text.contains(CANARY) || text.contains(LOOT) || text.contains('\u{1b}'));
    (!is_right || leaks).then(|| format!("{name} should end {ends:?}, not: {told}\n{logs}"))
}

/// Seconds that only the processes of this test's crimes sleep for.
fn mark() -> String {
    format!("8642{}", std::process::id())
}

/// Processes that crimes have started and that live.
fn processes_of_crimes() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok())
        .filter(|line| line.contains(&mark()))
        .collect()
}

#[tokio::test]
async fn a_build_script_reads_nothing_of_the_machine_or_of_other_builds() {
    Scene::set().judge(crimes::READING).await;
}

#[tokio::test]
async fn a_build_script_reaches_nobody() {
    Scene::set().judge(crimes::NETWORK).await;
}

#[tokio::test]
async fn a_build_script_writes_nowhere_but_to_its_own_folders() {
    Scene::set().judge(crimes::WRITING).await;
}

#[tokio::test]
async fn a_build_script_that_takes_too_much_ends_with_the_name_of_what_it_took() {
    Scene::set().judge(crimes::TAKING).await;
}

#[tokio::test]
async fn a_build_script_gets_no_hold_of_the_kernel_or_of_other_processes() {
    Scene::set().judge(crimes::REACHING).await;
}

#[tokio::test]
async fn nothing_that_a_repository_holds_runs_while_it_is_fetched_or_reads_outside_when_it_is_built()
 {
    let scene = Scene::set();
    for package in packages::PACKAGES {
        scene.commit_package(package);
    }
    packages::commit_those_that_git_must_make(&scene);

    let cases = packages::PACKAGES
        .iter()
        .map(|package| (package.name, package.ends))
        .chain(packages::MADE_BY_GIT);
    let wrong = scene.wrong_ends(cases.collect()).await;

    scene.is_as_before(&wrong).await;
    assert!(!scene.origin.root().join("beside/ran").exists());
}

#[tokio::test]
async fn a_makefile_and_cmake_get_no_further_than_a_build_script() {
    let scene = Scene::set();
    for package in c::PACKAGES {
        scene.commit_other(package);
    }

    let cases = c::PACKAGES
        .iter()
        .map(|package| (package.name, package.ends));
    let wrong = scene.wrong_ends(cases.collect()).await;

    scene.is_as_before(&wrong).await;
    assert!(!scene.origin.root().join("beside/ran").exists());
}

#[tokio::test]
async fn packages_of_npm_run_nothing_when_they_are_fetched_and_get_nowhere_when_they_compile() {
    let registry = assemblyscript::Registry::open().await;
    let config = registry.config();
    let scene = Scene::set_with(|settings| settings.npm_configs = vec![config]);
    let cases = registry.commit_all(&scene);

    let wrong = scene.wrong_ends(cases).await;

    scene.is_as_before(&wrong).await;
    assert!(!scene.origin.root().join("beside/ran").exists());
}

#[tokio::test]
async fn a_build_script_in_a_container_gets_no_further_than_in_a_room() {
    let Some(mut docker) = engine() else { return };
    docker.limits = LIMITS;
    let jail = Arc::new(docker);
    // Its own first process, which a container's may signal, as nobody else is there.
    let reaching = crimes::REACHING
        .iter()
        .filter(|crime| crime.name != "the-first-process");

    Scene::with(jail.clone()).judge(crimes::NETWORK).await;
    Scene::with(jail.clone()).judge(crimes::WRITING).await;
    Scene::with(jail).judge(reaching).await;
}
