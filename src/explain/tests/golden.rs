//! What is written, against files. `CLONESPY_BLESS=1 cargo test explain` writes them anew.

use std::fs;
use std::path::Path;

use super::super::*;
use super::explained;

fn compare(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/explain/tests/golden")
        .join(file);
    if std::env::var_os("CLONESPY_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{file}: {why}"));
    assert_eq!(text, expected, "{file}");
}

fn every_format(name: &str, question: &Explain) {
    for (language_name, language) in Lang::ALL {
        for (format, ending) in [
            (Format::Text, "txt"),
            (Format::Json, "json"),
            (Format::Markdown, "md"),
        ] {
            let mut question = question.clone();
            (question.language, question.format) = (language, format);
            compare(
                &format!("{name}.{language_name}.{ending}"),
                &explained(&question),
            );
        }
    }
}

fn set(text: &str) -> Explain {
    Explain::new(What::Set(text.to_owned()))
}

#[test]
fn a_thread() {
    every_format("thread", &set("0x3d0f00"));
}

#[test]
fn a_refused_set() {
    every_format("refused", &set("CLONE_VM|CLONE_THREAD"));
}

#[test]
fn a_namespace_on_an_older_kernel() {
    let mut question = set("CLONE_NEWPID|SIGCHLD");
    question.call = Some(Call::Clone3);
    question.on = Some(Version(5, 10, 0));
    every_format("namespace", &question);
}

#[test]
fn a_plain_clone_of_the_essay() {
    every_format("plain", &set("0"));
}

#[test]
fn ignored_things() {
    every_format("ignored", &set("0x1007d0f91"));
    let mut legacy = set("0x1007d0f91");
    legacy.call = Some(Call::Clone);
    // Later kernels refuse this exit signal.
    legacy.on = Some(Version(6, 18, 0));
    every_format("ignored-legacy", &legacy);
}

#[test]
fn the_lists() {
    for (language_name, language) in Lang::ALL {
        let mut question = Explain::new(What::Flags);
        question.language = language;
        compare(&format!("flags.{language_name}.txt"), &explained(&question));
        question.what = What::Rules;
        compare(&format!("rules.{language_name}.txt"), &explained(&question));
    }
}

#[test]
fn a_stream() {
    let lines = include_str!("golden/stream.strace");
    for (language_name, language) in Lang::ALL {
        let mut question = set("");
        question.language = language;
        let mut out = Vec::new();
        annotate(&question, &mut lines.as_bytes(), &mut out).unwrap();
        compare(
            &format!("stream.{language_name}.txt"),
            &String::from_utf8(out).unwrap(),
        );
    }
}
