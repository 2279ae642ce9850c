//! A room as the arguments of its launcher: `name=value` words, then `--`, the program and its own.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use super::{Product, Read, Room, Space, Wanted};
use crate::enter::MissingLayers;

const END: &str = "--";

impl Room {
    pub(super) fn to_args(&self) -> Vec<OsString> {
        let mut words = vec![
            word("folder", &self.folder),
            word("account", &self.account),
            number("memory", self.memory_bytes),
            number("process-memory", self.process_memory_bytes),
            number("processes", self.processes),
        ];
        if self.missing_layers == MissingLayers::Allowed {
            words.push("missing-layers=allowed".into());
        }
        for read in &self.reads {
            words.push(word("from", &read.from));
            words.push(word("read", &read.at));
        }
        for space in &self.spaces {
            words.push(number("bytes", space.bytes));
            words.push(number("inodes", space.inodes));
            if let Some(from) = &space.filled_from {
                words.push(word("filled-from", from));
            }
            words.push(word("space", &space.path));
        }
        if let Some(product) = &self.product {
            words.push(word("product-space", &product.space));
            words.push(word("product-folder", &product.folder));
            words.push(word("product-to", &product.to));
            match &product.wanted {
                Wanted::Everything => words.push("product-everything=".into()),
                Wanted::Kind { extension, bytes } => {
                    words.push(number("product-bytes", *bytes));
                    words.push(word("product-extension", Path::new(extension)));
                }
            }
        }
        words.push(END.into());
        words.push(self.program.clone().into());
        words.extend(self.args.iter().cloned());
        words
    }

    /// The inverse; nothing for arguments that no [`Room::command`] makes.
    pub(super) fn from_args(args: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut args = args.into_iter();
        let mut room = Self {
            program: PathBuf::new(),
            args: Vec::new(),
            folder: PathBuf::new(),
            reads: Vec::new(),
            spaces: Vec::new(),
            product: None,
            memory_bytes: 0,
            process_memory_bytes: 0,
            processes: 0,
            account: PathBuf::new(),
            missing_layers: MissingLayers::Refused,
        };
        let (mut bytes, mut inodes, mut from, mut filled_from) = (0, 0, PathBuf::new(), None);
        for arg in args.by_ref().take_while(|arg| arg != END) {
            let (name, value) = split(&arg)?;
            match name {
                b"folder" => room.folder = value.into(),
                b"account" => room.account = value.into(),
                b"memory" => room.memory_bytes = parse(&value)?,
                b"process-memory" => room.process_memory_bytes = parse(&value)?,
                b"processes" => room.processes = parse(&value)?,
                b"missing-layers" => room.missing_layers = MissingLayers::Allowed,
                b"from" => from = value.into(),
                b"read" => room.reads.push(Read {
                    from: from.clone(),
                    at: value.into(),
                }),
                b"bytes" => bytes = parse(&value)?,
                b"inodes" => inodes = parse(&value)?,
                b"filled-from" => filled_from = Some(value.into()),
                b"space" => room.spaces.push(Space {
                    path: value.into(),
                    bytes,
                    inodes,
                    filled_from: filled_from.take(),
                }),
                name => fill_product(room.product.get_or_insert_with(empty), name, value)?,
            }
        }
        room.program = args.next()?.into();
        room.args = args.collect();
        Some(room)
    }
}

fn empty() -> Product {
    Product {
        space: PathBuf::new(),
        folder: PathBuf::new(),
        to: PathBuf::new(),
        wanted: Wanted::Kind {
            extension: String::new(),
            bytes: 0,
        },
    }
}

fn fill_product(product: &mut Product, name: &[u8], value: OsString) -> Option<()> {
    match name {
        b"product-space" => product.space = value.into(),
        b"product-folder" => product.folder = value.into(),
        b"product-to" => product.to = value.into(),
        b"product-everything" => product.wanted = Wanted::Everything,
        name => fill_kind(&mut product.wanted, name, value)?,
    }
    Some(())
}

fn fill_kind(wanted: &mut Wanted, name: &[u8], value: OsString) -> Option<()> {
    let Wanted::Kind { extension, bytes } = wanted else {
        return None;
    };
    match name {
        b"product-extension" => *extension = value.into_string().ok()?,
        b"product-bytes" => *bytes = parse(&value)?,
        _ => return None,
    }
    Some(())
}

fn word(name: &str, value: &Path) -> OsString {
    let mut word = OsString::from(name);
    word.push("=");
    word.push(value);
    word
}

fn number(name: &str, value: u64) -> OsString {
    format!("{name}={value}").into()
}

fn split(word: &OsStr) -> Option<(&[u8], OsString)> {
    let bytes = word.as_bytes();
    let place = bytes.iter().position(|byte| *byte == b'=')?;
    let (name, value) = bytes.split_at_checked(place)?;
    Some((name, OsString::from_vec(value.get(1..)?.to_vec())))
}

fn parse(text: &OsStr) -> Option<u64> {
    text.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_survives_the_way_through_arguments() {
        let room = Room {
            program: "/usr/bin/make".into(),
            args: vec!["--".into(), "read=x".into()],
            folder: "/a=b".into(),
            reads: vec![
                PathBuf::from("/with space").into(),
                Read {
                    from: "/outside".into(),
                    at: "/inside".into(),
                },
            ],
            spaces: vec![
                Space {
                    path: "/target".into(),
                    bytes: 1,
                    inodes: 2,
                    filled_from: Some("/kept".into()),
                },
                Space {
                    path: "/tmp".into(),
                    bytes: 1,
                    inodes: 2,
                    filled_from: None,
                },
            ],
            product: Some(Product {
                space: "/target".into(),
                folder: "release".into(),
                to: "/out".into(),
                wanted: Wanted::Kind {
                    extension: "wasm".into(),
                    bytes: 3,
                },
            }),
            memory_bytes: 4,
            process_memory_bytes: 5,
            processes: 6,
            account: "/account".into(),
            missing_layers: MissingLayers::Allowed,
        };

        let mut generous = room.clone();
        generous.product = room.product.clone().map(|product| Product {
            wanted: Wanted::Everything,
            ..product
        });

        for room in [room, generous] {
            let read = Room::from_args(room.to_args());

            assert_eq!(read, Some(room));
        }
    }

    #[test]
    fn arguments_of_no_room_are_refused() {
        let refused: [&[&str]; 4] = [
            &[],
            &["--"],
            &["what=x", "--", "p"],
            &["bytes=x", "--", "p"],
        ];

        for args in refused {
            let words = args.iter().map(OsString::from);

            assert_eq!(Room::from_args(words), None, "{args:?}");
        }
    }
}
