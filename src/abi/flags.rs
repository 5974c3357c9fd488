//! One row per `CLONE_` flag.

use std::fmt;
use std::str::FromStr;

use crate::abi::lang::Text;
use crate::abi::signals;

mod bits;
mod row;
mod table;

pub use bits::CloneFlags;
pub use row::{Flag, Piece, Sense, Use};
pub use table::*;

/// The low byte of legacy clone's flags word: a signal number, not flags
/// (`CSIGNAL`, include/uapi/linux/sched.h).
pub const CSIGNAL: u64 = 0xff;

/// The row of the flag of this name.
pub fn named(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.name == name)
}

impl CloneFlags {
    /// The rows of the flags that are there, in the order of their bits.
    pub fn rows(self) -> impl Iterator<Item = &'static Flag> {
        FLAGS.iter().filter(move |flag| self.contains(flag.flags()))
    }

    /// The name of a flag, where it is one alone.
    pub fn name(self) -> Option<&'static str> {
        let row = FLAGS.iter().find(|flag| flag.flags() == self)?;
        Some(row.name)
    }

    /// The flags of these names, without those that are none.
    pub fn of_names(names: &[String]) -> CloneFlags {
        let rows = names.iter().filter_map(|name| named(name));
        rows.fold(CloneFlags(0), |all, flag| all.union(flag.flags()))
    }

    /// Whether the name of the flag is among these.
    pub fn is_among(self, names: &[String]) -> bool {
        let name = self.name();
        names.iter().any(|one| Some(one.as_str()) == name)
    }

    /// Whether this is the name of the flag.
    pub fn is_named(self, name: &str) -> bool {
        self.name() == Some(name)
    }

    /// The rows of pieces of which a child gets a copy where these flags are passed, in the order of
    /// their lists.
    pub fn pieces_copied(self) -> Vec<(&'static Flag, Text)> {
        let mut rows: Vec<_> = FLAGS
            .iter()
            .filter(|flag| !self.contains(flag.flags()))
            // Handlers that are reset are no copy.
            .filter(|flag| flag.flags() != CLONE_SIGHAND || !self.contains(CLONE_CLEAR_SIGHAND))
            .filter_map(|flag| Some((flag, flag.piece?.order, flag.piece?.copied?)))
            .collect();
        rows.sort_by_key(|(_, order, _)| *order);
        rows.into_iter()
            .map(|(flag, _, copied)| (flag, copied))
            .collect()
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
