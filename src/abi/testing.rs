//! What the tests of several tables need.

use super::{Lang, Text};

/// The text of the first of these headers that is installed. `None` where there is none: the test says so
/// and has nothing to compare with, which continuous integration does not let pass.
pub(crate) fn header(paths: &[&str]) -> Option<String> {
    let text = paths
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok());
    if text.is_none() {
        let message = format!("none of {paths:?} is installed: nothing to compare with");
        assert!(std::env::var_os("CI").is_none(), "{message}");
        eprintln!("{message}");
    }
    text
}

/// Name and value of each `#define NAME VALUE` whose name begins so and whose value is a plain number.
pub(crate) fn defines(text: &str, prefix: &str) -> Vec<(String, u64)> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.strip_prefix("#define")?.split_whitespace();
            let name = words.next()?.to_owned();
            let value = words.next()?;
            let value = value.trim_end_matches("ULL").trim_end_matches('U');
            let value = match value.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).ok()?,
                None => value.parse().ok()?,
            };
            name.starts_with(prefix).then_some((name, value))
        })
        .collect()
}

/// Whether a text stands in Chinese, too. Names, paths and numbers need no translation.
pub(crate) fn is_translated(text: Text) -> bool {
    let common = [
        "and", "or", "the", "of", "in", "with", "on", "before", "since", "where", "there", "alone",
    ];
    let (english, chinese) = (text.pick(Lang::English), text.pick(Lang::Chinese));
    let mut words = english.split([' ', ',', ';']);
    match words.any(|word| common.contains(&word)) {
        true => !chinese.is_ascii(),
        false => english == chinese || !chinese.is_ascii(),
    }
}
