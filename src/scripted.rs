//! A source of events that is not the tracer: a list of what happens. It takes numbers, totals, the
//! first and the last line from the ledger, as any source does; and all that reads events takes its
//! lines as the tracer's.

use std::collections::BTreeMap;
use std::vec::IntoIter;

use serde_json::{Value, json};

use crate::event::{Event, EventKind, Start, Status, TaskId, Tid};
use crate::ledger::Ledger;

/// What happens to a program, in the order of time. Tasks are named by their tids.
#[derive(Clone)]
pub(crate) enum Step {
    /// A program was there: its tid and name.
    Program(Tid, &'static str),
    /// A process makes another, as fork does: its tid, the child's.
    Fork(Tid, Tid),
    /// A task makes a thread of its process, as pthread_create does.
    Thread(Tid, Tid),
    /// A call that the kernel refused.
    Refused(Tid, &'static str, i32),
    /// A process runs another program.
    Exec(Tid, &'static str),
    /// A task ends with a status.
    End(Tid, i32),
}

/// A list of steps, as an iterator of events.
pub(crate) struct Script {
    steps: IntoIter<Step>,
    ledger: Ledger,
    /// By tid: the task, its tgid and its name.
    tasks: BTreeMap<Tid, (TaskId, Tid, String)>,
    now: u64,
    over: bool,
}

/// A part of an event, as a trace file has it.
fn read<T: serde::de::DeserializeOwned>(line: Value) -> T {
    serde_json::from_value(line).unwrap()
}

impl Script {
    pub(crate) fn new(command: &str, steps: Vec<Step>) -> Self {
        let mut ledger = Ledger::default();
        let start: Start = read(
            json!({"format": 1, "clonespy": "0.1.0", "trace_id": "scripted",
            "mode": "launch", "command": [command], "options": [], "kernel": "6.18.0",
            "machine": "x86_64", "wall": "2026-11-21T16:00:00Z", "intercept": "scripted",
            "blind": [], "visible": []}),
        );
        ledger.start(start);
        Script {
            steps: steps.into_iter(),
            ledger,
            tasks: BTreeMap::new(),
            now: 0,
            over: false,
        }
    }

    fn born(&mut self, tid: Tid, tgid: Tid, comm: &str) -> TaskId {
        let task = self.ledger.new_task();
        self.tasks.insert(tid, (task, tgid, comm.to_owned()));
        task
    }

    fn call(&mut self, tid: Tid, what: Value, outcome: Value) {
        let (task, tgid, comm) = self.tasks[&tid].clone();
        let mut line = json!({"tid": tid, "tgid": tgid, "comm": comm, "abi": "x86_64",
            "exit_signal_raw": "0x11", "args": {}, "outcome": outcome});
        let fields = what.as_object().unwrap().clone();
        line.as_object_mut().unwrap().extend(fields);
        self.ledger.call(self.now, task, read(line), false);
    }

    fn step(&mut self, step: Step) {
        self.now += 1_000_000;
        match step {
            Step::Program(tid, comm) => {
                let task = self.born(tid, tid, comm);
                let line = read(
                    json!({"tid": tid, "tgid": tid, "kind": "process", "comm": comm,
                    "how": "launched"}),
                );
                self.ledger.unseen_birth(self.now, task, line, true);
            }
            Step::Fork(tid, child) => {
                let comm = self.tasks[&tid].2.clone();
                let id = self.born(child, child, &comm);
                let what = json!({"call": "fork", "flags": [], "flags_raw": "0x0",
                    "exit_signal": "SIGCHLD"});
                let made = json!({"task": id, "tid": child, "tgid": child, "kind": "process"});
                self.call(tid, what, json!({"created": made}));
            }
            Step::Thread(tid, child) => {
                let (_, tgid, comm) = self.tasks[&tid].clone();
                let id = self.born(child, tgid, &comm);
                let what = json!({"call": "clone3", "flags": ["CLONE_VM", "CLONE_FS",
                    "CLONE_FILES", "CLONE_SIGHAND", "CLONE_THREAD"], "flags_raw": "0x10f00",
                    "exit_signal": null, "exit_signal_raw": "0x0"});
                let made = json!({"task": id, "tid": child, "tgid": tgid, "kind": "thread"});
                self.call(tid, what, json!({"created": made}));
            }
            Step::Refused(tid, errno, code) => {
                let what = json!({"call": "fork", "flags": [], "flags_raw": "0x0",
                    "exit_signal": "SIGCHLD"});
                self.call(tid, what, json!({"failed": {"errno": errno, "code": code}}));
            }
            Step::Exec(tid, path) => {
                let name = path.rsplit('/').next().unwrap();
                let (task, ..) = self.tasks[&tid].clone();
                self.tasks.insert(tid, (task, tid, name.to_owned()));
                let line = read(
                    json!({"tid": tid, "tgid": tid, "path": path, "argv": [path],
                    "comm": name}),
                );
                self.ledger.tell(self.now, task, EventKind::Exec(line));
            }
            Step::End(tid, status) => {
                let (task, tgid, comm) = self.tasks.remove(&tid).unwrap();
                let last = !self.tasks.values().any(|(_, other, _)| *other == tgid);
                let line = read(
                    json!({"tid": tid, "tgid": tgid, "comm": comm, "how": "self",
                    "status": {"exited": status}, "last": last, "lived_ns": 1_000_000}),
                );
                self.ledger.tell(self.now, task, EventKind::Exit(line));
            }
        }
    }
}

impl Iterator for Script {
    type Item = crate::Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.ledger.take() {
                return Some(Ok(event));
            }
            match self.steps.next() {
                Some(step) => self.step(step),
                None if self.over => return None,
                None => {
                    self.over = true;
                    let status: Status = read(json!({"exited": 0}));
                    self.ledger.end(self.now + 1_000_000, Some(status), None);
                }
            }
        }
    }
}

mod tests {
    use std::cell::RefCell;
    use std::io::{self, Write};
    use std::path::Path;
    use std::rc::Rc;

