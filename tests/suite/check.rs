//! Every fixture's expectation file holds, each of its values matters, and what is blessed holds.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use clonespy::check::{
    CheckPlan, Expectation, Job, Outcome, Ran, Seen, Subject, Task, Verdict, bless, format, run,
};
use clonespy::event::Event;
use clonespy::perform::perform;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fixtures::{CASES, named, sources};
use crate::run::{End, run as run_command, tool};
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
fn ran(expectation: &Expectation) -> clonespy::Result<Ran> {
    let lints = expectation.lints.lints();
    let job = Job {
        recipe: expectation.recipe.clone(),
        subject: Subject::Own,
        lints: lints.iter().map(|lint| lint.value.id).collect(),
    };
    perform(&job)
}

fn plan(files: &[PathBuf]) -> CheckPlan {
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
fn verdict(plan: &CheckPlan) -> (Verdict, String) {
    let file = fresh_file("verdict.txt");
    let out = std::fs::File::create(&file).expect("a file");
    let text = format("text").expect("text is a format");
    let mut tellers = [(text.make)(Box::new(out))];
    let verdict = run(plan, &perform, &mut tellers);
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
        assert_eq!(expectation.recipe.command[0], program, "{}", file.display());
        let ends = expectation
            .exit
            .expect("each says how it ends")
            .value
            .to_string();
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
fn complaint(text: &str, file: &Path, unchanged: &Expectation, seen: &Seen) -> Option<String> {
    let expectation = match Expectation::parse(text, file) {
        Ok(expectation) => expectation,
        Err(why) => return Some(why.to_string()),
    };
    if expectation.recipe == unchanged.recipe {
        return expectation.check(seen).err().map(|why| why.to_string());
    }
    match ran(&expectation) {
        Ok(ran) => expectation
            .check(&Seen::of(&ran.events))
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
        if let Some(skip) = &unchanged.recipe.skip
            && said.lines().any(|line| skip.fits(line))
        {
            continue;
        }
        // What this user may not do was left out, and rows for it cannot matter.
        if said.lines().any(|line| line.starts_with("skipped")) {
            println!("{}: not all of it happens for this user", file.display());
            continue;
        }
        let seen = Seen::of(&ran.events);
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
fn bless_holds(what: &str, expectation: &Expectation, seen: &Seen) {
    let text = match bless(expectation, seen) {
        Ok(text) => text,
        Err(why) => {
            assert!(seen.cut().is_some(), "{what}: {why}");
            return;
        }
    };
    let blessed = Expectation::parse(&text, Path::new("blessed.toml"))
        .unwrap_or_else(|why| panic!("{what}: {why}\n{text}"));
    if let Err(mismatch) = blessed.check(seen) {
        panic!("{what}: {mismatch}\n{text}");
    }
    let said = text.lines().filter(|line| !line.starts_with('#'));
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
        let mut expectation = Expectation::from_file(file).expect("a good file");
        let ran = ran(&expectation).expect("it runs");
        expectation.recipe = clonespy::check::Recipe::default();
        bless_holds(
            &file.display().to_string(),
            &expectation,
            &Seen::of(&ran.events),
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
            let seen = Seen::of(&lines.collect::<Vec<_>>());
            let what = entry.path().display().to_string();
            bless_holds(&what, &Expectation::default(), &seen);
        }
    }
}

/// A program that changes by one thing.
const PROGRAM: &str = r#"
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static void *wait_for_ever(void *unused) { for (;;) pause(); return unused; }
static void *brief(void *unused) { return unused; }
int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, brief, NULL);
    pthread_join(thread, NULL);
#ifdef FORKS
    if (fork() == 0) _exit(0);
    wait(NULL);
#endif
#ifdef LEAVES
    pthread_create(&thread, NULL, wait_for_ever, NULL);
#endif
#ifdef FLAG
    if (syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0) == 0) _exit(0);
    wait(NULL);
#endif
#ifdef NAMESPACE
    if (syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0) == 0) _exit(0);
#endif
    (void)wait_for_ever;
    return 0;
}
"#;

const EXPECTED: &str = r#"
command = ["./NAME"]
build = "cc -pthread -DWHAT -o NAME changed.c"
exit = 0
[tasks]
processes = 1
threads = 2
cut_off = 0
[[clone]]
is = "pthread_create"
count = 1
[forbid]
flags = ["CLONE_NEWUSER"]
"#;

