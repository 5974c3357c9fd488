//! Every rule of the command line.

use std::ffi::OsString;
use std::path::Path;

use clap::CommandFactory;

use super::arguments::Line;
use super::message::Message;
use super::parse::parse;
use super::plan::{Plan, Replay, Trace};
use super::subcommands::SUBCOMMANDS;
use crate::event::{Call, Intercept};
use crate::output::Target;
use crate::report::Calls;

fn plan(args: &[&str]) -> Result<Plan, Message> {
    parse(["clonespy"].iter().chain(args).map(OsString::from))
}

#[track_caller]
fn trace(args: &[&str]) -> Trace {
    match plan(args) {
        Ok(Plan::Trace(trace)) => *trace,
        other => panic!("{other:?}"),
    }
}

/// The program of a plan.
#[track_caller]
fn launch(trace: Trace) -> crate::tracer::start::options::Launch {
    trace.launch.expect("a program")
}

#[track_caller]
fn replay(args: &[&str]) -> Replay {
    match plan(args) {
        Ok(Plan::Replay(replay)) => replay,
        other => panic!("{other:?}"),
    }
}

/// What is wrong, in one line; the status is always 125.
#[track_caller]
fn wrong(args: &[&str]) -> String {
    let said = plan(args).expect_err("accepted");
    assert_eq!(said.status, 125);
    assert_eq!(said.text.lines().count(), 1, "{}", said.text);
    said.text
}

fn outputs(args: &[&str]) -> Vec<(&'static str, Target)> {
    trace(args)
        .outputs
        .outputs
        .iter()
        .map(|(format, to)| (format.name, to.clone()))
        .collect()
}

fn file(name: &str) -> Target {
    Target::File(name.into())
}

#[test]
fn clap_agrees_with_itself() {
    Line::command().debug_assert();
}

#[test]
fn the_program_takes_all_that_follows_it() {
    for args in [
        &["sh", "-c", "ls | wc -l", "--stats", "--", "-q"][..],
        &["--", "sh", "-c", "ls | wc -l", "--stats", "--", "-q"],
    ] {
        let launch = launch(trace(args));
        assert_eq!(launch.program, "sh");
        assert_eq!(launch.args, ["-c", "ls | wc -l", "--stats", "--", "-q"]);
        assert!(!launch.stats);
        assert!(launch.options.is_empty());
    }
}

#[test]
fn our_options_come_before_it_and_are_kept_for_the_trace() {
    let launch = launch(trace(&["-q", "--stats", "-o", "f", "--", "-weird", "x"]));
    assert_eq!(launch.program, "-weird");
    assert_eq!(launch.options, ["-q", "--stats", "-o", "f"]);
    assert!(launch.stats);
}

#[test]
fn a_misspelt_option_is_not_a_program() {
    let text = wrong(&["--stat", "./a"]);
    assert!(
        text.contains("'--stat'") && text.contains("'--stats'"),
        "{text}"
    );
    assert!(wrong(&["-x", "./a"]).contains("'-x'"));
    let text = wrong(&["--intercept=secomp", "./a"]);
    assert!(
        text.contains("secomp") && text.contains("seccomp"),
        "{text}"
    );
}

#[test]
fn no_program_is_one_line_with_the_usage() {
    for args in [&[][..], &["-q"], &["--"]] {
        assert_eq!(
            wrong(args),
            "no program to run; usage: clonespy [OPTIONS] [--] PROGRAM [ARGS]..."
        );
    }
}

#[test]
fn a_subcommands_name_after_an_option_shows_both_spellings() {
    assert_eq!(
        wrong(&["-q", "replay", "x"]),
        "'replay' after an option: for the subcommand write 'clonespy replay -q x', \
         to run a program of that name 'clonespy -q -- replay x'"
    );
    for args in [&["--", "replay", "x"][..], &["-q", "--", "replay", "x"]] {
        assert_eq!(launch(trace(args)).program, "replay");
    }
    assert_eq!(launch(trace(&["./replay", "x"])).program, "./replay");
    assert_eq!(launch(trace(&["env", "replay"])).program, "env");
}

#[test]
fn names_of_subcommands_to_come_are_kept() {
    assert_eq!(
        wrong(&["cost", "a"]),
        "the subcommand 'cost' is not in this version; \
         to run a program of that name write 'clonespy -- cost a'"
    );
    assert_eq!(launch(trace(&["--", "cost", "a"])).program, "cost");
}

