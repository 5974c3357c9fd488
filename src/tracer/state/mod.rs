//! What the tracer knows of its tracees, one part of it each. Each part owns its state; it is given what
//! it may use ([`context`]), and returns as a value what is to be done next.
//!
//! | file | answers |
//! |---|---|
//! | `context` | what every part may use, and how things are told |
//! | `table`, `pending` | who is there, and in which call |
//! | `calls` | from a call's entry to its outcome |
//! | `restarts` | that a call made again after a signal is one call |
//! | `births` | what a call has made, thread or process; tasks that no seen call made |
//! | `newborns` | who made a task whose creator's event has not come |
//! | `lifecycle` | from birth to end, where several parts have a share |
//! | `execs`, `endings` | exec and death |
//! | `vforks` | whose turn it is when a paused caller goes on |
//! | `filters`, `interrupts` | filters that the program installs itself |
//! | `untraced` | CLONE_UNTRACED, taken off unseen |
//! | `init` | a crash in the init of a pid namespace |
//! | `exit_stops` | children that nobody waited for |
//! | `trace_end` | a trace that ends before its last task |

pub mod births;
pub mod calls;
pub mod context;
mod endings;
pub mod execs;
pub mod exit_stops;
pub mod filters;
pub mod init;
pub mod interrupts;
pub mod lifecycle;
pub mod newborns;
pub mod pending;
pub mod restarts;
pub mod table;
pub mod trace_end;
pub mod untraced;
pub mod vforks;
