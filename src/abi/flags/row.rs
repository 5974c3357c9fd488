//! What there is to say about a flag.

use super::bits::CloneFlags;
use crate::abi::lang::Text;

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
    /// What it does, in a verb of at most seven columns…
    pub verb: Text,
    /// … and to what. No word of one call alone: the same row explains all calls with it.
    pub what: Text,
    /// Its meaning in full.
    pub meaning: Text,
    /// The kernel's object behind it.
    pub object: Text,
    /// What becomes of the object if it is set.
    pub set: Text,
    /// What becomes of it otherwise.
    pub clear: Text,
    /// The kernel's function that decides.
    pub decided_by: &'static str,
    /// Where the row was read, in the Linux tree.
    pub source: &'static str,
    /// The namespace that it makes, by its file in /proc/PID/ns (namespaces(7)).
    pub namespace: Option<&'static str>,
    /// The piece of a task that it shares.
    pub piece: Option<Piece>,
}

/// A piece of a task that parent and child can share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its place in lists: what matters most comes first.
    pub order: u8,
    /// It in a word or two.
    pub name: Text,
    /// What the child gets a copy of where it is not shared, and when; `None`: it starts with nothing.
    pub copied: Option<Text>,
}

impl Flag {
    /// What most rows do without.
    pub(super) const NONE: Flag = Flag {
        bits: 0,
        name: "",
        since: "",
        clone: Use::Refuses,
        clone3: Use::Refuses,
        unshare: Use::Refuses,
        sense: Sense::Other,
        verb: Text::EMPTY,
        what: Text::EMPTY,
        meaning: Text::EMPTY,
        object: Text::EMPTY,
        set: Text::EMPTY,
        clear: Text::EMPTY,
        decided_by: "",
        source: "",
        namespace: None,
        piece: None,
    };

    /// It as bits of a word.
    pub const fn flags(&self) -> CloneFlags {
        CloneFlags(self.bits)
    }

    /// Whether any of the calls that make tasks acts on it.
    pub fn acts(&self) -> bool {
        [self.clone, self.clone3].contains(&Use::Takes)
    }
}

/// A piece of which the child has a copy where it is not shared.
pub(super) const fn copied(order: u8, name: Text, copied: Text) -> Piece {
    Piece {
        order,
        name,
        copied: Some(copied),
    }
}

/// A piece that is empty at first where it is not shared.
pub(super) const fn fresh(order: u8, name: Text) -> Piece {
    Piece {
        order,
        name,
        copied: None,
    }
}
