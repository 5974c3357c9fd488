//! Likeness: what makes two ended tasks one row of a fold.
//!
//! Each side of a task (its name, its flags, …) is hashed on its own, so that a fold can let go of
//! one side and keep comparing the others. The hashes are keyed anew for every tree: a traced
//! program cannot choose names that collide, and nothing that is shown depends on their values.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};

/// The keys of one tree's hashes.
#[derive(Clone, Debug, Default)]
pub(super) struct Seeds(RandomState);

impl Seeds {
    pub(super) fn hash(&self, value: impl Hash) -> u64 {
        self.0.hash_one(value)
    }
}

/// In what the members of a fold differ. Where a field is set, the example's value of it is the
/// first member's and not everyone's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Various {
    /// Names differ in more than their digits.
    pub name: bool,
    /// They run different files.
    pub program: bool,
    /// Their programs got different arguments.
    pub arguments: bool,
    /// They were made with different flags.
    pub flags: bool,
    /// They ended differently.
    pub ending: bool,
    /// What they created differs; the example's subtree is the first member's.
    pub subtree: bool,
    /// Kind, call or sharing of memory differ. Never in a fold; only between
    /// [generations](super::Generations).
    pub call: bool,
}

impl Various {
    /// Whether the members differ in anything.
    pub fn any(&self) -> bool {
        *self != Various::default()
    }

    pub(super) fn or(self, other: Various) -> Various {
        Various {
            name: self.name || other.name,
            program: self.program || other.program,
            arguments: self.arguments || other.arguments,
            flags: self.flags || other.flags,
            ending: self.ending || other.ending,
            subtree: self.subtree || other.subtree,
            call: self.call || other.call,
        }
    }
}

/// Sets one field of a [`Various`].
type Drop = fn(&mut Various);

/// What is let go of, the least telling first. Flags stay longest: they are what clonespy is about.
const DROPS: [Drop; 6] = [
    |various| various.arguments = true,
    |various| various.subtree = true,
    |various| various.name = true,
    |various| various.program = true,
    |various| various.ending = true,
    |various| various.flags = true,
];

/// Lets go of one more side: the first that brings `count` down to `target`, else the one that brings it
/// down most. `None` when nothing is left to let go of.
pub(super) fn looser(
    mask: Various,
    target: usize,
    count: impl Fn(Various) -> usize,
) -> Option<Various> {
    let mut best: Option<(usize, Various)> = None;
    for drop in DROPS {
        let mut wider = mask;
        drop(&mut wider);
        if wider == mask {
            continue;
        }
        let left = count(wider);
        if left <= target {
            return Some(wider);
        }
        if best.is_none_or(|(least, _)| left < least) {
            best = Some((left, wider));
        }
    }
    best.map(|(_, wider)| wider)
}

/// One task's sides, each as a hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Traits {
    pub call: u64,
    pub name: u64,
    pub program: u64,
    pub arguments: u64,
    pub flags: u64,
    pub ending: u64,
    pub subtree: u64,
}

impl Traits {
    /// The same without the sides that `mask` lets go of.
    pub(super) fn masked(self, mask: Various) -> Traits {
        let keep = |side: u64, gone: bool| if gone { 0 } else { side };
        Traits {
            call: keep(self.call, mask.call),
            name: keep(self.name, mask.name),
            program: keep(self.program, mask.program),
            arguments: keep(self.arguments, mask.arguments),
            flags: keep(self.flags, mask.flags),
            ending: keep(self.ending, mask.ending),
            subtree: keep(self.subtree, mask.subtree),
        }
    }

    /// In what two differ.
    pub(super) fn differences(&self, other: &Traits) -> Various {
        Various {
            call: self.call != other.call,
            name: self.name != other.name,
            program: self.program != other.program,
            arguments: self.arguments != other.arguments,
            flags: self.flags != other.flags,
            ending: self.ending != other.ending,
            subtree: self.subtree != other.subtree,
        }
    }
}

/// A name with every run of digits replaced by `mark`.
pub(super) fn pattern(name: &str, mark: char) -> String {
    let mut out = String::with_capacity(name.len());
    let mut in_digits = false;
    for letter in name.chars() {
        let digit = letter.is_ascii_digit();
        if !digit {
            out.push(letter);
        } else if !in_digits {
            out.push(mark);
        }
        in_digits = digit;
    }
    out
}

/// The name that fits both: the same, or `*` for runs of digits, or a common beginning and `*`.
pub(super) fn common_name(one: &str, other: &str) -> String {
    if one == other {
        return one.to_owned();
    }
    let (one, other) = (pattern(one, '*'), pattern(other, '*'));
    if one == other {
        return one;
    }
    let mut begin: String = one
        .chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b && *a != '*')
        .map(|(a, _)| a)
        .collect();
    begin.push('*');
    begin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_digits_become_one_star() {
        assert_eq!(pattern("worker-20", '*'), "worker-*");
        assert_eq!(pattern("12a345", '*'), "*a*");
        assert_eq!(pattern("main", '*'), "main");
        assert_eq!(pattern("", '*'), "");
        assert_eq!(pattern("n٣", '*'), "n٣", "only ASCII digits count");
    }

    #[test]
    fn a_common_name_fits_both() {
        assert_eq!(common_name("w1", "w1"), "w1");
        assert_eq!(common_name("w1", "w20"), "w*");
        assert_eq!(common_name("w*", "w3"), "w*");
        assert_eq!(common_name("gc-mark", "gc-sweep"), "gc-*");
        assert_eq!(common_name("w*x", "w*y"), "w*");
        assert_eq!(common_name("a", "b"), "*");
    }

    #[test]
    fn the_first_side_that_suffices_is_let_go() {
        let by_name = |mask: Various| if mask.name { 1 } else { 100 };
        let one = looser(Various::default(), 10, by_name).unwrap();
        assert!(one.name && !one.flags && !one.arguments);
        // Nothing suffices: what helps most goes.
        let by_ending = |mask: Various| if mask.ending { 50 } else { 100 };
        assert!(looser(Various::default(), 10, by_ending).unwrap().ending);
        let mut all = Various::default();
        DROPS.iter().for_each(|drop| drop(&mut all));
        assert_eq!(looser(all, 0, |_| 100), None);
        assert!(!all.call, "kind and call are never let go of in a fold");
    }
}
