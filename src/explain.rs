//! `clonespy explain`: what a set of flags asks for, from the tables of `abi` alone. It traces
//! nothing, asks the machine nothing, and works wherever Rust does.
//!
//! ```text
//! text ─ set ─► Set ─ picture, walk ─► Analysis ─┬─ page ─► text, markdown
//! strace's lines ─ stream ─► Set ───────┘       └────────► JSON
//! ```

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;

use crate::abi::Call;
pub use crate::abi::Lang;
use crate::abi::rules::Version;
use crate::error::{Error, Result};

mod analysis;
mod analysis_page;
mod annotate;
mod lists;
mod page;
mod rows;
mod set;
mod strace_line;
mod walk;

use analysis::Analysis;
use page::Page;
use set::{BadSet, Set};

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// For people, 80 columns.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For documents.
    Markdown,
}

impl Format {
    /// All, by the names that the option takes.
    pub const ALL: [(&'static str, Format); 3] = [
        ("text", Format::Text),
        ("json", Format::Json),
        ("markdown", Format::Markdown),
    ];
}

/// What is to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A set of flags: `0x3d0f00`, `CLONE_VM|CLONE_THREAD|SIGCHLD`, the name of a library function,
    /// `pthread_create`, or a call as strace writes it.
    Set(String),
    /// Every flag.
    Flags,
    /// Every rule by which the kernel refuses, and what it ignores.
    Rules,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// What is to be explained.
    pub what: What,
    /// Which call takes the flags. Without it: clone3 where a flag needs it, else clone.
    pub call: Option<Call>,
    /// On which kernel; without it the newest that the tables know.
    pub on: Option<Version>,
    /// How it is written.
    pub format: Format,
    /// In which language.
    pub language: Lang,
}

impl Explain {
    /// A question with all else as it is by default.
    pub fn new(what: What) -> Explain {
        Explain {
            what,
            call: None,
            on: None,
            format: Format::Text,
            language: Lang::English,
        }
    }

    fn version(&self) -> Version {
        self.on.unwrap_or(Version::NEWEST)
    }
}

/// Explains.
///
/// # Errors
/// [`Error::Usage`] for flags that are none, [`Error::Output`] where `out` takes no more.
pub fn explain(question: &Explain, out: &mut dyn Write) -> Result<()> {
    let (page, json) = match &question.what {
        // Why it failed is what such a line is about.
        What::Set(text) if question.format == Format::Text && failed(text) => {
            return annotate(question, &mut text.as_bytes(), out);
        }
        What::Set(text) => {
            let set = set_of(text, question)?;
            let analysis = Analysis::of(&set, question.language);
            (analysis.page(question.language), json_of(&analysis))
        }
        What::Flags => {
            let list = lists::flags(question.version(), question.language);
            (lists::flags_page(&list, question.language), json_of(&list))
        }
        What::Rules => {
            let list = lists::rules(question.on, question.language);
            (lists::rules_page(&list, question.language), json_of(&list))
        }
    };
    let text = match question.format {
        Format::Text => Page::text(&page),
        Format::Markdown => Page::markdown(&page),
        Format::Json => json?,
    };
    out.write_all(text.as_bytes()).map_err(output)?;
    out.flush().map_err(output)
}

/// Whether this is a line of strace about a call that failed.
fn failed(text: &str) -> bool {
    let clean = strace_line::cleaned(strace_line::prefix(text).rest);
    let name = clean.split_once('(').map(|(name, _)| name);
    name.is_some_and(|name| strace_line::CALLS.contains(&name))
        && matches!(
            strace_line::outcome(&clean),
            strace_line::Outcome::Failed(_)
        )
}

/// A set, or a call as strace writes it: `clone3({flags=CLONE_VM, …}, 88) = 5`.
fn set_of(text: &str, question: &Explain) -> Result<Set> {
    let usage = |why: &dyn std::fmt::Display| Error::Usage(why.to_string());
    let clean = strace_line::cleaned(strace_line::prefix(text).rest);
    let clean = match clean.starts_with('{') {
        true => format!("clone3({clean}, 88)"),
        false => clean,
    };
    let name = clean.split_once('(').map(|(name, _)| name);
    if name.is_none_or(|name| !strace_line::CALLS.contains(&name)) {
        return Set::parse(&clean, question.call, question.version()).map_err(|why| usage(&why));
    }
    let parsed = strace_line::call(&clean, question.version()).filter(|parsed| parsed.shown);
    let Some(parsed) = parsed else {
        return Err(usage(&format!(
            "{text:?} does not show which flags are passed"
        )));
    };
    if let Some(strange) = parsed.strange.into_iter().next() {
        return Err(usage(&BadSet::Word(strange)));
    }
    match question.call.filter(|call| *call != parsed.set.call) {
        Some(call) => Err(usage(&format!("{text:?} is no {call}"))),
        None => Ok(parsed.set),
    }
}

/// The longest line that is looked at, in bytes: a longer one is none of a call's.
const LONGEST: u64 = 1 << 20;

/// Copies strace's output line by line, and explains below each line that has one of the four calls.
/// Lines of any other content pass unchanged, and so do those of more than a megabyte. `call` and
/// `format` of the question play no part.
///
/// # Errors
/// [`Error::Input`] and [`Error::Output`].
pub fn annotate(question: &Explain, input: &mut dyn BufRead, out: &mut dyn Write) -> Result<()> {
    let mut notes = annotate::Notes::new(question.version(), question.language);
    let mut line = Vec::new();
    // What is read next begins a line.
    let mut fresh = true;
    loop {
        line.clear();
        let mut piece = Read::take(&mut *input, LONGEST);
        let read = piece
            .read_until(b'\n', &mut line)
            .map_err(|why| Error::Input {
                path: PathBuf::from("standard input"),
                why,
            })?;
        if read == 0 {
            return Ok(());
        }
        out.write_all(&line).map_err(output)?;
        let ended = line.ends_with(b"\n");
        let whole = fresh && (ended || piece.limit() > 0);
        fresh = ended;
        if !whole {
            continue;
        }
        if let Some(note) = notes.below(&line) {
            // The last line may lack its end.
            if !line.ends_with(b"\n") {
                out.write_all(b"\n").map_err(output)?;
            }
            out.write_all(note.as_bytes()).map_err(output)?;
        }
        out.flush().map_err(output)?;
    }
}

fn output(why: io::Error) -> Error {
    Error::Output {
        path: PathBuf::from("standard output"),
        why,
    }
}

fn json_of(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map(|mut text| {
            text.push('\n');
            text
        })
        .map_err(|why| output(why.into()))
}

#[cfg(test)]
mod tests;
