//! From what was typed to what is to be done.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::arguments::{How, Render, Start, Switch, When};
use super::attach::{AttachOptions, Until};
use super::check::CheckCommand;
use super::explain::ExplainCommand;
use super::hint;
use super::language::Language;
use super::lint_options::LintOptions;
use super::message::Message;
use crate::event::{Call, Intercept};
use crate::lint::Linter;
use crate::output::Target;
use crate::report::{
    self, Calls, Clock, FORMATS, Filter, Format, Lang, Look, Outcomes, Stamps, Summary,
};
use crate::tracer::start::options::{Attach, Launch};

/// What is to be done.
#[derive(Debug)]
pub(super) enum Plan {
    /// Run a program and report what it creates.
    Trace(Box<Trace>),
    /// Render a recorded trace.
    Replay(Replay),
    /// Explain flags.
    Explain(Box<ExplainCommand>),
    /// Hold programs against expectations.
    Check(Box<CheckCommand>),
    /// Print a file about clonespy itself.
    Print(String),
}

/// A live trace.
#[derive(Debug)]
pub(super) struct Trace {
    /// What to start, if anything.
    pub launch: Option<Launch>,
    /// What to attach to, if anything.
    pub attach: Option<Attach>,
    /// What deserves attention.
    pub lints: Linter,
    /// What to report.
    pub outputs: OutputPlan,
}

/// A recorded trace.
#[derive(Debug)]
pub(super) struct Replay {
    /// The file; `-` is the standard input.
    pub file: PathBuf,
    /// What deserves attention.
    pub lints: Linter,
    /// What to report.
    pub outputs: OutputPlan,
}

