//! The mark in Winch's code that names its calling convention, which a runtime without compilers does not take.
//!
//! wasmtime loads code only under the settings it was made with, and one of them says that functions follow Winch's convention. That
//! matters to whoever compiles a caller of such a function, since the code itself brings the trampolines by which the runtime
//! calls it. A runtime without compilers compiles no callers, but has no way of saying that the convention is all one to it. So that
//! one setting is changed in the mark, and nothing else.

use std::ops::Range;

use object::{Object as _, ObjectSection as _};
use serde::{Deserialize, Serialize};
use wasmtime::bail;
use wasmtime_environ::{FlagValue, Tunables};

/// The section that names the settings. Source: `wasmtime_environ::obj::ELF_WASM_ENGINE`.
const SECTION: &str = ".wasmtime.engine";

/// The settings as wasmtime writes them. Source: `Metadata` in `engine/serialization.rs` of the release that is named in Cargo.toml.
#[derive(Serialize, Deserialize)]
struct Settings<'a> {
    target: String,
    #[serde(borrow)]
    shared_flags: Vec<(&'a str, FlagValue<'a>)>,
    #[serde(borrow)]
    isa_flags: Vec<(&'a str, FlagValue<'a>)>,
    tunables: Tunables,
    features: u64,
}

/// Gives Winch's code the mark of code that anybody may run.
pub(super) fn as_anybodys(mut code: Vec<u8>) -> wasmtime::Result<Vec<u8>> {
    let place = place(&code)?;
    let Some(mark) = code.get_mut(place) else {
        bail!("the section {SECTION} is cut off");
    };
    // A byte for the format, then the version of the program that runs it, as long as the next byte says.
    let head = usize::from(mark.get(1).copied().unwrap_or_default()).saturating_add(2);
    let Some(body) = mark.get_mut(head..) else {
        bail!("the section {SECTION} is too short");
    };
    let mut settings: Settings<'_> = postcard::from_bytes(body)?;
    settings.tunables.winch_callable = false;
    let changed = postcard::to_stdvec(&settings)?;
    if changed.len() != body.len() {
        bail!("the settings in {SECTION} are not what they were taken for");
    }
    body.copy_from_slice(&changed);
    Ok(code)
}

fn place(code: &[u8]) -> wasmtime::Result<Range<usize>> {
    let file = object::File::parse(code)?;
    let section = file.section_by_name(SECTION);
    let Some((start, length)) = section.and_then(|it| it.file_range()) else {
        bail!("compiled code has no section {SECTION}");
    };
    let start = usize::try_from(start)?;
    Ok(start..start.saturating_add(usize::try_from(length)?))
}
