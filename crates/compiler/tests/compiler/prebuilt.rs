//! Dependencies that were built are used again, and nobody can change them for others.

use std::io;
use std::process::Command;
use std::sync::{Arc, Mutex};

use compiler::jail::{Confine, Sealed, Step, Verdict, Wanted};
use compiler::{Compiler, Settings, WatchBuild};
use protocol::progress::{BuildProgress, BuildStage};

use crate::builds::{LOCK, MAIN, MANIFEST};
use crate::origin::{Origin, build, compiler, git_hub, launcher};

/// A sealed jail that notes what it is asked for.
#[derive(Debug)]
struct Noting {
    sealed: Sealed,
    steps: Mutex<Vec<&'static str>>,
}

const DEPENDENCIES: &str = "dependencies";
const ALL_ANEW: &str = "all anew";
const ON_TOP: &str = "on top of dependencies";

impl Noting {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            sealed: Sealed::new(launcher()),
            steps: Mutex::default(),
        })
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.steps.lock().unwrap())
    }
}

impl Confine for Noting {
    fn confine(&self, step: &Step) -> io::Result<Command> {
        let note = match (&step.product.wanted, &step.begins_as) {
            (Wanted::Everything, _) => DEPENDENCIES,
            (_, Some(_)) => ON_TOP,
            (_, None) => ALL_ANEW,
        };
        self.steps.lock().unwrap().push(note);
        self.sealed.confine(step)
    }

    fn seeming(&self, root: &std::path::Path) -> std::path::PathBuf {
        self.sealed.seeming(root)
    }

    fn keeps_trees(&self) -> bool {
        self.sealed.keeps_trees()
    }

    fn verdict(&self, step: &Step) -> io::Result<Verdict> {
        self.sealed.verdict(step)
    }
}

fn noting_compiler(mut settings: Settings) -> (Compiler, Arc<Noting>) {
    let jail = Noting::new();
    settings.jail = jail.clone();
    (compiler(settings), jail)
}

#[tokio::test]
async fn the_next_commit_begins_with_the_dependencies_built_and_comes_to_the_same_bytes() {
    let origin = Origin::new();
    let repository = origin.repository("acme/ark");
    let files = [("Cargo.toml", MANIFEST), ("Cargo.lock", LOCK)];
    let first = repository.commit(&[&files[..], &[("src/main.rs", MAIN)]].concat());
    let changed = MAIN.replace("println", "eprintln");
    let second = repository.commit(&[("src/main.rs", &changed)]);
    let (here, steps) = noting_compiler(origin.settings("here"));
    let plain = origin.compiler();

    let (mut hashes, mut compiled) = (Vec::new(), Vec::new());
    for commit in [&first, &second] {
        let built = build(&here, "acme/ark", commit).await;
        let built = built.unwrap_or_else(|error| panic!("{error}: {}", error.hidden_logs()));
        hashes.push(built.hash);
        let log = built.build.hidden_logs;
        compiled.push(log.matches("Compiling itoa").count());
    }

    assert_eq!(steps.take(), [DEPENDENCIES, ON_TOP, ON_TOP]);
    assert_eq!(compiled, [1, 0]);
    for (commit, hash) in [&first, &second].into_iter().zip(hashes) {
        let anew = build(&plain, "acme/ark", commit).await.unwrap();
        assert_eq!(anew.hash, hash);
    }
}

/// Finds whatever was built in the target folder and makes it nonsense.
const POISONER: &str = r#"
fn main() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let target = out.ancestors().find(|above| above.ends_with("target")).unwrap();
    fn spoil(folder: &std::path::Path) -> usize {
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                return spoil(&path);
            }
            let name = path.display().to_string();
            let is_dependency = name.contains("itoa");
            usize::from(is_dependency && std::fs::write(&path, "nonsense").is_ok())
        }).sum()
    }
    assert!(spoil(target) > 0, "found nothing to spoil");
    assert!(spoil(std::path::Path::new("/kept")) == 0, "spoilt what is kept");
}
"#;

