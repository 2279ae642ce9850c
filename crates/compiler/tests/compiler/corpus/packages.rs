//! Repositories that are hostile by what they hold rather than by what a build script does.

use protocol::FailureCode;

use super::{Ends, Package, Scene};
use crate::origin::{LOCK, MANIFEST, Repository};
use Ends::{Built, With};

const DOES_NOT_COMPILE: Ends = With(&[FailureCode::RustCompilationError]);
const NOT_WHOLE: Ends = With(&[
    FailureCode::CompilationError,
    FailureCode::DependencyNotFound,
    FailureCode::RustCompilationError,
]);
const GIT: Ends = With(&[FailureCode::GitError, FailureCode::GitFatalError]);

/// Writes down that it ran; then the build is over.
const RUN: &str = "#!/bin/sh\ntouch {CANARY}/../ran\nexit 1\n";

const WITH_MACRO: &str = "[package]\nname = 'ark'\nversion = '0.1.0'\nedition = '2024'\n[dependencies]\nm = { path = 'm' }\n[workspace]\n";
const MACRO_LOCK: &str = "version = 4\n\n[[package]]\nname = \"ark\"\nversion = \"0.1.0\"\ndependencies = [\n \"m\",\n]\n\n[[package]]\nname = \"m\"\nversion = \"0.1.0\"\n";
const MACRO_MANIFEST: &str =
    "[package]\nname = 'm'\nversion = '0.1.0'\nedition = '2024'\n[lib]\nproc-macro = true\n";
const USES_MACRO: &str = "fn main() { println!(\"{}\", m::m!()) }";

