//! Each folder says in a line what lives there: the file of its module does, its README.md, or a row
//! in the README.md above it.

use std::path::{Path, PathBuf};

/// The first line that says something about a folder, without its marks.
fn says(folder: &Path) -> Option<String> {
    let of_a_module = ["mod.rs", "lib.rs", "main.rs"].map(|file| folder.join(file));
    let beside = folder.with_extension("rs");
    let modules = of_a_module.iter().chain([&beside]);
    let code = modules
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .find_map(|text| Some(text.lines().next()?.strip_prefix("//! ")?.to_owned()));
    let own = || {
        let text = std::fs::read_to_string(folder.join("README.md")).ok()?;
        let heading = |line: &&str| line.starts_with('#') || line.is_empty();
        text.lines().find(|line| !heading(line)).map(str::to_owned)
    };
    let above = || {
        let text = std::fs::read_to_string(folder.parent()?.join("README.md")).ok()?;
        let row = format!("| `{}/` | ", folder.file_name()?.display());
        let mut rows = text.lines().filter_map(|line| line.strip_prefix(&row));
        rows.next().map(str::to_owned)
    };
    code.or_else(own).or_else(above)
}

fn below(folder: &Path, folders: &mut Vec<PathBuf>) {
    folders.push(folder.to_owned());
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            below(&path, folders);
        }
    }
}

#[test]
fn each_folder_says_what_lives_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = Vec::new();
    for name in ["src", "tests", "fixtures", "benches", "docs"] {
        below(&root.join(name), &mut folders);
    }
    assert!(folders.len() > 40, "{folders:?}");
    let silent: Vec<_> = folders
        .iter()
        .filter(|folder| says(folder).is_none_or(|line| line.len() < 20))
        .map(|folder| folder.strip_prefix(root).expect("inside").display())
        .collect();
    assert!(silent.is_empty(), "\n{silent:#?}");
}
