//! The room as its host sees it: what is in it, what it may spend, who dies with whom.

#![cfg(test)]

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Read as _},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use jail::{
    Layer, MissingLayers,
    room::{Account, Excess, Product, Room, Space, Wanted},
};
use tempfile::TempDir;

const PROBE: &str = env!("CARGO_BIN_EXE_jail-probe");
const MIB: u64 = 1 << 20;
const ORDINARY_USER: u32 = 12345;

/// A folder with one file to read and one folder to write to, and a room that shows both.
struct Scene {
    folder: TempDir,
    room: Room,
}

impl Scene {
    /// A room in which a shell does what the script says.
    fn of(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(path.join("reads")).unwrap();
        fs::write(path.join("reads/given"), "given").unwrap();
        fs::write(path.join("hidden"), "hidden").unwrap();
        fs::create_dir(path.join("out")).unwrap();
        let space = |path: PathBuf| Space {
            path,
            bytes: 8 * MIB,
            inodes: 100,
            filled_from: None,
        };
        let room = Room {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            folder: path.join("reads"),
            reads: vec![path.join("reads").into()],
            spaces: vec![space("/tmp".into()), space(path.join("out"))],
            product: Some(Product {
                space: path.join("out"),
                folder: "made".into(),
                to: path.join("out"),
                wanted: Wanted::Kind {
                    extension: "wasm".into(),
                    bytes: MIB,
                },
            }),
            memory_bytes: 64 * MIB,
            process_memory_bytes: 512 * MIB,
            processes: 32,
            account: path.join("account"),
            missing_layers: MissingLayers::Refused,
        };
        Self { folder, room }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = self.room.command(Path::new(PROBE), &["room".into()]);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HERE", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self) -> Output {
        self.command().output().unwrap()
    }