#[tokio::test]
async fn a_build_that_spoils_the_dependencies_spoils_nobody_elses() {
    let origin = Origin::new();
    let files = [
        ("Cargo.toml", MANIFEST),
        ("Cargo.lock", LOCK),
        ("src/main.rs", MAIN),
    ];
    origin.repository("acme/ark").commit(&files);
    let spoiling = [&files[..], &[("build.rs", POISONER)]].concat();
    origin.repository("eve/ark").commit(&spoiling);
    let (here, steps) = noting_compiler(origin.settings("here"));

    let spoilt = build(&here, "eve/ark", "main").await;
    let honest = build(&here, "acme/ark", "main").await.unwrap();

    let log = match &spoilt {
        Ok(built) => &built.build.hidden_logs,
        Err(error) => error.hidden_logs(),
    };
    assert_eq!(steps.take(), [DEPENDENCIES, ON_TOP, ON_TOP], "{log}");
    assert!(spoilt.is_err() && log.contains("invalid metadata"), "{log}");
    let elsewhere = build(&origin.compiler(), "acme/ark", "main").await.unwrap();
    assert_eq!(honest.hash, elsewhere.hash);
}

/// Has a package of its own in the place of one that its dependency is built with.
const PATCHING_MANIFEST: &str = r#"
[package]
name = "ark"
version = "0.1.0"
edition = "2024"

[dependencies]
memoffset = "0.9"

[patch.crates-io]
autocfg = { path = "autocfg" }

[workspace]
"#;

const PATCHING_LOCK: &str = r#"
version = 4

[[package]]
name = "ark"
version = "0.1.0"
dependencies = [
 "memoffset",
]

[[package]]
name = "autocfg"
version = "1.5.0"

[[package]]
name = "memoffset"
version = "0.9.1"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "488016bfae457b036d996092f6cb448677611ce4449e970ceaf42695203f218a"
dependencies = [
 "autocfg",
]
"#;

const OWN_AUTOCFG: &str = r"
pub struct AutoCfg;
pub fn new() -> AutoCfg { AutoCfg }
impl AutoCfg {
    pub fn probe_rustc_version(&self, _: usize, _: usize) -> bool { true }
}
";

#[tokio::test]
async fn dependencies_that_need_the_repositorys_own_packages_are_built_with_them() {
    let origin = Origin::new();
    origin.repository("acme/ark").commit(&[
        ("Cargo.toml", PATCHING_MANIFEST),
        ("Cargo.lock", PATCHING_LOCK),
        (
            "autocfg/Cargo.toml",
            "[package]\nname = 'autocfg'\nversion = '1.5.0'\n",
        ),
        ("autocfg/src/lib.rs", OWN_AUTOCFG),
        (
            "src/main.rs",
            "fn main() { println!(\"{}\", memoffset::offset_of!(std::ops::Range<u8>, start)) }",
        ),
    ]);
    let (here, steps) = noting_compiler(origin.settings("here"));

    let built = build(&here, "acme/ark", "main").await;

    let built = built.unwrap_or_else(|error| panic!("{error}: {}", error.hidden_logs()));
    assert_eq!(steps.take(), [DEPENDENCIES, ALL_ANEW]);
    let elsewhere = build(&origin.compiler(), "acme/ark", "main").await.unwrap();
    assert_eq!(built.hash, elsewhere.hash);
}

#[derive(Debug, Default)]
struct Stages(Mutex<Vec<BuildProgress>>);

impl WatchBuild for Stages {
    fn reached(&self, progress: BuildProgress) {
        self.0.lock().unwrap().push(progress);
    }
}

#[tokio::test]
async fn who_watches_a_build_is_told_how_far_it_is() {
    let origin = Origin::new();
    origin.repository("acme/ark").commit(&[
        ("Cargo.toml", MANIFEST),
        ("Cargo.lock", LOCK),
        ("src/main.rs", MAIN),
    ]);
    let (here, _) = noting_compiler(origin.settings("here"));
    let source = here.resolve(&git_hub("acme/ark", "main")).await.unwrap();
    let stages = Arc::new(Stages::default());

    here.compile_watched(&source, stages.clone()).await.unwrap();

    let told = stages.0.lock().unwrap();
    let mut order: Vec<BuildStage> = told.iter().map(|progress| progress.stage).collect();
    order.dedup();
    let [waiting, cloning, fetching, building, ..] = order[..] else {
        panic!("{order:?}");
    };
    assert_eq!(
        [waiting, cloning, fetching, building],
        [
            BuildStage::Waiting,
            BuildStage::Cloning,
            BuildStage::Fetching,
            BuildStage::Building
        ]
    );
    let counted = told
        .iter()
        .find_map(|progress| Some((progress.done?, progress.of?)));
    assert!(counted.is_some_and(|(done, of)| done <= of), "{told:?}");
}
