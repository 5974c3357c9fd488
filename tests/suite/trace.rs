//! Runs a program under clonespy, and reads what it recorded.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use clonespy::event::{Event, EventKind, Kind, Outcome};
use clonespy::internals::flags::CLONE_THREAD;

use crate::calls::Calls;
use crate::fixtures::{Case, Strace, program, scratch};
use crate::run::{End, Run, run};
use crate::strace::strace;

/// CLONE_UNTRACED (linux/sched.h).
const CLONE_UNTRACED: u64 = 0x0080_0000;

/// clonespy itself.
pub fn clonespy() -> Command {
    Command::new(env!("CARGO_BIN_EXE_clonespy"))
}

/// A file of its own for each call.
pub fn fresh_file(ending: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    scratch().join(format!("trace-{number}.{ending}"))
}

/// A program that was traced.
pub struct Traced {
    pub run: Run,
    pub events: Vec<Event>,
    /// The live text report.
    pub text: String,
    /// The recorded trace.
    pub jsonl: PathBuf,
}

/// Runs a command under clonespy.
#[track_caller]
pub fn trace(command: &[&OsStr]) -> Traced {
    trace_with(&[], command)
}

/// Runs a command under clonespy with these options.
#[track_caller]
pub fn trace_with(options: &[&str], command: &[&OsStr]) -> Traced {
    let (jsonl, text) = (fresh_file("jsonl"), fresh_file("txt"));
    let run = run(clonespy()
        .args(options)
        .arg("--format")
        .arg(format(&jsonl, "jsonl"))
        .arg("--format")
        .arg(format(&text, "text"))
        .arg("--")
        .args(command));
    let said = run.err();
    let events = events(&jsonl, &said);
    let text = read(&text, &said);
    Traced {
        run,
        events,
        text,
        jsonl,
    }
}

/// The argument that sends a format to a file.
pub fn format(file: &Path, name: &str) -> OsString {
    let mut argument = OsString::from(format!("{name}:"));
    argument.push(file);
    argument
}

#[track_caller]
fn read(file: &Path, said: &str) -> String {
    std::fs::read_to_string(file)
        .unwrap_or_else(|error| panic!("{}: {error}; clonespy said: {said}", file.display()))
}

/// The events of a recorded trace: each line is one that this version knows.
#[track_caller]
pub fn events(file: &Path, said: &str) -> Vec<Event> {
    read(file, said)
        .lines()
        .map(|line| match serde_json::from_str(line) {
            Ok(Event {
                kind: EventKind::Unknown,
                ..
            }) => panic!("a line of an unknown type: {line}"),
            Ok(event) => event,
            Err(error) => panic!("{error}: {line}"),
        })
        .collect()
}

/// The text report of a recorded trace.
#[track_caller]
pub fn replay(jsonl: &Path) -> String {
    let text = fresh_file("replayed.txt");
    run(clonespy()
        .arg("replay")
        .arg(jsonl)
        .arg("--format")
        .arg(format(&text, "text")))
    .expect("replay", End::Exit(0));
    read(&text, "")
}

/// What must be true of every trace of a program that ended, whatever the program.
#[track_caller]
pub fn expect_whole(traced: &Traced, what: &str) {
    let events = &traced.events;
    assert!(
        matches!(
            events.first().map(|event| &event.kind),
            Some(EventKind::Start(_))
        ),
        "{what}: no start"
    );
    assert!(
        matches!(
            events.last().map(|event| &event.kind),
            Some(EventKind::End(_))
        ),
        "{what}: no end"
    );
    let mut last = 0;
    for seq in events.iter().filter_map(Event::seq) {
        assert!(seq > last, "{what}: seq {seq} after {last}");
        last = seq;
    }
    let appeared = events.iter().filter_map(|event| match &event.kind {
        EventKind::Task(_) => Some(event.header.task),
        _ => None,
    });
    let created = events.iter().filter_map(|event| match &event.kind {
        EventKind::Clone(call) => match &call.outcome {
            Outcome::Created(created) => Some(created.task),
            _ => None,
        },
        _ => None,
    });
    let mut born: Vec<_> = appeared.chain(created).collect();
    let mut ended: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Exit(_) => Some(event.header.task),
            _ => None,
        })
        .collect();
    born.sort_unstable();
    ended.sort_unstable();
    assert_eq!(born, ended, "{what}: who was born and who ended differ");
    let numbers: Vec<u64> = born.iter().map(|task| task.0).collect();
    let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
    assert_eq!(numbers, expected, "{what}: tasks are numbered without gaps");
    events.iter().for_each(|event| expect_sorted(event, what));
    assert_eq!(
        traced.text,
        replay(&traced.jsonl),
        "{what}: live and replayed text"
    );
}

/// A created task is what its flags make of it, and in the group where they put it. (No program of
/// these tests changes its arguments during a call, so a contradiction is a wrong attribution.)
#[track_caller]
fn expect_sorted(event: &Event, what: &str) {
    let EventKind::Clone(call) = &event.kind else {
        return;
    };
    let Outcome::Created(created) = &call.outcome else {
        return;
    };
    let thread = call.request.has(CLONE_THREAD);
    let right = created.flags_contradicted.is_empty()
        && (created.kind == Kind::Thread) == thread
        && created.tgid == if thread { call.tgid } else { created.tid };
    assert!(right, "{what}: the flags and the task disagree: {call:#?}");
}

/// Runs a program under clonespy and under strace, and compares them call by call.
#[track_caller]
pub fn compare(what: &str, command: &[&OsStr], differs: Strace) {
    let mut ours = Calls::of_events(&trace(command).events);
    match differs {
        Strace::No(why) => {
            eprintln!("{what}: not compared with strace: {why}");
            return;
        }
        Strace::LosesUntraced => ours = ours.without_descendants_of(CLONE_UNTRACED),
        Strace::Same => {}
    }
    let Some((_, mut theirs)) = strace(command) else {
        return;
    };
    if matches!(differs, Strace::LosesUntraced) {
        theirs = theirs.without_descendants_of(CLONE_UNTRACED);
    }
    ours.expect_same(&theirs, what);
}

/// The command line of a case.
pub fn command(case: &Case) -> Vec<OsString> {
    let mut words = vec![program(case.fixture).into_os_string()];
    words.extend(case.args.iter().map(OsString::from));
    words
}

/// Borrowed words of a command line.
pub fn words(command: &[OsString]) -> Vec<&OsStr> {
    command.iter().map(OsString::as_os_str).collect()
}
