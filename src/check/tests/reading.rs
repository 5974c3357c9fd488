//! The file's language: what is read, and what is said of mistakes.

use proptest::prelude::*;

use super::super::*;
use super::{read, sample};
use crate::error::Error;

/// The mistakes of a file, as they are shown.
#[track_caller]
fn bad(text: &str) -> String {
    match read(text) {
        Err(Error::Expectation(words)) => words.0,
        other => panic!("{other:?}"),
    }
}

#[test]
fn ranges_are_read_and_written() {
    let cases = [
        ("4", 4, Some(4), "4"),
        ("4..=8", 4, Some(8), "4..=8"),
        ("4..9", 4, Some(8), "4..=8"),
        ("..=8", 0, Some(8), "..=8"),
        ("1..", 1, None, "1.."),
        (" 4 ..= 8 ", 4, Some(8), "4..=8"),
        ("..", 0, None, "0.."),
    ];
    for (text, min, max, words) in cases {
        let range: Range = text.parse().expect(text);
        assert_eq!(range, Range { min, max }, "{text}");
        assert_eq!(range.to_string(), words);
        assert_eq!(range.to_string().parse(), Ok(range));
    }
    let wrong = [
        "",
        "x",
        "-1",
        "+4",
        "4..=3",
        "4..4",
        "..0",
        "4...8",
        "4..=",
        "1e3",
        "0x4",
        "99999999999999999999",
    ];
    for text in wrong {
        assert!(text.parse::<Range>().is_err(), "{text}");
    }
}

#[test]
fn globs_fit_what_they_say() {
    let cases = [
        ("worker-*", "worker-1", true),
        ("worker-*", "worker-", true),
        ("worker-*", "xworker-1", false),
        ("*-?", "a-b-c", true),
        ("*-?", "a-b-cd", false),
        ("*a*b*", "xaxxbx", true),
        ("", "", true),
        ("", "x", false),
        ("*", "", true),
        (r"\*", "*", true),
        (r"\*", "x", false),
        ("?", "ü", true),
    ];
    for (pattern, text, fits) in cases {
        assert_eq!(Glob(pattern.into()).fits(text), fits, "{pattern} {text}");
    }
    // Patterns that make backtracking matchers take for ever.
    let (many, text) = ("*a".repeat(50), "a".repeat(5000));
    assert!(!Glob(many + "b").fits(&text));
}

