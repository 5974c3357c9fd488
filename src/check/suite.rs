//! Many checks, one verdict.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::abi::CloneFlags;
use crate::error::{Error, Result};
use crate::event::{Cut, Event, EventKind};

use super::bless::bless;
use super::expect::{Expectation, Recipe};
use super::formats::VerdictWriter;
use super::values::{End, Ends, Range};
use super::verdict::{Checked, Outcome, Verdict};
use crate::lint::Analysis;
use crate::output::{Failure, Outputs};

/// What is to be checked, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckPlan {
    /// The checks.
    pub tasks: Vec<Task>,
    /// How many run at once; 0: one.
    pub jobs: usize,
    /// Writes what was seen into the files instead of checking it.
    pub bless: bool,
    /// The longest that a program may take whose file does not say.
    pub timeout: Option<Duration>,
}

/// One check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Task {
    /// The expectation file. None: what `adhoc` says is all.
    pub file: Option<PathBuf>,
    /// What is looked at.
    pub subject: Subject,
    /// What the command line says besides.
    pub adhoc: Adhoc,
}

/// What is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// The command that the file names.
    #[default]
    Own,
    /// This one, in the present directory, with our standard streams.
    Command(Vec<OsString>),
    /// A recorded trace.
    Trace(PathBuf),
}

/// Expectations without a file. They go before what a file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adhoc {
    /// By the names of [`COUNTS`](super::COUNTS).
    pub counts: Vec<(&'static str, Range)>,
    /// Flags that no call may pass.
    pub forbid: CloneFlags,
    /// What lints must not find, by name or [`WARNINGS`](super::WARNINGS).
    pub deny: Vec<&'static str>,
    /// What they may find all the same.
    pub allow: Vec<&'static str>,
}

/// What the runner is to do: build, run and trace a program, or read a recorded trace.
#[derive(Clone, Debug)]
pub struct Job {
    /// How; for a command of the command line only its `timeout` counts.
    pub recipe: Recipe,
    /// What.
    pub subject: Subject,
    /// The lints whose findings count: some need a closer look.
    pub lints: Vec<&'static str>,
}

impl Job {
    /// To do what the file says.
    pub fn of(expectation: &Expectation) -> Job {
        let lints = expectation.lints.lints();
        Job {
            recipe: expectation.recipe.clone(),
            subject: Subject::Own,
            lints: lints.iter().map(|lint| lint.value.id).collect(),
        }
    }
}

/// What the runner saw.
#[derive(Debug, Default)]
pub struct Recording {
    /// The events of the trace.
    pub events: Vec<Event>,
    /// What the program wrote, where it was not written to our own streams.
    pub stdout: Vec<u8>,
    /// The same of standard error.
    pub stderr: Vec<u8>,
}

/// Does a [`Job`]. Launching and reading traces are beyond this module.
pub type Runner<'a> = dyn Fn(&Job) -> Result<Recording> + Sync + 'a;

/// Runs the checks, `plan.jobs` at a time, and writes the verdict on each, in the order of the plan.
pub fn run(
    plan: &CheckPlan,
    runner: &Runner,
    mut outputs: Outputs<dyn VerdictWriter>,
) -> (Verdict, Vec<Failure>) {
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    let mut verdict = Verdict::default();
    thread::scope(|scope| {
        for _ in 0..plan.jobs.clamp(1, plan.tasks.len().max(1)) {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = plan.tasks.get(index) else {
                        return;
                    };
                    // The receiver stays until all have been sent.
                    let _ = send.send((index, check(plan, task, runner)));
                }
            });
        }
        drop(send);
        let mut waiting: BTreeMap<usize, Checked> = BTreeMap::new();
        for (index, done) in receive {
            waiting.insert(index, done);
            while let Some(done) = waiting.remove(&verdict.checks.len()) {
                outputs.each(|writer| writer.checked(&done));
                verdict.checks.push(done);
            }
        }
    });
    outputs.each_knowing(|writer, lost| {
        verdict.lost = lost;
        writer.finish(&verdict)
    });
    let failures = outputs.close();
    verdict.lost |= !failures.is_empty();
    (verdict, failures)
}

fn check(plan: &CheckPlan, task: &Task, runner: &Runner) -> Checked {
    let began = Instant::now();
    let name = match (&task.file, &task.subject) {
        (Some(file), _) => file.display().to_string(),
        (None, Subject::Trace(file)) => file.display().to_string(),
        (None, Subject::Command(words)) => {
            let words = words
                .iter()
                .map(|word| super::mismatch::shell(&word.to_string_lossy()));
            words.collect::<Vec<_>>().join(" ")
        }
        (None, Subject::Own) => "nothing".to_owned(),
    };
    let mut ran = Recording::default();
    let outcome =
        decide(plan, task, runner, &mut ran).unwrap_or_else(|why| Outcome::Broken(why.to_string()));
    Checked {
        name,
        outcome,
        took: began.elapsed(),
        stdout: ran.stdout,
        stderr: ran.stderr,
    }
}