pub(super) const PACKAGES: &[Package] = &[
    Package {
        name: "macro-that-reads",
        files: &[
            ("Cargo.toml", WITH_MACRO),
            ("Cargo.lock", MACRO_LOCK),
            ("m/Cargo.toml", MACRO_MANIFEST),
            (
                "m/src/lib.rs",
                "#[proc_macro] pub fn m(_: proc_macro::TokenStream) -> proc_macro::TokenStream { format!(\"{:?}\", std::fs::read_to_string(\"{CANARY}\").unwrap()).parse().unwrap() }",
            ),
            ("src/main.rs", USES_MACRO),
        ],
        ends: DOES_NOT_COMPILE,
    },
    Package {
        name: "macro-that-connects",
        files: &[
            ("Cargo.toml", WITH_MACRO),
            ("Cargo.lock", MACRO_LOCK),
            ("m/Cargo.toml", MACRO_MANIFEST),
            (
                "m/src/lib.rs",
                "#[proc_macro] pub fn m(_: proc_macro::TokenStream) -> proc_macro::TokenStream { std::net::TcpStream::connect(\"127.0.0.1:{PORT}\").unwrap(); \"1\".parse().unwrap() }",
            ),
            ("src/main.rs", USES_MACRO),
        ],
        ends: DOES_NOT_COMPILE,
    },
    Package {
        name: "included-file",
        files: &[(
            "src/main.rs",
            "fn main() { println!(include_str!(\"{CANARY}\")) }",
        )],
        ends: DOES_NOT_COMPILE,
    },
    Package {
        name: "included-passwords",
        files: &[(
            "src/main.rs",
            "fn main() { println!(\"{}\", include_str!(\"/etc/passwd\")) }",
        )],
        ends: DOES_NOT_COMPILE,
    },
    Package {
        name: "module-elsewhere",
        files: &[(
            "src/main.rs",
            "#[path = \"{CANARY}\"] mod secret; fn main() {}",
        )],
        ends: DOES_NOT_COMPILE,
    },
    Package {
        name: "linker-reads",
        files: &[(
            "build.rs",
            "fn main() { println!(\"cargo:rustc-link-arg=@{CANARY}\"); println!(\"cargo:rustc-link-arg=/etc/passwd\"); }",
        )],
        ends: DOES_NOT_COMPILE,
    },
    Package {
        name: "build-script-elsewhere",
        files: &[(
            "Cargo.toml",
            "[package]\nname = 'ark'\nversion = '0.1.0'\nbuild = '{CANARY}'\n[workspace]\n",
        )],
        ends: NOT_WHOLE,
    },
    Package {
        name: "dependency-elsewhere",
        files: &[(
            "Cargo.toml",
            "[package]\nname = 'ark'\nversion = '0.1.0'\n[dependencies]\nm = { path = '{CANARY}/..' }\n[workspace]\n",
        )],
        ends: NOT_WHOLE,
    },
    Package {
        name: "workspace-elsewhere",
        files: &[(
            "Cargo.toml",
            "[package]\nname = 'ark'\nversion = '0.1.0'\nworkspace = '{WORK}/build-1-other/source'\n",
        )],
        ends: NOT_WHOLE,
    },
    Package {
        name: "name-with-a-path",
        files: &[(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"../../../x\"\nversion = \"0.1.0\"\n",
        )],
        ends: NOT_WHOLE,
    },
    Package {
        name: "program-with-a-path",
        files: &[(
            "Cargo.toml",
            "[package]\nname = 'ark'\nversion = '0.1.0'\n[[bin]]\nname = '../../../../x'\npath = 'src/main.rs'\n[workspace]\n",
        )],
        ends: With(&[
            FailureCode::CompilationError,
            FailureCode::RustCompilationError,
            FailureCode::NoArtifact,
        ]),
    },
    Package {
        name: "configuration",
        files: &[
            ("evil", RUN),
            (
                ".cargo/config.toml",
                "[build]\nrustc-wrapper = './evil'\nrustc = './evil'\n[target.wasm32-wasip1]\nlinker = './evil'\nrustflags = ['-Clinker=./evil']\nrunner = './evil'\n[alias]\nbuild = ['run']\nvendor = ['run']\n[env]\nRUSTC_WRAPPER = { value = './evil', force = true }\n[credential-alias]\nx = ['./evil']\n[source.crates-io]\nreplace-with = 'evil'\n[source.evil]\ndirectory = '/'\n",
            ),
            (".cargo/config", "[build]\nrustc-wrapper = './evil'\n"),
            ("config.toml", "[build]\nrustc-wrapper = './evil'\n"),
        ],
        ends: Built,
    },
    Package {
        name: "toolchain",
        files: &[
            ("bin/rustc", RUN),
            ("rust-toolchain.toml", "[toolchain]\npath = '.'\n"),
            ("rust-toolchain", "nightly-1999-01-01"),
        ],
        ends: Built,
    },
    Package {
        name: "attributes-hooks-and-modules",
        files: &[
            (
                ".gitattributes",
                "* filter=lfs diff=evil merge=evil\n*.rs filter=evil working-tree-encoding=UTF-8 ident\n",
            ),
            (
                ".gitmodules",
                "[submodule \"../../.git/hooks\"]\npath = hooks\nurl = ext::sh -c touch% {CANARY}/../ran\nupdate = !touch {CANARY}/../ran\n",
            ),
            (
                ".gitconfig",
                "[core]\nhooksPath = .githooks\nfsmonitor = touch {CANARY}/../ran\n",
            ),
            (".githooks/post-checkout", RUN),
            ("hooks/post-checkout", RUN),
        ],
        ends: Built,
    },
    Package {
        name: "no-lock-file",
        files: &[],
        ends: With(&[FailureCode::LockfileMissing]),
    },
    Package {
        name: "links-in-the-tree",
        files: &[(
            "src/main.rs",
            "fn main() { println!(include_str!(\"../secret\")) }",
        )],
        ends: Built,
    },
];

/// Repositories that files alone do not make.
pub(super) const MADE_BY_GIT: [(&str, Ends); 7] = [
    (
        "dependency-that-grows",
        With(&[FailureCode::SourceTooLarge]),
    ),
    (
        "dependency-with-modules",
        With(&[FailureCode::DependencyNotFound]),
    ),
    ("very-many-files", With(&[FailureCode::SourceTooLarge])),
    ("link-to-a-file", Built),
    ("link-to-the-cargo-home", Built),
    ("tree-that-climbs", GIT),
    ("tree-with-gits-own-folder", GIT),
];

