//! One row per `CLONE_` flag.

use std::fmt;
use std::str::FromStr;

use crate::abi::signals;

mod table;

pub use table::*;

/// The low byte of legacy clone's flags word: a signal number, not flags
/// (`CSIGNAL`, include/uapi/linux/sched.h).
pub const CSIGNAL: u64 = 0xff;

/// The bits of a flags word; unknown ones survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub struct CloneFlags(pub u64);

/// What a call does with a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It acts on it.
    Takes,
    /// It goes on as if the bit were not there.
    Ignores,
    /// It fails with EINVAL.
    Refuses,
    /// It reads the bit as something else.
    OtherMeaning,
    /// unshare: it cannot do it, and only checks that there is nothing to do (unshare(2)).
    Checks,
}

/// What a set flag means for parent and child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// They share something that would otherwise be copied or new.
    Shares,
    /// The child gets something of its own that would otherwise be shared.
    MakesNew,
    /// Anything else.
    Other,
}

/// A flag.
#[derive(Debug)]
pub struct Flag {
    /// Its bits.
    pub bits: u64,
    /// Its name.
    pub name: &'static str,
    /// The kernel that brought it.
    pub since: &'static str,
    /// What legacy clone does with it.
    pub clone: Use,
    /// What clone3 does with it.
    pub clone3: Use,
    /// What unshare does with it; sharing flags end the sharing there.
    pub unshare: Use,
    /// What it means for parent and child.
    pub sense: Sense,
    /// The kernel's object behind it.
    pub object: &'static str,
    /// What becomes of the object if it is set.
    pub set: &'static str,
    /// What becomes of it otherwise.
    pub clear: &'static str,
    /// The kernel's function that decides.
    pub decided_by: &'static str,
    /// Its meaning.
    pub english: &'static str,
    /// Its meaning, in Chinese.
    pub chinese: &'static str,
    /// Where the row was read, in the Linux tree.
    pub source: &'static str,
}

impl Flag {
    /// It as bits of a word.
    pub fn flags(&self) -> CloneFlags {
        CloneFlags(self.bits)
    }
}

/// The row of the flag of this name.
pub fn named(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.name == name)
}

impl CloneFlags {
    /// Whether all bits of `other` are there.
    pub const fn contains(self, other: CloneFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any bit of `other` is there.
    pub const fn intersects(self, other: CloneFlags) -> bool {
        self.0 & other.0 != 0
    }

    /// No bit at all.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The bits of both.
    #[must_use]
    pub const fn union(self, other: CloneFlags) -> CloneFlags {
        CloneFlags(self.0 | other.0)
    }

    /// The bits that `other` does not have.
    #[must_use]
    pub const fn difference(self, other: CloneFlags) -> CloneFlags {
        CloneFlags(self.0 & !other.0)
    }

    /// The bits that both have.
    #[must_use]
    pub const fn intersection(self, other: CloneFlags) -> CloneFlags {
        CloneFlags(self.0 & other.0)
    }

    /// The rows of the flags that are there, in the order of their bits.
    pub fn rows(self) -> impl Iterator<Item = &'static Flag> {
        FLAGS.iter().filter(move |flag| self.contains(flag.flags()))
    }

    /// Their names, in that order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.rows().map(|flag| flag.name)
    }

    /// The bits that no row has.
    #[must_use]
    pub fn unknown(self) -> CloneFlags {
        self.rows()
            .fold(self, |rest, flag| rest.difference(flag.flags()))
    }
}

impl fmt::Display for CloneFlags {
    /// `CLONE_VM|CLONE_FS|0x40`: the names, then what has none in hex; `0` for no bit at all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for name in self.names() {
            write!(f, "{separator}{name}")?;
            separator = "|";
        }
        let unknown = self.unknown();
        if !unknown.is_empty() {
            write!(f, "{separator}{:#x}", unknown.0)
        } else if self.is_empty() {
            f.write_str("0")
        } else {
            Ok(())
        }
    }
}

/// A word among flags that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a CLONE_ flag, nor a signal, nor a number")]
pub struct UnknownFlag(pub String);

impl FromStr for CloneFlags {
    type Err = UnknownFlag;

    /// Reads what [`Display`](fmt::Display) writes, and what C sources and strace do:
    /// `CLONE_VM|CLONE_FS|SIGCHLD|0x40`. A signal stands for its number (in the generic numbering),
    /// as in legacy clone's flags word.
    fn from_str(text: &str) -> Result<Self, UnknownFlag> {
        let part = |word: &str| {
            let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
            let number = match hex {
                Some(digits) => parse_digits(digits, 16),
                None => parse_digits(word, 10),
            };
            named(word)
                .map(Flag::flags)
                .or_else(|| {
                    let number = u64::try_from(signals::number(word)?).ok()?;
                    Some(CloneFlags(number))
                })
                .or(number.map(CloneFlags))
                .ok_or_else(|| UnknownFlag(word.to_owned()))
        };
        text.split('|')
            .try_fold(CloneFlags(0), |all, word| Ok(all.union(part(word.trim())?)))
    }
}

/// Digits alone: no sign, which `from_str_radix` would let through.
fn parse_digits(digits: &str, radix: u32) -> Option<u64> {
    let clean = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    clean.then(|| u64::from_str_radix(digits, radix).ok())?
}

/// A flags word, taken apart as one of the calls does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Split {
    /// Named flags that the call acts on, be it by refusing them.
    pub effective: CloneFlags,
    /// Named flags that it ignores.
    pub ignored: CloneFlags,
    /// Bits without a name. Legacy clone ignores them, clone3 fails with EINVAL.
    pub unknown: CloneFlags,
    /// The low byte of legacy clone's word.
    pub exit_signal: u8,
}

/// Takes the flags word of legacy clone apart. It knows the low 32 bits alone, whatever the register
/// holds (`lower_32_bits(clone_flags)` in kernel/fork.c), and of those the low byte is the exit signal.
pub fn split_clone(word: u64) -> Split {
    let [exit_signal, ..] = word.to_le_bytes();
    let flags = CloneFlags(word & !CSIGNAL);
    let unknown = flags.unknown();
    // copy_process keeps CLONE_DETACHED reserved for users of CLONE_PIDFD: together they are refused.
    let refused = flags.contains(CLONE_DETACHED.union(CLONE_PIDFD));
    let ignored = flags
        .rows()
        .filter(|flag| flag.clone == Use::Ignores)
        .filter(|flag| !(refused && flag.flags() == CLONE_DETACHED))
        .fold(CloneFlags(0), |all, flag| all.union(flag.flags()));
    Split {
        effective: flags.difference(unknown).difference(ignored),
        ignored,
        unknown,
        exit_signal,
    }
}

/// Takes the flags of `struct clone_args` apart. clone3 ignores nothing; the exit signal has a field
/// of its own, and of the low byte CLONE_NEWTIME's bit alone is a flag (`clone3_args_valid`).
pub fn split_clone3(flags: u64) -> Split {
    let flags = CloneFlags(flags);
    let unknown = flags.unknown();
    Split {
        effective: flags.difference(unknown),
        ignored: CloneFlags(0),
        unknown,
        exit_signal: 0,
    }
}

#[cfg(test)]
mod tests;
