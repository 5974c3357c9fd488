//! Every fixture without a tracer: the kernel does what the fixture says, and what it prints is the
//! same each time. Without this, the same under a tracer would prove nothing.

use std::collections::BTreeSet;
use std::process::Command;

use crate::fixture_facts;
use crate::fixtures::{Build, CASES, built, program, sources};
use crate::run::run;

#[test]
fn every_source_is_a_case_and_every_case_has_a_source() {
    let files: BTreeSet<String> = std::fs::read_dir(sources())
        .expect("fixtures/")
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            Some(name.strip_suffix(".c")?.to_owned())
        })
        .collect();
    let cases: BTreeSet<String> = CASES.iter().map(|case| case.fixture.to_owned()).collect();
    assert_eq!(files, cases);
    let names: BTreeSet<&str> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), CASES.len(), "two cases of one name");
}

#[test]
fn every_fixture_holds_without_a_tracer() {
    for case in CASES {
        let first = run(Command::new(program(case.fixture)).args(case.args));
        first.expect(case.name, case.end);
        let again = run(Command::new(program(case.fixture)).args(case.args));
        again.expect(case.name, case.end);
        // In a race the same lines may come from other tasks, but they are the same lines.
        if case.name != "exec_thread_race" {
            assert_eq!(
                fixture_facts::normal(&first.out()),
                fixture_facts::normal(&again.out()),
                "{} differs from run to run",
                case.name
            );
        }
        // The language of common.h is kept.
        fixture_facts::facts(&first.out());
    }
}

/// The fixtures that are compiled in every way that the machine can.
pub const EVERY_WAY: &[&str] = &[
    "thread",
    "threads",
    "fork",
    "clone_vm",
    "vfork",
    "clone3_sizes",
];

#[test]
fn static_musl_and_32_bit_builds_hold_as_well() {
    for build in [Build::Static, Build::Musl, Build::I386] {
        for fixture in EVERY_WAY {
            let Some(path) = built(fixture, build) else {
                break;
            };
            run(&mut Command::new(path)).expect(fixture, crate::run::End::Exit(0));
        }
    }
}
