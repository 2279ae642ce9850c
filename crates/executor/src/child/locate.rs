//! Frames of a backtrace to lines of source, by the DWARF that the module brings.

use std::borrow::Cow;

use addr2line::gimli::{self, EndianSlice, LittleEndian};
use guest::wire::{Frame, MAX_NAME_BYTES};
use metering::Variant;
use wasmparser::{Parser, Payload, TypeRef};

use super::wire::{Origin, Told};

/// Functions that were inlined into one another at one place, the innermost ones.
const MAX_INLINED: usize = 8;

type Dwarf<'a> = addr2line::Context<EndianSlice<'a, LittleEndian>>;

/// What of a module leads to its source.
#[derive(Default)]
struct Leads<'a> {
    imported_functions: u32,
    sections: Vec<(&'a str, &'a [u8])>,
}

/// The lines of each frame. Code of the module has been made, so it is valid; its DWARF may be anything.
pub(super) fn locate(wasm: &[u8], variant: Variant, frames: &[Frame]) -> Told {
    let leads = Leads::of(wasm);
    if leads.sections.is_empty() {
        return Told::Lineless;
    }
    let (Ok(metered), Some(dwarf)) = (metering::meter(wasm, variant), leads.dwarf()) else {
        return Told::Lineless;
    };
    let lines = frames.iter().map(|frame| {
        let function = frame.function.checked_sub(leads.imported_functions)?;
        let address = metered.places.original(function, frame.offset?)?;
        lines(&dwarf, address.into()).ok()
    });
    Told::Located(lines.map(Option::unwrap_or_default).collect())
}

impl<'a> Leads<'a> {
    fn of(wasm: &'a [u8]) -> Self {
        let mut leads = Self::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload {
                Ok(Payload::ImportSection(section)) => {
                    let functions = section
                        .into_imports()
                        .filter_map(Result::ok)
                        .filter(|import| matches!(import.ty, TypeRef::Func(_)))
                        .count();
                    leads.imported_functions = u32::try_from(functions).unwrap_or(u32::MAX);
                }
                Ok(Payload::CustomSection(section)) if section.name().starts_with(".debug_") => {
                    leads.sections.push((section.name(), section.data()));
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        leads
    }

    fn dwarf(&self) -> Option<Dwarf<'a>> {
        let section = |id: gimli::SectionId| {
            let found = self.sections.iter().find(|(name, _)| *name == id.name());
            let bytes = found.map_or(&[][..], |(_, bytes)| *bytes);
            Ok::<_, gimli::Error>(EndianSlice::new(bytes, LittleEndian))
        };
        addr2line::Context::from_dwarf(gimli::Dwarf::load(section).ok()?).ok()
    }
}

fn lines(dwarf: &Dwarf<'_>, address: u64) -> Result<Vec<Origin>, gimli::Error> {
    let mut frames = dwarf.find_frames(address).skip_all_loads()?;
    let mut lines = Vec::new();
    while lines.len() < MAX_INLINED {
        let Some(frame) = frames.next()? else { break };
        let Some((file, line)) = frame.location.and_then(|at| Some((at.file?, at.line?))) else {
            continue;
        };
        let name = frame.function.as_ref();
        lines.push(Origin {
            function: name.and_then(|name| Some(short(name.raw_name().ok()?))),
            file: short(Cow::Borrowed(file)),
            line,
        });
    }
    Ok(lines)
}

fn short(text: Cow<'_, str>) -> String {
    let mut text = text.into_owned();
    text.truncate(text.floor_char_boundary(MAX_NAME_BYTES));
    text
}
