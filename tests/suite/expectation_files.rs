//! Every fixture's expectation file holds, each of its values matters, and what is blessed holds.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clonespy::Expectation;
use clonespy::event::Event;
use clonespy::internals::{
    Analysis, CheckPlan, Job, Outputs, Recording, Task, Verdict, bless, check, expected_exit,
    format, run_job,
};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fixtures::{CASES, named, sources};
use crate::run::{End, tool};
use crate::trace::{clonespy, fresh_file};

/// The fixtures' expectation files, in order. `None`: they cannot be built here.
fn files() -> Option<Vec<PathBuf>> {
    tool("make")?;
    tool("cc")?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(sources())
        .expect("fixtures/")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    Some(files)
}

fn stem(file: &Path) -> &str {
    file.file_stem()
        .and_then(|name| name.to_str())
        .expect("a name")
}

/// Runs the program of an expectation.
fn ran(expectation: &Expectation) -> clonespy::Result<Recording> {
    run_job(&Job::of(expectation))
}

pub fn plan(files: &[PathBuf]) -> CheckPlan {
    let task = |file: &PathBuf| Task {
        file: Some(file.clone()),
        ..Task::default()
    };
    CheckPlan {
        tasks: files.iter().map(task).collect(),
        jobs: 2,
        ..CheckPlan::default()
    }
}

/// What the text format says of a verdict.
pub fn verdict(plan: &CheckPlan) -> (Verdict, String) {
    let file = fresh_file("verdict.txt");
    let out = std::fs::File::create(&file).expect("a file");
    let text = format("text").expect("text is a format");
    let mut outputs = Outputs::new();
    outputs.add("verdict.txt", (text.make)(Box::new(out)));
    let (verdict, _) = check(plan, &run_job, outputs);
    (
        verdict,
        std::fs::read_to_string(&file).expect("the verdict"),
    )
}

#[test]
fn every_fixture_is_as_expected() {
    let Some(files) = files() else {
        return;
    };
    let [json, junit] = ["json", "junit"].map(|name| (name, fresh_file(name)));
    let mut command = clonespy();
    command.args(["check", "-j", "2", "--format", "text"]);
    for (name, file) in [&json, &junit] {
        command
            .arg("--format")
            .arg(crate::trace::format(file, name));
    }
    let ran = crate::run::run(command.args(&files));
    ran.expect("clonespy check fixtures/*.toml", End::Exit(0));
    let verdict = std::fs::read_to_string(&json.1).expect("a verdict");
    let verdict: serde_json::Value = serde_json::from_str(&verdict).expect("JSON");
    let checks = verdict["checks"].as_array().expect("checks");
    assert_eq!(
        (verdict["status"].as_u64(), checks.len()),
        (Some(0), files.len())
    );
    let holds = |check: &&serde_json::Value| check["outcome"] == "ok";
    assert!(
        checks.iter().filter(holds).count() > files.len() / 2,
        "{}",
        ran.out()
    );
    assert_eq!(ran.out().lines().count(), files.len() + 1, "{}", ran.out());
    let junit = std::fs::read_to_string(&junit.1).expect("a verdict");
    assert_eq!(junit.matches("<testcase ").count(), files.len());
}

#[test]
fn the_command_line_alone_can_expect() {
    let cases: [(&[&str], i32, &str); 4] = [
        (
            &["--processes", "2", "--threads", "..=2", "--no-failures"],
            0,
            "ok ",
        ),
        (&["--processes", "1"], 1, "tasks.processes"),
        (
            &["--forbid", "CLONE_VFORK|CLONE_CHILD_SETTID"],
            1,
            "forbid.flags",
        ),
        (&["--expect", "no/such/file.toml"], 2, "no/such/file.toml"),
    ];
    for (options, status, word) in cases {
        let mut command = clonespy();
        command.arg("check").args(options);
        command.args(["--", "sh", "-c", "(exit 1) & wait; echo out"]);
        let ran = crate::run::run(&mut command);
        ran.expect(&options.join(" "), End::Exit(status));
        assert!(ran.err().contains(word), "{options:?}: {}", ran.err());
        // The program's output is its own, and the verdict stands beside it.
        assert_eq!(ran.out(), if status == 2 { "" } else { "out\n" });
    }
}

#[test]
fn every_fixture_has_an_expectation_and_every_expectation_is_of_a_fixture() {
    let Some(files) = files() else {
        return;
    };
    let stems: BTreeSet<&str> = files.iter().map(|file| stem(file)).collect();
    for case in CASES {
        assert!(stems.contains(case.fixture), "no {}.toml", case.fixture);
    }
    for file in &files {
        let expectation = Expectation::from_file(file).expect("a good file");
        // The file's name is a case's, and both say how the program ends.
        let case = named(stem(file));
        let program = format!("../target/fixtures/{}", case.fixture);
        let recipe = Job::of(&expectation).recipe;
        assert_eq!(recipe.command[0], program, "{}", file.display());
        let ends = expected_exit(&expectation).expect("each says how it ends");
        match case.end {
            End::Exit(code) => assert_eq!(ends, code.to_string(), "{}", file.display()),
            End::Signal(_) => assert!(ends.starts_with("SIG"), "{}: {ends}", file.display()),
        }
    }
}

/// A value of a file: the keys that lead to it, and where it stands.
struct Place {
    key: String,
    span: Range<usize>,
    /// What it may be changed to.
    instead: Vec<String>,
}

fn places(table: &DeTable, out: &mut Vec<Place>) {
    for (key, value) in table {
        walk(key.get_ref(), value, out);
    }
}

