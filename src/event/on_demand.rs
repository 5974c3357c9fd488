//! What a trace holds only where it is asked for.

use std::collections::BTreeSet;

use super::kind::EventKind;

/// Something that is recorded on demand, since looking for it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Extra {
    /// The descriptors that a new program inherits ([`Exec::inherited_fds`](super::Exec::inherited_fds)).
    InheritedFds,
    /// The children that a process leaves behind as zombies
    /// ([`Exit::unreaped`](super::Exit::unreaped)). Every task stops once more for it.
    Unreaped,
}

impl Extra {
    /// All that there are.
    pub const ALL: [Extra; 2] = [Extra::InheritedFds, Extra::Unreaped];

    /// Whether a line holds it.
    pub fn is_in(self, line: &EventKind) -> bool {
        match (self, line) {
            (Extra::InheritedFds, EventKind::Exec(exec)) => exec.inherited_fds.is_some(),
            (Extra::Unreaped, EventKind::Exit(exit)) => exit.unreaped.is_some(),
            _ => false,
        }
    }
}

/// What is recorded of all that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras(BTreeSet<Extra>);

impl Extras {
    /// Whether this is recorded.
    pub fn has(&self, extra: Extra) -> bool {
        self.0.contains(&extra)
    }

    /// Notes what a line shows to be recorded.
    pub fn note(&mut self, line: &EventKind) {
        let here = Extra::ALL.into_iter().filter(|one| one.is_in(line));
        self.0.extend(here);
    }
}

impl FromIterator<Extra> for Extras {
    fn from_iter<I: IntoIterator<Item = Extra>>(all: I) -> Self {
        Extras(all.into_iter().collect())
    }
}
