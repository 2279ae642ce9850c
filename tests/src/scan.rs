//! Looks for a secret wherever bytes are left behind, in every form that bytes usually take.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::bytes::{Regex, RegexBuilder};

/// How much of a secret is looked for at a time: what shows twice as much of it shows a whole piece. Unit: bytes of its text.
const PIECE: usize = 16;

/// How much of a file is looked at at a time. Unit: bytes.
const STRETCH: usize = 4 << 20;

/// How much of the stretch before is looked at again, which is more than any form of a piece. Unit: bytes.
const OVERLAP: usize = 1 << 10;

/// Looks for one secret: bytes written in hexadecimal.
pub struct Scan {
    forms: Regex,
}

/// A place where the secret was found. It says where, never what.
#[derive(Clone, PartialEq, Eq)]
pub struct Find {
    /// A file, or what of a process.
    pub place: PathBuf,
    /// Of the first occurrence there. Unit: bytes; none for one in the place's name.
    pub offset: Option<usize>,
}

/// What a scan of a folder came to.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Every place where the secret was found.
    pub finds: Vec<Find>,
    /// How many files were looked at.
    pub files: u64,
    /// How many bytes they hold.
    pub bytes: u64,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").finish_non_exhaustive()
    }
}

impl fmt::Debug for Find {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place.display();
        match self.offset {
            Some(offset) => write!(f, "{place} at {offset}"),
            None => write!(f, "the name {place}"),
        }
    }
}

impl Scan {
    /// A scan for the secret whose text is `secret`, which stands for bytes in hexadecimal.
    pub fn of(secret: &str) -> Result<Self> {
        ensure!(secret.len() >= PIECE, "a short secret is everywhere");
        let raw = hex::decode(secret).context("the secret is hexadecimal")?;
        let of_text = secret.as_bytes().chunks_exact(PIECE);
        let of_bytes = raw.chunks_exact(PIECE / 2);
        let forms: BTreeSet<String> = of_text.chain(of_bytes).flat_map(forms_of).collect();
        let forms: Vec<_> = forms.into_iter().collect();
        Ok(Self {
            forms: RegexBuilder::new(&forms.join("|")).unicode(false).build()?,
        })
    }

    /// Where in these bytes it is first.
    pub fn find(&self, bytes: &[u8]) -> Option<usize> {
        self.forms.find(bytes).map(|found| found.start())
    }

    /// Looks at everything in a folder, and at the names.
    pub fn folder(&self, folder: &Path) -> Result<Findings> {
        let mut findings = Findings::default();
        self.look_into(folder, &mut findings)?;
        Ok(findings)
    }

    fn look_into(&self, folder: &Path, findings: &mut Findings) -> Result<()> {
        let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if self.find(name.as_bytes()).is_some() {
                findings.finds.push(Find {
                    place: path.clone(),
                    offset: None,
                });
            }
            let kind = fs::symlink_metadata(&path)?.file_type();
            if kind.is_dir() {
                self.look_into(&path, findings)?;
            } else if kind.is_symlink() {
                let target = fs::read_link(&path)?;
                findings.note(&path, self.find(target.as_os_str().as_bytes()));
            } else if kind.is_file() {
                let offset = self.file(&path, findings)?;
                findings.note(&path, offset);
            }
        }
        Ok(())
    }

    fn file(&self, path: &Path, findings: &mut Findings) -> Result<Option<usize>> {
        let opened = File::open(path);
        let mut file = opened.with_context(|| format!("open {}", path.display()))?;
        let mut stretch = Vec::new();
        let mut before = 0_usize;
        findings.files = findings.files.saturating_add(1);
        loop {
            let read = file
                .by_ref()
                .take(u64::try_from(STRETCH)?)
                .read_to_end(&mut stretch)?;
            if read == 0 {
                return Ok(None);
            }
            findings.bytes = findings.bytes.saturating_add(u64::try_from(read)?);
            if let Some(offset) = self.find(&stretch) {
                return Ok(Some(before.saturating_add(offset)));
            }
            let done = stretch.len().saturating_sub(OVERLAP);
            stretch.drain(..done);
            before = before.saturating_add(done);
        }
    }

    /// Looks at the command lines and environments of all processes that may be looked at.
    pub fn processes(&self) -> Result<Vec<Find>> {
        let mut findings = Findings::default();
        for entry in fs::read_dir("/proc")? {
            let process = entry?.path();
            for part in ["cmdline", "environ"] {
                let place = process.join(part);
                // Those that have ended meanwhile, or are none, or are nobody else's business.
                let Ok(bytes) = fs::read(&place) else {
                    continue;
                };
                findings.note(&place, self.find(&bytes));
            }
        }
        Ok(findings.finds)
    }
}