#[test]
fn replay_reads_a_file_and_writes_to_stdout() {
    let plan = replay(&["replay", "t.jsonl"]);
    assert_eq!(plan.file, Path::new("t.jsonl"));
    assert_eq!(plan.outputs.outputs[0].1, Target::Stdout);
    let plan = replay(&[
        "replay",
        "-qq",
        "-o",
        "f",
        "-e",
        "fork",
        "--color=never",
        "-",
    ]);
    assert_eq!(plan.file, Path::new("-"));
    assert_eq!(plan.outputs.outputs[0].1, file("f"));
    assert_eq!(
        (plan.outputs.look.quiet, plan.outputs.color),
        (2, Some(false))
    );
    assert!(wrong(&["replay"]).contains("FILE"));
    assert!(wrong(&["replay", "a", "b"]).contains("'b'"));
    assert!(wrong(&["replay", "--stats", "a"]).contains("'--stats'"));
}

#[test]
fn outputs_go_where_they_are_sent() {
    assert_eq!(outputs(&["x"]), [("text", Target::Stderr)]);
    assert_eq!(outputs(&["-o", "-", "x"]), [("text", Target::Stdout)]);
    assert_eq!(outputs(&["-o", "f", "x"]), [("text", file("f"))]);
    assert_eq!(
        outputs(&["--format", "jsonl", "x"]),
        [("jsonl", Target::Stderr)]
    );
    assert_eq!(
        outputs(&["--format=jsonl", "-o", "f", "x"]),
        [("jsonl", file("f"))]
    );
    assert_eq!(
        outputs(&[
            "--format=text",
            "--format=json:a:b",
            "--format=jsonl:-",
            "x"
        ]),
        [
            ("text", Target::Stderr),
            ("json", file("a:b")),
            ("jsonl", Target::Stdout)
        ]
    );
}

#[test]
fn outputs_that_cannot_be_are_refused() {
    let text = wrong(&["--format", "jsonl", "--format", "text", "x"]);
    assert!(text.starts_with("two formats (jsonl, text) for one destination (standard error)"));
    assert!(wrong(&["-o", "f", "--format", "jsonl:f", "--format", "text", "x"]).contains("(f)"));
    assert!(wrong(&["--format", "yaml", "x"]).contains("there are text, strace, jsonl, json"));
    assert!(wrong(&["--format", "json:", "x"]).contains("no destination"));
    assert!(wrong(&["-o", "f", "--format", "json:g", "x"]).starts_with("-o f: nothing goes there"));
}

#[test]
fn quiet_and_verbose_go_by_steps_and_not_together() {
    assert_eq!(trace(&["-qqq", "x"]).outputs.look.quiet, 3);
    assert_eq!(trace(&["-q", "-q", "x"]).outputs.look.quiet, 2);
    assert_eq!(trace(&["-v", "x"]).outputs.look.verbose, 1);
    assert!(wrong(&["-q", "-v", "x"]).contains("cannot be used with"));
}

#[test]
fn calls_are_chosen_as_strace_has_it() {
    let calls = |set: &str| trace(&["-e", set, "x"]).outputs.look.filter.calls;
    let forks = Calls::NONE.with(Call::Fork).with(Call::Vfork);
    assert_eq!(calls("trace=fork,vfork"), forks);
    assert_eq!(calls("fork,vfork"), forks);
    assert_eq!(calls("t=fork,vfork"), forks);
    assert_eq!(calls("trace=!clone,clone3"), forks);
    assert_eq!(calls("!clone,clone3"), forks);
    assert_eq!(calls("trace=%process"), Calls::ALL);
    assert_eq!(calls("!%process"), Calls::NONE);
    assert_eq!(trace(&["x"]).outputs.look.filter.calls, Calls::ALL);
    assert_eq!(
        trace(&["-etrace=clone", "-e", "trace=fork,vfork", "x"])
            .outputs
            .look
            .filter
            .calls,
        forks
    );
    assert!(wrong(&["-e", "trace=open", "x"]).contains("'open' is none of fork"));
    assert!(wrong(&["-e", "trace=", "x"]).contains("'' is none of"));
    assert!(wrong(&["-e", "signal=INT", "x"]).contains("-e signal="));
}

#[test]
fn interception_has_two_spellings() {
    let how = |args: &[&str]| launch(trace(args)).intercept;
    assert_eq!(how(&["x"]), None);
    assert_eq!(how(&["--intercept=auto", "x"]), None);
    assert_eq!(
        how(&["--intercept", "syscall", "x"]),
        Some(Intercept::Syscall)
    );
    assert_eq!(how(&["--intercept=event", "x"]), Some(Intercept::Event));
    assert_eq!(how(&["--seccomp-bpf", "x"]), Some(Intercept::Seccomp));
    assert_eq!(how(&["--seccomp-bpf=off", "x"]), Some(Intercept::Syscall));
    assert_eq!(how(&["--seccomp-bpf=auto", "x"]), None);
    assert!(wrong(&["--seccomp-bpf", "--intercept=event", "x"]).contains("cannot be used with"));
}

