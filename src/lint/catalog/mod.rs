//! Every lint: a file for lints of one sort, each with its rows.

mod calls;
mod children;
mod each_call;
mod ends;
mod flags;
mod forks;
mod site;
mod vforks;

use super::definition::Lint;
use crate::event::Extras;

/// The rows of each file, in the order in which findings about one event are told. docs/lints.md has
/// an example of each lint.
static FILES: &[&[Lint]] = &[
    forks::LINTS,
    flags::LINTS,
    vforks::LINTS,
    ends::LINTS,
    calls::LINTS,
];

/// Every lint.
pub fn lints() -> impl Iterator<Item = &'static Lint> + Clone {
    FILES.iter().copied().flatten()
}

/// The lint of this name.
pub fn named(id: &str) -> Option<&'static Lint> {
    lints().find(|lint| lint.id == id)
}

/// What these lints need to be recorded.
pub fn extras<'a>(ids: impl IntoIterator<Item = &'a str>) -> Extras {
    let lints = ids.into_iter().filter_map(named);
    let needs = lints.filter_map(|lint| lint.needs);
    needs.map(|needs| needs.extra).collect()
}

/// Not a lint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no lint; there are: {names}", names = names())]
pub struct NoSuchLint(pub String);

fn names() -> String {
    let names: Vec<&str> = lints().map(|lint| lint.id).collect();
    names.join(", ")
}
