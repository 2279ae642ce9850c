//! What build scripts try, by what they are after.

use protocol::FailureCode;

use super::{Crime, Ends, crime};
use Ends::{Built, Foiled, With};

const OUT_OF_MEMORY: Ends = With(&[FailureCode::OutOfMemory]);
const OUT_OF_DISK: Ends = With(&[FailureCode::OutOfDisk]);
const TIMED_OUT: Ends = With(&[FailureCode::CompilationTimedOut]);
const SCRIPT: Ends = With(&[FailureCode::BuildScriptError]);

pub(super) const READING: &[Crime] = &[
    crime(
        "passwords",
        Foiled,
        r#"Ok(fs::read_to_string("/etc/passwd")?)"#,
    ),
    crime(
        "shadow",
        Foiled,
        r#"Ok(fs::read_to_string("/etc/shadow")?)"#,
    ),
    crime(
        "resolver",
        Foiled,
        r#"Ok(fs::read_to_string("/etc/resolv.conf")?)"#,
    ),
    crime(
        "planted-file",
        Foiled,
        r#"Ok(fs::read_to_string("{CANARY}")?)"#,
    ),
    crime(
        "planted-file-from-below",
        Foiled,
        r#"Ok(fs::read_to_string("../".repeat(30) + "{CANARY}")?)"#,
    ),
    crime(
        "planted-file-by-link",
        Foiled,
        r#"let link = Path::new(&env::var("OUT_DIR")?).join("link");
        symlink("{CANARY}", &link)?;
        Ok(fs::read_to_string(link)?)"#,
    ),
    crime(
        "workers-credentials",
        Foiled,
        r#"Ok(fs::read_to_string("{CARGO_HOME}/credentials.toml")?)"#,
    ),
    crime(
        "homes",
        Foiled,
        r#"for home in [env::var("HOME")?, "/root".into(), "/home".into()] {
            for name in [".cargo/credentials.toml", ".cargo/credentials", ".ssh/id_ed25519", ".ssh/id_rsa", ".netrc", ".gitconfig", ".bashrc", ".near-credentials"] {
                if let Ok(text) = fs::read_to_string(Path::new(&home).join(name)) { return Ok(text) }
            }
        }
        Err("none".into())"#,
    ),
    crime(
        "another-build",
        Foiled,
        r#"Ok(fs::read_to_string("{OTHER}")?)"#,
    ),
    crime(
        "names-of-other-builds",
        Foiled,
        r#"let names: Vec<_> = fs::read_dir("{WORK}")?.flatten().map(|entry| entry.file_name()).collect();
        if names.len() > 1 { Ok(format!("{names:?}")) } else { Err("only my own".into()) }"#,
    ),
    crime(
        "environment-of-the-first",
        Foiled,
        r#"Ok(fs::read_to_string("/proc/1/environ")?)"#,
    ),
    crime(
        "environment-of-the-worker",
        Foiled,
        r#"Ok(fs::read_to_string("/proc/{PID}/environ")?)"#,
    ),
    crime(
        "command-line-of-the-worker",
        Foiled,
        r#"Ok(fs::read_to_string("/proc/{PID}/cmdline")?)"#,
    ),
    crime(
        "root-of-the-first",
        Foiled,
        r#"Ok(fs::read_to_string("/proc/1/root{CANARY}")?)"#,
    ),
    crime(
        "folder-of-processes",
        Foiled,
        r#"Ok(fs::read_dir("/proc")?.count().to_string())"#,
    ),
    crime(
        "mounts",
        Foiled,
        r#"Ok(fs::read_to_string("/proc/self/mountinfo")?)"#,
    ),
    crime(
        "kernels-symbols",
        Foiled,
        r#"Ok(fs::read_to_string("/proc/kallsyms")?)"#,
    ),
    crime(
        "network-cards",
        Foiled,
        r#"Ok(fs::read_dir("/sys/class/net")?.count().to_string())"#,
    ),
    crime(
        "devices",
        Foiled,
        r#"for name in ["mem", "kmsg", "tty", "vda", "sda", "kvm", "fuse", "shm", "ptmx", "net/tun", "tdx_guest"] {
            if fs::File::open(Path::new("/dev").join(name)).is_ok() { return Ok(name.into()) }
        }
        Err("none".into())"#,
    ),
    crime(
        "open-descriptors",
        Foiled,
        r#"for number in 3..200 {
            let flags = unsafe { syscall(72, number as i64, 3i64) };
            // Those of cargo's own job server are pipes; a file or a folder could lead outside.
            let mut stat = [0u64; 18];
            let is_open = flags >= 0 && unsafe { syscall(5, number as i64, stat.as_mut_ptr()) } == 0;
            let kind = (stat[3] as u32) & 0o170000;
            if is_open && kind != 0o010000 { return Ok(format!("{number}: {kind:o}")) }
        }
        Err("none".into())"#,
    ),
];

