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

pub use observer::Observer;

/// A question that is asked only where an option wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Which descriptors a new program inherits.
    InheritedFds,
}

type Make = fn() -> Box<dyn Observer>;

/// The observers, in the order in which they are asked, and which of them only where it is wanted.
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

fn observers(wanted: Option<Extra>) -> impl Iterator<Item = Box<dyn Observer>> {
    let rows = OBSERVERS.iter().filter(move |(extra, _)| *extra == wanted);
    rows.map(|(_, make)| make())
}

/// The observers of every trace.
pub fn standard() -> Vec<Box<dyn Observer>> {
    observers(None).collect()
}

/// The observers of a question that is asked on demand.
pub fn extra(wanted: Extra) -> impl Iterator<Item = Box<dyn Observer>> {
    observers(Some(wanted))
}
