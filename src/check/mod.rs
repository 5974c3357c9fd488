//! Expectations: what a program is expected to create, as a file, and the verdict on it.
//!
//! An expectation file is TOML:
//!
//! ```toml
//! command = ["./threads", "4"]    # relative to the file
//! build = "make threads"          # run before, by sh, in the file's directory
//! env = { LANG = "C", HOME = false }   # set, removed
//! stdin = "what it reads"
//! timeout = 10                    # seconds
//! skip = "skipped *"              # such a line of its output: this machine cannot run it
//! machine = "x86_64"              # other machines skip it
//!
//! exit = 0                        # a code, a range "1..=3", a signal "SIGTERM", or a list of them
//! [tasks]                         # numbers, or ranges "4..=8", "..=8", "1.."
//! processes = 1
//! threads = 5                     # every task, the first one of each process included
//! created = 4
//! failed = 0
//! unfinished = 0                  # calls whose caller died inside
//! cut_off = 0                     # threads still alive when their process ended
//! outlived = 0                    # processes that ended after the program that was started
//!
//! [[clone]]                       # every call fits one row; `else = "allow"` lets others pass
//! is = "pthread_create"           # what a known libc passes for it; or, exactly:
//! call = "clone3"
//! flags = ["CLONE_VM", "CLONE_FS"]
//! require = ["CLONE_VM"]          # or, loosely: at least these,
//! forbid = ["CLONE_VFORK"]        # and none of these
//! exit_signal = "SIGCHLD"         # "none"; a number without a name in hex, "0x91"
//! outcome = "created"             # or "EINVAL", "untraced", "unfinished", "E*"
//! kind = "thread"
//! name = "worker-*"               # * any text, ? any character, \ takes the next one literally
//! exit = 0                        # how what was created ends
//! count = 4                       # or a range; one or more, if nothing is said
//!
//! [forbid]
//! flags = ["CLONE_NEWUSER"]       # in no call, even one that fails
//! calls = ["vfork"]
//! untraced = true
//!
//! [lints]
//! deny = ["fork-with-threads"]    # must not be found; "warnings": none of the warnings that are on
//! allow = ["exit-signal-odd"]     # may be found all the same
//! ```
//!
//! Nothing depends on the order between tasks, unless `ordered = true` asks that the calls come in
//! the order of the rows.

mod assign;
mod bless;
mod compare;
mod description;
mod expect;
mod formats;
mod library_calls;
mod mismatch;
mod mistakes;
mod names;
mod read;
mod row;
mod suggestion;
mod suite;
#[cfg(test)]
mod tests;
mod unexpected;
mod values;
mod verdict;

pub use self::bless::bless;
pub use self::expect::{Expectation, Recipe, WARNINGS};
pub use self::formats::{FORMATS, Format, format};
pub use self::mismatch::{Mismatch, Problem};
pub use self::suite::{Adhoc, CheckPlan, Job, Recording, Subject, Task, run};
pub use self::values::{Glob, Range};
pub use self::verdict::{Outcome, Verdict};
