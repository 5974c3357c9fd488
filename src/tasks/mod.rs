//! The model: events folded into thread groups. Live tasks are kept one by one; ended ones only
//! inside folds of tasks alike, so memory grows with what lives and not with what has ended.
//!
//! * A task that has ended, and all of whose children are folds, becomes a fold of its creator's
//!   ([`Fold`]), with others alike. A creator has at most [`MAX_FOLDS`] of them, [`MAX_NODES`] with
//!   those in them, [`MAX_DEPTH`] levels deep; what goes beyond is folded less strictly
//!   ([`Various`]) or only counted, never dropped from the counts.
//! * A task that has ended while descendants live stays in the tree. A relay of such tasks, each
//!   the creator of the next, is one task with [`Generations`].
//!
//! So the tree's size is at most some constant times the number of live tasks.

mod folding;
mod grow;
mod likeness;
mod model;
mod relay;
#[cfg(test)]
mod tests;
mod tree;

pub use self::folding::{MAX_DEPTH, MAX_FOLDS, MAX_NODES};
pub use self::likeness::Various;
pub use self::model::{
    Branch, Children, Ended, Fold, Generations, Iter, Program, Task, ThreadGroup, Via,
};
pub use self::tree::{TaskTree, Visit, Walk};
