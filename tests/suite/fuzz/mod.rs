//! Input that lies: each reader is given every file of its corpus (`tests/corpus/KIND`), then changed
//! ones, for a second; CLONESPY_FUZZ says for how many instead. An input that breaks one is left in a
//! file whose name is told: put it into the corpus along with the cure.
//!
//! | corpus | reader | what must hold |
//! |---|---|---|
//! | `replay` | `Replay`, the tree, the lints, every report | no panic; two readings are equal |
//! | `decode` | `decode` on a task of these registers and this memory | no bit lost; the event survives JSON |
//! | `expect` | `Expectation`, and a check with it | read, or refused with the file's name |
//! | `strace` | `explain --strace` | every line passes unchanged |
//! | `filter` | the explorer of a program's own seccomp filter | what the filter answers was foretold |

mod readers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::fixtures::scratch;
use readers::KINDS;

const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "88",
    "255",
    "4096",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "0x0",
    "0xffffffffffffffff",
    "null",
    "NaN",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<(PathBuf, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap_or_else(|why| panic!("{}: {why}", folder.display()))
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), std::fs::read(&path).expect("a file")))
        .collect();
    files.sort();
    files
}

/// Numbers that look like chance and come again for the same seed (xorshift64*).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below `end`; 0 for an empty range.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).expect("below a usize")
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// One to eight changes of an input, and perhaps a piece of another.
fn changed(chance: &mut Chance, seeds: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut bytes = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(8) {
        let at = chance.below(bytes.len() + 1);
        let end = (at + chance.below(40)).min(bytes.len());
        match chance.below(9) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            4 => drop(bytes.splice(at..end, chance.of(words).bytes())),
            5 => drop(bytes.splice(at..at, chance.of(words).bytes())),
            6 => {
                // A number is put in the place of a number.
                let digit = bytes[at..].iter().position(u8::is_ascii_digit);
                let from = digit.map_or(at, |found| at + found);
                let length = bytes[from..]
                    .iter()
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                bytes.splice(from..from + length, chance.of(NUMBERS).bytes());
            }
            7 => {
                let other = &seeds[chance.below(seeds.len())];
                let begin = chance.below(other.len() + 1);
                let stop = (begin + chance.below(300)).min(other.len());
                bytes.splice(at..at, other[begin..stop].iter().copied());
            }
            _ => {
                // Two lines change places.
                let mut lines: Vec<&[u8]> = bytes.split_inclusive(|&b| b == b'\n').collect();
                let (one, other) = (chance.below(lines.len()), chance.below(lines.len()));
                if !lines.is_empty() {
                    lines.swap(one, other);
                }
                bytes = lines.concat();
            }
        }
        bytes.truncate(1 << 18);
    }
    bytes
}

fn time() -> Duration {
    let seconds = std::env::var("CLONESPY_FUZZ").map_or(1, |text| text.parse().expect("seconds"));
    Duration::from_secs(seconds)
}

/// How long one input may take, on a machine however busy.
const LONGEST: Duration = Duration::from_secs(120);

/// Whether a reader takes an input, and comes to an end with it.
fn holds(hold: fn(&[u8]), input: &[u8]) -> bool {
    let (done, end) = mpsc::channel();
    let input = input.to_vec();
    // One that does not end is left behind: the test fails.
    thread::spawn(move || {
        let held = catch_unwind(AssertUnwindSafe(|| hold(&input))).is_ok();
        let _ = done.send(held);
    });
    match end.recv_timeout(LONGEST) {
        Ok(held) => held,
        Err(_) => {
            eprintln!("no end after {} s", LONGEST.as_secs());
            false
        }
    }
}

#[track_caller]
fn fuzz(name: &str) {
    let kind = KINDS.iter().find(|kind| kind.name == name).expect("a kind");
    let corpus = files(&folder("tests/corpus").join(kind.name));
    assert!(corpus.len() >= 3, "{name}: a corpus of {}", corpus.len());
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for (path, bytes) in corpus {
        assert!(
            holds(kind.hold, &bytes),
            "{name}: broken by {}",
            path.display()
        );
        seeds.push(bytes);
    }
    if let Some((place, ending)) = kind.more {
        let of_kind = |path: &PathBuf| path.extension().is_some_and(|found| found == ending);
        let more = files(&folder(place)).into_iter();
        seeds.extend(
            more.filter(|(path, _)| of_kind(path))
                .map(|(_, bytes)| bytes),
        );
    }
    let nanos = std::time::UNIX_EPOCH
        .elapsed()
        .expect("after 1970")
        .as_nanos();
    let mut chance = Chance(nanos as u64 | 1);
    let (end, mut tried) = (Instant::now() + time(), 0);
    // However slow the machine is, a few are tried.
    while tried < 20 || Instant::now() < end {
        let input = changed(&mut chance, &seeds, kind.words);
        tried += 1;
        if !holds(kind.hold, &input) {
            let place = scratch().with_file_name(format!("broken-{name}"));
            std::fs::write(&place, &input).expect("a file");
            panic!("{name}: broken by {}", place.display());
        }
    }
    eprintln!("{name}: {tried} inputs");
}

#[test]
fn replay_takes_anything() {
    fuzz("replay");
}

#[test]
fn decode_takes_anything() {
    fuzz("decode");
}

#[test]
fn expectations_take_anything() {
    fuzz("expect");
}

#[test]
fn explain_takes_anything() {
    fuzz("strace");
}

#[test]
fn filters_are_foretold() {
    fuzz("filter");
}
