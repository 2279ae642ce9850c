//! A fence: landlock around a command that is not jailed otherwise, for what must have the network but not everybody's files.

use std::{
    io,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    enter::no_new_privileges,
    layers::landlock::{self, Access, Closed, Rules},
    room::SYSTEM_FILES,
};

/// The files that a command, and all that it starts, may open. Everything else of the machine is open to it as before.
#[derive(Debug)]
pub struct Fence(OwnedFd);

impl Fence {
    /// Lets the system's programs and libraries be read, and these files and folders, those that there are; and these be written.
    pub fn around(reads: &[PathBuf], writes: &[PathBuf]) -> io::Result<Self> {
        let rules = Rules::closing(Closed::Files)?;
        let (system, devices) = SYSTEM_FILES;
        let reads = reads.iter().map(PathBuf::as_path);
        let writes = writes.iter().map(PathBuf::as_path);
        let open = |path: &Path, access| match rules.open(path, access) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        for path in system.iter().map(Path::new).chain(reads) {
            open(path, Access::Read)?;
        }
        for path in devices.iter().map(Path::new).chain(writes) {
            open(path, Access::Write)?;
        }
        Ok(Self(rules.into_fd()))
    }

    /// Has the command put the fence up around itself before it becomes its program.
    #[expect(unsafe_code, reason = "the fence must go up between fork and exec")]
    pub fn put_up_by(self, command: &mut Command) {
        let put_up = move || {
            no_new_privileges()?;
            landlock::put_up(self.0.as_fd())
        };
        // SAFETY: between fork and exec two system calls are made, and nothing is allocated or locked.
        unsafe {
            command.pre_exec(put_up);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;

    #[test]
    fn behind_a_fence_only_what_it_names_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["given", "own"] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("file"), name).unwrap();
        }
        fs::write(path("secret"), "secret").unwrap();
        std::os::unix::fs::symlink(path("secret"), path("own/link")).unwrap();
        let fence = Fence::around(&[path("given"), path("not-there")], &[path("own")]).unwrap();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "cat given/file own/file; echo x > own/new; cat secret own/link; echo x > given/new"])
            .current_dir(folder.path());

        fence.put_up_by(&mut command);
        let output = command.output().unwrap();

        assert_eq!(output.stdout, b"givenown");
        assert!(path("own/new").exists() && !path("given/new").exists());
    }
}
