//! What a component may import of WASI 0.2. Files and sockets are there, since libraries import them unused: no folder is open, and
//! no socket is made.

use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliCtxView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random, sockets, sync};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView};

use super::Room;

/// The implementations of streams, which need nothing but the table.
struct Streams;

impl HasData for Streams {
    type Data<'a> = &'a mut ResourceTable;
}

type Itself = HasSelf<Room>;

/// Links all of it.
pub(super) fn link(linker: &mut Linker<Room>) -> wasmtime::Result<()> {
    link_given(linker)?;
    link_terminals(linker)?;
    link_files(linker)?;
    link_sockets(linker)
}

fn link_given(linker: &mut Linker<Room>) -> wasmtime::Result<()> {
    fn table(room: &mut Room) -> &mut ResourceTable {
        &mut room.table
    }
    fn room(room: &mut Room) -> &mut Room {
        room
    }
    sync::io::streams::add_to_linker::<Room, Streams>(linker, table)?;
    wasmtime_wasi_io::bindings::wasi::io::error::add_to_linker::<Room, Streams>(linker, table)?;
    sync::io::poll::add_to_linker::<Room, Itself>(linker, room)?;
    clocks::wall_clock::add_to_linker::<Room, Itself>(linker, room)?;
    clocks::monotonic_clock::add_to_linker::<Room, Itself>(linker, room)?;
    random::random::add_to_linker::<Room, Itself>(linker, room)?;
    random::insecure::add_to_linker::<Room, Itself>(linker, room)?;
    random::insecure_seed::add_to_linker::<Room, Itself>(linker, room)?;
    cli::environment::add_to_linker::<Room, Itself>(linker, room)?;
    cli::exit::add_to_linker::<Room, Itself>(linker, room)?;
    cli::stdin::add_to_linker::<Room, Itself>(linker, room)?;
    cli::stdout::add_to_linker::<Room, Itself>(linker, room)?;
    cli::stderr::add_to_linker::<Room, Itself>(linker, room)
}

/// Nothing is a terminal.
fn link_terminals(linker: &mut Linker<Room>) -> wasmtime::Result<()> {
    fn terminals(room: &mut Room) -> WasiCliCtxView<'_> {
        WasiCliCtxView {
            ctx: &mut room.terminals,
            table: &mut room.table,
        }
    }
    cli::terminal_input::add_to_linker::<Room, WasiCli>(linker, terminals)?;
    cli::terminal_output::add_to_linker::<Room, WasiCli>(linker, terminals)?;
    cli::terminal_stdin::add_to_linker::<Room, WasiCli>(linker, terminals)?;
    cli::terminal_stdout::add_to_linker::<Room, WasiCli>(linker, terminals)?;
    cli::terminal_stderr::add_to_linker::<Room, WasiCli>(linker, terminals)
}

fn link_files(linker: &mut Linker<Room>) -> wasmtime::Result<()> {
    fn files(room: &mut Room) -> WasiFilesystemCtxView<'_> {
        WasiFilesystemCtxView {
            ctx: &mut room.files,
            table: &mut room.table,
        }
    }
    filesystem::preopens::add_to_linker::<Room, WasiFilesystem>(linker, files)?;
    sync::filesystem::types::add_to_linker::<Room, WasiFilesystem>(linker, files)
}

fn link_sockets(linker: &mut Linker<Room>) -> wasmtime::Result<()> {
    fn view(room: &mut Room) -> WasiSocketsCtxView<'_> {
        WasiSocketsCtxView {
            ctx: &mut room.sockets,
            table: &mut room.table,
        }
    }
    let options = sync::LinkOptions::default();
    sockets::instance_network::add_to_linker::<Room, WasiSockets>(linker, view)?;
    sockets::network::add_to_linker::<Room, WasiSockets>(linker, &(&options).into(), view)?;
    sockets::ip_name_lookup::add_to_linker::<Room, WasiSockets>(linker, view)?;
    sockets::tcp_create_socket::add_to_linker::<Room, WasiSockets>(linker, view)?;
    sync::sockets::tcp::add_to_linker::<Room, WasiSockets>(linker, view)?;
    sync::sockets::udp_create_socket::add_to_linker::<Room, WasiSockets>(linker, view)?;
    sync::sockets::udp::add_to_linker::<Room, WasiSockets>(linker, view)
}