    fn account(&self) -> Account {
        Account::read(&self.room.account).unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// What a room shows and does not show, by a shell that looks around.
const LOOK: &str = r#"
cat given; echo
ls / 2>&1
ls -d /proc/1 /etc/passwd /root /home "$HERE/hidden" /dev/null /dev/zero /dev/random /dev/urandom /dev/tty /dev/mem /dev/shm 2>/dev/null
cat /proc/self/mountinfo 2>&1
id -u; hostname
echo x > given; echo x > /usr/x; echo x > /x; echo x > "$HERE/x"
echo x > /tmp/x && cat /tmp/x
mkdir "$HERE/out/made" && echo a > "$HERE/out/made/a.wasm" && echo b > "$HERE/out/made/b.txt"
grep -c . /sys/class/net/lo/flags
unshare -Ur true || mount -t tmpfs x /tmp || echo sealed
exit 3
"#;

const SEEN: &[&str] = &[
    "given",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
];

#[test]
fn a_room_holds_what_it_was_given_and_nothing_else() {
    let scene = Scene::of(LOOK);

    let output = scene.run();

    let said = said(&output);
    let lines: Vec<&str> = said.lines().collect();
    for seen in SEEN {
        assert!(lines.contains(seen), "{seen}: {said}");
    }
    for hidden in [
        "hidden", "passwd", "/root", "/home", "tmpfs", "/dev/tty", "/dev/mem", "/dev/shm",
    ] {
        assert!(!said.contains(hidden), "{hidden}: {said}");
    }
    for fact in ["65534", "jail", "x", "sealed"] {
        assert!(lines.contains(&fact), "{fact}: {said}");
    }
    assert_eq!(output.status.code(), Some(3));
    let account = scene.account();
    assert!(account.started && account.refused.is_empty() && account.without.is_empty());
    assert_eq!(fs::read(scene.path("reads/given")).unwrap(), b"given");
    assert!(
        !scene.path("out/made").exists(),
        "what failed makes nothing"
    );
}

#[test]
fn only_the_product_leaves_a_room() {
    let scene = Scene::of(
        r#"mkdir "$HERE/out/made"; echo a > "$HERE/out/made/a.wasm"; echo b > "$HERE/out/made/b.txt"; echo c > "$HERE/out/c.wasm""#,
    );

    let output = scene.run();

    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read(scene.path("out/made/a.wasm")).unwrap(), b"a\n");
    assert!(!scene.path("out/made/b.txt").exists());
    assert!(!scene.path("out/c.wasm").exists());
}

#[test]
fn an_ordinary_user_gets_the_same_room() {
    let scene = Scene::of(LOOK);
    let copy = scene.path("probe");
    fs::copy(PROBE, &copy).unwrap();
    let mut command = scene.room.command(&copy, &["room".into()]);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HERE", scene.folder.path());
    if is_root() {
        let owner = Some(ORDINARY_USER);
        for name in ["", "out"] {
            std::os::unix::fs::chown(scene.path(name), owner, owner).unwrap();
        }
        command.uid(ORDINARY_USER).gid(ORDINARY_USER);
    }

    let output = command.output().unwrap();
    let as_we_are = {
        fs::remove_file(&scene.room.account).unwrap();
        scene.run()
    };

    assert_eq!(said(&output), said(&as_we_are), "{output:?}");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_room_without_a_layer_is_refused_and_the_layer_named() {
    let layers = Layer::ROOM
        .into_iter()
        .filter(|layer| is_root() || *layer != Layer::Identity);

    for layer in layers {
        let scene = Scene::of("echo ran");
        let first = ["room-lacking".into(), layer.name().into()];
        let output = scene
            .room
            .command(Path::new(PROBE), &first)
            .output()
            .unwrap();

        let account = scene.account();
        assert_eq!(said(&output), "", "{layer}");
        assert!(!account.started, "{layer}");
        let refused = account.refused.concat();
        assert!(
            refused.starts_with("no jail without ") && refused.contains(layer.name()),
            "{layer}: {refused}"
        );
    }
}

#[test]
fn a_room_without_a_layer_is_made_for_development_and_the_layer_told() {
    let mut scene = Scene::of("echo ran");
    scene.room.missing_layers = MissingLayers::Allowed;
    let first = ["room-lacking".into(), Layer::NetworkNamespace.name().into()];

    let output = scene
        .room
        .command(Path::new(PROBE), &first)
        .output()
        .unwrap();

    let account = scene.account();
    assert_eq!(said(&output), "ran\n", "{account:?}");
    assert_eq!(account.without.len(), 1);
    assert!(account.without.concat().contains("network namespace"));
}

#[test]
fn without_a_view_of_its_own_processes_a_room_shows_the_machines_and_opens_nothing_of_it() {
    let mut scene = Scene::of(
        "readlink /proc/self/exe; cat /proc/1/cmdline || cat /proc/self/status || echo closed",
    );
    scene.room.missing_layers = MissingLayers::Allowed;
    let first = ["room-lacking".into(), Layer::PidNamespace.name().into()];

    let output = scene
        .room
        .command(Path::new(PROBE), &first)
        .output()
        .unwrap();

    let said = said(&output);
    assert!(said.contains("readlink\nclosed\n"), "{said}");
    assert!(scene.account().absent.concat().contains("not measured"));
}

#[test]
fn a_room_that_fills_its_disk_or_its_memory_is_ended_and_says_so() {
    let excesses = [
        (
            "cat /dev/zero > /tmp/x; sleep 60",
            Excess::Space("/tmp".into()),
        ),
        (
            "i=0; while :; do touch /tmp/$i || break; i=$((i+1)); done; sleep 60",
            Excess::Space("/tmp".into()),
        ),
        // A shell holds what it reads; many of them hold more than one may.
        (
            "for i in 1 2 3 4 5 6 7 8; do (x=$(head -c 12000000 /dev/zero | tr '\\0' x); sleep 60) & done; wait",
            Excess::Memory,
        ),
    ];

    for (script, excess) in excesses {
        let mut scene = Scene::of(script);
        scene.room.processes = 200;
        let output = scene.run();

        assert_eq!(scene.account().excess, Some(excess), "{script}: {output:?}");
        assert_eq!(output.status.code(), Some(128 + libc::SIGKILL));
    }
}

#[test]
fn nothing_outlives_the_program_or_the_host() {
    let daemon =
        "(setsid sh -c 'trip() { :; }; trap trip TERM HUP; sleep 3600' >&2 &) ; echo ready";
    let ended = Scene::of(daemon);
    let killed = Scene::of(&format!("{daemon}; sleep 3600"));

    // Both read to the end of the errors: it comes when the last who could write there is gone.
    let output = ended.run();
    let mut host = killed
        .command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(host.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    host.kill().unwrap();
    host.wait().unwrap();
    let mut errors = Vec::new();
    host.stderr
        .take()
        .unwrap()
        .read_to_end(&mut errors)
        .unwrap();

    assert_eq!(said(&output), "ready\n");
    assert_eq!(ready, "ready\n");
}

#[test]
fn a_program_that_is_not_there_is_told_from_one_that_fails() {
    let mut scene = Scene::of("");
    scene.room.program = "/usr/bin/no-such-program".into();

    let output = scene.run();

    let account = scene.account();
    assert!(!account.started, "{output:?}");
    assert!(account.refused.concat().contains("no-such-program"));
}
