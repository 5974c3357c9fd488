//! What reads input that anybody may have written, and what must hold of it whatever that is.

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;

use clonespy::Expectation;
use clonespy::Linter;
use clonespy::event::{Event, Request, Tid};
use clonespy::internals::insn::{Insn, RET_ACTION_FULL, SeccompData};
use clonespy::internals::{
    Analysis, Errno, Explain, Peek, Syscall, What, annotate, decode, flags, walk, wrote,
};
use clonespy::replay::Replay;
use clonespy::report::{FORMATS, Lang, Look, Style};
use clonespy::tasks::TaskTree;

/// A reader that is not to be broken.
pub struct Kind {
    pub name: &'static str,
    /// Fails by panicking.
    pub hold: fn(&[u8]),
    /// Words that mean something to the reader.
    pub words: &'static [&'static str],
    /// More files to begin with.
    pub more: Option<(&'static str, &'static str)>,
}

pub const KINDS: &[Kind] = &[
    Kind {
        name: "replay",
        hold: replay_holds,
        words: &[
            "\"task\":1",
            "\"task\":2",
            "\"tid\":7001",
            "\"tgid\":7001",
            "\"how\":\"orphan\"",
            "{\"created\":",
            "{\"failed\":",
            "{\"unfinished\":{}}",
            "\"kind\":\"thread\"",
            "[",
            "]",
            "{",
            "}",
            "\n",
            ",",
            "\"type\":\"exit\"",
            "\"type\":\"task\"",
            "\\u0000",
            "\u{1b}[2J",
            "\u{202e}",
            "ü",
            "\"last\":true",
        ],
        more: Some(("tests/golden", "jsonl")),
    },
    Kind {
        name: "decode",
        hold: decode_holds,
        words: &[
            "call ", "memory ", "fails ", "c000003e", "40000003", "1b3", "38", "ff", "\n",
        ],
        more: None,
    },
    Kind {
        name: "expect",
        hold: expect_holds,
        words: &[
            "[[clone]]\n",
            "[tasks]\n",
            "count = ",
            "\"1..\"",
            "flags = [",
            "exit = ",
            "kind = ",
            "\"CLONE_VM\"",
            "forbid",
            "\"\"\"",
            "[",
            "]",
            "=",
            "\n",
            "'",
            "\"",
            "is = \"fork\"",
        ],
        more: Some(("fixtures", "toml")),
    },
    Kind {
        name: "strace",
        hold: strace_holds,
        words: &[
            "clone(",
            "clone3(",
            "vfork()",
            "{flags=",
            "CLONE_VM|",
            "<unfinished ...>",
            "<... clone resumed>",
            ") = -1 EAGAIN (",
            "[pid 12]",
            "=> {parent_tid=[1]}",
            "}, 88)",
            "child_stack=NULL",
            "/* ",
            "\n",
            "set_tid=[",
            "exit_signal=SIGCHLD",
        ],
        more: None,
    },
    Kind {
        name: "filter",
        hold: filter_holds,
        words: &[
            "20 0 0 0\n",
            "15 1 0 38\n",
            "6 0 0 7fff0000\n",
            "6 0 0 50001\n",
            "5 0 0 1\n",
        ],
        more: None,
    },
];

/// A destination that can be read afterwards.
#[derive(Clone, Default)]
struct Sink(Rc<RefCell<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn rendered(input: &[u8]) -> Vec<Vec<u8>> {
    let mut outputs = clonespy::Outputs::new();
    let mut sinks = Vec::new();
    for format in FORMATS {
        for lang in [Lang::English, Lang::Chinese] {
            let sink = Sink::default();
            let look = Look {
                style: Style {
                    lang,
                    width: 40,
                    ..Style::default()
                },
                all: lang == Lang::Chinese,
                verbose: 2,
                ..Look::default()
            };
            outputs.add(format.name, (format.make)(Box::new(sink.clone()), &look));
            sinks.push(sink);
        }
    }
    let events = Replay::read("fuzz.jsonl", std::io::Cursor::new(input.to_vec()));
    let done = clonespy::run(events, Linter::default(), outputs);
    assert!(done.failures.is_empty(), "{:?}", done.failures);
    sinks.iter().map(|sink| sink.0.borrow().clone()).collect()
}

fn replay_holds(input: &[u8]) {
    assert!(rendered(input) == rendered(input), "two readings differ");
    let events = Replay::read("fuzz.jsonl", std::io::Cursor::new(input.to_vec()));
    let events: Vec<Event> = events.map_while(Result::ok).collect();
    let mut lints = Linter::new(&[], &[]).expect("the lints of always");
    let mut tree = TaskTree::new();
    for event in &events {
        tree.apply(event);
        let _ = lints.event(event, &tree);
    }
    let _ = lints.finish();
    let branches = tree.walk().count();
    assert!(branches <= 2 * events.len() + 1, "{branches} branches");
    let any = Expectation::parse(
        "[tasks]\nthreads = \"1..\"\n[[clone]]\n",
        Path::new("x.toml"),
    );
    let _ = any.expect("a good file").check(&Analysis::of(&events));
}

/// `call ARCH NR ARG…`, `memory ADDRESS BYTES`, `fails ERRNO`, all in hexadecimal.
struct Image {
    call: Syscall,
    memory: Vec<(u64, Vec<u8>)>,
    fails: Option<i32>,
}

impl Image {
    fn parse(input: &[u8]) -> Self {
        let text = String::from_utf8_lossy(input);
        let mut image = Image {
            call: Syscall {
                arch: 0,
                nr: 0,
                args: [0; 6],
                ip: 0,
                sp: 0,
            },
            memory: Vec::new(),
            fails: None,
        };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let sort = words.next().unwrap_or_default().to_owned();
            let words: Vec<&str> = words.collect();
            let number = |at: usize| {
                let word = words.get(at).copied().unwrap_or_default();
                u64::from_str_radix(word, 16).unwrap_or_default()
            };
            match sort.as_str() {
                "call" => {
                    image.call.arch = number(0) as u32;
                    image.call.nr = number(1);
                    image.call.args = std::array::from_fn(|at| number(at + 2));
                }
                "memory" => {
                    let digits = words.get(1).copied().unwrap_or_default().as_bytes();
                    let byte = |pair: &[u8]| {
                        let text = std::str::from_utf8(pair).ok()?;
                        u8::from_str_radix(text, 16).ok()
                    };
                    image
                        .memory
                        .push((number(0), digits.chunks(2).filter_map(byte).collect()));
                }
                "fails" => image.fails = i32::try_from(number(0)).ok().filter(|errno| *errno > 0),
                _ => {}
            }
        }
        image
    }
}

