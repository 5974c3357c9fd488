//! What tracing costs: programs alone, under clonespy, and under strace with its own filter, in turn
//! in one run, so that a noisy machine is noisy for all. Ratios count, not times.
//!
//! `cargo bench` runs it; `cargo bench -- 9` with nine rounds instead of five. It compiles
//! `fixtures/` with cc and leaves strace out where there is none.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One row a program: name, fixture, arguments.
const PROGRAMS: &[(&str, &str, &[&str])] = &[
    ("5,000 threads in a row", "storm", &["row", "5000"]),
    ("3,000 threads alive at once", "storm", &["alive", "3000"]),
    ("2,000 forks in a row", "storm", &["forks", "2000"]),
    ("2 x 100,000 getppid", "getppid", &["100000"]),
];

/// Who watches: name, and the words before the program.
fn watchers(clonespy: &str) -> Vec<(&'static str, Vec<String>)> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut all = vec![
        ("alone", Vec::new()),
        ("clonespy", words(&format!("{clonespy} -qqq"))),
        (
            "clonespy --intercept=syscall",
            words(&format!("{clonespy} -qqq --intercept=syscall")),
        ),
    ];
    let strace = "strace -f -qq -o /dev/null -e trace=clone,clone3,fork,vfork";
    if Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status()
        .is_ok()
    {
        all.push((
            "strace --seccomp-bpf",
            words(&format!("{strace} --seccomp-bpf")),
        ));
    } else {
        println!("strace is not installed: left out");
    }
    all
}

fn main() {
    let rounds = std::env::args()
        .find_map(|arg| arg.parse().ok())
        .unwrap_or(5);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let watchers = watchers(env!("CARGO_BIN_EXE_clonespy"));
    println!("{rounds} rounds; median of the ratios to the program alone, round by round\n");
    for (name, fixture, args) in PROGRAMS {
        let program = compile(&folder, fixture);
        let mut times: Vec<Vec<Duration>> = vec![Vec::new(); watchers.len()];
        for _ in 0..rounds {
            for (times, (_, before)) in times.iter_mut().zip(&watchers) {
                times.push(time(before, &program, args));
            }
        }
        println!("{name}");
        let Some((alone, others)) = times.split_first() else {
            return;
        };
        println!(
            "  {:32} {:>9.1} ms",
            "alone",
            median(alone.iter().map(ms).collect())
        );
        for ((watcher, _), times) in watchers.iter().skip(1).zip(others) {
            let ratios = times
                .iter()
                .zip(alone)
                .map(|(t, base)| ms(t) / ms(base))
                .collect();
            println!("  {watcher:32} {:>9.1} x", median(ratios));
        }
    }
}

fn ms(time: &Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn compile(folder: &Path, fixture: &str) -> PathBuf {
    let program = folder.join(format!("bench-{fixture}"));
    let source = format!("{}/fixtures/{fixture}.c", env!("CARGO_MANIFEST_DIR"));
    let status = Command::new("cc")
        .args(["-O1", "-pthread", "-o"])
        .arg(&program)
        .arg(source)
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "cc cannot compile {fixture}"
    );
    program
}

fn time(before: &[String], program: &Path, args: &[&str]) -> Duration {
    let mut words = before.iter().map(String::as_str).collect::<Vec<_>>();
    let program = program.to_string_lossy();
    words.push(&program);
    words.extend(args);
    let began = Instant::now();
    let status = words.split_first().map(|(first, rest)| {
        Command::new(first)
            .args(rest)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
    });
    let took = began.elapsed();
    assert!(
        matches!(status, Some(Ok(status)) if status.success()),
        "{words:?} failed"
    );
    took
}
