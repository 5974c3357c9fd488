//! Sets of flags: a letter for each.

use std::collections::HashMap;

use crate::event::{Call, Hex, Request};

/// A program that passes more sets than this gets no letters for the rest: a table that a hostile
/// program fills may not grow for ever.
const MOST: usize = 10_000;

/// What makes two calls ask for the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    flags: Vec<String>,
    ignored: Vec<String>,
    unknown: Option<Hex>,
    signal: Option<Option<String>>,
    signal_raw: Option<Hex>,
}

impl Key {
    pub(super) fn of(request: &Request) -> Self {
        Key {
            flags: request.flags.clone(),
            ignored: request.flags_ignored.clone(),
            unknown: request.flags_unknown,
            signal: request.exit_signal.clone(),
            signal_raw: request.exit_signal_raw,
        }
    }
}

/// The sets seen so far.
#[derive(Debug, Default)]
pub(super) struct Sets(HashMap<Key, usize>);

/// A set's place in the report.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Set {
    /// `A`, `B`, … `Z`, `AA`, …; `-` where the letters ended.
    pub letter: String,
    /// It has not been seen before.
    pub new: bool,
}

/// Whether the flags are known. Of a clone3 that the kernel refuses for its size alone, nobody has read
/// them.
pub(super) fn are_read(request: &Request) -> bool {
    let plain = matches!(request.call, Call::Fork | Call::Vfork);
    plain || request.flags_raw.is_some() || !request.flags.is_empty()
}

impl Sets {
    /// The set of a call; `None` where the flags could not be read.
    pub(super) fn find(&mut self, request: &Request) -> Option<Set> {
        if !are_read(request) {
            return None;
        }
        let key = Key::of(request);
        if let Some(&number) = self.0.get(&key) {
            return Some(Set {
                letter: letters(number),
                new: false,
            });
        }
        let number = self.0.len();
        if number >= MOST {
            return Some(Set {
                letter: "-".into(),
                new: true,
            });
        }
        self.0.insert(key, number);
        Some(Set {
            letter: letters(number),
            new: true,
        })
    }
}

/// 0 is `A`, 25 `Z`, 26 `AA`.
fn letters(number: usize) -> String {
    let mut out = Vec::new();
    let mut rest = number + 1;
    while rest > 0 {
        rest -= 1;
        out.push(char::from(b'A'.saturating_add((rest % 26) as u8)));
        rest /= 26;
    }
    out.iter().rev().collect()
}

/// The flags as one word, as the call passes it: legacy clone's holds the exit signal too. fork and
/// vfork pass none.
pub(super) fn word(request: &Request) -> Option<Hex> {
    match request.call {
        Call::Fork | Call::Vfork => None,
        Call::Clone3 => request.flags_raw,
        Call::Clone => {
            let signal = request.exit_signal_raw.unwrap_or_default().0 & 0xff;
            request.flags_raw.map(|flags| Hex(flags.0 | signal))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(flags: &[&str]) -> Request {
        serde_json::from_value(serde_json::json!({
            "abi": "x86_64", "call": "clone", "flags": flags, "flags_raw": "0x1200000",
            "exit_signal": "SIGCHLD", "exit_signal_raw": "0x11"
        }))
        .unwrap()
    }

    #[test]
    fn letters_go_on_after_z() {
        let cases = [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (27, "AB"),
            (701, "ZZ"),
            (702, "AAA"),
        ];
        for (number, text) in cases {
            assert_eq!(letters(number), text);
        }
    }

    #[test]
    fn a_set_is_new_once() {
        let mut sets = Sets::default();
        let a = sets.find(&request(&["CLONE_VM"])).unwrap();
        assert_eq!((a.letter.as_str(), a.new), ("A", true));
        assert_eq!(sets.find(&request(&["CLONE_FS"])).unwrap().letter, "B");
        let again = sets.find(&request(&["CLONE_VM"])).unwrap();
        assert_eq!((again.letter.as_str(), again.new), ("A", false));
        let mut other = request(&["CLONE_VM"]);
        other.exit_signal = Some(None);
        assert_eq!(sets.find(&other).unwrap().letter, "C");
    }

    #[test]
    fn the_table_of_sets_is_bounded() {
        let mut sets = Sets::default();
        let mut one = request(&[]);
        for bits in 0..MOST as u64 + 5 {
            one.flags_unknown = Some(Hex(bits));
            sets.find(&one);
        }
        assert_eq!(sets.0.len(), MOST);
        assert_eq!(
            sets.find(&one).unwrap(),
            Set {
                letter: "-".into(),
                new: true
            }
        );
    }

    #[test]
    fn the_word_is_the_one_that_was_passed() {
        let mut one = request(&[]);
        assert_eq!(word(&one), Some(Hex(0x120_0011)));
        one.call = Call::Clone3;
        assert_eq!(word(&one), Some(Hex(0x120_0000)));
        one.call = Call::Fork;
        assert_eq!(word(&one), None);
    }
}
