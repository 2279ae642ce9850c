//! What is not written in Rust: built to the same bytes everywhere, or refused with what is wrong and where.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use compiler::{Artifact, Compiler, Error};
use protocol::source::{BuildTarget, CodeSource, GitHub};
use protocol::{FailureCode, Fault};

use crate::origin::{Origin, build, compiler};

/// A makefile of one file.
const MAKEFILE: &str = "ark.wasm: main.c\n\t$(CC) $(CFLAGS) -o $@ $<\n";
/// Which tells where and when it was built, if it can.
const MAIN: &str = r#"#include <assert.h>
#include <stdio.h>
int main(int argc, char **argv) {
    assert(argc < 100);
    printf("%s %s %s %s\n", __FILE__, __DATE__, __TIME__, __TIMESTAMP__);
    return 0;
}
"#;

/// Every file of an example, but for what a build left there.
fn files_of(folder: &Path, below: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder.join(below)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = Path::new(below).join(&name).to_str().unwrap().to_owned();
        if entry.file_type().unwrap().is_file() {
            files.push((path, fs::read_to_string(entry.path()).unwrap()));
        } else if !["target", "build", "node_modules"].contains(&name.as_str()) {
            files_of(folder, &path, files);
        }
    }
}

fn commit_example(origin: &Origin, name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name);
    let mut files = Vec::new();
    files_of(&folder, "", &mut files);
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let repo = format!("outlayer-examples/{name}");
    origin.repository(&repo).commit(&files);
    repo
}

fn hopeful(built: Result<Artifact, Error>) -> Artifact {
    built.unwrap_or_else(|error| panic!("{error}: {}", error.hidden_logs()))
}

async fn makes_the_same_bytes_sealed_and_not(name: &str) -> Artifact {
    let origin = Origin::new();
    let repo = commit_example(&origin, name);
    let here = compiler(origin.sealed_settings("here"));
    let there = compiler(origin.sealed_settings("somewhere/else"));
    let unsealed = compiler(origin.settings("unsealed"));

    let one = hopeful(build(&here, &repo, "main").await);
    let other = hopeful(build(&there, &repo, "main").await);
    let third = hopeful(build(&unsealed, &repo, "main").await);

    assert_eq!(one.hash, other.hash);
    assert_eq!(one.hash, third.hash);
    assert_eq!(one.build.toolchain_hash, third.build.toolchain_hash);
    assert!(one.build.toolchain_hash.is_some());
    assert_eq!(one.build.command, third.build.command);
    one
}

#[tokio::test]
async fn a_makefile_makes_the_same_bytes_sealed_and_not() {
    let made = makes_the_same_bytes_sealed_and_not("echo-c").await;

    assert!(made.build.toolchain.unwrap().contains("clang version"));
    assert_eq!(made.build.lockfile_hash, None);
    let command = made.build.command.unwrap();
    assert!(
        command.contains(" CC=/outlayer/kit/bin/clang "),
        "{command}"
    );
}

#[tokio::test]
async fn cmake_makes_the_same_bytes_sealed_and_not() {
    let made = makes_the_same_bytes_sealed_and_not("echo-cpp").await;

    let command = made.build.command.unwrap();
    assert!(command.contains(" /outlayer/kit/wasi.cmake"), "{command}");
}

#[tokio::test]
async fn assemblyscript_makes_the_same_bytes_sealed_and_not() {
    let made = makes_the_same_bytes_sealed_and_not("echo-assemblyscript").await;

    assert!(
        made.build
            .toolchain
            .unwrap()
            .starts_with("assemblyscript 0.")
    );
    assert!(made.build.lockfile_hash.is_some());
    let command = made.build.command.unwrap();
    assert!(command.contains("asc.js --target release"), "{command}");
}