#[test]
fn mistakes_are_shown_with_place_and_suggestion() {
    let cases: &[(&str, &[&str])] = &[
        (
            "exit = 0\ncomand = ['a']\n",
            &["x.toml:2:1", "comand", "did you mean `command`?", "^^^^^^"],
        ),
        (
            "[tasks]\nthread = 5",
            &[
                "x.toml:2:1",
                "`thread` in [tasks]",
                "did you mean `threads`?",
            ],
        ),
        (
            "[[clone]]\nflags = ['CLONE_VN']",
            &["x.toml:2:10", "CLONE_VN", "did you mean \"CLONE_VM\"?"],
        ),
        (
            "[[clone]]\nflags = ['NEWUSER']",
            &["did you mean \"CLONE_NEWUSER\"?"],
        ),
        (
            "[[clone]]\nflags = ['SIGCHLD']",
            &["a signal is no flag", "exit_signal"],
        ),
        (
            "[lints]\ndeny = ['fork-with-thread']",
            &[
                "x.toml:2:9",
                "`lints.deny`",
                "did you mean \"fork-with-threads\"?",
            ],
        ),
        (
            "[lints]\nallow = ['warnings']",
            &["`lints.allow`", "unknown lint", "one of fork-with-threads"],
        ),
        (
            "[lints]\nforbid = ['vfork-misuse']",
            &["`forbid` in [lints]", "[lints] knows deny, allow"],
        ),
        ("lints = 1", &["`lints` is a table"]),
        ("[[clone]]\nflag = []", &["did you mean `flags`?"]),
        (
            "[[clone]]\nis = 'pthread-create'",
            &["`is`", "did you mean \"pthread_create\"?"],
        ),
        ("[[clone]]\ncall = 'clone4'", &["`call`", "did you mean"]),
        (
            "[[clone]]\nkind = 'task'",
            &["`kind`", "one of thread, process"],
        ),
        ("[[clone]]\ncount = '8..=4'", &["`count`", "empty"]),
        ("[[clone]]\ncount = -1", &["`count`", "-1"]),
        ("[[clone]]\ncount = 1.5", &["`count` is a float"]),
        (
            "[[clone]]\nexit_signal = 'SIGCHILD'",
            &["did you mean \"SIGCHLD\"?"],
        ),
        (
            "[[clone]]\noutcome = 'EINVALID'",
            &["did you mean \"EINVAL\"?"],
        ),
        ("[[clone]]\nname = []", &["`name` is an empty list"]),
        ("exit = 'SIGKIL'", &["`exit`", "SIGKIL"]),
        ("exit = 256", &["`exit`", "255"]),
        ("exit = []", &["`exit` is empty"]),
        ("else = 'deny'", &["`else`", "forbid"]),
        ("ordered = false", &["`ordered` is true, or left out"]),
        ("forbid = { untraced = false }", &["`forbid.untraced`"]),
        ("machine = 'x86-64'", &["did you mean \"x86_64\"?"]),
        ("skip = '*'", &["`skip` begins with the word skip"]),
        ("timeout = 0", &["`timeout`", "86400"]),
        ("timeout = '1s'", &["`timeout`"]),
        ("command = 'ls'", &["`command` is a list"]),
        ("command = []", &["`command` is an empty list"]),
        ("env = { 'A=B' = '' }", &["A=B"]),
        ("env = { A = 1 }", &["env.A", "false to remove"]),
        ("tasks = 1", &["`tasks` is a table"]),
        ("clone = {}", &["[[clone]]"]),
        ("exit = 0\nexit = 0", &["x.toml:2", "duplicate key"]),
        ("exit = ", &["x.toml:1"]),
        // Keys of another place.
        (
            "[tasks]\nexit = 0",
            &["`exit` is the whole file's", "before the first [table]"],
        ),
        ("threads = 1", &["`threads` stands in [tasks]"]),
        (
            "[[clone]]\ntasks = 1",
            &["`tasks` stands in a table of its own"],
        ),
        // What is written instead.
        (
            "env = 'A=b'",
            &["`env` is a table, not a text", "env = { NAME"],
        ),
        ("tasks = []", &["not a list", "write [tasks]"]),
        ("command = ['']", &["`command` names no program"]),
        ("exit = 'TERM'", &["did you mean \"SIGTERM\"?"]),
        ("exit = 'SIGKIL'", &["did you mean \"SIGKILL\"?"]),
        ("machine = 'vax'", &["such as x86_64, i686, i586"]),
        (
            "[[clone]]\nkind = ['thread', 'process']",
            &["give one text, no list"],
        ),
        ("[[clone]]\nflags = 'VM'", &["did you mean \"CLONE_VM\"?"]),
        (
            "[[clone]]\nflags = 'CLONE_VM|CLONE_FS'",
            &["write a list: [\"CLONE_VM\", \"CLONE_FS\"]"],
        ),
        (
            "[[clone]]\nflags = ['CLONE_NOTHING_AT_ALL']",
            &["clonespy explain --list"],
        ),
        ("[[clone]]\nexit_signal = 17", &["write \"SIGCHLD\""]),
        ("[[clone]]\nexit_signal = 0", &["write \"none\""]),
        (
            "[[clone]]\nexit_signal = '17'",
            &["did you mean \"SIGCHLD\"?"],
        ),
        ("[[clone]]\nexit_signal = 'x'", &["such as \"SIGCHLD\""]),
        ("[[clone]]\nis = 'popen'", &["it comes by \"posix_spawn\""]),
        ("[lints]\ndeny = 'all'", &["one of fork-with-threads"]),
    ];
    for (text, parts) in cases {
        let words = bad(text);
        for part in *parts {
            assert!(words.contains(part), "{text:?}: no {part:?} in\n{words}");
        }
    }
}