/// The reports, and how text is to look as far as the command line says it.
#[derive(Debug)]
pub(super) struct OutputPlan {
    /// Which format goes where.
    pub outputs: Vec<(&'static Format, Target)>,
    /// How text is to look, but for what destination and environment decide.
    pub look: Look,
    /// Colour: yes, no, or (`None`) as the destination and the environment say.
    pub color: Option<bool>,
    /// The language, or (`None`) as the environment says.
    pub lang: Option<Lang>,
}

/// The plan of a live trace.
pub(super) fn trace(
    render: Render,
    start: Start,
    attaching: &AttachOptions,
    lints: &LintOptions,
    program: Option<(&OsString, &[OsString])>,
    options: Vec<String>,
) -> Result<Trace, Message> {
    let intercept = match (start.intercept, start.seccomp_bpf) {
        (How::Seccomp, _) | (_, Some(Switch::On)) => Some(Intercept::Seccomp),
        (How::Syscall, _) | (_, Some(Switch::Off)) => Some(Intercept::Syscall),
        (How::Event, _) => Some(Intercept::Event),
        (How::Auto, None | Some(Switch::Auto)) => None,
    };
    let record = lints.extras();
    let pids = attaching.pids();
    let attach = (!pids.is_empty()).then(|| Attach {
        pids,
        descendants: attaching.descendants,
        // Along with a program the choice is about the program, unless it can be about both.
        intercept: intercept.filter(|how| program.is_none() || *how == Intercept::Syscall),
        stats: start.stats,
        record: record.clone(),
        timeout: attaching.timeout,
        options: options.clone(),
    });
    let launch = match program {
        None => None,
        Some((program, args)) => Some(Launch {
            program: program.clone(),
            args: args.to_vec(),
            argv0: start.argv0,
            env: start
                .env
                .iter()
                .map(|one| variable(one))
                .collect::<Result<_, _>>()?,
            user: start.user,
            intercept,
            stats: start.stats,
            record,
            options,
            own_signals: true,
            timeout: attaching.timeout,
            until_main: attaching.until == Until::Main,
            attach: None,
        }),
    };
    Ok(Trace {
        launch,
        attach,
        lints: lints.linter()?,
        outputs: outputs(render, Target::Stderr)?,
    })
}

/// The plan of a replay. Its report is all that it makes, so it goes to stdout.
pub(super) fn replay(
    render: Render,
    lints: &LintOptions,
    file: PathBuf,
) -> Result<Replay, Message> {
    Ok(Replay {
        file,
        lints: lints.linter()?,
        outputs: outputs(render, Target::Stdout)?,
    })
}

/// `VAR=VAL` sets, `VAR` takes away.
fn variable(word: &OsStr) -> Result<(OsString, Option<OsString>), Message> {
    let bytes = word.as_bytes();
    let (name, value) = match bytes.iter().position(|&byte| byte == b'=') {
        Some(at) => bytes.split_at(at),
        None => (bytes, &[][..]),
    };
    if name.is_empty() {
        return Err(Message::usage_error(format!(
            "-E '{}': no name of a variable",
            word.display()
        )));
    }
    let value = value
        .get(1..)
        .map(|value| OsStr::from_bytes(value).to_owned());
    Ok((OsStr::from_bytes(name).to_owned(), value))
}

fn outputs(render: Render, default: Target) -> Result<OutputPlan, Message> {
    let main = render
        .output
        .as_ref()
        .map(|path| Target::named(path.as_os_str()));
    let mut main_used = render.format.is_empty();
    let mut outputs = Vec::new();
    for word in &render.format {
        let (format, to) = format(word)?;
        main_used |= to.is_none();
        outputs.push((
            format,
            to.unwrap_or_else(|| main.clone().unwrap_or(default.clone())),
        ));
    }
    if let (Some(to), false) = (&main, main_used) {
        return Err(Message::usage_error(format!(
            "-o {to}: nothing goes there, each --format has a destination of its own"
        )));
    }
    if outputs.is_empty() {
        outputs.extend(FORMATS.first().map(|text| (text, main.unwrap_or(default))));
    }
    for (at, (format, to)) in outputs.iter().enumerate() {
        if let Some((other, _)) = outputs.iter().take(at).find(|(_, other)| other == to) {
            return Err(Message::usage_error(format!(
                "two formats ({}, {}) for one destination ({to}); \
                 give one of them its own: --format {}:FILE",
                other.name, format.name, format.name
            )));
        }
    }
    let table = match (render.summary_only, render.summary) {
        (true, _) => Some("-c"),
        (_, true) => Some("-C"),
        _ => None,
    };
    if let Some(option) = table.filter(|_| !outputs.iter().any(|(format, _)| format.name == "text"))
    {
        return Err(Message::usage_error(format!(
            "{option}: its table is part of the text, which --format replaced; \
             add --format text, or --format text:FILE"
        )));
    }
    Ok(OutputPlan {
        outputs,
        look: look(&render)?,
        color: match render.color {
            When::Auto => None,
            When::Always => Some(true),
            When::Never => Some(false),
        },
        lang: match render.lang {
            Language::Auto => None,
            Language::En => Some(Lang::English),
            Language::Zh => Some(Lang::Chinese),
        },
    })
}

/// What the command line says of how text is to look.
fn look(render: &Render) -> Result<Look, Message> {
    let filter = Filter {
        calls: calls(&render.trace)?,
        outcomes: match (render.successful_only, render.failed_only) {
            (true, _) => Outcomes::Successes,
            (_, true) => Outcomes::Failures,
            _ => Outcomes::All,
        },
        threads_only: render.threads_only,
        depth: render.depth,
    };
    Ok(Look {
        filter,
        quiet: render.quiet,
        verbose: render.verbose,
        why: render.why_flags,
        all: render.all,
        stamps: Stamps {
            clock: match render.times {
                0 => None,
                1 => Some(Clock::Seconds),
                2 => Some(Clock::Micros),
                _ => Some(Clock::Epoch),
            },
            relative: render.relative,
            took: render.took,
        },
        names: render.names > 0,
        summary: match (render.summary_only, render.summary) {
            (true, _) => Summary::Only,
            (_, true) => Summary::Too,
            _ => Summary::No,
        },
        ..Look::default()
    })
}

/// `NAME[:DEST]`.
fn format(word: &OsStr) -> Result<(&'static Format, Option<Target>), Message> {
    let bytes = word.as_bytes();
    let (name, to) = match bytes.iter().position(|&byte| byte == b':') {
        Some(at) => {
            let (name, to) = bytes.split_at(at);
            (name, to.get(1..))
        }
        None => (bytes, None),
    };
    let name = String::from_utf8_lossy(name);
    let format = report::format(&name).ok_or_else(|| {
        let known: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
        Message::usage_error(format!(
            "--format '{name}': unknown; there are {}{}",
            known.join(", "),
            hint::meant(&name, known.iter().copied())
        ))
    })?;
    match to {
        Some([]) => Err(Message::usage_error(format!(
            "--format {name}: no destination after the colon"
        ))),
        Some(to) => Ok((format, Some(Target::named(OsStr::from_bytes(to))))),
        None => Ok((format, None)),
    }
}

/// `[trace=][!]SET`, as strace has it; of several the last counts.
fn calls(words: &[String]) -> Result<Calls, Message> {
    let Some(word) = words.last() else {
        return Ok(Calls::ALL);
    };
    let set = match word.split_once('=') {
        None => word.as_str(),
        Some(("trace" | "t", set)) => set,
        Some((other, _)) => {
            return Err(Message::usage_error(format!(
                "-e {other}=: unknown; only -e trace=SET is known"
            )));
        }
    };
    let (set, inverted) = match set.strip_prefix('!') {
        Some(set) => (set, true),
        None => (set, false),
    };
    let mut chosen = Calls::NONE;
    for name in set.split(',') {
        match (name, Call::ALL.iter().find(|call| call.name() == name)) {
            (_, Some(&call)) => chosen = chosen.with(call),
            ("%process" | "process" | "all", None) => chosen = Calls::ALL,
            ("none", None) => {}
            _ => {
                return Err(Message::usage_error(format!(
                    "-e trace={set}: '{name}' is none of fork, vfork, clone, clone3, %process{}",
                    hint::meant(name, Call::ALL.iter().map(|call| call.name()))
                )));
            }
        }
    }
    Ok(if inverted { chosen.inverted() } else { chosen })
}