#[tokio::test]
async fn c_that_tells_where_and_when_it_was_built_tells_the_same_everywhere() {
    let origin = Origin::new();
    let by_cmake =
        "cmake_minimum_required(VERSION 3.16)\nproject(ark C)\nadd_executable(ark main.c)\n";
    let repository = origin.repository("acme/make");
    repository.commit(&[("Makefile", MAKEFILE), ("main.c", MAIN)]);
    let repository = origin.repository("acme/cmake");
    repository.commit(&[("CMakeLists.txt", by_cmake), ("main.c", MAIN)]);
    let here = compiler(origin.sealed_settings("here"));
    let there = compiler(origin.settings("there"));

    for repo in ["acme/make", "acme/cmake"] {
        let one = hopeful(build(&here, repo, "main").await);
        let other = hopeful(build(&there, repo, "main").await);

        assert_eq!(one.hash, other.hash, "{repo}");
        let root = origin.root().to_str().unwrap();
        assert!(!String::from_utf8_lossy(&one.wasm).contains(root));
    }
}

#[tokio::test]
async fn outlayer_toml_names_the_module_the_package_and_the_tool() {
    let origin = Origin::new();
    let makefile = "all:\n\tmkdir -p out\n\t$(CC) -o out/one.wasm main.c\n\t$(CC) -DTWO -o out/two.wasm main.c\n";
    let main = "int main(void) {\n#ifdef TWO\n    return 2;\n#endif\n    return 0;\n}\n";
    let named = "[build]\nlanguage = 'c'\ntool = 'make'\nartifact = 'out/two.wasm'\n";
    let repository = origin.repository("acme/two");
    repository.commit(&[
        ("Makefile", makefile),
        ("main.c", main),
        ("outlayer.toml", named),
    ]);
    let unnamed = origin.repository("acme/unnamed");
    unnamed.commit(&[("Makefile", makefile), ("main.c", main)]);
    let lock = "version = 4\n[[package]]\nname = 'a'\nversion = '0.1.0'\n[[package]]\nname = 'b'\nversion = '0.1.0'\n";
    let workspace = origin.repository("acme/workspace");
    workspace.commit(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = ['a', 'b']\nresolver = '3'\n",
        ),
        ("Cargo.lock", lock),
        ("a/Cargo.toml", "[package]\nname = 'a'\nversion = '0.1.0'\n"),
        ("a/src/main.rs", "fn main() {}"),
        ("b/Cargo.toml", "[package]\nname = 'b'\nversion = '0.1.0'\n"),
        ("b/src/main.rs", "fn main() { not_compiled }"),
        (
            "outlayer.toml",
            "[build]\nlanguage = 'rust'\npackage = 'a'\n",
        ),
    ]);
    let compiler = compiler(origin.sealed_settings("compiler"));

    let two = build(&compiler, "acme/two", "main").await;
    let unnamed = build(&compiler, "acme/unnamed", "main").await.unwrap_err();
    let package = hopeful(build(&compiler, "acme/workspace", "main").await);

    hopeful(two);
    assert_eq!(unnamed.code(), FailureCode::NoArtifact);
    assert!(unnamed.to_string().contains("build.artifact"), "{unnamed}");
    assert!(package.build.lockfile_hash.is_some());
    let command = package.build.command.unwrap();
    assert!(
        command.ends_with("--manifest-path /outlayer/source/Cargo.toml --package a"),
        "{command}"
    );
}

