//! Files, directories, sockets and signals: there, and refused.

use wasmtime::{Caller, FuncType, Linker, Val, ValType};

use super::MODULE;
use super::errno::{
    BAD_FD, Errno, NO_SEEK, NOT_A_DIRECTORY, NOT_A_SOCKET, NOT_IMPLEMENTED, NOT_SUPPORTED,
};
use crate::child::host::{Host, charge};

/// What a call says of stdin, stdout and stderr; of any other descriptor it says that it is not open.
fn errno(name: &str) -> Option<Errno> {
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

/// Links `name` if it is one of these, with the type that the module gives it.
pub(super) fn link(linker: &mut Linker<Host>, name: &str, ty: FuncType) -> wasmtime::Result<bool> {
    let Some(errno) = errno(name) else {
        return Ok(false);
    };
    let returns_number = ty.results().len() == 1 && matches!(ty.result(0), Some(ValType::I32));
    if !returns_number {
        return Ok(false);
    }
    // `path_symlink` takes the text first; nobody minds which of two errors it is.
    let takes_descriptor = name != "proc_raise";
    linker.func_new(
        MODULE,
        name,
        ty,
        move |mut caller: Caller<'_, Host>, params, results| {
            charge(&mut caller, 0)?;
            let is_stream = matches!(params.first(), Some(Val::I32(0..=2)));
            let errno = if takes_descriptor && !is_stream {
                BAD_FD
            } else {
                errno
            };
            if let Some(result) = results.first_mut() {
                *result = Val::I32(errno.0.into());
            }
            Ok(())
        },
    )?;
    Ok(true)
}
