//! The line of an exec.

use std::collections::HashSet;

use super::columns::Columns;
use super::command;
use super::line::{remark, who};
use crate::abi::say;
use crate::event::Exec;
use crate::layout::{Ink, Pen, columns, shorten};
use crate::report::{Look, escape};

/// A task replaced its program: told under its old name, with the arguments that fit.
/// The `file` is named where it is another than the first argument says.
pub(super) fn exec(
    look: &Look,
    at: Columns,
    old: &str,
    event: &Exec,
    file: Option<&(String, String)>,
) -> String {
    let mut pen = Pen::new(&look.style);
    who(&mut pen, look, at, event.tid, old);
    pen.put("exec  ");
    let text = arguments(look, event);
    let room = look.style.width.saturating_sub(pen.column());
    let (long, short) = file.cloned().unwrap_or_default();
    if !look.style.cut {
        pen.put(&text).ink(&long, Ink::Faint);
    } else if look.verbose > 0 {
        let hang = at.what() + 6;
        pen.words(&text, Ink::Plain, hang)
            .words(&long, Ink::Faint, hang);
    } else {
        // The arguments are shortened first, but not to nothing.
        let fits = columns(&long) + columns(&text).min(30) <= room;
        let file = if fits { long } else { short };
        // A name that is cut tells nothing.
        let file = if columns(&file) <= room / 2 || fits {
            file
        } else {
            String::new()
        };
        let room = room.saturating_sub(columns(&file));
        let text = command::without_directory(text, room, &look.style);
        pen.put(&shorten(&text, room, &look.style))
            .ink(&file, Ink::Faint);
    }
    pen.end();
    if let Some(former) = event.former_tid {
        let tid = event.tid;
        let text = say!(
            look,
            "by thread {former}, which is {tid} from now on",
            "由线程 {former} 执行，此后它的 tid 是 {tid}"
        );
        remark(&mut pen, &text);
    }
    pen.done()
}

/// The arguments, or the file where there are none.
pub(super) fn arguments(look: &Look, event: &Exec) -> String {
    let argv = event.argv.as_deref().unwrap_or_default();
    let mut words: Vec<_> = argv
        .iter()
        .map(|word| escape::argument(word, look.style.unicode))
        .collect();
    if words.is_empty() {
        words.push(match &event.path {
            Some(path) => escape::argument(path, look.style.unicode),
            None => look
                .lang()
                .pick(
                    "a program whose name could not be read",
                    "无法读出名字的程序",
                )
                .into(),
        });
    }
    if event.argv_truncated == Some(true) {
        words.push(look.style.glyphs().ellipsis.into());
    }
    words.join(" ")
}

/// Names and files that are remembered: a table that a hostile program fills may not grow for ever.
const MOST: usize = 1000;

/// Which names were told to be which files: once each, as sets of flags are, unless each line is to be
/// told in full.
#[derive(Debug, Default)]
pub(super) struct Files(HashSet<(String, String)>);

impl Files {
    /// What there is to say of an exec's file.
    pub(super) fn file(&mut self, look: &Look, event: &Exec) -> Option<(String, String)> {
        let names = file(look, event)?;
        let first = event.argv.as_ref().and_then(|argv| argv.first());
        let (Some(first), Some(path)) = (first, &event.path) else {
            return Some(names);
        };
        let pair = (first.clone(), path.clone());
        if look.verbose > 0 || (self.0.len() >= MOST && !self.0.contains(&pair)) {
            return Some(names);
        }
        self.0.insert(pair).then_some(names)
    }
}

/// The file, with its path and without, where the first argument does not name it (`sh` that is
/// `dash`, a name that lies).
fn file(look: &Look, event: &Exec) -> Option<(String, String)> {
    fn base(path: &str) -> &str {
        path.rsplit('/').next().unwrap_or_default()
    }
    let path = event.path.as_deref()?;
    let first = event.argv.as_deref()?.first()?;
    let named = base(first.strip_prefix('-').unwrap_or(first));
    let show = |file: &str| {
        let file = look.name(file);
        say!(look, "  (that is {file})", "  （即 {file}）")
    };
    let plain = base(path) == named || (look.verbose == 0 && fuller(base(path), named));
    (!plain).then(|| (show(path), show(base(path))))
}

/// Whether a file's name is another's with more before it or behind: `gcc-12` is
/// `x86_64-linux-gnu-gcc-12`, but `sh` is not `dash`.
fn fuller(file: &str, name: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    !name.is_empty()
        && file.match_indices(name).any(|(at, _)| {
            let (before, rest) = file.split_at(at);
            let after = rest.strip_prefix(name).and_then(|rest| rest.chars().next());
            edge(before.chars().next_back()) && edge(after)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_behind_a_name_is_told_once() {
        let exec = |path: &str| -> Exec {
            serde_json::from_value(serde_json::json!({
                "seq": 1, "at_ns": 1, "task": 1, "tid": 7, "tgid": 7,
                "path": path, "argv": ["sh", "-c", "x"],
            }))
            .unwrap()
        };
        let (mut files, look) = (Files::default(), Look::default());
        let dash = exec("/usr/bin/dash");
        let (long, short) = files.file(&look, &dash).unwrap();
        assert_eq!(
            (long.as_str(), short.as_str()),
            ("  (that is /usr/bin/dash)", "  (that is dash)")
        );
        assert_eq!(files.file(&look, &dash), None);
        // The same name for another file is news again.
        assert!(files.file(&look, &exec("/tmp/dash")).is_some());
        assert_eq!(files.file(&look, &exec("/usr/bin/sh")), None);
        let verbose = Look {
            verbose: 1,
            ..look.clone()
        };
        assert!(files.file(&verbose, &dash).is_some());
        for n in 0..2 * MOST {
            files.file(&look, &exec(&format!("/tmp/{n}")));
        }
        assert_eq!(files.0.len(), MOST);
    }

    #[test]
    fn a_fuller_name_is_the_same_program() {
        for (file, name) in [
            ("x86_64-linux-gnu-gcc-12", "gcc"),
            ("x86_64-linux-gnu-gcc-12", "gcc-12"),
            ("x86_64-linux-gnu-g++-12", "g++"),
            ("python3.11", "python3"),
        ] {
            assert!(fuller(file, name), "{name}: {file}");
        }
        for (file, name) in [
            ("dash", "sh"),
            ("mawk", "awk"),
            ("python3", "python"),
            ("x", ""),
        ] {
            assert!(!fuller(file, name), "{name}: {file}");
        }
    }
}