#[test]
fn a_program_that_changes_is_found_out_with_words() {
    if tool("cc").is_none() {
        return;
    }
    let folder = fresh_file("changed");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("changed.c"), PROGRAM).expect("a source");
    let cases: [(&str, &[&str]); 5] = [
        ("NOTHING", &[]),
        (
            "FORKS",
            &[
                "tasks.processes",
                "none describes",
                "(as fork does)",
                "which never execs",
                "is = \"fork\"",
            ],
        ),
        (
            "LEAVES",
            &[
                "tasks.cut_off",
                "+ seen      1",
                "pthread_create",
                "cut_off = 1",
            ],
        ),
        (
            "FLAG",
            &[
                "none describes",
                "CLONE_FS: Share root directory",
                "flags = [\"CLONE_FS\"]",
            ],
        ),
        (
            "NAMESPACE",
            &["forbid.flags", "CLONE_NEWUSER", "failed with EINVAL"],
        ),
    ];
    let files = cases.map(|(what, _)| {
        let file = folder.join(format!("{what}.toml"));
        let name = what.to_lowercase();
        let text = EXPECTED.replace("NAME", &name).replace("WHAT", what);
        std::fs::write(&file, text).expect("an expectation");
        file
    });
    let (verdict, text) = verdict(&plan(&files));
    assert_eq!(verdict.status(), 1, "{text}");
    for (done, (what, words)) in verdict.checks.iter().zip(cases) {
        let said = match &done.outcome {
            Outcome::Fails(mismatch) => mismatch.to_string(),
            Outcome::Holds => String::new(),
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(said.is_empty(), words.is_empty(), "{what}: {said}");
        for word in words {
            assert!(said.contains(word), "{what}: no {word:?} in\n{said}");
        }
    }
}

#[test]
fn what_cannot_run_is_told_apart_from_what_fails() {
    let folder = fresh_file("broken");
    std::fs::create_dir_all(&folder).expect("a folder");
    let cases = [
        ("missing", "command = ['./nowhere']", "`command`"),
        (
            "unbuilt",
            "command = ['true']\nbuild = 'echo no luck; false'",
            "no luck",
        ),
        ("misspelt", "comand = ['true']", "did you mean `command`?"),
        ("silent", "exit = 0", "names no `command`"),
        (
            "slow",
            "command = ['sleep', '1000']\ntimeout = 1",
            "`timeout`",
        ),
    ];
    let files = cases.map(|(name, text, _)| {
        let file = folder.join(format!("{name}.toml"));
        std::fs::write(&file, text).expect("a file");
        file
    });
    let (verdict, text) = verdict(&plan(&files));
    assert_eq!(verdict.status(), 2, "{text}");
    for (done, (name, _, word)) in verdict.checks.iter().zip(cases) {
        let Outcome::Broken(why) = &done.outcome else {
            panic!("{name}: {:?}", done.outcome);
        };
        assert!(why.contains(word), "{name}: {why}");
    }
    assert!(text.contains("5 checks: 5 error"), "{text}");
}

#[test]
fn what_is_written_by_bless_is_what_is_checked_next() {
    let file = fresh_file("blessed.toml");
    std::fs::write(&file, "command = ['sh', '-c', 'cat; true & wait']\nstdin = \"a\\n\\u001b\"\nenv = { A = 'b', C = false }\n")
        .expect("a file");
    let mut plan = plan(&[file]);
    let blessings: Vec<bool> = [true, true, false]
        .into_iter()
        .filter_map(|bless| {
            plan.bless = bless;
            let (verdict, text) = verdict(&plan);
            assert_eq!(verdict.status(), 0, "{text}");
            match verdict.checks[0].outcome {
                Outcome::Blessed(changed) => Some(changed),
                _ => None,
            }
        })
        .collect();
    assert_eq!(blessings, [true, false]);
}

/// The file lies elsewhere than the program is run from, and what must not be stays in it.
#[test]
fn bless_writes_a_path_from_the_file_and_keeps_what_must_not_be() {
    let place = fresh_file("place");
    std::fs::create_dir_all(place.join("sub")).expect("a folder");
    std::os::unix::fs::symlink("/bin/true", place.join("program")).expect("a link");
    let bless = |file: &str| {
        run_command(clonespy().current_dir(&place).args([
            "check",
            "--bless",
            "--expect",
            file,
            "--",
            "./program",
        ]))
    };
    bless("sub/x.toml").expect("bless", End::Exit(0));
    let file = place.join("sub/x.toml");
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(text.contains("command = [\"../program\"]"), "{text}");
    run_command(clonespy().arg("check").arg(&file)).expect("check", End::Exit(0));

    let policy = "\n[forbid]\nflags = [\"CLONE_NEWUSER\"]\n\n[lints]\ndeny = [\"warnings\"]\n";
    std::fs::write(&file, text + policy).expect("a file");
    bless("sub/x.toml").expect("bless again", End::Exit(0));
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(text.ends_with(policy), "{text}");
}

/// A check without a file expects that the program ends well.
#[test]
fn a_program_that_fails_fails_a_check_without_a_file() {
    for (program, status) in [("true", 0), ("false", 1)] {
        let done = run_command(clonespy().args(["check", "--processes", "1", "--", program]));
        done.expect(program, End::Exit(status));
    }
}

/// A sandbox that answers one system call with EPERM, as a container's does.
const DENY: &str = r#"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv) {
    (void)argc;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DENIED, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
        return 99;
    execv(argv[1], argv + 1);
    return 98;
}
"#;

