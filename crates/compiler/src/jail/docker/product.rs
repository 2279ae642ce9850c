//! What comes out of a container: one file, which the step may have written as it likes.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::jail::{Step, Wanted};

/// What the names of wanted files end in, and the most bytes of one.
///
/// # Errors
/// When a tree is asked for or about, as what is written here comes and goes with the container.
pub(super) fn kind(step: &Step) -> io::Result<(&str, u64)> {
    match (&step.product.wanted, &step.begins_as) {
        (Wanted::Kind { extension, bytes }, None) => Ok((extension, *bytes)),
        _ => Err(io::Error::other("a container keeps no trees")),
    }
}

/// Where the container sees the file.
pub(super) const INSIDE: &str = "/product";
/// The longest line of the file: a name may have 255 bytes.
const LINE_BYTES: u64 = 256;

/// Where the file is, beside the account.
pub(super) fn outside(step: &Step) -> PathBuf {
    step.account.with_extension("product")
}

/// Makes the file, for whoever the container's user is outside; nobody else reaches the folder that it is in.
pub(super) fn prepare(step: &Step) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let path = outside(step);
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666))
}

/// Makes files of what the container has left, up to the first that is not as it should be. They are plain, new, and where they belong.
pub(super) fn unpack(step: &Step) -> io::Result<()> {
    let (kind, product) = (kind(step)?, &step.product);
    let to = product.space.join(&product.folder);
    fs::create_dir_all(&to)?;
    let mut from = BufReader::new(fs::File::open(outside(step))?);
    while let Some((name, length)) = head(&mut from, kind)? {
        let mut file = match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(to.join(name))
        {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            file => file?,
        };
        if io::copy(&mut from.by_ref().take(length), &mut file)? < length {
            return Ok(());
        }
    }
    Ok(())
}

/// The name and the length of the next file.
fn head(
    from: &mut impl BufRead,
    (extension, most): (&str, u64),
) -> io::Result<Option<(String, u64)>> {
    let (Some(name), Some(length)) = (line(from)?, line(from)?) else {
        return Ok(None);
    };
    let is_wanted = Path::new(&name)
        .extension()
        .is_some_and(|ending| ending == extension)
        && !name.contains('/');
    let length = length.parse().ok().filter(|length| *length <= most);
    Ok(length.filter(|_| is_wanted).map(|length| (name, length)))
}

fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    from.take(LINE_BYTES).read_until(b'\n', &mut bytes)?;
    let text = bytes.strip_suffix(b"\n").map(<[u8]>::to_vec);
    Ok(text.and_then(|text| String::from_utf8(text).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jail::docker::tests::step;

    /// The names and contents of what becomes of `text`.
    fn unpacked(text: &[u8]) -> Vec<(String, Vec<u8>)> {
        let folder = tempfile::tempdir().unwrap();
        let step = step(folder.path());
        prepare(&step).unwrap();
        fs::write(outside(&step), text).unwrap();

        unpack(&step).unwrap();

        let files = fs::read_dir(step.product.space.join(&step.product.folder)).unwrap();
        let mut files: Vec<_> = files
            .map(|file| file.unwrap())
            .map(|file| {
                let name = file.file_name().into_string().unwrap();
                (name, fs::read(file.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn files_come_out_as_they_were() {
        let files = unpacked(b"a.wasm\n3\n\nx\nb.wasm\n0\n");

        let expected = [("a.wasm", &b"\nx\n"[..]), ("b.wasm", b"")];
        assert_eq!(
            files,
            expected.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
        );
    }

    #[test]
    fn nothing_comes_out_that_is_of_another_kind_elsewhere_too_long_or_there_already() {
        let hostile: [&[u8]; 9] = [
            b"",
            b"a.wasm",
            b"a.txt\n1\nx",
            b"../a.wasm\n1\nx",
            b"/etc/a.wasm\n1\nx",
            b".wasm\n1\nx",
            b"a.wasm\n101\nx",
            b"a.wasm\n-1\nx",
            b"\xff.wasm\n1\nx",
        ];

        for text in hostile {
            assert_eq!(unpacked(text), [], "{}", text.escape_ascii());
        }
        let long = [vec![b'a'; 10_000_000], b".wasm\n1\nx".to_vec()].concat();
        assert_eq!(unpacked(&long), []);
        let twice = unpacked(b"a.wasm\n1\nxa.wasm\n1\ny");
        assert_eq!(twice, [("a.wasm".to_owned(), b"x".to_vec())]);
    }
}
