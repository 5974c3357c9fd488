//! Answers about one set: hints, functions, kernels.

use super::super::*;
use super::{explained, set, unwrapped};

fn refusal(text: &str) -> String {
    explain(&set(text), &mut Vec::new())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_misspelt_word_is_guessed() {
    for (word, meant) in [
        ("CLONE_VN", "CLONE_VM"),
        ("clone_sigand|SIGCHLD", "CLONE_SIGHAND"),
        ("NEWPDI", "CLONE_NEWPID"),
        ("pthread_craete", "pthread_create"),
        ("posix_spwan", "posix_spawn"),
        ("SIGCHDL", "SIGCHLD"),
        ("chld", "SIGCHLD"),
    ] {
        let error = refusal(word);
        let hint = format!("; did you mean {meant}?");
        assert!(error.contains(&hint), "{word}: {error}");
    }
    for word in ["CLONE_NOTHING_OF_THE_SORT", "0xzz", "", "中", "+1", "xyzzy"] {
        let error = refusal(word);
        assert!(!error.contains("did you mean"), "{word:?}: {error}");
    }
    let long = "CLONE_".repeat(100_000);
    assert!(!refusal(&long).contains("did you mean"));
}

/// The part of a title that says what is asked for.
fn title(text: &str) -> String {
    let text = explained(&set(text));
    let (title, _) = text.split_once("  ").expect("a title");
    title.to_owned()
}

#[test]
fn sets_are_read_as_people_and_tools_write_them() {
    for (text, asked) in [
        ("CLONE_VM, CLONE_FS", "clone(CLONE_VM|CLONE_FS)"),
        (
            "CLONE_VM CLONE_FS|SIGCHLD",
            "clone(CLONE_VM|CLONE_FS|SIGCHLD)",
        ),
        ("flags=CLONE_VM|0x80000000", "clone(CLONE_VM|CLONE_IO)"),
        ("0x11 /* SIGCHLD */", "clone(SIGCHLD)"),
        ("021", "clone(SIGCHLD)"),
        ("0o21", "clone(SIGCHLD)"),
        ("0b10001", "clone(SIGCHLD)"),
        ("0X11", "clone(SIGCHLD)"),
        (
            "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 12",
            "clone(CLONE_CHILD_SETTID|SIGCHLD)",
        ),
        (
            "[pid 7] clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x7f00, stack_size=0x9000}, 88) = 8",
            "clone3(CLONE_VM|CLONE_VFORK|SIGCHLD)",
        ),
        (
            "{flags=CLONE_VM, exit_signal=SIGCHLD, stack=NULL, stack_size=0}",
            "clone3(CLONE_VM|SIGCHLD)",
        ),
        ("vfork() = 8", "vfork()"),
    ] {
        assert_eq!(title(text), asked, "{text}");
    }
    for (text, words) in [
        ("", "nothing stands"),
        ("CLONE_VM||CLONE_FS", "nothing stands"),
        ("|", "nothing stands"),
        ("089", "nor a number"),
        ("0o", "nor a number"),
        (
            "SIGUSR1|SIGCHLD",
            "one exit signal, not both SIGUSR1 and SIGCHLD",
        ),
        ("clone3(0x7ffd, 88) = 5", "does not show which flags"),
        (
            "clone(child_stack=NULL, flags=CLONE_WEIRD) = 5",
            "\"CLONE_WEIRD\" is neither",
        ),
        ("popen", "it comes by posix_spawn;"),
        ("std::thread", "it comes by pthread_create"),
    ] {
        let said = refusal(text);
        assert!(said.contains(words), "{text}: {said}");
    }
}

/// A line that says that it failed is explained with why.
#[test]
fn a_line_of_a_failure_is_told_as_in_a_stream() {
    let line =
        "clone(child_stack=NULL, flags=CLONE_VM|CLONE_THREAD) = -1 EINVAL (Invalid argument)";
    let text = unwrapped(&explained(&set(line)));
    assert!(text.starts_with(line), "{text}");
    assert!(text.contains("[thread-needs-sighand]"), "{text}");
}

#[test]
fn a_call_that_is_not_the_functions_is_refused() {
    for (text, call, words) in [
        (
            "fork",
            Call::Vfork,
            "fork does not call vfork; it comes by clone or fork",
        ),
        ("fork", Call::Clone3, "fork does not call clone3"),
        ("newosproc", Call::Clone3, "it comes by clone"),
        ("vfork() = 8", Call::Clone, "is no clone"),
    ] {
        let mut question = set(text);
        question.call = Some(call);
        let said = explain(&question, &mut Vec::new()).unwrap_err().to_string();
        assert!(said.contains(words), "{text}: {said}");
    }
}

/// Nobody waits for such a child, with whatever option.
#[test]
fn a_child_that_reaps_itself_has_no_wait() {
    let text = unwrapped(&explained(&set("CLONE_AUTOREAP")));
    assert!(
        text.contains("the kernel reaps the child at its end"),
        "{text}"
    );
    assert!(!text.contains("__WALL"), "{text}");
    // A kernel that does not know the flag.
    let mut question = set("CLONE_AUTOREAP");
    (question.on, question.call) = (Some(Version(6, 18, 0)), Some(Call::Clone));
    assert!(unwrapped(&explained(&question)).contains("__WALL"));
}

#[test]
fn a_function_is_told_with_every_set_that_it_passes() {
    // A line may end at a bar.
    let page = |name| unwrapped(&explained(&set(name))).replace("| ", "|");
    let text = page("posix_spawn");
    assert!(
        text.contains("besides posix_spawn (glibc 2.37 and later) passes clone3(CLONE_VM|CLONE_VFORK|CLONE_CLEAR_SIGHAND|SIGCHLD)"),
        "{text}"
    );
    assert!(text.contains("with posix_spawnattr_setcgroup_np) passes clone3(CLONE_VM|CLONE_VFORK|CLONE_CLEAR_SIGHAND|CLONE_INTO_CGROUP|SIGCHLD)"), "{text}");
    // Once each: what passes the set that is shown stands above.
    assert_eq!(text.matches("2.34 to 2.36").count(), 1, "{text}");
    let text = page("fork");
    assert!(
        text.contains(
            "fork (glibc and bionic) passes clone(CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD)"
        ),
        "{text}"
    );
    // A set by its flags is nobody's in particular.
    let mut numbers = set("0x4111");
    assert!(!explained(&numbers).contains("besides"));
    numbers.format = Format::Json;
    let json: serde_json::Value = serde_json::from_str(&explained(&numbers)).unwrap();
    assert_eq!(json["others"], serde_json::json!([]));
}

#[test]
fn every_fact_of_markdown_has_its_label() {
    for what in ["0x3d0f00", "posix_spawn", "fork"] {
        for (_, language) in Lang::ALL {
            let mut question = set(what);
            (question.format, question.language) = (Format::Markdown, language);
            let text = explained(&question);
            assert!(!text.contains("****"), "{text}");
            let label = language.pick("- **passed by**: ", "- **谁这样传**: ");
            assert!(text.contains(label), "{text}");
        }
    }
    let mut question = set("0x3d0f00");
    question.format = Format::Markdown;
    let text = explained(&question);
    assert_eq!(
        text.matches("- **passed by**: pthread_create").count(),
        2,
        "{text}"
    );
}

#[test]
fn a_kernel_newer_than_the_tables_comes_with_a_caveat() {
    let verdict = |version, what: &str, language| {
        let mut question = set(what);
        (question.on, question.language) = (Some(version), language);
        unwrapped(&explained(&question))
    };
    let caveat = "by the rules of Linux 7.2, the newest that is known: 9.9.9 may have others";
    for what in ["0", "CLONE_VM|CLONE_THREAD"] {
        let text = verdict(Version(9, 9, 9), what, Lang::English);
        assert!(text.contains(caveat), "{text}");
        let text = verdict(Version(9, 9, 9), what, Lang::Chinese);
        assert!(text.contains("9.9.9 可能另有规则"), "{text}");
    }
    let text = verdict(Version(7, 3, 0), "0", Lang::English);
    assert!(text.contains("7.3 may have others"), "{text}");
    for known in [Version(7, 2, 0), Version(7, 2, 13), Version(5, 10, 0)] {
        let text = verdict(known, "0", Lang::English);
        assert!(!text.contains("the newest that is known"), "{text}");
    }
}
