//! A registry of packages that commit crimes, and lock files that name what is in no registry.
//!
//! The registry's `assemblyscript` is not the compiler but a program that commits its crime and then leaves an empty module: what npm
//! fetches runs in the room, whoever wrote it.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use protocol::FailureCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Ends, Scene};
use Ends::{Built, With};

const FAILED: Ends = With(&[FailureCode::CompilationError]);
const REFUSED: Ends = With(&[FailureCode::DependencyNotFound]);

/// Ends a compiler: leaves a module where it is asked for.
const LEAVE: &str = r"import fs from 'node:fs';
const module = process.argv[process.argv.indexOf('--outFile') + 1];
fs.mkdirSync(module.slice(0, module.lastIndexOf('/')), { recursive: true });
fs.writeFileSync(module, Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]));
";

/// What compilers do first, by their versions.
const COMPILERS: [(&str, &str, Ends); 6] = [
    ("1.0.0", "", Built),
    (
        "1.0.1",
        "console.log('LOOT: ' + fs.readFileSync('{CANARY}'));\n",
        FAILED,
    ),
    (
        "1.0.2",
        "console.log('LOOT: ' + fs.readFileSync('/etc/passwd'));\n",
        FAILED,
    ),
    (
        "1.0.3",
        "import net from 'node:net';\nawait new Promise((yes, no) => net.connect({PORT}, '127.0.0.1', yes).on('error', no));\nconsole.log('LOOT: connected');\n",
        FAILED,
    ),
    (
        "1.0.4",
        "import net from 'node:net';\nawait new Promise((yes, no) => net.connect('{SOCKET}', yes).on('error', no));\nconsole.log('LOOT: connected');\n",
        FAILED,
    ),
    (
        "1.0.5",
        "const all = []; for (;;) all.push(Buffer.alloc(1 << 24, 1));\n",
        With(&[FailureCode::OutOfMemory]),
    ),
];

/// Of a package whose installation would run something.
const SCRIPTS: &str = r#"{"preinstall": "touch {RAN}", "install": "touch {RAN}", "postinstall": "touch {RAN}", "prepare": "touch {RAN}"}"#;

/// Configuration that would have npm go elsewhere and run something.
const NPMRC: &str = "registry=http://127.0.0.1:1/\ngit=./evil\nscript-shell=./evil\nnode-options=--require ./evil.js\nignore-scripts=false\ncafile=./evil\ncache=./cache\n";

