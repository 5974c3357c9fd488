//! What a misspelt word was meant to be: the one measure by which every "did you mean" is chosen.

use strsim::osa_distance;

/// Longer words are nobody's misspelling of anything here, in characters.
const LONGEST: usize = 64;

/// A part of a word that is shorter than this says nothing, in bytes.
const PART: usize = 3;

/// Beginnings that are often left out.
const FAMILIES: [&str; 2] = ["clone_", "sig"];

/// Whether a word, the first, is near a known one.
type IsNear = fn(&str, &str) -> bool;

/// Ways to be near besides letters that differ, each with the distance that it counts as.
const PARTS: &[(usize, IsNear)] = &[
    // `thread` for `threads`, `pthread` for `pthread_create`.
    (1, |word, known| part(word) && known.starts_with(word)),
    // `spawn` for `posix_spawn`.
    (1, |word, known| {
        let rest = known.strip_suffix(word);
        part(word) && rest.is_some_and(|rest| rest.ends_with('_'))
    }),
    // `forbidden` for `forbid`.
    (2, |word, known| part(known) && word.starts_with(known)),
];

fn part(text: &str) -> bool {
    text.len() >= PART
}

/// The known word that is nearest, if one is near; of several, the first.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().count() > LONGEST {
        return None;
    }
    let word = folded(word);
    known
        .into_iter()
        .filter_map(|one| Some((distance(&word, &folded(one))?, one)))
        .min_by_key(|(far, _)| *far)
        .map(|(_, one)| one)
}

/// Case, and how words are joined, are no difference.
fn folded(text: &str) -> String {
    text.to_lowercase().replace('-', "_")
}

/// How far a word is from a known one; `None`: too far.
fn distance(word: &str, known: &str) -> Option<usize> {
    let left_out = |family: &&&str| known.starts_with(**family) && !word.starts_with(**family);
    let family = FAMILIES.iter().find(left_out);
    let known = family.map_or(known, |family| known.strip_prefix(family).unwrap_or(known));
    let parts = PARTS.iter().filter(|(_, near)| near(word, known));
    let letters = known.chars().count();
    // What all flags begin with is nothing of one of them: half of the rest has to be there.
    let own = known.strip_prefix("clone_").unwrap_or(known);
    let most = (1 + letters / 4).min(own.chars().count() / 2);
    let typed = Some(osa_distance(word, known)).filter(|far| *far <= most);
    parts.map(|(far, _)| *far).chain(typed).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_meant() {
        let cases: &[(&str, &[&str], Option<&str>)] = &[
            ("josn", &["text", "jsonl", "json"], Some("json")),
            ("txt", &["text", "strace"], Some("text")),
            ("starce", &["text", "strace"], Some("strace")),
            ("yaml", &["text", "strace", "jsonl", "json"], None),
            ("Fork", &["vfork", "fork"], Some("fork")),
            ("exit-signal", &["exit", "exit_signal"], Some("exit_signal")),
            ("thread", &["processes", "threads"], Some("threads")),
            ("spawn", &["fork", "posix_spawn"], Some("posix_spawn")),
            ("signal", &["exit", "exit_signal"], Some("exit_signal")),
            ("forbidden", &["env", "forbid"], Some("forbid")),
            ("enviroment", &["env", "exit"], Some("env")),
            ("VM", &["CLONE_FS", "CLONE_VM"], Some("CLONE_VM")),
            ("chld", &["SIGHUP", "SIGCHLD"], Some("SIGCHLD")),
            ("CLONE_FOO", &["CLONE_FS", "CLONE_IO"], None),
            // Letters at the end that are no word of their own.
            ("all", &["args-changed-during-call"], None),
            ("", &["is", "CLONE_VM"], None),
            ("中", &["is", "CLONE_VM"], None),
        ];
        for (word, known, meant) in cases {
            assert_eq!(nearest(word, known.iter().copied()), *meant, "{word}");
        }
        let long = "CLONE_".repeat(100_000);
        assert_eq!(nearest(&long, ["CLONE_VM"]), None);
    }
}
