//! What is looked at while a task is stopped: one file per question, all behind one trait.
//!
//! | question | asked when | fills |
//! |---|---|---|
//! | [`program`]: what does the task run? | a program is replaced | the fields of [`Exec`](crate::event::Exec) |
//! | [`libc`]: on which C library does the caller run? | a call is entered | `libc` |
//! | [`origin`]: which library function is behind the call? | a call is entered | `origin` |
//! | [`cgroup`]: which cgroup does the descriptor name? | a call is entered | `cgroup_path` |
//! | [`reasons`]: why was the call refused? | a call failed | the reasons of the outcome |
//! | [`inherited_fds`]: which descriptors does the new program inherit? | a program is replaced | `inherited_fds` |

pub mod cgroup;
pub mod inherited_fds;
pub mod libc;
mod observer;
pub mod origin;
pub mod program;
pub mod reasons;

use crate::event::{Extra, Extras};

pub use observer::Observer;

type Make = fn() -> Box<dyn Observer>;

/// The observers, in the order in which they are asked, and what some of them record on demand.
static OBSERVERS: &[(Option<Extra>, Make)] = &[
    (None, || Box::new(program::Program)),
    (None, || Box::<libc::Libc>::default()),
    (None, || Box::new(origin::Origin)),
    (None, || Box::new(cgroup::Cgroup)),
    (None, || Box::<reasons::Reasons>::default()),
    (Some(Extra::InheritedFds), || {
        Box::new(inherited_fds::InheritedFds)
    }),
];

/// The observers of a trace that records this.
pub fn observers(wanted: &Extras) -> Vec<Box<dyn Observer>> {
    let asked = |on_demand: &Option<Extra>| on_demand.is_none_or(|one| wanted.has(one));
    let rows = OBSERVERS.iter().filter(|(on_demand, _)| asked(on_demand));
    rows.map(|(_, make)| make()).collect()
}
