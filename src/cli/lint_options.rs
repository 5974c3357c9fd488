//! Options about what deserves attention.

use clap::Args;

use super::hint;
use super::message::Message;
use crate::event::Extras;
use crate::lint::{Linter, extras, lints};

/// Which lints are to watch.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What is shown, and where")]
pub(super) struct LintOptions {
    /// Do not point at what this lint finds (its name stands after each finding, in brackets); may
    /// be given again, or with commas
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    pub allow: Vec<String>,
    #[arg(long, value_name = "LINT", value_delimiter = ',', help = help())]
    #[arg(hide_short_help = true)]
    pub lint: Vec<String>,
}

/// What can be asked for, from the table.
fn help() -> String {
    let lints = lints().filter(|lint| !lint.default);
    let names: Vec<&str> = lints.map(|lint| lint.id).collect();
    format!(
        "Point at what this lint finds, too, which is not watched for by itself: {}",
        names.join(", ")
    )
}

impl LintOptions {
    /// What the lints that were asked for need to be recorded.
    pub(super) fn extras(&self) -> Extras {
        let asked = self.lint.iter().filter(|id| !self.allow.contains(id));
        extras(asked.map(String::as_str))
    }

    /// The lints.
    pub(super) fn linter(&self) -> Result<Linter, Message> {
        ids("--allow", &self.allow, &[])?;
        ids("--lint", &self.lint, &[])?;
        Linter::new(&self.allow, &self.lint).map_err(|why| Message::usage_error(why.to_string()))
    }
}

/// The names as the table has them; `others` are known besides lints.
pub(super) fn ids(
    option: &str,
    words: &[String],
    others: &'static [&'static str],
) -> Result<Vec<&'static str>, Message> {
    let known = || lints().map(|lint| lint.id).chain(others.iter().copied());
    let one = |word: &String| {
        known().find(|id| id == word).ok_or_else(|| {
            let all = known().collect::<Vec<_>>().join(", ");
            let meant = hint::meant(word, known());
            Message::usage_error(format!(
                "{option} '{word}': unknown; there are {all}{meant}"
            ))
        })
    };
    words.iter().map(one).collect()
}