/// Commits them, and finishes those of [`PACKAGES`] that take more than files.
pub(super) fn commit_those_that_git_must_make(scene: &Scene) {
    let linked = scene.origin.repository("evil/links-in-the-tree");
    std::os::unix::fs::symlink(scene.place("{CANARY}"), linked.folder().join("secret")).unwrap();
    linked.commit(&[]);
    let unlocked = scene.origin.repository("evil/no-lock-file");
    std::fs::remove_file(unlocked.folder().join("Cargo.lock")).unwrap();
    unlocked.commit(&[]);
    commit_dependency_with_link(scene, "link-to-a-file", &scene.place("{CANARY}"));
    commit_dependencies_of_other_kinds(scene);
    // From where cargo checks dependencies out.
    let home = "../../../../credentials.toml";
    commit_dependency_with_link(scene, "link-to-the-cargo-home", home);
    for (name, folder) in [
        ("tree-that-climbs", ".."),
        ("tree-with-gits-own-folder", ".git"),
    ] {
        let repository = scene.origin.repository(&format!("evil/{name}"));
        repository.commit(&[
            ("Cargo.toml", MANIFEST),
            ("Cargo.lock", LOCK),
            ("hooks/post-checkout", RUN),
        ]);
        let tree = repository.git(&["rev-parse", "HEAD^{tree}"]);
        let tree = repository.git_reading(&["mktree"], &format!("040000 tree {tree}\t{folder}\n"));
        let commit = repository.git(&["commit-tree", "-m", "climb", &tree]);
        repository.git(&["update-ref", "refs/heads/main", &commit]);
    }
}

/// A commit whose folders hold the one below them ten times, over a file of a thousand bytes.
fn bomb(repository: &Repository, depth: u32) -> String {
    let leaf = "x".repeat(1000);
    repository.commit(&[("leaf", &leaf)]);
    let mut tree = repository.git(&["rev-parse", "HEAD^{tree}"]);
    for _ in 0..depth {
        let entries: Vec<_> = (0..10)
            .map(|n| format!("040000 tree {tree}\t{n}\n"))
            .collect();
        tree = repository.git_reading(&["mktree"], &entries.concat());
    }
    let commit = repository.git(&["commit-tree", "-m", "bomb", &tree]);
    repository.git(&["update-ref", "refs/heads/main", &commit]);
    commit
}

fn commit_dependencies_of_other_kinds(scene: &Scene) {
    let grows = scene.origin.repository("library/grows");
    depend_on(scene, "dependency-that-grows", "grows", &bomb(&grows, 5));
    let modules = scene.origin.repository("library/modules");
    let commit = modules.commit(&[("Cargo.toml", LIBRARY)]);
    let module = format!("160000,{commit},module");
    modules.git(&["update-index", "--add", "--cacheinfo", &module]);
    modules.git(&["commit", "--quiet", "--message=module"]);
    let commit = modules.git(&["rev-parse", "HEAD"]);
    depend_on(scene, "dependency-with-modules", "modules", &commit);
    bomb(&scene.origin.repository("evil/very-many-files"), 5);
}

const LIBRARY: &str = "[package]\nname = 'library'\nversion = '1.0.0'\n";

/// Cargo checks dependencies out itself, and copies what links in them lead to.
fn commit_dependency_with_link(scene: &Scene, name: &str, target: &str) {
    let library = scene.origin.repository(&format!("library/{name}"));
    std::os::unix::fs::symlink(target, library.folder().join("secret")).unwrap();
    let commit = library.commit(&[
        ("Cargo.toml", LIBRARY),
        (
            "src/lib.rs",
            "pub const SECRET: &str = include_str!(\"../secret\");",
        ),
    ]);
    depend_on(scene, name, name, &commit);
}

/// Commits the package `name` that depends on a commit of a library.
fn depend_on(scene: &Scene, name: &str, library: &str, commit: &str) {
    let url = format!("https://github.com/library/{library}");
    let manifest = format!(
        "[package]\nname = 'ark'\nversion = '0.1.0'\n[dependencies]\nlibrary = {{ git = '{url}' }}\n[workspace]\n"
    );
    let lock = format!(
        "version = 4\n\n[[package]]\nname = \"ark\"\nversion = \"0.1.0\"\ndependencies = [\n \"library\",\n]\n\n\
         [[package]]\nname = \"library\"\nversion = \"1.0.0\"\nsource = \"git+{url}#{commit}\"\n"
    );
    scene.origin.repository(&format!("evil/{name}")).commit(&[
        ("Cargo.toml", &manifest),
        ("Cargo.lock", &lock),
        (
            "src/main.rs",
            "fn main() { println!(\"{}\", library::SECRET) }",
        ),
    ]);
}