    use super::{Script, Step};
    use crate::check::Expectation;
    use crate::event::Event;
    use crate::lint::{Analysis, Linter};
    use crate::replay::Replay;
    use crate::report::{Look, format};
    use crate::{Outputs, Result, run};

    #[derive(Clone, Default)]
    struct Sink(Rc<RefCell<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn script() -> Script {
        Script::new(
            "./server",
            vec![
                Step::Program(100, "clonespy"),
                Step::Exec(100, "/srv/server"),
                Step::Thread(100, 101),
                Step::Fork(101, 102),
                Step::Thread(102, 103),
                Step::Refused(102, "EAGAIN", 11),
                Step::End(103, 0),
                Step::End(102, 3),
                Step::End(101, 0),
                Step::End(100, 0),
            ],
        )
    }

    fn rendered(events: impl Iterator<Item = Result<Event>>, name: &str) -> String {
        let sink = Sink::default();
        let mut outputs = Outputs::new();
        let make = format(name).unwrap().make;
        outputs.add("sink", make(Box::new(sink.clone()), &Look::default()));
        let run = run(events, Linter::default(), outputs);
        assert!(run.error.is_none() && run.failures.is_empty());
        String::from_utf8(sink.0.take()).unwrap()
    }

    #[test]
    fn reports_show_it() {
        let text = rendered(script(), "text");
        let tree = "
task                                           kind      end               lived
100 /srv/server                                process   exit 0           1.0 ms
└─ 101 server                                  thread    ended            1.0 ms
   └─ 102 server, copy of 100                  process   exit 3           1.0 ms
      └─ 103 server                            thread    ended            1.0 ms
2 processes, 4 threads (2 main + 2 created) · 4 creating calls, 1 of them failed
      ! fork-with-threads: 101 server
";
        assert!(text.ends_with(tree), "{text}");
    }

    #[test]
    fn it_is_recorded_and_replayed() {
        let lines = rendered(script(), "jsonl");
        let replay = || {
            Replay::read(
                "scripted.jsonl",
                io::Cursor::new(lines.clone().into_bytes()),
            )
        };
        assert_eq!(rendered(replay(), "jsonl"), lines);
        assert_eq!(rendered(replay(), "text"), rendered(script(), "text"));
    }

    #[test]
    fn a_check_compares_it() {
        let events: Vec<Event> = script().map(|event| event.unwrap()).collect();
        let check = |text: &str| {
            let expectation = Expectation::parse(text, Path::new("server.toml")).unwrap();
            expectation.check(&Analysis::of(&events))
        };
        let right = "exit = 0\n[tasks]\nprocesses = 2\nthreads = 4\n";
        assert!(check(right).is_ok(), "{:?}", check(right));
        assert!(check("[tasks]\nprocesses = 3\n").is_err());
    }
}