#[test]
fn optional_values_come_with_an_equals_sign_only() {
    let colored = trace(&["--color", "never"]);
    assert_eq!(colored.outputs.color, Some(true));
    assert_eq!(launch(colored).program, "never");
    assert_eq!(launch(trace(&["--seccomp-bpf", "off"])).program, "off");
    assert_eq!(trace(&["--color=never", "x"]).outputs.color, Some(false));
    assert_eq!(trace(&["x"]).outputs.color, None);
}

#[test]
fn the_environment_is_set_and_unset() {
    let env = launch(trace(&["-E", "A=b=c", "-E", "D", "-EF=", "x"])).env;
    let pair = |name: &str, value: Option<&str>| (name.into(), value.map(OsString::from));
    assert_eq!(
        env,
        [pair("A", Some("b=c")), pair("D", None), pair("F", Some(""))]
    );
    assert!(wrong(&["-E", "=x", "x"]).contains("no name"));
}

#[test]
fn the_rest_of_the_start() {
    let launch = launch(trace(&[
        "-u", "nobody", "--argv0", "-sh", "-f", "-ff", "sh",
    ]));
    assert_eq!(launch.user.as_deref(), Some("nobody"));
    assert_eq!(launch.argv0, Some("-sh".into()));
    assert_eq!(launch.program, "sh");
}

#[test]
fn help_version_and_schema_need_no_program() {
    assert!(matches!(
        plan(&["--generate", "schema"]),
        Ok(Plan::Print(_))
    ));
    for (option, word) in [
        ("--help", "replay"),
        ("-h", "Usage"),
        ("--version", "clonespy "),
    ] {
        let text = printed(&[option]);
        assert!(text.contains(word), "{text}");
        assert!(!text.contains("seccomp-bpf") && !text.contains("follow-forks"));
    }
    let help = printed(&["--help"]);
    for format in crate::report::FORMATS {
        assert!(help.contains(format.help), "{help}");
    }
}

#[test]
fn what_is_not_utf8_reaches_the_program() {
    use std::os::unix::ffi::OsStringExt;
    let odd = || OsString::from_vec(vec![b'a', 0xff]);
    let args = ["clonespy".into(), "-E".into(), odd(), odd(), odd()];
    let Ok(Plan::Trace(trace)) = parse(args) else {
        panic!()
    };
    let launch = trace.launch.expect("a program");
    assert_eq!(launch.env, [(odd(), None)]);
    assert_eq!((launch.program, launch.args), (odd(), vec![odd()]));
}

#[test]
fn running_processes_need_no_program() {
    let plan = trace(&["-p", "1,2", "-p", "31 7", "--descendants", "--timeout=0.5"]);
    assert!(plan.launch.is_none());
    let attach = plan.attach.expect("pids");
    assert_eq!(attach.pids, [1, 2, 31, 7]);
    assert!(attach.descendants);
    assert_eq!(attach.timeout, Some(std::time::Duration::from_millis(500)));
    let both = trace(&["-p", "1", "--until=main", "sh"]);
    assert!(both.attach.is_some() && both.launch.is_some_and(|launch| launch.until_main));
    assert!(wrong(&["-p", "x"]).contains("no process id"));
    assert!(wrong(&["-p", "1", "--until=main"]).contains("--until"));
    assert!(wrong(&["--descendants", "x"]).contains("--attach"));
    assert!(wrong(&["--timeout", "0", "x"]).contains("seconds"));
}