fn walk(key: &str, value: &Spanned<DeValue>, out: &mut Vec<Place>) {
    let instead = match value.get_ref() {
        DeValue::Table(table) => return places(table, out),
        DeValue::Array(list) if !list.is_empty() => {
            list.iter().for_each(|value| walk(key, value, out));
            let words: Vec<&str> = list
                .iter()
                .filter_map(|value| value.get_ref().as_str())
                .collect();
            // A flag less, and a flag more. (Of other lists any one may do.)
            if words.is_empty() || !words.iter().all(|word| word.starts_with("CLONE_")) {
                return;
            }
            let fewer = words.get(1..).unwrap_or_default();
            let more = [words.as_slice(), &["CLONE_NEWCGROUP"]].concat();
            vec![format!("{fewer:?}"), format!("{more:?}")]
        }
        DeValue::Array(_) => vec!["[\"x\"]".to_owned()],
        DeValue::String(text) => vec![format!("{:?}", format!("x{text}"))],
        DeValue::Boolean(set) => vec![(!set).to_string()],
        DeValue::Integer(number) => {
            let number: i64 = number.as_str().parse().expect("a small number");
            let mut others = vec![number + 1];
            others.extend((number > 0).then_some(number - 1));
            others.iter().map(i64::to_string).collect()
        }
        other => panic!("{key}: no expectation has {}", other.type_str()),
    };
    out.push(Place {
        key: key.to_owned(),
        span: value.span(),
        instead,
    });
}

/// What the check of a changed file says; `None`: it holds.
fn complaint(text: &str, file: &Path, unchanged: &Expectation, seen: &Analysis) -> Option<String> {
    let expectation = match Expectation::parse(text, file) {
        Ok(expectation) => expectation,
        Err(why) => return Some(why.to_string()),
    };
    if Job::of(&expectation).recipe == Job::of(unchanged).recipe {
        return expectation.check(seen).err().map(|why| why.to_string());
    }
    match ran(&expectation) {
        Ok(ran) => expectation
            .check(&Analysis::of(&ran.events))
            .err()
            .map(|why| why.to_string()),
        Err(why) => Some(why.to_string()),
    }
}

#[test]
fn every_value_of_every_expectation_matters() {
    let Some(files) = files() else {
        return;
    };
    let mut wrong = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a file");
        let unchanged = Expectation::parse(&text, file).expect("a good file");
        let ran = ran(&unchanged).expect("it runs");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        if let Some(skip) = &Job::of(&unchanged).recipe.skip
            && said.lines().any(|line| skip.fits(line))
        {
            continue;
        }
        // What this user may not do was left out, and rows for it cannot matter.
        if said.lines().any(|line| line.starts_with("skipped")) {
            println!("{}: not all of it happens for this user", file.display());
            continue;
        }
        let seen = Analysis::of(&ran.events);
        unchanged.check(&seen).expect("unchanged it holds");
        let mut all = Vec::new();
        places(DeTable::parse(&text).expect("TOML").get_ref(), &mut all);
        assert!(all.len() > 3, "{}", file.display());
        for place in all {
            for instead in &place.instead {
                let mut changed = text.clone();
                changed.replace_range(place.span.clone(), instead);
                let said = complaint(&changed, file, &unchanged, &seen);
                let what = format!("{}: {} = {instead}", file.display(), place.key);
                match said {
                    None => wrong.push(format!("{what}: it still holds")),
                    Some(said) if !said.contains(&place.key) => {
                        wrong.push(format!("{what}: the key is not named:\n{said}"));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Blesses a trace and checks it against that.
#[track_caller]
fn bless_holds(what: &str, expectation: &Expectation, seen: &Analysis) {
    let text = match bless(expectation, seen) {
        Ok(text) => text,
        Err(why) => {
            assert!(seen.index().cut().is_some(), "{what}: {why}");
            return;
        }
    };
    let blessed = Expectation::parse(&text, Path::new("blessed.toml"))
        .unwrap_or_else(|why| panic!("{what}: {why}\n{text}"));
    if let Err(mismatch) = blessed.check(seen) {
        panic!("{what}: {mismatch}\n{text}");
    }
    // How it is run is taken over, and a path may go up.
    let taken_over = ["#", "command = ", "build = "];
    let said = text
        .lines()
        .filter(|line| !taken_over.iter().any(|start| line.starts_with(start)));
    let ranges: Vec<&str> = said.filter(|line| line.contains("..")).collect();
    assert!(
        ranges.is_empty(),
        "{what}: what was seen is one number: {ranges:?}"
    );
}

#[test]
fn what_is_blessed_holds() {
    let Some(files) = files() else {
        return;
    };
    for file in &files {
        let expectation = Expectation::from_file(file).expect("a good file");
        let ran = ran(&expectation).expect("it runs");
        bless_holds(
            &file.display().to_string(),
            &expectation,
            &Analysis::of(&ran.events),
        );
    }
    // And what was recorded on other days.
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for entry in std::fs::read_dir(recorded).into_iter().flatten().flatten() {
        if entry
            .path()
            .extension()
            .is_some_and(|ending| ending == "jsonl")
        {
            let text = std::fs::read_to_string(entry.path()).expect("a trace");
            let lines = text
                .lines()
                .filter_map(|line| serde_json::from_str::<Event>(line).ok());
            let seen = Analysis::of(&lines.collect::<Vec<_>>());
            let what = entry.path().display().to_string();
            bless_holds(&what, &Expectation::default(), &seen);
        }
    }
}
