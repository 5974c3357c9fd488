//! What deserves attention in what a program did: one row a lint.
//!
//! Lints read events in order, with the tree that has taken them in, and decide by the trace's own
//! clock: a replayed trace gives the findings of the live one. A site (the program, the place of the
//! call, its flags) is told once when it is found, and once more at the end with its count, where it was
//! found more than once.
//!
//! | file | holds |
//! |---|---|
//! | `definition` | what a lint is, and an occurrence of what it watches for |
//! | `catalog/` | the lints: one file for those of one sort, with their rows |
//! | `linter` | lints at work: sites, counts, findings |
//! | `index` | every task and call of a trace, for questions |
//! | `analysis` | both over one trace |

mod analysis;
mod catalog;
mod definition;
mod index;
mod linter;

pub use self::analysis::Analysis;
pub use self::catalog::{extras, lints, named};
pub use self::definition::{Level, Lint};
pub use self::index::{CallRecord, TaskRecord, TraceIndex};
pub use self::linter::Linter;

#[cfg(test)]
mod tests;