#[test]
fn straces_options_are_taken() {
    use crate::report::{Clock, Outcomes, Summary};
    let look = |args: &[&str]| trace(&[args, &["x"]].concat()).outputs.look;
    assert_eq!(look(&["-t"]).stamps.clock, Some(Clock::Seconds));
    assert_eq!(look(&["-tt"]).stamps.clock, Some(Clock::Micros));
    assert_eq!(look(&["-ttt"]).stamps.clock, Some(Clock::Epoch));
    assert!(look(&["-r"]).stamps.relative && look(&["-T"]).stamps.took);
    assert_eq!(look(&["-z"]).filter.outcomes, Outcomes::Successes);
    assert_eq!(look(&["-Z"]).filter.outcomes, Outcomes::Failures);
    assert_eq!(look(&["-c"]).summary, Summary::Only);
    assert_eq!(look(&["-C"]).summary, Summary::Too);
    // A table that nothing would show is not dropped in silence.
    for option in ["-c", "-C"] {
        let said = plan(&[option, "--format", "jsonl:t.jsonl", "true"]).unwrap_err();
        assert!(said.text.contains("add --format text"), "{}", said.text);
        assert!(plan(&[option, "--format=jsonl:t.jsonl", "--format=text", "true"]).is_ok());
    }
    let said = plan(&["--depth", "deep", "true"]).unwrap_err();
    assert!(
        said.text.ends_with("'deep' is no number of levels"),
        "{}",
        said.text
    );
    assert!(look(&["-y"]).names && look(&["-yy"]).names);
    assert!(look(&["--threads-only"]).filter.threads_only && look(&["--all"]).all);
    assert_eq!(look(&["--depth", "2"]).filter.depth, Some(2));
    assert!(look(&["--why-flags"]).why);
    assert_eq!(look(&["-f", "-ff"]), look(&[]));
    for both in [["-z", "-Z"], ["-c", "-C"], ["-q", "-v"]] {
        assert!(wrong(&[&both[..], &["x"]].concat()).contains("cannot be used with"));
    }
    assert!(wrong(&["--depth", "one", "x"]).contains("--depth"));
}

#[test]
fn what_is_misspelt_gets_a_suggestion() {
    for (args, meant) in [
        (["--threads-onyl", "x"], "'--threads-only'"),
        (["--lang=chh", "x"], "there are en, zh, auto"),
        (["--format=starce", "x"], "did you mean 'strace'?"),
        (["-etrace=vfrok", "x"], "did you mean 'vfork'?"),
    ] {
        let text = wrong(&args);
        assert!(text.contains(meant), "{text}");
    }
}

#[test]
fn help_is_short_and_every_option_is_in_it() {
    let text = |args: &[&str]| match plan(args) {
        Ok(Plan::Print(text)) => text,
        other => panic!("{other:?}"),
    };
    let (brief, full) = (text(&["-h"]), text(&["--help"]));
    assert!(brief.lines().count() < full.lines().count());
    assert!(full.lines().count() < 110, "{full}");
    for arg in Line::command().get_arguments() {
        if let (Some(long), false) = (arg.get_long(), arg.is_hide_set()) {
            assert!(full.contains(&format!("--{long}")), "{long}");
        }
    }
    assert!(brief.contains("Examples:") && full.contains("Exit status:"));
    for what in ["man", "complete-bash", "complete-zsh", "complete-fish"] {
        let text = text(&["--generate", what]).replace('\\', "");
        assert!(text.contains("threads-only"), "{what}");
    }
}

#[test]
fn the_manual_page_describes_every_option_and_keeps_the_lines_of_examples() {
    let page = printed(&["--generate", "man"]);
    // An option's paragraph: its names, then what it does.
    for arg in Line::command().get_arguments() {
        let Some(long) = arg.get_long().filter(|_| !arg.is_hide_set()) else {
            continue;
        };
        let name = format!("--{long}").replace('-', "\\-");
        let mut lines = page
            .lines()
            .skip_while(|line| !(line.starts_with("\\fB") && line.contains(&name)));
        let (names, text) = (lines.next(), lines.next());
        assert!(
            names.is_some() && text.is_some_and(|text| !text.starts_with('.')),
            "{long}: {text:?}"
        );
    }
    let (_, examples) = page.split_once(".nf\n").unwrap();
    let (examples, _) = examples.split_once(".fi").unwrap();
    assert_eq!(examples.lines().count(), 8, "{examples}");
    for sub in SUBCOMMANDS {
        // There are no pages of theirs.
        assert!(page.contains(&format!("\\fBclonespy {sub} ")), "{page}");
        assert!(!page.contains(&format!("clonespy\\-{sub}(1)")), "{page}");
    }
}

#[test]
fn every_subcommand_has_its_help() {
    for name in SUBCOMMANDS {
        for option in ["-h", "--help"] {
            let text = printed(&[name, option]);
            assert!(text.contains(&format!("clonespy {name}")), "{text}");
        }
    }
}

/// What is printed instead of tracing.
#[track_caller]
fn printed(args: &[&str]) -> String {
    match plan(args) {
        Ok(Plan::Print(text)) => text,
        Err(said) if said.status == 0 => said.text,
        other => panic!("{other:?}"),
    }
}
