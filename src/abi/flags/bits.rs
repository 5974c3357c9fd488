//! The bits of a flags word.

/// The bits of a flags word; unknown ones survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub struct CloneFlags(pub u64);

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
}
