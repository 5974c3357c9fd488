//! The single words of an expectation file: names of calls, flags, signals, outcomes. What is wrong
//! comes with a hint at what was meant.

use crate::abi::{self, CloneFlags, FLAGS, flags, signals};
use crate::event::Call;
use crate::origins;
use crate::suggest::nearest;

use super::expect::WARNINGS;
use super::library_calls;
use super::values::Glob;
use crate::lint::{self, lints};

/// A message that names its key.
pub(super) fn named(key: &str, what: &str) -> String {
    match what.contains(&format!("`{key}")) {
        true => what.to_owned(),
        false => format!("`{key}`: {what}"),
    }
}

/// What to say of a word that is none of these.
pub(super) fn unknown<'a>(
    sort: &str,
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> (String, String) {
    let hint = meant(word, known.clone()).unwrap_or_else(|| {
        let mut words: Vec<&str> = Vec::new();
        for word in known {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        match words.len() <= MOST {
            true => format!("one of {}", words.join(", ")),
            false => format!(
                "such as {}",
                words.get(..EXAMPLES).unwrap_or_default().join(", ")
            ),
        }
    });
    (format!("unknown {sort} {word:?}"), hint)
}

/// So many words are no longer listed: a few of them are examples enough.
const MOST: usize = 16;
const EXAMPLES: usize = 3;

/// What a word was probably meant to be.
pub(super) fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    Some(format!("did you mean \"{}\"?", nearest(word, known)?))
}

/// The signals that have names.
pub(super) fn signal_names() -> impl Iterator<Item = &'static str> + Clone {
    (1..=31).filter_map(signals::name)
}

pub(super) type Read<T> = Result<T, (String, String)>;

pub(super) fn no_nul(name: &str, word: &str) -> Read<String> {
    match word.contains('\0') {
        true => Err((format!("`{name}` has a NUL in it"), String::new())),
        false => Ok(word.to_owned()),
    }
}

pub(super) fn call(word: &str) -> Read<Call> {
    let found = Call::ALL.into_iter().find(|call| call.name() == word);
    found.ok_or_else(|| unknown("call", word, Call::ALL.map(Call::name)))
}

/// A lint's name.
pub(super) fn lint(word: &str) -> Read<&'static str> {
    let found = lint::named(word).map(|lint| lint.id);
    found.ok_or_else(|| unknown("lint", word, lints().map(|lint| lint.id)))
}

/// A lint's name, or the word for all warnings.
pub(super) fn denied(word: &str) -> Read<&'static str> {
    if word == WARNINGS {
        return Ok(WARNINGS);
    }
    let names = lints().map(|lint| lint.id).chain([WARNINGS]);
    lint(word).map_err(|_| unknown("lint", word, names))
}

/// A flag's name, or bits that have none in hex.
pub(super) fn flag(word: &str) -> Read<CloneFlags> {
    if let Some(row) = flags::named(word) {
        return Ok(row.flags());
    }
    let digits = word
        .strip_prefix("0x")
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if let Some(bits) = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
        return Ok(CloneFlags(bits));
    }
    let parts: Vec<&str> = word
        .split(['|', ',', ' '])
        .filter(|part| !part.is_empty())
        .collect();
    if parts.len() > 1 {
        let what = format!("{word:?} is no single flag");
        return Err((what, format!("write a list: {parts:?}")));
    }
    if signals::number(word).is_some() {
        let hint = "a signal is no flag: write exit_signal = …";
        return Err((format!("{word:?} among the flags"), hint.to_owned()));
    }
    let hint = meant(word, FLAGS.iter().map(|flag| flag.name));
    let hint = hint.unwrap_or_else(|| "`clonespy explain --list` names every flag".to_owned());
    Err((format!("unknown flag {word:?}"), hint))
}

/// What libraries call, by the function's name.
pub(super) fn pattern(word: &str) -> Read<&'static str> {
    let names = library_calls::names();
    if let Some(found) = names.iter().copied().find(|name| *name == word) {
        return Ok(found);
    }
    let (what, hint) = unknown("pattern", word, names);
    let serving: Vec<String> = origins::serving(word)
        .iter()
        .map(|name| format!("{name:?}"))
        .collect();
    match serving.is_empty() {
        true => Err((what, hint)),
        false => Err((what, format!("it comes by {}", serving.join(" or ")))),
    }
}

pub(super) fn exit_signal(word: &str) -> Read<Glob> {
    let glob = Glob(word.to_owned());
    let hex = word.strip_prefix("0x").is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    if glob.is_wild()
        || hex
        || ["none", "unreadable"].contains(&word)
        || signals::number(word).is_some()
    {
        return Ok(glob);
    }
    let by_number = match word.parse() {
        Ok(0) => Some("none"),
        Ok(number) => signals::name(number),
        Err(_) => None,
    };
    let what = format!("unknown signal {word:?}");
    let hint = match by_number {
        Some(name) => Some(format!("did you mean {name:?}?")),
        None => meant(word, signal_names().chain(["none"])),
    };
    let hint = hint.unwrap_or_else(|| "such as \"SIGCHLD\", or \"none\"".to_owned());
    Err((what, hint))
}

pub(super) fn outcome(word: &str) -> Read<Glob> {
    const WORDS: [&str; 4] = ["created", "untraced", "unfinished", "unknown"];
    let glob = Glob(word.to_owned());
    let errno = abi::errno::number(word).is_some() || word.starts_with("errno ");
    if glob.is_wild() || errno || WORDS.contains(&word) {
        return Ok(glob);
    }
    let errors = abi::errno::ERRNOS.iter().map(|(_, name)| *name);
    let near = nearest(word, WORDS.into_iter().chain(errors));
    let words: Vec<&str> = near
        .into_iter()
        .chain(WORDS)
        .chain(["EINVAL", "EPERM"])
        .collect();
    Err(unknown("outcome", word, words))
}
