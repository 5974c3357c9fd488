//! `clonespy check`: from what was typed to checks, and their verdict.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::message::{self, Message};
use super::values::seconds;
use super::{hint, lint_options, status};
use crate::abi::{CloneFlags, FLAGS};
use crate::check::{self, Adhoc, CheckPlan, FORMATS, Format, Range, Subject, Task, Verdict};
use crate::error::{Result, plain};
use crate::library::runner;
use crate::output::{self, Outputs, Target};

pub(super) static USAGE: &str = "clonespy check [OPTIONS] FILE...
       clonespy check [OPTIONS] [--expect FILE] -- PROGRAM [ARGS]...
       clonespy check [OPTIONS] --expect FILE --trace TRACE";

pub(super) static AFTER: &str = "\
Exit status: 0 all hold; 1 an expectation fails; 2 a check could not run.

Examples:
  clonespy check tests/*.toml                     files that name their own command
  clonespy check --processes 1 --threads ..=8 --no-failures -- ./program
  clonespy check --bless --expect server.toml -- ./server --once
  clonespy check --expect server.toml --trace t.jsonl --format junit:report.xml";

/// What is to be checked.
#[derive(Debug, Args)]
pub(super) struct CheckOptions {
    /// Expectation files, each of which names its own command
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The program to run, and its arguments
    #[arg(last = true, value_name = "PROGRAM", hide = true)]
    command: Vec<OsString>,
    /// What is expected of the program after `--`, or of a recorded trace
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Check this recorded trace instead of running anything
    #[arg(long, value_name = "TRACE", conflicts_with = "command")]
    trace: Option<PathBuf>,
    /// Write what was seen into the expectation file, ready to edit, instead of checking it
    #[arg(long)]
    bless: bool,
    /// How many processes there must be: 1, 2..=4, ..=8, 1..
    #[arg(long, value_name = "RANGE")]
    processes: Option<Range>,
    /// How many threads there must be, the first one of each process included
    #[arg(long, value_name = "RANGE")]
    threads: Option<Range>,
    /// Flags that no call may pass: CLONE_NEWUSER, or several with `|` or commas
    #[arg(long, value_name = "FLAGS", value_parser = flags)]
    forbid: Vec<CloneFlags>,
    /// No call may fail
    #[arg(long)]
    no_failures: bool,
    /// What lints must not find: their names, or warnings for all that are on by themselves; may be
    /// given again, or with commas
    #[arg(
        long,
        visible_alias = "lint",
        value_name = "LINT",
        value_delimiter = ','
    )]
    deny: Vec<String>,
    /// What they may find all the same
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    allow: Vec<String>,
    /// How many checks run at once
    #[arg(short, long, value_name = "N", default_value = "1", value_parser = jobs)]
    jobs: usize,
    /// Write the verdict in this format (text, json, junit); may be given again for another DEST
    #[arg(long, value_name = "NAME[:DEST]")]
    format: Vec<OsString>,
    /// The longest that a program may take whose file does not say
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

fn jobs(word: &str) -> std::result::Result<usize, String> {
    let jobs = word.parse().ok().filter(|jobs| *jobs > 0);
    jobs.ok_or_else(|| format!("'{word}' is no number of checks, from 1"))
}

/// Flags by name, all known.
fn flags(word: &str) -> std::result::Result<CloneFlags, String> {
    let names = word
        .split([',', '|'])
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names
        .into_iter()
        .try_fold(CloneFlags::default(), |all, name| {
            match FLAGS.iter().find(|flag| flag.name == name) {
                Some(flag) => Ok(all.union(CloneFlags(flag.bits))),
                None => {
                    let known = FLAGS.iter().map(|flag| flag.name);
                    Err(format!("'{name}' is no flag{}", hint::meant(name, known)))
                }
            }
        })
}

/// Checks, and where their verdict goes.
#[derive(Debug)]
pub(super) struct CheckCommand {
    plan: CheckPlan,
    outputs: Vec<(&'static Format, Target)>,
}

impl CheckCommand {
    /// The files that are read.
    fn inputs(&self) -> Vec<PathBuf> {
        let of_task = |task: &Task| {
            let trace = match &task.subject {
                Subject::Trace(file) => Some(file.clone()),
                Subject::Own | Subject::Command(_) => None,
            };
            task.file.clone().into_iter().chain(trace)
        };
        self.plan.tasks.iter().flat_map(of_task).collect()
    }
}

impl CheckOptions {
    /// The checks as they were meant.
    pub fn plan(self) -> std::result::Result<CheckCommand, Message> {
        let adhoc = self.adhoc()?;
        let beside = !self.command.is_empty() || self.trace.is_some();
        if beside && !self.files.is_empty() {
            return Err(Message::usage_error(
                "an expectation for a program after `--`, or for a recorded trace, is given with \
                 --expect FILE; files without it name their own command",
            ));
        }
        if !beside && self.expect.is_some() {
            return Err(Message::usage_error(
                "--expect is about a program after `--` or a trace; a file that names its own \
                 command is given as it is: clonespy check FILE",
            ));
        }
        let subject = match (self.trace, self.command) {
            (Some(trace), _) => Subject::Trace(trace),
            (None, command) if !command.is_empty() => Subject::Command(command),
            (None, _) => Subject::Own,
        };
        let default = if matches!(subject, Subject::Command(_)) {
            Target::Stderr
        } else {
            Target::Stdout
        };
        let tasks: Vec<Task> = match subject {
            Subject::Own => {
                let own = |file| Task {
                    file: Some(file),
                    subject: Subject::Own,
                    adhoc: adhoc.clone(),
                };
                self.files.into_iter().map(own).collect()
            }
            subject => vec![Task {
                file: self.expect,
                subject,
                adhoc,
            }],
        };
        if tasks.is_empty() {
            return Err(Message::usage_error(
                "nothing to check; usage: clonespy check FILE... (or -- PROGRAM)",
            ));
        }
        if self.bless && tasks.iter().any(|task| task.file.is_none()) {
            return Err(Message::usage_error(
                "--bless needs a file to write: --expect FILE",
            ));
        }
        let plan = CheckPlan {
            tasks,
            jobs: self.jobs,
            bless: self.bless,
            timeout: self.timeout,
        };
        Ok(CheckCommand {
            plan,
            outputs: outputs(&self.format, &default)?,
        })
    }

    fn adhoc(&self) -> std::result::Result<Adhoc, Message> {
        let none = self.no_failures.then_some(Range::exactly(0));
        let counts = [
            ("processes", self.processes),
            ("threads", self.threads),
            ("failed", none),
        ];
        Ok(Adhoc {
            deny: lint_options::ids("--deny", &self.deny, &[check::WARNINGS])?,
            allow: lint_options::ids("--allow", &self.allow, &[])?,
            counts: counts
                .into_iter()
                .filter_map(|(name, range)| Some((name, range?)))
                .collect(),
            forbid: self
                .forbid
                .iter()
                .fold(CloneFlags::default(), |all, &one| all.union(one)),
        })
    }
}

/// `NAME[:DEST]`, each destination once.
fn outputs(
    words: &[OsString],
    default: &Target,
) -> std::result::Result<Vec<(&'static Format, Target)>, Message> {
    let mut outputs: Vec<(&'static Format, Target)> = Vec::new();
    for word in words {
        let mut parts = word.as_bytes().splitn(2, |&byte| byte == b':');
        let name = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
        let to = match parts.next() {
            Some([]) => {
                return Err(Message::usage_error(format!(
                    "--format {name}: no destination after the colon"
                )));
            }
            Some(to) => Target::named(std::ffi::OsStr::from_bytes(to)),
            None => default.clone(),
        };
        let Some(format) = check::format(&name) else {
            let known = FORMATS.iter().map(|format| format.name);
            let all = known.clone().collect::<Vec<_>>().join(", ");
            return Err(Message::usage_error(format!(
                "--format '{name}': unknown; there are {all}{}",
                hint::meant(&name, known)
            )));
        };
        if outputs.iter().any(|(_, other)| *other == to) {
            return Err(Message::usage_error(format!(
                "two formats for one destination ({to})"
            )));
        }
        outputs.push((format, to));
    }
    if outputs.is_empty() {
        outputs.extend(FORMATS.first().map(|text| (text, default.clone())));
    }
    Ok(outputs)
}

/// Runs the checks and writes their verdict.
pub(super) fn check(command: &CheckCommand) -> ExitCode {
    let verdict = verdict(command).map(|verdict| verdict.status());
    ExitCode::from(verdict.unwrap_or_else(|why| {
        // A check that was command for in vain has not run, whatever hindered it.
        message::warn(&why.to_string());
        status::NOT_CHECKED
    }))
}

/// # Errors
/// An output cannot be written; nothing has run then.
fn verdict(command: &CheckCommand) -> Result<Verdict> {
    let targets = command.outputs.iter().map(|(_, target)| target);
    let opened = output::open(targets, &command.inputs())?;
    let mut outputs = Outputs::new();
    for ((format, _), opened) in command.outputs.iter().zip(opened) {
        outputs.add(opened.destination(), (format.make)(opened.waiting()));
    }
    let (verdict, failures) = check::run(&command.plan, &runner::run_job, outputs);
    for failure in &failures {
        message::warn(&format!("a verdict was lost: {}", plain(&failure.why)));
    }
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parse::parse;
    use crate::cli::plan::Plan;

    fn plan(args: &[&str]) -> std::result::Result<CheckCommand, String> {
        let words = ["clonespy", "check"].iter().chain(args).map(OsString::from);
        match parse(words) {
            Ok(Plan::Check(command)) => Ok(*command),
            Ok(other) => Err(format!("{other:?}")),
            Err(said) => Err(format!("{said:?}")),
        }
    }

    #[test]
    fn files_are_checks_of_their_own() {
        let command = plan(&[
            "a.toml",
            "b.toml",
            "-j",
            "2",
            "--format=junit:r.xml",
            "--format",
            "text",
        ])
        .expect("a plan");
        assert_eq!((command.plan.tasks.len(), command.plan.jobs), (2, 2));
        assert!(
            command
                .plan
                .tasks
                .iter()
                .all(|task| task.subject == Subject::Own)
        );
        let outputs: Vec<_> = command
            .outputs
            .iter()
            .map(|(f, to)| (f.name, to.clone()))
            .collect();
        assert_eq!(
            outputs,
            [
                ("junit", Target::File("r.xml".into())),
                ("text", Target::Stdout)
            ]
        );
    }

    #[test]
    fn a_program_stands_behind_dashes_and_may_do_without_a_file() {
        let args = ["--processes", "1", "--threads", "..=8", "--no-failures"];
        let more = [
            "--forbid",
            "CLONE_NEWUSER|CLONE_NEWNS",
            "--",
            "./p",
            "--list",
        ];
        let command = plan(&[&args[..], &more[..]].concat()).expect("a plan");
        let [task] = &command.plan.tasks[..] else {
            panic!("one check")
        };
        assert_eq!(
            task.subject,
            Subject::Command(vec!["./p".into(), "--list".into()])
        );
        assert_eq!(task.adhoc.counts.len(), 3);
        assert_eq!(task.adhoc.forbid.0, 0x1002_0000);
        assert_eq!(
            command.outputs.first().map(|(_, to)| to.clone()),
            Some(Target::Stderr)
        );
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for args in [
            &[][..],
            &["--expect", "a.toml"],
            &["a.toml", "--", "./p"],
            &["--bless", "--", "./p"],
            &["--trace", "t", "--", "./p"],
            &["--threads", "x", "a.toml"],
            &["--format", "xml", "a.toml"],
            &["--format", "text", "--format", "json", "a.toml"],
        ] {
            assert!(plan(args).is_err(), "{args:?}");
        }
        for (args, word) in [
            (["--forbid", "CLONE_NEWUSR", "--", "p"], "CLONE_NEWUSER"),
            (
                ["--format", "json:", "--", "p"],
                "--format json: no destination after the colon",
            ),
            (["--jobs", "x", "--", "p"], "'x' is no number of checks"),
            (["--jobs", "0", "--", "p"], "'0' is no number of checks"),
        ] {
            let said = plan(&args).expect_err(word);
            assert!(said.contains(word), "{said}");
        }
    }
}
