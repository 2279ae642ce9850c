//! Files, directories, sockets and signals: there, and refused.

use super::errno::{
    Answer, BAD_FD, Errno, NO_SEEK, NOT_A_DIRECTORY, NOT_A_SOCKET, NOT_IMPLEMENTED, NOT_SUPPORTED,
};
use crate::world::{Calling, charge};

/// What a call says of stdin, stdout and stderr; of any other descriptor it says that it is not open.
pub(super) fn errno(name: &str) -> Option<Errno> {
    Some(match name {
        "fd_pread" | "fd_pwrite" | "fd_seek" | "fd_tell" => NO_SEEK,
        "fd_readdir"
        | "path_create_directory"
        | "path_filestat_get"
        | "path_filestat_set_times"
        | "path_link"
        | "path_open"
        | "path_readlink"
        | "path_remove_directory"
        | "path_rename"
        | "path_symlink"
        | "path_unlink_file" => NOT_A_DIRECTORY,
        "fd_prestat_get" | "fd_prestat_dir_name" => BAD_FD,
        "fd_advise"
        | "fd_allocate"
        | "fd_datasync"
        | "fd_fdstat_set_rights"
        | "fd_filestat_set_size"
        | "fd_filestat_set_times"
        | "fd_renumber"
        | "fd_sync" => NOT_SUPPORTED,
        "sock_accept" | "sock_recv" | "sock_send" | "sock_shutdown" => NOT_A_SOCKET,
        "proc_raise" => NOT_IMPLEMENTED,
        _ => return None,
    })
}

/// What the call answers to these arguments.
pub(super) fn refuse(caller: &mut dyn Calling, name: &str, args: &[u64]) -> Answer {
    charge(caller, 0)?;
    // `path_symlink` takes the text first; nobody minds which of two errors it is.
    let is_stream = name == "proc_raise" || matches!(args.first(), Some(0..=2));
    Ok(errno(name).filter(|_| is_stream).unwrap_or(BAD_FD))
}