pub(super) const NETWORK: &[Crime] = &[
    crime(
        "connection-outside",
        Foiled,
        r#"TcpStream::connect_timeout(&"1.1.1.1:443".parse()?, Duration::from_secs(2))?; Ok("connected".into())"#,
    ),
    crime(
        "connection-to-this-machine",
        Foiled,
        r#"TcpStream::connect("127.0.0.1:{PORT}")?; Ok("connected".into())"#,
    ),
    crime(
        "packet",
        Foiled,
        r#"UdpSocket::bind("0.0.0.0:0")?.send_to(b"x", "8.8.8.8:53")?; Ok("sent".into())"#,
    ),
    crime(
        "name",
        Foiled,
        r#"Ok(format!("{:?}", "example.com:443".to_socket_addrs()?.collect::<Vec<_>>()))"#,
    ),
    crime(
        "listening",
        Foiled,
        r#"TcpListener::bind("127.0.0.1:0")?; Ok("listens".into())"#,
    ),
    crime(
        "local-socket",
        Foiled,
        r#"UnixStream::connect("{SOCKET}")?; Ok("connected".into())"#,
    ),
    crime(
        "abstract-socket",
        Foiled,
        r#"let address = std::os::unix::net::SocketAddr::from_abstract_name("{ABSTRACT}")?;
        UnixStream::connect_addr(&address)?; Ok("connected".into())"#,
    ),
    crime(
        "engines-socket",
        Foiled,
        r#"UnixStream::connect("/var/run/docker.sock")?; Ok("connected".into())"#,
    ),
    crime(
        "other-families",
        Foiled,
        r#"for family in 2..46i64 {
            for kind in [1i64, 2, 3, 5] {
                if unsafe { syscall(41, family, kind, 0i64) } >= 0 { return Ok(format!("{family} {kind}")) }
            }
        }
        Err("none".into())"#,
    ),
    crime(
        "fetching-programs",
        Foiled,
        r#"for line in ["curl -sm 2 https://1.1.1.1", "wget -qt 1 -T 2 -O - https://1.1.1.1", "git ls-remote https://github.com/rust-lang/rust"] {
            let words: Vec<_> = line.split(' ').collect();
            if Command::new(words[0]).args(&words[1..]).output().is_ok_and(|said| said.status.success()) { return Ok(line.into()) }
        }
        Err("none".into())"#,
    ),
];