impl Findings {
    fn note(&mut self, place: &Path, offset: Option<usize>) {
        if offset.is_some() {
            self.finds.push(Find {
                place: place.to_owned(),
                offset,
            });
        }
    }
}

/// The forms that a piece may have in a file, as regular expressions: as it is; in hexadecimal; in base64, wherever in it the piece begins; as
/// the list of numbers that debugging prints; escaped as debugging prints bytes.
fn forms_of(piece: &[u8]) -> Vec<String> {
    let as_it_is: Vec<_> = piece.iter().map(|byte| format!(r"\x{byte:02x}")).collect();
    let as_text = String::from_utf8(piece.to_ascii_uppercase());
    let numbers: Vec<_> = piece.iter().map(u8::to_string).collect();
    let mut forms = vec![
        hex::encode(piece),
        hex::encode_upper(piece),
        // Between them may be a blank or a new line with more of them.
        numbers.join(r",\s*"),
        regex::escape(&piece.escape_ascii().to_string()),
        as_it_is.concat(),
    ];
    forms.extend(as_text.ok().map(|text| regex::escape(&text)));
    for skipped in 0..3 {
        let mut bytes = vec![0; skipped];
        bytes.extend_from_slice(piece);
        // Characters that other bytes have a share in are not known.
        let first = [0, 2, 3].get(skipped).copied().unwrap_or_default();
        let whole = bytes.len().saturating_mul(8) / 6;
        for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = alphabet.encode(&bytes);
            forms.push(regex::escape(text.get(first..whole).unwrap_or_default()));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0";

    #[test]
    fn a_secret_is_found_in_every_form_and_nothing_is_found_where_there_is_none() {
        let scan = Scan::of(SECRET).unwrap();
        let raw = hex::decode(SECRET).unwrap();
        let mut forms = vec![
            raw.clone(),
            SECRET.into(),
            SECRET.to_uppercase().into(),
            hex::encode(SECRET).into(),
            format!("{raw:?}").into(),
            format!("{:#?}", SECRET.as_bytes()).into(),
            raw.escape_ascii().to_string().into(),
        ];
        for before in ["", "a", "ab"] {
            forms.push(STANDARD_NO_PAD.encode(format!("{before}{SECRET}")).into());
            let raw = [before.as_bytes(), &raw].concat();
            forms.push(URL_SAFE_NO_PAD.encode(raw).into());
        }

        let found = forms.iter().filter(|form| scan.find(form).is_some());

        assert_eq!(found.count(), forms.len());
        assert_eq!(scan.find(&SECRET.as_bytes()[1..16]), None);
    }

    #[test]
    fn a_secret_is_found_across_the_stretches_of_a_large_file() {
        let folder = tempfile::tempdir().unwrap();
        let scan = Scan::of(SECRET).unwrap();
        let begins = STRETCH - 8;
        let mut bytes = vec![b'.'; begins];
        bytes.extend_from_slice(&SECRET.as_bytes()[..PIECE]);
        fs::write(folder.path().join("large"), bytes).unwrap();

        let findings = scan.folder(folder.path()).unwrap();

        assert_eq!(findings.finds.len(), 1);
        assert_eq!(findings.finds[0].offset, Some(begins));
    }
}
