//! What the folder keeps, gives and lets go.

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn keys(cache: &Cache) -> Vec<String> {
    let mut keys: Vec<_> = cache.index().entries.keys().cloned().collect();
    keys.sort();
    keys
}

#[test]
fn what_is_kept_is_found_again_by_another_process() {
    let folder = folder();
    let first = Cache::open(folder.path(), 1_000).unwrap();
    first.store("key", b"code", b"unspent").unwrap();

    let second = Cache::open(folder.path(), 1_000).unwrap();
    let found = second.load("key").unwrap().unwrap();

    assert_eq!(fs::read(&found.path).unwrap(), b"code");
    assert_eq!(found.unspent.as_bytes(), b"unspent");
    assert!(second.ready("key").is_some());
    assert!(second.load("other").unwrap().is_none());
}

#[test]
fn damaged_code_is_not_used() {
    let folder = folder();
    let cache = Cache::open(folder.path(), 1_000).unwrap();
    let kept = cache.store("key", b"code", b"unspent").unwrap();

    fs::write(&kept.path, b"evil code").unwrap();

    assert!(cache.ready("key").is_none());
    assert!(cache.load("key").unwrap().is_none());
    assert!(!kept.path.exists());
}

#[test]
fn what_was_used_longest_ago_goes_first_and_what_runs_stays() {
    let folder = folder();
    let cache = Cache::open(folder.path(), 400).unwrap();
    let running = cache.store("a", &[1; 50], b"").unwrap();
    cache.store("b", &[2; 50], b"").unwrap();
    cache.store("c", &[3; 50], b"").unwrap();
    assert!(cache.ready("b").is_some());

    cache.store("d", &[4; 50], b"").unwrap();

    assert_eq!(keys(&cache), ["a", "b", "d"]);
    assert!(running.path.exists());
    drop(running);
    cache.store("e", &[5; 50], b"").unwrap();
    assert_eq!(keys(&cache), ["b", "d", "e"]);
}

#[test]
fn halves_that_a_crash_left_are_removed() {
    let folder = folder();
    fs::write(folder.path().join("a.code"), b"code").unwrap();
    fs::write(folder.path().join("b.proof"), b"proof").unwrap();

    let cache = Cache::open(folder.path(), 1_000).unwrap();

    assert!(keys(&cache).is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
