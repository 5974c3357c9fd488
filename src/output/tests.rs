use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::open::Opened;
use super::*;
use crate::error::{Error, Result};

fn target(path: &Path) -> Target {
    Target::named(path.as_os_str())
}

fn opens(outputs: &[&Path], inputs: &[&Path]) -> Result<Vec<Opened>> {
    let targets: Vec<Target> = outputs.iter().map(|path| target(path)).collect();
    let inputs: Vec<PathBuf> = inputs.iter().map(|path| path.to_path_buf()).collect();
    open(&targets, &inputs)
}

/// Refused as a usage error that names the path, with the file as it was.
#[track_caller]
fn refused(outputs: &[&Path], inputs: &[&Path], kept: &Path) {
    let before = std::fs::read(kept).unwrap();
    let why = opens(outputs, inputs).unwrap_err();
    assert!(matches!(why, Error::Usage(_)), "{why}");
    let last = outputs.last().unwrap().display().to_string();
    assert!(why.to_string().starts_with(&last), "{why}");
    assert_eq!(std::fs::read(kept).unwrap(), before);
}

#[test]
fn a_dash_is_standard_output() {
    assert_eq!(Target::named(OsStr::new("-")), Target::Stdout);
    assert_eq!(target(Path::new("./-")), Target::File("./-".into()));
}

#[test]
fn no_output_is_an_input_whatever_it_is_called() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (one, hard, soft) = (path("a"), path("hard"), path("soft"));
    std::fs::write(&one, "precious").unwrap();
    std::fs::hard_link(&one, &hard).unwrap();
    std::os::unix::fs::symlink("a", &soft).unwrap();
    let dots = dir.path().join("../").join(dir.path().file_name().unwrap());
    for spelling in [&one, &hard, &soft, &dots.join("./a")] {
        refused(&[spelling], &[&one], &one);
        refused(&[&one], &[&path("none"), spelling], &one);
    }
    assert!(opens(&[&path("b")], &[&one]).is_ok());
    // A device keeps nothing.
    assert!(opens(&[Path::new("/dev/null")], &[Path::new("/dev/null")]).is_ok());
}

#[test]
fn no_file_is_two_outputs() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (one, hard) = (path("a"), path("hard"));
    std::fs::write(&one, "precious").unwrap();
    std::fs::hard_link(&one, &hard).unwrap();
    refused(&[&one, &hard], &[], &one);
    // Neither is there yet: what was made for the first is taken away again.
    let spelled = dir.path().join(".").join("./new");
    let why = opens(&[&path("other"), &path("new"), &spelled], &[]).unwrap_err();
    assert!(matches!(why, Error::Usage(_)), "{why}");
    assert!(!path("new").exists() && !path("other").exists());
    let null = Path::new("/dev/null");
    assert!(opens(&[null, null], &[]).is_ok());
}

#[test]
fn one_that_cannot_be_opened_leaves_the_others_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    std::fs::write(&old, "precious").unwrap();
    let nowhere = Path::new("/nowhere/at/all");
    let why = opens(&[&old, &new, nowhere], &[]).unwrap_err();
    assert!(matches!(why, Error::Output { .. }), "{why}");
    assert_eq!(std::fs::read(&old).unwrap(), b"precious");
    assert!(!new.exists());
}

#[test]
fn a_file_is_emptied_and_a_link_leads_to_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let (old, link) = (dir.path().join("old"), dir.path().join("link"));
    std::fs::write(&old, "what was there before").unwrap();
    std::os::unix::fs::symlink("made", &link).unwrap();
    for opened in opens(&[&old, &link], &[]).unwrap() {
        opened.waiting().write_all(b"new\n").unwrap();
    }
    for name in ["old", "made"] {
        assert_eq!(std::fs::read(dir.path().join(name)).unwrap(), b"new\n");
    }
}
