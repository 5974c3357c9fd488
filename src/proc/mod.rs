//! What /proc says of a task and of the system, parsed: one parser for each file, over bytes, and small
//! readers over [`Peek`](crate::peek::Peek). What it means is decided where it is asked.
//!
//! | part | file | manual |
//! |---|---|---|
//! | [`mod@stat`] | `/proc/TID/stat`, and the task's own, without the other threads' times | proc_pid_stat(5) |
//! | [`mod@status`] | `/proc/TID/status` | proc_pid_status(5) |
//! | [`mod@comm`] | `/proc/TID/comm` | proc_pid_comm(5) |
//! | [`mod@syscall`] | `/proc/TID/syscall` | proc_pid_syscall(5) |
//! | [`maps`] | `/proc/TID/maps` | proc_pid_maps(5) |
//! | [`mounts`] | `/proc/TID/mountinfo` | proc_pid_mountinfo(5) |
//! | [`cgroups`] | `/proc/TID/cgroup` | cgroups(7) |
//! | [`limits`] | `/proc/TID/limits` | proc_pid_limits(5) |
//! | [`id_map`] | `/proc/TID/uid_map`, `gid_map` | user_namespaces(7) |
//! | [`load`] | `/proc/loadavg` | proc_loadavg(5) |
//! | [`text`] | the forms that several have: rows of `KEY: VALUE`, lists of numbers | |
//!
//! The auxiliary vector is no text, and [`decode`](crate::decode) reads it.
//!
//! # Why not the crate procfs-core
//!
//! It has types for most of these files. (Looked at: 0.18.) What is traced may be hostile, is often a
//! zombie, and is read at each call and each end:
//!
//! * `Stat` keeps the name as text in which bytes that are not UTF-8 are lost; a trace keeps them.
//!   It parses all of the fields, or none of them, where two are wanted, and panics at a line that begins
//!   with the name.
//! * `Status` copies the key and the value of each of the 60 lines into a map, some 120 allocations,
//!   and is an error as a whole as soon as one field is missing or a task has a name that is not UTF-8:
//!   any task could hide itself so.
//! * `MemoryMaps` is an error as a whole if one path is not UTF-8, and allocates for each mapping, where
//!   the first that fits ends the search.
//! * `Syscall` is an error for a task that is blocked outside of a call (`-1 SP IP`).
//!
//! Its `limits`, `cgroup` and `mountinfo` would do, for one row of each: not worth two more crates.

pub mod cgroups;
pub mod comm;
pub mod id_map;
pub mod limits;
pub mod load;
pub mod maps;
pub mod mounts;
pub mod stat;
pub mod status;
pub mod syscall;
pub mod text;

pub use comm::comm;
pub use stat::{Stat, stat};
pub use status::{Status, status};
pub use syscall::{Position, syscall};
pub use text::field;
