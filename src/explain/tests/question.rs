//! Answers about one set: hints, functions, kernels.

use super::super::*;
use super::{set, told, unwrapped};

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
        ("SIGFOO", "SIGFPE"),
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

#[test]
fn a_function_is_told_with_every_set_that_it_passes() {
    // A line may end at a bar.
    let page = |name| unwrapped(&told(&set(name))).replace("| ", "|");
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
    assert!(!told(&numbers).contains("besides"));
    numbers.format = Format::Json;
    let json: serde_json::Value = serde_json::from_str(&told(&numbers)).unwrap();
    assert_eq!(json["others"], serde_json::json!([]));
}

#[test]
fn every_fact_of_markdown_has_its_label() {
    for what in ["0x3d0f00", "posix_spawn", "fork"] {
        for (_, language) in Lang::ALL {
            let mut question = set(what);
            (question.format, question.language) = (Format::Markdown, language);
            let text = told(&question);
            assert!(!text.contains("****"), "{text}");
            let label = language.pick("- **passed by**: ", "- **谁这样传**: ");
            assert!(text.contains(label), "{text}");
        }
    }
    let mut question = set("0x3d0f00");
    question.format = Format::Markdown;
    let text = told(&question);
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
        unwrapped(&told(&question))
    };
    let caveat = "by the rules of Linux 7.1, the newest that is known: 9.9.9 may have others";
    for what in ["0", "CLONE_VM|CLONE_THREAD"] {
        let text = verdict(Version(9, 9, 9), what, Lang::English);
        assert!(text.contains(caveat), "{text}");
        let text = verdict(Version(9, 9, 9), what, Lang::Chinese);
        assert!(text.contains("9.9.9 可能另有规则"), "{text}");
    }
    let text = verdict(Version(7, 2, 0), "0", Lang::English);
    assert!(text.contains("7.2 may have others"), "{text}");
    for known in [Version(7, 1, 0), Version(7, 1, 12), Version(5, 10, 0)] {
        let text = verdict(known, "0", Lang::English);
        assert!(!text.contains("the newest that is known"), "{text}");
    }
}