pub(super) const WRITING: &[Crime] = &[
    crime(
        "system-and-toolchain",
        Foiled,
        r#"for place in ["/x", "/usr/bin/x", "/usr/lib/x", "/etc/x", "/lib/x", "/dev/x", "/proc/x", "{SYSROOT}/bin/x", "{SYSROOT}/lib/x"] {
            if fs::write(place, "x").is_ok() { return Ok(place.into()) }
        }
        Err("none".into())"#,
    ),
    crime(
        "planted-file-written",
        Foiled,
        r#"fs::write("{CANARY}", "x")?; Ok("written".into())"#,
    ),
    crime(
        "toolchains-own-files",
        Foiled,
        r#"let mut open = fs::OpenOptions::new(); open.append(true);
        for place in ["{SYSROOT}/bin/rustc", "/usr/bin/cc", "/bin/sh", "/etc/ld.so.cache"] {
            if open.open(place).is_ok() || fs::remove_file(place).is_ok() { return Ok(place.into()) }
        }
        Err("none".into())"#,
    ),
    crime(
        "own-source",
        Foiled,
        r#"fs::write(Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("src/main.rs"), "fn main() { evil() }")?; Ok("written".into())"#,
    ),
    crime(
        "own-source-removed",
        Foiled,
        r#"fs::remove_dir_all(env::var("CARGO_MANIFEST_DIR")?)?; Ok("removed".into())"#,
    ),
    crime(
        "own-dependencies",
        Foiled,
        r#"fs::write(Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../vendor/x"), "x")?; Ok("written".into())"#,
    ),
    crime(
        "cargos-configuration",
        Foiled,
        r#"let config = Path::new(&env::var("CARGO_HOME")?).join("config.toml");
        if fs::remove_file(&config).is_ok() || fs::rename(&config, "/tmp/x").is_ok() { return Ok("removed".into()) }
        fs::write(config, "[build]\nrustc-wrapper = '/tmp/x'")?; Ok("written".into())"#,
    ),
    // Where the worker's folders lie in the temporary folder, that of the room holds the same names, and all that is written ends
    // with it.
    crime(
        "workers-folders",
        Built,
        r#"for place in ["{WORK}/x", "{OTHER}", "{CARGO_HOME}/config.toml"] { fs::write(place, "x").ok(); }
        fs::write(Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../account"), "refused x").ok();
        Ok(String::new())"#,
    ),
    crime(
        "hard-link",
        Foiled,
        r#"fs::hard_link("/usr/bin/env", Path::new(&env::var("OUT_DIR")?).join("x"))?; Ok("linked".into())"#,
    ),
    crime(
        "links-among-the-modules",
        Built,
        r#"let out = env::var("OUT_DIR")?;
        let target = Path::new(&out).ancestors().find(|path| path.ends_with("target")).ok_or("no target")?;
        let release = target.join("wasm32-wasip1/release");
        fs::create_dir_all(&release)?;
        symlink("{CANARY}", release.join("evil.wasm"))?;
        symlink("/proc/1/environ", release.join("evil2.wasm"))?;
        symlink("/dev/zero", release.join("evil3.wasm"))?;
        Ok(String::new())"#,
    ),
    crime(
        "folder-of-modules-elsewhere",
        With(&[
            FailureCode::NoArtifact,
            FailureCode::CompilationError,
            FailureCode::RustCompilationError,
        ]),
        r#"let out = env::var("OUT_DIR")?;
        let target = Path::new(&out).ancestors().find(|path| path.ends_with("target")).ok_or("no target")?;
        fs::rename(target.join("wasm32-wasip1"), "/tmp/elsewhere").ok();
        fs::remove_dir_all(target.join("wasm32-wasip1")).ok();
        symlink("/usr", target.join("wasm32-wasip1"))?;
        exit(0)"#,
    ),
    crime(
        "escapes-and-lies",
        SCRIPT,
        r#"println!("cargo:warning=\x1b]0;owned\x07\x1b[2J");
        eprintln!("\x1b[31mCould not resolve host\x1b[0m\nno jail without landlock\nstarted");
        exit(7)"#,
    ),
];

pub(super) const TAKING: &[Crime] = &[
    crime(
        "processes",
        Foiled,
        r#"for _ in 0..5000 { Command::new("sleep").arg("{MARK}").stdout(Stdio::null()).stderr(Stdio::null()).spawn()?; }
        Ok("5000 processes".into())"#,
    ),
    crime(
        "threads",
        Foiled,
        r#"for _ in 0..5000 { thread::Builder::new().stack_size(16384).spawn(|| loop { thread::park() })?; }
        Ok("5000 threads".into())"#,
    ),
    crime(
        "fork-bomb",
        TIMED_OUT,
        r#"Command::new("sh").args(["-c", "b() { b | b & }; b 2>/dev/null; sleep {MARK}"]).status()?;
        loop { thread::park() }"#,
    ),
    crime(
        "memory-of-one",
        OUT_OF_MEMORY,
        "let mut all = vec![]; loop { all.push(vec![1u8; 16 << 20]); }",
    ),
    crime(
        "memory-of-many",
        OUT_OF_MEMORY,
        r#"if env::args().count() > 1 { let held = vec![1u8; 120 << 20]; loop { thread::park() } }
        for _ in 0..10 { Command::new(env::current_exe()?).arg("hold").spawn()?; }
        loop { thread::park() }"#,
    ),
    crime(
        "memory-in-common",
        OUT_OF_MEMORY,
        r#"let len = 2 << 30;
        let at = unsafe { mmap(std::ptr::null_mut(), len, 3, 0x21, -1, 0) };
        for place in (0..len).step_by(4096) { unsafe { at.add(place).write(1) } }
        Ok("2 GiB".into())"#,
    ),
    crime(
        "disk",
        OUT_OF_DISK,
        r#"let out = env::var("OUT_DIR")?;
        for number in 0.. { fs::write(Path::new(&out).join(format!("{number}")), vec![1u8; 4 << 20])?; }
        Ok(String::new())"#,
    ),
    crime(
        "disk-in-the-temporary-folder",
        OUT_OF_DISK,
        r#"let mut file = fs::File::create("/tmp/x")?; loop { file.write_all(&[1u8; 65536])? }"#,
    ),
    crime(
        "disk-at-home-quietly",
        OUT_OF_DISK,
        r#"let mut file = fs::File::create(Path::new(&env::var("HOME")?).join("x"))?;
        while file.write_all(&[1u8; 65536]).is_ok() {}
        loop { thread::park() }"#,
    ),
    crime(
        "files",
        OUT_OF_DISK,
        r#"for number in 0.. { fs::File::create(Path::new("/tmp").join(format!("{number}")))?; }
        Ok(String::new())"#,
    ),
    crime(
        "a-file-with-holes",
        SCRIPT,
        r#"let file = fs::File::create("/tmp/x")?; file.set_len(1 << 40)?; Ok("1 TiB".into())"#,
    ),
    crime("time", TIMED_OUT, "loop { std::hint::black_box(1); }"),
    crime(
        "output",
        With(&[FailureCode::CompilationTimedOut, FailureCode::OutOfMemory]),
        r#"loop { println!("{}", "x".repeat(1 << 16)) }"#,
    ),
];

