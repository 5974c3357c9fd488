//! From what was typed to what is to be done.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::running::{Running, Until};
use super::watching::Watching;
use super::{How, Language, Render, Said, Start, Switch, When, hint};
use crate::event::{Call, Intercept};
use crate::lint::Lints;
use crate::report::{
    self, Calls, Clock, FORMATS, Filter, Format, Lang, Look, Outcomes, Stamps, Summary,
};
use crate::tracer::start::options::{Attach, Launch};

/// What is to be done.
#[derive(Debug)]
pub enum Plan {
    /// Run a program and report what it creates.
    Trace(Box<Trace>),
    /// Render a recorded trace.
    Replay(Replay),
    /// Explain flags.
    Explain(Box<super::Explaining>),
    /// Hold programs against expectations.
    Check(Box<super::Checking>),
    /// Print a file about clonespy itself.
    Print(String),
}

/// A live trace.
#[derive(Debug)]
pub struct Trace {
    /// What to start, if anything.
    pub launch: Option<Launch>,
    /// What to attach to, if anything.
    pub attach: Option<Attach>,
    /// What deserves attention.
    pub lints: Lints,
    /// What to report.
    pub outputs: OutputPlan,
}

/// A recorded trace.
#[derive(Debug)]
pub struct Replay {
    /// The file; `-` is the standard input.
    pub file: PathBuf,
    /// What deserves attention.
    pub lints: Lints,
    /// What to report.
    pub outputs: OutputPlan,
}

/// The reports, and how text is to look as far as the command line says it.
#[derive(Debug)]
pub struct OutputPlan {
    /// Which format goes where.
    pub outputs: Vec<(&'static Format, To)>,
    /// How text is to look, but for what destination and environment decide.
    pub look: Look,
    /// Colour: yes, no, or (`None`) as the destination and the environment say.
    pub color: Option<bool>,
    /// The language, or (`None`) as the environment says.
    pub lang: Option<Lang>,
}

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, which is made or emptied.
    File(PathBuf),
}

impl To {
    /// A file; `-` is standard output.
    pub(super) fn named(path: &OsStr) -> Self {
        if path == "-" {
            To::Stdout
        } else {
            To::File(path.into())
        }
    }
}

impl std::fmt::Display for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            To::Stdout => f.write_str("standard output"),
            To::Stderr => f.write_str("standard error"),
            To::File(path) => path.display().fmt(f),
        }
    }
}

/// The plan of a live trace.
pub(super) fn trace(
    render: Render,
    start: Start,
    running: &Running,
    watching: &Watching,
    program: Option<(&OsString, &[OsString])>,
    options: Vec<String>,
) -> Result<Trace, Said> {
    let intercept = match (start.intercept, start.seccomp_bpf) {
        (How::Seccomp, _) | (_, Some(Switch::On)) => Some(Intercept::Seccomp),
        (How::Syscall, _) | (_, Some(Switch::Off)) => Some(Intercept::Syscall),
        (How::Event, _) => Some(Intercept::Event),
        (How::Auto, None | Some(Switch::Auto)) => None,
    };
    let pids = running.pids();
    let attach = (!pids.is_empty()).then(|| Attach {
        pids,
        descendants: running.descendants,
        // Along with a program the choice is about the program, unless it can be about both.
        intercept: intercept.filter(|how| program.is_none() || *how == Intercept::Syscall),
        stats: start.stats,
        inherited_fds: watching.wants("fd-leak-to-exec"),
        unreaped: watching.wants("unreaped-children"),
        timeout: running.timeout,
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
            inherited_fds: watching.wants("fd-leak-to-exec"),
            unreaped: watching.wants("unreaped-children"),
            options,
            own_signals: true,
            timeout: running.timeout,
            until_main: running.until == Until::Main,
            attach: None,
        }),
    };
    Ok(Trace {
        launch,
        attach,
        lints: watching.lints()?,
        outputs: outputs(render, To::Stderr)?,
    })
}

/// The plan of a replay. Its report is all that it makes, so it goes to stdout.
pub(super) fn replay(render: Render, watching: &Watching, file: PathBuf) -> Result<Replay, Said> {
    Ok(Replay {
        file,
        lints: watching.lints()?,
        outputs: outputs(render, To::Stdout)?,
    })
}

/// `VAR=VAL` sets, `VAR` takes away.
fn variable(word: &OsStr) -> Result<(OsString, Option<OsString>), Said> {
    let bytes = word.as_bytes();
    let (name, value) = match bytes.iter().position(|&byte| byte == b'=') {
        Some(at) => bytes.split_at(at),
        None => (bytes, &[][..]),
    };
    if name.is_empty() {
        return Err(Said::wrong(format!(
            "-E '{}': no name of a variable",
            word.display()
        )));
    }
    let value = value
        .get(1..)
        .map(|value| OsStr::from_bytes(value).to_owned());
    Ok((OsStr::from_bytes(name).to_owned(), value))
}

fn outputs(render: Render, default: To) -> Result<OutputPlan, Said> {
    let main = render
        .output
        .as_ref()
        .map(|path| To::named(path.as_os_str()));
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
        return Err(Said::wrong(format!(
            "-o {to}: nothing goes there, each --format has a destination of its own"
        )));
    }
    if outputs.is_empty() {
        outputs.extend(FORMATS.first().map(|text| (text, main.unwrap_or(default))));
    }
    for (at, (format, to)) in outputs.iter().enumerate() {
        if let Some((other, _)) = outputs.iter().take(at).find(|(_, other)| other == to) {
            return Err(Said::wrong(format!(
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
        return Err(Said::wrong(format!(
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
fn look(render: &Render) -> Result<Look, Said> {
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
fn format(word: &OsStr) -> Result<(&'static Format, Option<To>), Said> {
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
        Said::wrong(format!(
            "--format '{name}': unknown; there are {}{}",
            known.join(", "),
            hint::meant(&name, known.iter().copied())
        ))
    })?;
    match to {
        Some([]) => Err(Said::wrong(format!(
            "--format {name}: no destination after the colon"
        ))),
        Some(to) => Ok((format, Some(To::named(OsStr::from_bytes(to))))),
        None => Ok((format, None)),
    }
}

/// `[trace=][!]SET`, as strace has it; of several the last counts.
fn calls(words: &[String]) -> Result<Calls, Said> {
    let Some(word) = words.last() else {
        return Ok(Calls::ALL);
    };
    let set = match word.split_once('=') {
        None => word.as_str(),
        Some(("trace" | "t", set)) => set,
        Some((other, _)) => {
            return Err(Said::wrong(format!(
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
                return Err(Said::wrong(format!(
                    "-e trace={set}: '{name}' is none of fork, vfork, clone, clone3, %process{}",
                    hint::meant(name, Call::ALL.iter().map(|call| call.name()))
                )));
            }
        }
    }
    Ok(if inverted { chosen.inverted() } else { chosen })
}
