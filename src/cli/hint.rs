//! What a misspelt word was meant to be.

/// The known word that is nearest, if it is near.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = (word.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|one| (distance(word, one), one))
        .filter(|(far, _)| *far <= near)
        .min_by_key(|(far, _)| *far)
        .map(|(_, one)| one)
}

/// `; did you mean 'X'?`, or nothing.
pub(super) fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or(String::new(), |one| format!("; did you mean '{one}'?"))
}

/// How many letters have to be put in, taken out, replaced or swapped with the next.
fn distance(one: &str, other: &str) -> usize {
    // A word that is typed may be as long as its writer likes.
    let short = |text: &str| text.chars().take(64).collect::<String>();
    strsim::osa_distance(&short(one), &short(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, far) in [
            ("jsonl", "jsonl", 0),
            ("josnl", "jsonl", 1),
            ("json", "jsonl", 1),
            ("", "abc", 3),
            ("abc", "", 3),
            ("clone4", "clone3", 1),
        ] {
            assert_eq!(distance(one, other), far, "{one} {other}");
        }
    }

    #[test]
    fn only_what_is_near_is_meant() {
        let known = ["text", "strace", "jsonl", "json"];
        assert_eq!(nearest("txt", known), Some("text"));
        assert_eq!(nearest("starce", known), Some("strace"));
        assert_eq!(nearest("yaml", known), None);
        assert_eq!(meant("yaml", known), "");
        assert_eq!(meant("josn", known), "; did you mean 'json'?");
    }
}
