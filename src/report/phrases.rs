//! What each flag does, in a verb and its object: one row a flag, for the column beside its name.
//! The kernel's own words for them are in clone(2) and in `include/uapi/linux/sched.h`.

use crate::event::{CallArgs, Hex};

/// A flag in words.
pub(super) struct Phrase {
    /// Its name.
    pub name: &'static str,
    /// What it does…
    pub verb: &'static str,
    /// … to what. `{}` stands for the argument, `{tgid}` for the caller's process.
    pub object: &'static str,
    /// The argument that belongs to it.
    pub argument: fn(&CallArgs) -> Option<Hex>,
}

const fn row(name: &'static str, verb: &'static str, object: &'static str) -> Phrase {
    Phrase {
        name,
        verb,
        object,
        argument: |_| None,
    }
}

const fn with(
    name: &'static str,
    verb: &'static str,
    object: &'static str,
    argument: fn(&CallArgs) -> Option<Hex>,
) -> Phrase {
    Phrase {
        name,
        verb,
        object,
        argument,
    }
}

/// Every flag up to Linux 7.1, in the order of their bits.
#[rustfmt::skip]
static PHRASES: &[Phrase] = &[
    row("CLONE_NEWTIME", "new", "time namespace: own offsets of the clocks"),
    row("CLONE_VM", "shares", "the address space (mm)"),
    row("CLONE_FS", "shares", "root, working directory, umask"),
    row("CLONE_FILES", "shares", "the descriptor table"),
    row("CLONE_SIGHAND", "shares", "the signal handlers"),
    with("CLONE_PIDFD", "writes", "a descriptor for the child to {}", |args| args.pidfd),
    row("CLONE_PTRACE", "hands", "the child to the caller's tracer, if any"),
    row("CLONE_VFORK", "pauses", "the caller until the child execs or ends"),
    row("CLONE_PARENT", "makes", "a sibling: its parent is the caller's parent"),
    row("CLONE_THREAD", "joins", "process {tgid}: same tgid, same getpid()"),
    row("CLONE_NEWNS", "new", "mount namespace: own copy of the mounts"),
    row("CLONE_SYSVSEM", "shares", "the System V undo list"),
    with("CLONE_SETTLS", "sets", "thread pointer {}", |args| args.tls),
    with("CLONE_PARENT_SETTID", "writes", "its tid to {}, in the caller", |args| args.parent_tid),
    with("CLONE_CHILD_CLEARTID", "zeroes", "{} at exit, wakes waiters", |args| args.child_tid),
    row("CLONE_DETACHED", "does", "nothing since Linux 2.6.2"),
    row("CLONE_UNTRACED", "hides", "the child from who follows forks"),
    with("CLONE_CHILD_SETTID", "writes", "its tid to {}, in the child", |args| args.child_tid),
    row("CLONE_NEWCGROUP", "new", "cgroup namespace: its cgroup is its root"),
    row("CLONE_NEWUTS", "new", "UTS namespace: own host and domain name"),
    row("CLONE_NEWIPC", "new", "IPC namespace: own System V and mqueue"),
    row("CLONE_NEWUSER", "new", "user namespace: own ids and capabilities"),
    row("CLONE_NEWPID", "new", "pid namespace: the child is its pid 1"),
    row("CLONE_NEWNET", "new", "network namespace: own devices and ports"),
    row("CLONE_IO", "shares", "the I/O context of block devices"),
    row("CLONE_CLEAR_SIGHAND", "resets", "caught signals to their default"),
    with("CLONE_INTO_CGROUP", "starts", "in the cgroup of descriptor {}", |args| args.cgroup),
    row("CLONE_AUTOREAP", "reaps", "itself: no zombie, no signal, no wait"),
    row("CLONE_NNP", "sets", "no_new_privs: set-uid files give it nothing"),
    row("CLONE_PIDFD_AUTOKILL", "kills", "the child when its pidfd is closed"),
    row("CLONE_EMPTY_MNTNS", "new", "mount namespace with nothing but a root"),
];

/// The words for a flag; `None` for one that this version does not know.
pub(super) fn phrase(flag: &str) -> Option<&'static Phrase> {
    PHRASES.iter().find(|row| row.name == flag)
}

/// What a child gets a copy of where a flag does not share it: the flag, and what is copied.
#[rustfmt::skip]
static COPIES: &[(&str, &str)] = &[
    ("CLONE_VM", "address space (page tables now, pages when written)"),
    ("CLONE_FILES", "descriptor table"),
    ("CLONE_FS", "root/cwd/umask"),
    ("CLONE_SIGHAND", "signal handlers"),
];

/// What is copied, given which flags are set. Handlers that are reset are no copy.
pub(super) fn copies(set: impl Fn(&str) -> bool) -> Vec<&'static str> {
    COPIES
        .iter()
        .filter(|(flag, _)| !set(flag))
        .filter(|(flag, _)| *flag != "CLONE_SIGHAND" || !set("CLONE_CLEAR_SIGHAND"))
        .map(|&(_, what)| what)
        .collect()
}

#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PHRASES.iter().map(|row| row.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fit_their_columns() {
        for row in PHRASES {
            assert!(row.name.len() <= 21, "{}", row.name);
            assert!(row.verb.len() <= 7, "{}", row.name);
            assert!(
                std::ptr::eq(phrase(row.name).unwrap(), row),
                "{} twice",
                row.name
            );
        }
        assert!(phrase("CLONE_NOT_YET").is_none());
    }

    #[test]
    fn every_known_flag_has_words_and_every_word_a_flag() {
        let mut known: Vec<_> = crate::abi::FLAGS.iter().map(|flag| flag.name).collect();
        let mut said: Vec<_> = names().collect();
        known.sort_unstable();
        said.sort_unstable();
        assert_eq!(said, known);
    }

    #[test]
    fn only_what_is_not_shared_is_copied() {
        let copied = copies(|flag| ["CLONE_VM", "CLONE_CLEAR_SIGHAND"].contains(&flag));
        assert_eq!(copied, ["descriptor table", "root/cwd/umask"]);
        assert_eq!(copies(|_| true), [""; 0]);
        assert_eq!(copies(|_| false).len(), 4);
    }
}