fn decide(plan: &CheckPlan, task: &Task, runner: &Runner, ran: &mut Recording) -> Result<Outcome> {
    let expectation = expectation(plan, task)?;
    let mut job = Job::of(&expectation);
    job.subject = task.subject.clone();
    job.recipe.timeout = job.recipe.timeout.or(plan.timeout);
    let limit = job.recipe.timeout;
    *ran = runner(&job)?;
    if let Some(why) = skipped(&expectation, ran) {
        return Ok(Outcome::Skipped(why));
    }
    let analysis = Analysis::of(&ran.events);
    let index = analysis.index();
    if let Some(why) = index.cut() {
        let killed = index.end().is_some_and(|end| end.cut == Some(Cut::Timeout));
        let limit = limit.filter(|_| killed);
        let what = limit.map_or(why, |limit| {
            format!(
                "`timeout`: it was still running after {} s, and was killed",
                limit.as_secs_f64()
            )
        });
        return Err(Error::Check { what });
    }
    if plan.bless {
        let file = task.file.as_deref().unwrap_or(Path::new(""));
        let written = write(file, &bless(&expectation, &analysis)?)?;
        // What must not be is no observation: it stays, and what breaks it is still told.
        let policy = Expectation {
            file: task.file.clone(),
            forbid: expectation.forbid.clone(),
            lints: expectation.lints.clone(),
            ..Expectation::default()
        };
        return Ok(match policy.check(&analysis) {
            Ok(()) => Outcome::Blessed(written),
            Err(mismatch) => Outcome::Fails(mismatch),
        });
    }
    Ok(match expectation.check(&analysis) {
        Ok(()) => Outcome::Holds,
        Err(mismatch) => Outcome::Fails(mismatch),
    })
}

/// The file's expectation, with what the command line adds.
fn expectation(plan: &CheckPlan, task: &Task) -> Result<Expectation> {
    let usage = |what: &str| Err(Error::Usage(what.to_owned()));
    let mut expectation = match (&task.file, plan.bless) {
        // Only how it is run is taken over; a file that is not there yet is written.
        (Some(file), true) => match std::fs::exists(file) {
            Ok(true) => Expectation::from_file(file)?,
            _ => Expectation::default(),
        },
        (Some(file), false) => Expectation::from_file(file)?,
        (None, true) => return usage("--bless needs --expect FILE, where it is to be written"),
        (None, false) => Expectation::default(),
    };
    // Who says nothing of the end of a program means that it ends well; a file can say otherwise.
    if task.file.is_none() && matches!(task.subject, Subject::Command(_)) {
        let well = Ends(vec![End::Code(Range::exactly(0))]);
        expectation.exit = Some(well.into());
    }
    if task.subject == Subject::Own && expectation.recipe.command.is_empty() {
        let file = task.file.as_deref().unwrap_or(Path::new("")).display();
        return usage(&format!("{file}: names no `command`; give one after --"));
    }
    // What is looked at is what messages name, whatever the file would have run.
    match &task.subject {
        Subject::Command(words) => {
            let words = words.iter().map(|word| word.to_string_lossy().into_owned());
            expectation.recipe.command = words.collect();
            if let (true, Some(file), Some(program)) = (
                plan.bless,
                &task.file,
                expectation.recipe.command.first_mut(),
            ) {
                *program = beside(program, file)?;
            }
        }
        Subject::Trace(_) if !plan.bless => expectation.recipe.command.clear(),
        Subject::Own | Subject::Trace(_) => {}
    }
    for (name, range) in &task.adhoc.counts {
        if expectation.set_count(name, *range).is_none() {
            return usage(&format!("{name} is not counted"));
        }
    }
    if !task.adhoc.forbid.is_empty() {
        let flags = expectation.forbid.flags.get_or_insert(CloneFlags(0).into());
        flags.value = flags.value.union(task.adhoc.forbid);
    }
    let denied = task.adhoc.deny.iter().map(|&id| id.into());
    expectation.lints.deny.extend(denied);
    expectation.lints.allow.extend(&task.adhoc.allow);
    Ok(expectation)
}

/// Why the check is not for this machine, or for what the trace was recorded on.
fn skipped(expectation: &Expectation, ran: &Recording) -> Option<String> {
    if let Some(skip) = &expectation.recipe.skip {
        let output = String::from_utf8_lossy(&ran.stdout);
        if let Some(line) = output.lines().find(|line| skip.fits(line)) {
            return Some(format!("the program says: {line}"));
        }
    }
    let Some(EventKind::Start(start)) = ran.events.first().map(|event| &event.kind) else {
        return None;
    };
    let machines = &expectation.machine;
    (!machines.is_empty() && !machines.contains(&start.machine)).then(|| {
        format!(
            "it is about {}, and this is {}",
            machines.join(" or "),
            start.machine
        )
    })
}

/// A program's path as a file has it: relative to the file. Names that PATH finds, and whole paths,
/// stay as they are.
fn beside(program: &str, file: &Path) -> Result<String> {
    if !program.contains('/') || program.starts_with('/') {
        return Ok(program.to_owned());
    }
    let whole = |path: &Path| {
        std::path::absolute(path).map_err(|why| Error::Input {
            path: path.to_owned(),
            why,
        })
    };
    let (program, file) = (whole(Path::new(program))?, whole(file)?);
    let from = file.parent().unwrap_or(Path::new("/"));
    // Without looking at links: `..` behind one would lead elsewhere.
    let shared = from
        .ancestors()
        .find(|folder| program.starts_with(folder))
        .unwrap_or(Path::new("/"));
    let up = from
        .strip_prefix(shared)
        .map_or(0, |rest| rest.components().count());
    let down = program.strip_prefix(shared).unwrap_or(&program);
    let mut out = match up {
        0 => "./".to_owned(),
        up => "../".repeat(up),
    };
    out.push_str(&down.to_string_lossy());
    Ok(out)
}

/// Writes a blessed file; `false`: it stood there already.
fn write(file: &Path, text: &str) -> Result<bool> {
    if std::fs::read(file).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(false);
    }
    std::fs::write(file, text).map_err(|why| Error::Output {
        path: file.to_owned(),
        why,
    })?;
    Ok(true)
}