#[test]
fn what_a_container_forbids_is_said_in_the_words_of_the_page_about_ci() {
    if tool("cc").is_none() {
        return;
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md");
    let page = std::fs::read_to_string(page).expect("docs/ci.md");
    for (denied, options) in [("ptrace", &[][..]), ("seccomp", &["--intercept=seccomp"])] {
        let (source, program) = (fresh_file("c"), fresh_file("deny"));
        let text = DENY.replace("DENIED", &format!("__NR_{denied}"));
        let text = format!("#include <sys/syscall.h>\n{text}");
        std::fs::write(&source, text).expect("a source");
        let made = crate::run::run(Command::new("cc").arg("-o").arg(&program).arg(&source));
        made.expect("cc", End::Exit(0));
        let mut command = Command::new(&program);
        command
            .arg(env!("CARGO_BIN_EXE_clonespy"))
            .args(options)
            .args(["--", "true"]);
        let said = crate::run::run(&mut command).err();
        let line = said
            .trim()
            .strip_prefix("clonespy: ")
            .expect("an error of ours");
        assert!(page.lines().any(|known| known.trim() == line), "{line}");
    }
}

/// The clone_vm fixture shares its memory and ends without a signal.
#[test]
fn what_lints_find_is_denied_and_allowed_live_and_recorded() {
    let program = crate::fixtures::program("clone_vm");
    let trace = fresh_file("clone_vm.jsonl");
    let recorded = run_command(
        clonespy()
            .arg("--format")
            .arg(crate::trace::format(&trace, "jsonl"))
            .arg("--")
            .arg(&program)
            .arg("clone_vm"),
    );
    recorded.expect("clone_vm", End::Exit(0));
    let file = fresh_file("lints.toml");
    let cases = [
        ("deny = ['exit-signal-odd']", 1, &["exit-signal-odd"][..]),
        (
            "deny = ['namespace-creation', 'warnings']",
            1,
            &["exit-signal-odd", "shared-memory-process"],
        ),
        (
            "deny = ['warnings']\nallow = ['exit-signal-odd', 'shared-memory-process']",
            0,
            &[],
        ),
    ];
    for (lints, status, named) in cases {
        std::fs::write(&file, format!("[lints]\n{lints}\n")).expect("a file");
        let asked = |more: &[&std::ffi::OsStr]| {
            let mut command = clonespy();
            command.args(["check", "--format", "text:-", "--expect"]);
            let done = run_command(command.arg(&file).args(more));
            done.expect(lints, End::Exit(status));
            done.out()
        };
        let live = asked(&["--".as_ref(), program.as_ref(), "clone_vm".as_ref()]);
        let replayed = asked(&["--trace".as_ref(), trace.as_ref()]);
        for text in [live, replayed] {
            for id in named {
                let expected = format!("- expected  no {id}");
                assert!(text.contains(&expected), "{lints}: {text}");
                assert!(text.contains("lints.toml:2"), "{lints}: {text}");
                assert!(
                    text.contains("clone with CLONE_VM, exit signal none by"),
                    "{text}"
                );
            }
        }
    }
    // On the command line.
    let line = |options: &[&str], status: i32| {
        let mut command = clonespy();
        command
            .arg("check")
            .args(options)
            .arg("--trace")
            .arg(&trace);
        let done = run_command(&mut command);
        done.expect(&format!("{options:?}"), End::Exit(status));
        done.err()
    };
    line(&["--deny", "warnings"], 1);
    line(
        &[
            "--deny",
            "warnings",
            "--allow",
            "exit-signal-odd,shared-memory-process",
        ],
        0,
    );
    line(&["--lint=untraced-child"], 0);
    let said = line(&["--deny", "exit-signal-od"], 2);
    assert!(said.contains("did you mean 'exit-signal-odd'?"), "{said}");
}

/// A trace that does not hold which descriptors were inherited cannot show that none leaked.
#[test]
fn what_was_not_looked_for_is_not_taken_for_absent() {
    let Some(shell) = tool("sh") else {
        return;
    };
    let script = "exec 9</dev/zero; (exec env >/dev/null); :";
    let trace = fresh_file("leak.jsonl");
    let record = |options: &[&str]| {
        let mut command = clonespy();
        command.args(options).arg("--format");
        command.arg(crate::trace::format(&trace, "jsonl"));
        command.arg("--").arg(&shell).args(["-c", script]);
        run_command(&mut command).expect("the shell", End::Exit(0));
        let done = run_command(
            clonespy()
                .args(["check", "--deny", "fd-leak-to-exec", "--trace"])
                .arg(&trace),
        );
        done.expect("the check", End::Exit(1));
        done.out()
    };
    let said = record(&[]);
    assert!(said.contains("it was not looked for"), "{said}");
    let said = record(&["--lint", "fd-leak-to-exec"]);
    assert!(
        said.contains("9 /dev/zero") && said.contains("1 finding"),
        "{said}"
    );
    // A check that runs the program looks for itself.
    let live = run_command(
        clonespy()
            .args(["check", "--deny", "fd-leak-to-exec", "--"])
            .arg(&shell)
            .args(["-c", script]),
    );
    live.expect("the live check", End::Exit(1));
    assert!(live.err().contains("9 /dev/zero"), "{}", live.err());
}