#[tokio::test]
async fn code_that_does_not_compile_is_placed_in_every_language() {
    let origin = Origin::new();
    let bad_c = "int main(void) {\n    return missing;\n}\n";
    origin
        .repository("acme/c")
        .commit(&[("Makefile", MAKEFILE), ("main.c", bad_c)]);
    let cmake = "cmake_minimum_required(VERSION 3.16)\nproject(ark CXX)\nadd_executable(ark src/main.cpp)\n";
    let bad_cpp = "int main() {\n    throw 1;\n}\n";
    origin
        .repository("acme/cpp")
        .commit(&[("CMakeLists.txt", cmake), ("src/main.cpp", bad_cpp)]);
    let repo = commit_example(&origin, "echo-assemblyscript");
    origin
        .repository(&repo)
        .commit(&[("assembly/index.ts", "let x: i32 =\n  missing();\n")]);
    let expected = [
        ("acme/c", "main.c:2:12"),
        ("acme/cpp", "src/main.cpp:2:5"),
        (&repo, "assembly/index.ts:2:3"),
    ];

    for settings in [
        origin.settings("unsealed"),
        origin.sealed_settings("sealed"),
    ] {
        let compiler = compiler(settings);
        for (repo, place) in expected {
            let error = build(&compiler, repo, "main").await.unwrap_err();

            assert_eq!(
                error.code(),
                FailureCode::CompilationError,
                "{}",
                error.hidden_logs()
            );
            assert!(
                error.to_string().ends_with(place),
                "{error}: {}",
                error.hidden_logs()
            );
            assert_eq!(error.fault(), Fault::Guest);
        }
    }
}

#[tokio::test]
async fn what_is_for_rust_only_is_refused_elsewhere() {
    let origin = Origin::new();
    origin
        .repository("acme/c")
        .commit(&[("Makefile", MAKEFILE), ("main.c", MAIN)]);
    let compiler = origin.compiler();
    let source = CodeSource::GitHub(GitHub {
        repo: "acme/c".to_owned(),
        commit: "main".to_owned(),
        build_target: BuildTarget::Wasip2,
    });

    let source = compiler.resolve(&source).await.unwrap();
    let error = compiler.compile(&source).await.unwrap_err();

    assert_eq!(error.code(), FailureCode::CompilationError);
    assert!(error.to_string().contains("wasm32-wasip1 only"), "{error}");
}

#[tokio::test]
async fn assemblyscript_is_built_by_a_lock_file_that_fits_and_not_without() {
    let origin = Origin::new();
    let repo = commit_example(&origin, "echo-assemblyscript");
    let repository = origin.repository(&repo);
    let manifest = fs::read_to_string(repository.folder().join("package.json")).unwrap();
    let lock = repository.folder().join("package-lock.json");
    let compiler = origin.compiler();

    repository.commit(&[("package.json", &manifest.replace("0.27.37", "^0.28.0"))]);
    let stale = build(&compiler, &repo, "main").await.unwrap_err();
    fs::remove_file(lock).unwrap();
    repository.commit(&[]);
    let missing = build(&compiler, &repo, "main").await.unwrap_err();

    assert_eq!(stale.code(), FailureCode::DependencyNotFound);
    assert!(stale.to_string().contains("does not fit"), "{stale}");
    assert_eq!(missing.code(), FailureCode::LockfileMissing);
}

#[tokio::test]
async fn a_worker_without_the_compiler_says_what_it_lacks_and_that_is_our_fault() {
    let origin = Origin::new();
    origin
        .repository("acme/c")
        .commit(&[("Makefile", MAKEFILE), ("main.c", MAIN)]);
    let repo = commit_example(&origin, "echo-assemblyscript");
    let compiler = bare(&origin);

    for (repo, lacks) in [("acme/c", "clang"), (&repo, "node")] {
        let error = build(&compiler, repo, "main").await.unwrap_err();

        assert_eq!(error.fault(), Fault::Platform);
        assert!(
            error.to_string().contains(&format!("it lacks {lacks};")),
            "{error}"
        );
    }
}

/// A compiler with git and nothing else.
fn bare(origin: &Origin) -> Compiler {
    let programs = origin.root().join("programs");
    fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink("/usr/bin/git", programs.join("git")).unwrap();
    let mut settings = origin.settings("bare");
    settings.toolchain.programs = vec![programs];
    settings.jail = Arc::new(compiler::jail::Unsealed);
    compiler(settings)
}
