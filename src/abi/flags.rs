//! One row per `CLONE_` flag.

/// The bits of a flags word; unknown ones survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub struct CloneFlags(pub u64);

/// A flag.
#[derive(Debug)]
pub struct Flag {
    /// Its bits.
    pub bits: u64,
    /// Its name.
    pub name: &'static str,
}

/// Every flag up to Linux 7.1, in the order of their bits.
pub static FLAGS: &[Flag] = &[];