pub(super) const REACHING: &[Crime] = &[
    crime(
        "forbidden-calls",
        Foiled,
        // ptrace, pivot_root, chroot, mount, umount2, swapon, reboot, sethostname, init_module, quotactl, add_key, request_key, keyctl, kexec_load, unshare, perf_event_open, open_by_handle_at, setns, process_vm_readv, process_vm_writev, finit_module, memfd_create, bpf, userfaultfd, io_uring_setup, open_tree, move_mount, fsopen, pidfd_getfd, mount_setattr, clone3, shmget, mq_open, msgget, settimeofday, acct, iopl, ioperm, modify_ldt, syslog, personality, fanotify_init, landlock_create_ruleset, seccomp
        r#"for number in [101, 155, 161, 165, 166, 167, 169, 170, 175, 179, 248, 249, 250, 246, 272, 298, 304, 308, 310, 311, 313, 319, 321, 323, 425, 428, 429, 430, 438, 442, 435, 29, 240, 68, 164, 163, 172, 173, 154, 103, 135, 300, 444, 317i64] {
            let got = unsafe { syscall(number, 0i64, 0i64, 0i64, 0i64, 0i64, 0i64) };
            let why = io::Error::last_os_error().raw_os_error();
            if got != -1 || ![Some(1), Some(38)].contains(&why) { return Ok(format!("{number}: {got} {why:?}")) }
        }
        Err("none".into())"#,
    ),
    crime(
        "namespaces-by-clone",
        Foiled,
        r#"for flag in [0x20000i64, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000] {
            let pid = unsafe { syscall(56, flag | 17, 0i64, 0i64, 0i64, 0i64) };
            if pid == 0 { exit(0) }
            if pid > 0 { return Ok(format!("{flag:x}")) }
        }
        Err("none".into())"#,
    ),
    crime(
        "privileged-programs",
        Foiled,
        r#"for line in ["mount -t tmpfs x /tmp", "umount /usr", "unshare -Ur true", "nsenter -t 1 -m true", "chroot / true", "su -c true", "sudo true", "mknod /tmp/x b 8 0", "chown root /tmp", "setpriv --reuid 0 true"] {
            let words: Vec<_> = line.split(' ').collect();
            if Command::new(words[0]).args(&words[1..]).output().is_ok_and(|said| said.status.success()) { return Ok(line.into()) }
        }
        Err("none".into())"#,
    ),
    crime(
        "the-workers-process",
        Foiled,
        r#"for signal in [0, 9] { if unsafe { kill({PID}, signal) } == 0 { return Ok("signalled".into()) } }
        Err(io::Error::last_os_error().into())"#,
    ),
    crime(
        "the-first-process",
        Foiled,
        r#"for signal in [0, 9, 15, 19] { if unsafe { kill(1, signal) } == 0 { return Ok("signalled".into()) } }
        Err(io::Error::last_os_error().into())"#,
    ),
    crime(
        "everybody-killed",
        With(&[FailureCode::CompilationError]),
        "unsafe { kill(-1, 9) }; loop { thread::park() }",
    ),
    crime(
        "cargo-stopped",
        TIMED_OUT,
        "unsafe { kill(parent_id() as i32, 19) }; loop { thread::park() }",
    ),
    crime(
        "daemon",
        Built,
        r#"Command::new("setsid").args(["sh", "-c", "trap '' TERM HUP INT; sleep {MARK}; sleep {MARK}"])
            .stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(String::new())"#,
    ),
    crime(
        "daemon-that-holds-the-output",
        TIMED_OUT,
        r#"Command::new("setsid").args(["sleep", "{MARK}"]).spawn()?; exit(0)"#,
    ),
];
