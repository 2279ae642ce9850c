//! Fetches a package's dependencies, then builds it without network.
//!
//! Both run from a folder outside of the repository and name its manifest, so that neither cargo nor rustup sees the
//! repository's `.cargo/config.toml` or `rust-toolchain.toml`: those could name programs to run, or a toolchain to download.
//!
//! A build is two steps where the jail allows it: first the dependencies alone, which are kept for the next commit that has the same
//! ([`dependencies`]), then all.
//!
//! Dependencies are copied out of the shared cargo home (`cargo vendor`, which fetches what is missing and runs nothing), so
//! that a build has its own and can change nobody else's.

mod classify;
mod dependencies;
mod pick;
pub(crate) mod stand_in;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use bytes::Bytes;
use protocol::FailureCode;
use protocol::source::BuildTarget;
use tokio::time::Instant;

use crate::confined::{self, Finished, Running};
use crate::error::Error;
use crate::fetching;
use crate::git;
use crate::jail::{Product, SEEMING_ROOT, Step, Wanted};
use crate::prebuilt::Prebuilt;
use crate::process;
use crate::product;
use crate::progress::{DRAWN, Drawings, Watcher};
use crate::settings::Settings;
use crate::workbench::Workbench;

/// Links in dependencies become plain files that say where they would have led: vendoring would copy what is there.
const NO_LINKS: &str = "[core]\n\tsymlinks = false\n";

/// Cargo, at work on one package.
pub(crate) struct Cargo<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) bench: &'a Workbench,
    /// Which package of the workspace, if one is named.
    pub(crate) package: Option<&'a str>,
    pub(crate) prebuilt: &'a Prebuilt,
    pub(crate) watcher: &'a Watcher,
}