impl Peek for Image {
    fn tid(&self) -> Tid {
        1
    }

    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), Errno> {
        if let Some(errno) = self.fails {
            return Err(Errno(errno));
        }
        for (offset, byte) in (0..).zip(buf) {
            let at = addr.checked_add(offset).ok_or(Errno(14))?;
            let found = self.memory.iter().find_map(|(begin, bytes)| {
                bytes.get(usize::try_from(at.checked_sub(*begin)?).ok()?)
            });
            *byte = *found.ok_or(Errno(14))?;
        }
        Ok(())
    }

    fn proc_file(&self, _: &str) -> Result<Vec<u8>, Errno> {
        Err(Errno(2))
    }

    fn proc_link(&self, _: &str) -> Result<Vec<u8>, Errno> {
        Err(Errno(2))
    }
}

fn decode_holds(input: &[u8]) {
    let image = Image::parse(input);
    let Some(decoded) = decode(&image, &image.call) else {
        return;
    };
    let _ = wrote(&image, &decoded);
    let request = &decoded.request;
    let bits = |names: &[String]| {
        let of = |name: &String| flags::named(name).expect("in the table").bits;
        names.iter().map(of).fold(0, |all, bit| all | bit)
    };
    let unknown = request.flags_unknown.map_or(0, |bits| bits.0);
    let all = bits(&request.flags) | bits(&request.flags_ignored) | unknown;
    assert_eq!(all, request.flags_raw.map_or(0, |raw| raw.0));
    let json = serde_json::to_string(request).expect("JSON");
    assert_eq!(
        &serde_json::from_str::<Request>(&json).expect("the same"),
        request
    );
}

fn expect_holds(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match Expectation::parse(&text, Path::new("x.toml")) {
        Ok(expectation) => drop(expectation.check(&Analysis::of(&[]))),
        Err(why) => assert!(why.to_string().contains("x.toml"), "{why}"),
    }
}

fn strace_holds(input: &[u8]) {
    let mut out = Vec::new();
    let question = Explain::new(What::Flags);
    annotate(&question, &mut std::io::Cursor::new(input), &mut out).expect("memory is enough");
    let mut rest = out.split(|&b| b == b'\n');
    for line in input.split(|&b| b == b'\n') {
        assert!(
            rest.any(|other| other == line),
            "{:?}",
            String::from_utf8_lossy(line)
        );
    }
}

/// `CODE JT JF K` a line, in hexadecimal.
fn filter_holds(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let program: Vec<Insn> = text
        .lines()
        .map(|line| {
            let mut numbers = line
                .split_whitespace()
                .map(|word| u64::from_str_radix(word, 16).unwrap_or_default());
            let mut next = || numbers.next().unwrap_or_default();
            Insn {
                code: next() as u16,
                jt: next() as u8,
                jf: next() as u8,
                k: next() as u32,
            }
        })
        .collect();
    const X86_64: u32 = 0xc000_003e;
    for nr in [0, 56, 435, u32::MAX] {
        let foretold = walk::explore(&program, nr, X86_64);
        for first in [0, 22, u64::MAX] {
            let data = SeccompData {
                nr,
                arch: X86_64,
                ip: 0,
                args: [first, 1, 2, 3, 4, 5],
            };
            match walk::run(&program, &data) {
                Ok(answer) => assert!(
                    foretold.contains(answer & RET_ACTION_FULL) || foretold.contains(answer),
                    "{answer:x} to {nr}"
                ),
                Err(walk::BadProgram::Unwritten(_)) => {}
                Err(_) => assert!(foretold.any, "a bad program is harmless"),
            }
        }
    }
}
