//! `clonespy explain`: from what was typed to a question, and its answer to standard output.

use std::io;
use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::language::{Language, language};
use super::message::Message;
use crate::abi::rules::Version;
use crate::error::{Error, Result};
use crate::event::Call;
use crate::explain::{self, Explain, Format, What};
use crate::output::{self, Target};
use crate::report::Lang;

pub(super) static USAGE: &str = "clonespy explain [OPTIONS] SET
       clonespy explain --list | --rules
       strace -f ./program 2>&1 | clonespy explain -";

pub(super) static AFTER: &str = "\
Examples:
  clonespy explain 0x3d0f00
  clonespy explain 'CLONE_VM|CLONE_THREAD'        why would the kernel refuse it?
  clonespy explain pthread_create                 what does the C library pass?
  clonespy explain --call clone3 'CLONE_NEWPID|SIGCHLD' --on 5.10
  clonespy explain --list --format markdown";

/// What is to be explained, and how.
#[derive(Debug, Args)]
pub(super) struct ExplainOptions {
    /// Flags: 0x3d0f00, 'CLONE_VM|CLONE_FS|SIGCHLD', the name of a library function such as
    /// pthread_create, or a call as strace writes it. `-`: strace's output on standard input, each call explained below its line
    #[arg(value_name = "SET")]
    set: Option<String>,
    /// Every flag
    #[arg(long, conflicts_with_all = ["set", "rules"])]
    list: bool,
    /// Every rule by which the kernel refuses a call
    #[arg(long, conflicts_with = "set")]
    rules: bool,
    /// Which call takes the flags [default: clone3 where a flag needs it, else clone]
    #[arg(long, value_name = "CALL", value_parser = call())]
    call: Option<String>,
    /// On which kernel, such as 5.10 [default: the newest that is known; with `-`: this one]
    #[arg(long, value_name = "VERSION")]
    on: Option<Version>,
    /// How it is written
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = format())]
    format: String,
    /// The language
    #[arg(long, value_name = "LANG", value_enum, default_value = "auto")]
    lang: Language,
}

fn call() -> PossibleValuesParser {
    PossibleValuesParser::new(Call::ALL.map(Call::name))
}

fn format() -> PossibleValuesParser {
    PossibleValuesParser::new(Format::ALL.map(|(name, _)| name))
}

/// A question, and whether strace's lines are to be annotated.
#[derive(Debug)]
pub(super) struct ExplainCommand {
    question: Explain,
    stream: bool,
}

impl ExplainOptions {
    /// The question as it was meant.
    pub fn plan(self) -> std::result::Result<ExplainCommand, Message> {
        let stream = self.set.as_deref() == Some("-");
        let what = match self.set {
            _ if self.list => What::Flags,
            _ if self.rules => What::Rules,
            Some(set) => What::Set(set),
            None => {
                return Err(Message::usage_error(
                    "nothing to explain; usage: clonespy explain SET",
                ));
            }
        };
        if let Some(call) = self
            .call
            .as_deref()
            .filter(|_| stream || self.list || self.rules)
        {
            let why = match stream {
                true => "with `-`: each of strace's lines names its own call",
                false => "with --list or --rules: it is about a set of flags",
            };
            return Err(Message::usage_error(format!(
                "--call {call} cannot be had {why}"
            )));
        }
        if stream && self.format != "text" {
            return Err(Message::usage_error(format!(
                "--format {} cannot be had with `-`: strace's lines are annotated as text alone; for a set, as in clonespy explain --format {} 0x3d0f00, it can",
                self.format, self.format
            )));
        }
        let language = match self.lang {
            Language::En => Lang::English,
            Language::Zh => Lang::Chinese,
            Language::Auto => language(&|name| std::env::var_os(name)),
        };
        let named = |call: &Call| Some(call.name()) == self.call.as_deref();
        let question = Explain {
            call: Call::ALL.into_iter().find(named),
            on: self.on.or_else(|| stream.then(running).flatten()),
            format: Format::ALL
                .into_iter()
                .find(|(name, _)| *name == self.format)
                .map_or(Format::Text, |(_, format)| format),
            language,
            ..Explain::new(what)
        };
        Ok(ExplainCommand { question, stream })
    }
}

/// The kernel that runs here, where there is one that says so.
fn running() -> Option<Version> {
    Version::of_release(&std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?)
}

/// Answers to standard output.
///
/// # Errors
/// The set is none, or the answer could not be written. (Whoever closed the pipe has seen enough.)
pub(super) fn explain(command: &ExplainCommand) -> Result<ExitCode> {
    let inputs = command.stream.then(|| "-".into());
    let mut out = output::open_one(&Target::Stdout, inputs.as_slice())?.waiting();
    let done = if command.stream {
        explain::annotate(&command.question, &mut io::stdin().lock(), &mut out)
    } else {
        explain::explain(&command.question, &mut out)
    };
    let flushed = out.flush().map_err(|why| Error::Output {
        path: Target::Stdout.to_string().into(),
        why,
    });
    match done.and(flushed) {
        Err(Error::Output { why, .. }) if why.kind() == io::ErrorKind::BrokenPipe => {
            Ok(ExitCode::SUCCESS)
        }
        done => done.map(|()| ExitCode::SUCCESS),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::parse::parse;
    use crate::cli::plan::Plan;

    fn plan(args: &[&str]) -> Result<super::ExplainCommand, String> {
        let words = ["clonespy", "explain"]
            .iter()
            .chain(args)
            .map(std::ffi::OsString::from);
        match parse(words) {
            Ok(Plan::Explain(command)) => Ok(*command),
            Ok(other) => Err(format!("{other:?}")),
            Err(said) => Err(format!("{said:?}")),
        }
    }

    #[test]
    fn a_question_needs_something_to_explain() {
        use crate::abi::rules::Version;
        use crate::event::Call;
        use crate::explain::{Format, What};
        use crate::report::Lang;
        let command =
            plan(&["0x11", "--call", "clone3", "--on", "5.10", "--lang=zh"]).expect("a question");
        assert_eq!(command.question.what, What::Set("0x11".into()));
        assert_eq!(command.question.call, Some(Call::Clone3));
        assert_eq!(command.question.on, Some(Version(5, 10, 0)));
        assert_eq!(command.question.language, Lang::Chinese);
        let command = plan(&["--list", "--format=json"]).expect("a question");
        assert_eq!(
            (command.question.what, command.question.format),
            (What::Flags, Format::Json)
        );
        assert!(plan(&["-"]).expect("a question").stream);
        for format in ["json", "markdown"] {
            let said = plan(&["-", "--format", format]).expect_err("no such format");
            assert!(said.contains("annotated as text alone"), "{said}");
        }
        assert!(plan(&["-", "--format", "text"]).expect("a question").stream);
        let said = plan(&[]).expect_err("nothing is command");
        assert!(said.contains("nothing to explain"), "{said}");
        assert!(plan(&["--list", "0x11"]).is_err());
        for command in [
            ["-", "each of strace's lines"],
            ["--list", "a set"],
            ["--rules", "a set"],
        ] {
            let said = plan(&[command[0], "--call", "clone3"]).expect_err("no call is chosen");
            assert!(said.contains(command[1]), "{said}");
        }
        assert!(plan(&["0x11", "--call", "unshare"]).is_err());
        assert!(plan(&["0x11", "--on", "new"]).is_err());
    }
}