impl Cargo<'_> {
    /// Fetches the dependencies and says what cargo printed.
    pub(crate) async fn fetch(&self) -> Result<String, Error> {
        let manifest = self.manifest();
        if !manifest.is_file() {
            return Err(Error::saying(
                FailureCode::CompilationError,
                "the repository has no Cargo.toml at its root",
            ));
        }
        // Without one, what is built today is not what was built yesterday.
        if !self.bench.source().join("Cargo.lock").is_file() {
            return Err(Error::new(FailureCode::LockfileMissing));
        }
        let mut command = Command::new(self.settings.toolchain.cargo());
        command
            .args(["vendor", "--locked", "--respect-source-config"])
            .arg("--manifest-path")
            .arg(manifest)
            .arg(self.bench.vendor())
            .env_clear()
            .envs(self.environment())
            .envs(self.network_environment())
            .current_dir(self.bench.start());
        fetching::fence(self.settings, self.bench, &mut command)?;
        // Cargo checks dependencies out by a library that knows no other way to be told.
        fs::write(self.bench.home().join(".gitconfig"), NO_LINKS)
            .map_err(|error| Error::ours(format!(".gitconfig: {error}")))?;
        let limits = &self.settings.limits;
        let ended = process::run(command, &limits.fetch_process, limits.fetch)
            .await
            .map_err(|error| Error::ours(format!("cargo vendor: {error}")))?;
        if !ended.is_success() {
            return Err(classify::of_fetch(&ended));
        }
        // What it prints is the configuration that makes cargo use the copies.
        let root = self.bench.root();
        let seeming = self.settings.jail.seeming(root);
        let [root, seeming] = [root, &seeming].map(|path| path.display().to_string());
        let config = ended.stdout.replace(&root, &seeming);
        fs::write(self.bench.cargo_config(), config)
            .map_err(|error| Error::ours(format!("config.toml: {error}")))?;
        Ok(ended.log("cargo vendor"))
    }

    /// Builds the package and says what cargo printed.
    pub(crate) async fn build(&self, target: BuildTarget) -> Result<(Bytes, String), Error> {
        let now = Instant::now();
        let end = now.checked_add(self.settings.limits.build).unwrap_or(now);
        let (dependencies, mut log) = self.dependencies(target, end).await?;
        let most = self.settings.limits.artifact_bytes;
        let mut step = self.wasm_step(target);
        step.begins_as = dependencies.as_ref().map(|held| held.path().to_owned());
        let finished = self.run(&step, "cargo build", end).await?;
        log.push_str(&finished.log);
        if let Some(failure) = finished.failure(classify::of_build) {
            return Err(failure);
        }
        let wasm = pick::artifact(self.bench, self.package, target, most)
            .map_err(|error| error.hiding(log.as_str()))?;
        Ok((wasm, log))
    }

    /// What makes the module, in the jail.
    pub(crate) fn wasm_step(&self, target: BuildTarget) -> Step {
        let most = self.settings.limits.artifact_bytes;
        self.build_step(target, product::wanted(most))
    }

    /// Runs a step of the build.
    async fn run(&self, step: &Step, name: &str, end: Instant) -> Result<Finished, Error> {
        let how = Running {
            name,
            limits: &self.settings.limits.build_process,
            wall: end.saturating_duration_since(Instant::now()),
            drawings: Some(Drawings::told_to(Watcher::clone(self.watcher))),
        };
        confined::run(&*self.settings.jail, step, how).await
    }

    fn build_step(&self, target: BuildTarget, wanted: Wanted) -> Step {
        let toolchain = &self.settings.toolchain;
        let plain = [
            "build",
            "--release",
            "--bins",
            "--locked",
            "--offline",
            "--target",
            target.triple(),
            "--manifest-path",
        ];
        let package = self
            .package
            .map(|name| ["--package", name].map(OsString::from));
        let args = plain
            .map(OsString::from)
            .into_iter()
            .chain([self.manifest().into_os_string()])
            .chain(package.into_iter().flatten())
            .collect();
        let mut env = self.environment();
        env.extend([
            ("CARGO_HOME".into(), self.bench.cargo_home().into()),
            ("CARGO_TARGET_DIR".into(), self.bench.target().into()),
            ("CARGO_ENCODED_RUSTFLAGS".into(), self.remap()),
            ("CARGO_INCREMENTAL".into(), "0".into()),
            ("CARGO_NET_OFFLINE".into(), "true".into()),
        ]);
        env.extend(DRAWN.map(|(name, value)| (name.into(), value.into())));
        Step {
            program: toolchain.cargo(),
            args,
            env,
            folder: self.bench.start(),
            reads: vec![
                toolchain.sysroot.clone(),
                self.bench.source(),
                self.bench.vendor(),
                self.bench.start(),
                self.bench.cargo_config(),
            ],
            writes: vec![self.bench.target(), self.bench.home(), self.bench.tmp()],
            begins_as: None,
            product: Product {
                space: self.bench.target(),
                folder: match &wanted {
                    Wanted::Everything => PathBuf::new(),
                    Wanted::Kind { .. } => pick::folder(target),
                },
                wanted,
            },
            root: self.bench.root().to_owned(),
            account: self.bench.account(),
        }
    }

    /// The whole environment of a build, and what fetching begins with.
    fn environment(&self) -> BTreeMap<OsString, OsString> {
        let toolchain = &self.settings.toolchain;
        BTreeMap::from([
            ("PATH".into(), toolchain.path().into()),
            ("HOME".into(), self.bench.home().into()),
            ("TMPDIR".into(), self.bench.tmp().into()),
            ("LC_ALL".into(), "C".into()),
            ("RUSTC".into(), toolchain.rustc().into()),
            ("CARGO_TERM_COLOR".into(), "never".into()),
        ])
    }

    /// What fetching adds: the shared cargo home, and the way to the outside.
    fn network_environment(&self) -> BTreeMap<OsString, OsString> {
        let given = self.settings.network_env.iter();
        let mut env: BTreeMap<OsString, OsString> = given
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        env.insert(
            "CARGO_HOME".into(),
            self.settings.cargo_home.clone().into_os_string(),
        );
        env.insert("CARGO_NET_GIT_FETCH_WITH_CLI".into(), "true".into());
        let ours = git::dependency_environment(&self.settings.hosts);
        env.extend(
            ours.into_iter()
                .map(|(name, value)| (name.into(), value.into())),
        );
        env
    }

    /// The flag that has rustc write [`SEEMING_ROOT`] for the workbench.
    fn remap(&self) -> OsString {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(self.bench.root());
        flag.push("=");
        flag.push(SEEMING_ROOT);
        flag
    }

    fn manifest(&self) -> PathBuf {
        self.bench.source().join("Cargo.toml")
    }
}