/// A key that the reader knows has a home, and is known there.
#[test]
fn the_homes_of_keys_are_where_they_are_read() {
    use super::super::read::HOMES;
    for (home, keys) in HOMES {
        let head = match *home {
            "the expectation" | "a table of its own" => String::new(),
            header => format!("{header}\n"),
        };
        for key in *keys {
            let text = format!("{head}{key} = 1979-05-27\n");
            assert!(!bad(&text).contains("unknown key"), "{home}: {key}");
        }
    }
    let known = bad("nothing_like_it = 1");
    let (_, known) = known.split_once("the expectation knows ").expect("a list");
    let homeless = known
        .trim()
        .split(", ")
        .find(|key| !HOMES.iter().take(2).any(|(_, keys)| keys.contains(key)));
    assert_eq!(homeless, None);
}

/// A device has no end, and is not read to it.
#[test]
fn no_more_is_read_than_a_file_may_have() {
    let why = Expectation::from_file("/dev/zero").expect_err("it is no expectation");
    assert!(why.to_string().contains("at most"), "{why}");
}

#[test]
fn all_mistakes_are_told_at_once_in_their_order() {
    let words = bad("exot = 0\n[tasks]\nprocesses = 'many'\n[[clone]]\nnom = 'x'\n");
    let places = ["x.toml:1:1", "x.toml:3:13", "x.toml:5:1"];
    let found: Vec<usize> = places
        .iter()
        .map(|place| words.find(place).expect(place))
        .collect();
    assert!(found.is_sorted(), "{words}");
}

#[test]
fn a_terminal_is_safe_from_the_file() {
    let words = bad("\"\\u001b[2J\" = 1 # \u{9b}2J\n");
    assert!(
        words.chars().all(|c| c == '\n' || !c.is_control()),
        "{words:?}"
    );
}

/// Words that files are made of, in any order.
fn soup() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "command",
        "exit",
        "[tasks]",
        "[[clone]]",
        "[forbid]",
        "flags",
        "count",
        "=",
        "\"",
        "'",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\n",
        ".",
        "CLONE_VM",
        "1..=4",
        "0",
        "-1",
        "true",
        "#",
        "\\u0000",
        "name",
        "is",
        "ü",
        "\u{1b}",
        "\"\"\"",
        "0xffffffffffffffffffff",
        "1e400",
        "*",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_file_makes_the_reader_panic(text in prop_oneof![soup(), ".{0,200}"]) {
        match read(&text) {
            Ok(expectation) => {
                let _ = expectation.check(&sample());
            }
            Err(why) => prop_assert!(why.to_string().contains("x.toml"), "{why}"),
        }
    }

    #[test]
    fn a_key_with_any_value_is_read_or_refused_by_name(
        key in prop::sample::select(vec![
            "exit", "machine", "else", "ordered", "timeout", "skip", "build", "stdin",
            "tasks.threads", "forbid.flags", "lints.deny", "lints.allow", "clone = [{ flags", "clone = [{ count", "clone = [{ name",
        ]),
        value in prop_oneof![
            any::<i64>().prop_map(|n| n.to_string()),
            any::<bool>().prop_map(|b| b.to_string()),
            "[a-zA-Z0-9_.=*-]{0,12}".prop_map(|s| format!("{s:?}")),
            Just("[]".to_owned()), Just("{}".to_owned()), Just("nan".to_owned()),
            Just("1979-05-27".to_owned()),
        ],
    ) {
        let row = key.strip_prefix("clone = [{ ");
        let text = format!("{key} = {value}{}", if row.is_some() { " }]" } else { "" });
        if let Err(why) = read(&text) {
            let last = row.unwrap_or(key);
            let last = last.rsplit('.').next().unwrap_or(last);
            prop_assert!(why.to_string().contains(last), "{text}: {why}");
        }
    }
}