/// What a lock file says of a second package, and why that is refused.
const REFUSALS: [(&str, &str); 7] = [
    (
        "lock-of-git",
        r#"{"version": "1.0.0", "resolved": "git+ssh://git@github.com/a/b.git#0123", "integrity": "{SHA512}"}"#,
    ),
    (
        "lock-of-http",
        r#"{"version": "1.0.0", "resolved": "http://127.0.0.1:{PORT}/evil-1.0.0.tgz", "integrity": "{SHA512}"}"#,
    ),
    (
        "lock-of-a-folder",
        r#"{"version": "1.0.0", "resolved": "file:../../../../etc", "integrity": "{SHA512}"}"#,
    ),
    (
        "lock-of-a-version-elsewhere",
        r#"{"version": "file:/etc", "integrity": "{SHA512}"}"#,
    ),
    ("lock-of-a-link", r#"{"resolved": "/etc", "link": true}"#),
    ("lock-without-integrity", r#"{"version": "1.0.0"}"#),
    (
        "lock-with-other-bytes",
        r#"{"version": "1.0.0", "integrity": "{SHA512}"}"#,
    ),
];

/// A registry on this machine.
pub(super) struct Registry {
    folder: TempDir,
    address: SocketAddr,
    listener: TcpListener,
}

/// A package that is published.
struct Published {
    manifest: Value,
    archive: Vec<u8>,
    integrity: String,
}

impl Registry {
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry = Self {
            folder: tempfile::tempdir().unwrap(),
            address: listener.local_addr().unwrap(),
            listener,
        };
        let text = format!("registry=http://{}/\n", registry.address);
        fs::write(registry.config(), text).unwrap();
        registry
    }

    /// What leads npm here.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.path().join("npmrc")
    }

    /// Publishes what the repositories need, commits those, and says how each must end.
    pub(super) fn commit_all(self, scene: &Scene) -> Vec<(&'static str, Ends)> {
        let ran = scene.place("{CANARY}/../ran");
        let scripts: Value = serde_json::from_str(&SCRIPTS.replace("{RAN}", &ran)).unwrap();
        let evil = self.publish("evil", "1.0.0", &scripts, "binding.gyp", "{}");
        let compilers = COMPILERS.map(|(version, crime, _)| {
            let program = scene.place(&format!("{LEAVE}{crime}"));
            self.publish(
                "assemblyscript",
                version,
                &json!({}),
                "bin/asc.js",
                &program,
            )
        });
        let names = [
            "asc-honest",
            "asc-reads",
            "asc-reads-passwords",
            "asc-connects",
            "asc-connects-here",
            "asc-takes-memory",
        ];
        let mut cases = Vec::new();
        for ((name, compiler), (.., ends)) in names.into_iter().zip(&compilers).zip(COMPILERS) {
            commit(scene, name, compiler, None, &[]);
            cases.push((name, ends));
        }
        let honest = &compilers[0];
        let entry =
            json!({"version": "1.0.0", "integrity": evil.integrity, "hasInstallScript": true});
        commit(scene, "scripts-of-a-package", honest, Some(&entry), &[]);
        cases.push(("scripts-of-a-package", Built));
        let own = [
            (".npmrc", NPMRC),
            ("evil", "#!/bin/sh\ntouch {CANARY}/../ran\n"),
            ("binding.gyp", "{}"),
        ];
        commit(scene, "configuration-of-npm", honest, None, &own);
        cases.push(("configuration-of-npm", Built));
        let modules = [("node_modules/assemblyscript/bin/asc.js", "evil")];
        commit(scene, "packages-that-are-committed", honest, None, &modules);
        cases.push(("packages-that-are-committed", FAILED));
        for (name, entry) in REFUSALS {
            let sha512 = format!("sha512-{}", "A".repeat(88));
            let entry = scene.place(entry).replace("{SHA512}", &sha512);
            let entry = serde_json::from_str(&entry).unwrap();
            commit(scene, name, honest, Some(&entry), &[]);
            cases.push((name, REFUSED));
        }
        let all = compilers.into_iter().chain([evil]).collect();
        self.serve(all);
        cases
    }

    /// Makes the archive of a package of one file besides its manifest.
    fn publish(
        &self,
        name: &str,
        version: &str,
        scripts: &Value,
        file: &str,
        text: &str,
    ) -> Published {
        let manifest =
            json!({"name": name, "version": version, "type": "module", "scripts": scripts});
        let folder = self.folder.path().join(format!("{name}-{version}"));
        let package = folder.join("package");
        let path = package.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        fs::write(package.join("package.json"), manifest.to_string()).unwrap();
        let archive = folder.join("archive.tgz");
        run(Command::new("tar")
            .arg("-czf")
            .arg(&archive)
            .arg("-C")
            .arg(&folder)
            .arg("package"));
        Published {
            manifest,
            integrity: integrity_of(&archive),
            archive: fs::read(archive).unwrap(),
        }
    }

    /// Answers npm for as long as the test goes on.
    fn serve(self, packages: Vec<Published>) {
        let mut answers: HashMap<String, Vec<u8>> = HashMap::new();
        let mut documents: HashMap<String, Value> = HashMap::new();
        for package in packages {
            let text = |key: &str| package.manifest[key].as_str().unwrap().to_owned();
            let (name, version) = (text("name"), text("version"));
            let path = format!("/{name}/-/{name}-{version}.tgz");
            let mut manifest = package.manifest.clone();
            let tarball = format!("http://{}{path}", self.address);
            manifest["dist"] = json!({"tarball": tarball, "integrity": package.integrity});
            answers.insert(path, package.archive);
            let document = documents
                .entry(format!("/{name}"))
                .or_insert_with(|| json!({"name": name, "dist-tags": {}, "versions": {}}));
            document["versions"][version.as_str()] = manifest;
            document["dist-tags"]["latest"] = version.into();
        }
        answers.extend(
            documents
                .into_iter()
                .map(|(path, document)| (path, document.to_string().into_bytes())),
        );
        let answers = Arc::new(answers);
        tokio::spawn(async move {
            let Self { listener, .. } = self;
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&answers)));
            }
        });
    }
}

async fn answer(mut stream: TcpStream, answers: Arc<HashMap<String, Vec<u8>>>) {
    let mut asked = vec![0; 16384];
    let length = stream.read(&mut asked).await.unwrap_or(0);
    let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
    let path = asked.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match answers.get(path) {
        Some(body) => ("200 OK", body.as_slice()),
        None => ("404 Not Found", &b"{}"[..]),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
}

fn run(command: &mut Command) -> Vec<u8> {
    let said = command.output().unwrap();
    assert!(said.status.success(), "{said:?}");
    said.stdout
}

fn integrity_of(archive: &Path) -> String {
    let script = "process.stdout.write('sha512-' + require('crypto').createHash('sha512').update(require('fs').readFileSync(process.argv[1])).digest('base64'))";
    String::from_utf8(run(Command::new("node").args(["-e", script]).arg(archive))).unwrap()
}

/// Commits a program with a compiler and, if `entry` says how, a second package.
fn commit(
    scene: &Scene,
    name: &str,
    compiler: &Published,
    entry: Option<&Value>,
    more: &[(&str, &str)],
) {
    let version = &compiler.manifest["version"];
    let mut dependencies = json!({"assemblyscript": version});
    let mut packages = json!({
        "node_modules/assemblyscript": {"version": version, "integrity": compiler.integrity},
    });
    if let Some(entry) = entry {
        dependencies["evil"] = "1.0.0".into();
        packages["node_modules/evil"] = entry.clone();
    }
    packages[""] = json!({"name": "ark", "version": "0.1.0", "dependencies": dependencies});
    let ran = scene.place("{CANARY}/../ran");
    let scripts: Value = serde_json::from_str(&SCRIPTS.replace("{RAN}", &ran)).unwrap();
    let manifest = json!({"name": "ark", "version": "0.1.0", "scripts": scripts, "dependencies": dependencies});
    let lock = json!({"name": "ark", "version": "0.1.0", "lockfileVersion": 3, "requires": true, "packages": packages});
    let repository = scene.origin.repository(&format!("evil/{name}"));
    repository.commit(&[
        ("package.json", &manifest.to_string()),
        ("package-lock.json", &lock.to_string()),
        ("assembly/index.ts", "export {};\n"),
    ]);
    for (path, text) in more {
        repository.commit(&[(path, &scene.place(text))]);
    }
}
