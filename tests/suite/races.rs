//! The fixtures whose events can come in many orders, again and again while all processors are busy:
//! CLONESPY_REPEAT says how often (once without it; .ci/run asks for 50), CLONESPY_RACES which ones
//! (names with commas; all without it). Then all other fixtures, as often.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crate::every_fixture::expect_case;
use crate::fixtures::{CASES, named, program};
use crate::run::run;
use crate::trace::{command, trace, trace_with, words};

/// Races between a caller and its newborn, between threads that exec or end, between signals and
/// calls, between tids that are used again.
const RACES: &[&str] = &[
    "caller_dies",
    "caller_dies_exec",
    "caller_dies_sigkill",
    "exec_thread",
    "exec_thread_leader_exited",
    "exec_thread_race",
    "exec_storm",
    "leader_exits",
    "exit_group_thread",
    "newborn_killed",
    "orphans",
    "tid_reuse",
    "clone_untraced",
    "clone_untraced_tight",
    "vfork_variants",
    "pidns",
    "init_crash",
    "signals",
    "restart",
    "seccomp_tsync",
    "storm_forks",
];

fn times() -> usize {
    std::env::var("CLONESPY_REPEAT").map_or(1, |times| times.parse().expect("CLONESPY_REPEAT"))
}

/// Runs something while every processor has a thread that never rests. For a quarter of the time
/// they keep the processor for as long as the kernel lets them, so that everybody else waits in odd
/// places; for the rest they give way.
fn busy(work: impl FnOnce()) {
    let over = AtomicBool::new(false);
    /// Ends the others even where a test fails.
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    thread::scope(|scope| {
        let _over = Over(&over);
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let began = Instant::now();
                while !over.load(Ordering::Relaxed) {
                    for _ in 0..1000 {
                        std::hint::spin_loop();
                    }
                    if !(began.elapsed().as_millis() / 10).is_multiple_of(4) {
                        thread::yield_now();
                    }
                }
            });
        }
        work();
    });
}

fn again_and_again(name: &str) {
    let case = named(name);
    let bare = run(Command::new(program(case.fixture)).args(case.args));
    let line = command(case);
    let began = Instant::now();
    for _ in 0..times() {
        expect_case(case, &bare, &trace(&words(&line)));
    }
    eprintln!("{name}: {} times in {:?}", times(), began.elapsed());
}

#[test]
fn races_come_out_the_same_each_time() {
    busy(|| {
        let asked = std::env::var("CLONESPY_RACES").ok();
        let asked: Option<Vec<&str>> = asked.as_ref().map(|names| names.split(',').collect());
        let chosen = |name: &&&str| asked.as_ref().is_none_or(|asked| asked.contains(*name));
        RACES
            .iter()
            .filter(chosen)
            .for_each(|name| again_and_again(name));
    });
}

/// Where no order is left to chance the same holds.
#[test]
fn all_others_come_out_the_same_each_time() {
    if times() == 1 {
        // Each was run once already.
        return;
    }
    busy(|| {
        let others = CASES.iter().filter(|case| !RACES.contains(&case.name));
        others.for_each(|case| again_and_again(case.name));
    });
}

/// The same when every call stops, which makes other orders likely.
#[test]
fn races_with_every_call_stopped() {
    busy(|| {
        for name in ["exec_thread", "exec_thread_race", "exec_storm", "orphans"] {
            let case = named(name);
            let bare = run(Command::new(program(case.fixture)).args(case.args));
            let line = command(case);
            for _ in 0..times().div_ceil(5) {
                let traced = trace_with(&["--intercept=syscall"], &words(&line));
                expect_case(case, &bare, &traced);
            }
        }
    });
}
