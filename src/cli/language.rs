//! The language of what is written.

use std::ffi::OsString;

use clap::ValueEnum;

use crate::report::Lang;

/// As `--lang` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    En,
    Zh,
    Auto,
}

/// The first of these that is set and not empty decides (locale(7)).
fn locale(set: &dyn Fn(&str) -> Option<OsString>, names: [&str; 3]) -> String {
    let found = names
        .iter()
        .find_map(|name| set(name).filter(|value| !value.is_empty()));
    found.unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether the environment can show more than ASCII.
pub(super) fn unicode(set: &dyn Fn(&str) -> Option<OsString>) -> bool {
    let name = locale(set, ["LC_ALL", "LC_CTYPE", "LANG"]).to_ascii_lowercase();
    name.contains("utf-8") || name.contains("utf8")
}

/// The language of the environment. Chinese cannot be written where the locale has no Unicode,
/// unless someone asks for it.
pub(super) fn language(set: &dyn Fn(&str) -> Option<OsString>) -> Lang {
    match Lang::of_locale(&locale(set, ["LC_ALL", "LC_MESSAGES", "LANG"])) {
        lang if unicode(set) => lang,
        _ => Lang::English,
    }
}
