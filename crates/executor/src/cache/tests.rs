//! What the folder keeps, gives and lets go.

use std::fs::File;
use std::io::{Read as _, Seek as _};

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn keys(cache: &Cache) -> Vec<String> {
    let mut keys: Vec<_> = cache.index().entries.keys().cloned().collect();
    keys.sort();
    keys
}

fn code(compiled: &Compiled) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = File::from(compiled.file().try_clone_to_owned().unwrap());
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn what_is_kept_is_found_again_by_another_process() {
    let folder = folder();
    let first = Cache::open(folder.path(), 1_000).unwrap();
    first.store("key", b"code").unwrap();

    let second = Cache::open(folder.path(), 1_000).unwrap();
    let found = second.load("key").unwrap().unwrap();

    assert_eq!(code(&found), b"code");
    assert!(second.ready("key").is_some());
    assert!(second.load("other").unwrap().is_none());
}

#[test]
fn damaged_code_is_not_used_and_not_kept() {
    let folder = folder();
    Cache::open(folder.path(), 1_000)
        .unwrap()
        .store("key", b"code")
        .unwrap();
    let file = folder.path().join("key.code");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();

    let cache = Cache::open(folder.path(), 1_000).unwrap();

    assert!(cache.load("key").unwrap().is_none());
    assert!(!file.exists());
}

#[test]
fn code_in_use_cannot_be_changed_from_outside() {
    let folder = folder();
    let cache = Cache::open(folder.path(), 1_000).unwrap();
    let kept = cache.store("key", b"code").unwrap();

    fs::write(folder.path().join("key.code"), b"evil code").unwrap();
    let written = File::from(kept.file().try_clone_to_owned().unwrap()).write_all(b"evil");

    assert!(written.is_err());
    assert_eq!(code(&cache.load("key").unwrap().unwrap()), b"code");
}

#[test]
fn what_was_used_longest_ago_goes_first() {
    let folder = folder();
    let cache = Cache::open(folder.path(), 120).unwrap();
    let running = cache.store("a", &[1; 40]).unwrap();
    cache.store("b", &[2; 40]).unwrap();
    cache.store("c", &[3; 40]).unwrap();
    assert!(cache.ready("b").is_some());
    assert!(cache.ready("c").is_some());

    cache.store("d", &[4; 40]).unwrap();

    assert_eq!(keys(&cache), ["b", "c", "d"]);
    assert_eq!(code(&running), [1; 40]);
}
