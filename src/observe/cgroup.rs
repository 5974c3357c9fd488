//! Which cgroup CLONE_INTO_CGROUP names: the argument is a descriptor, and what it stands for is
//! known only while the caller still has it open.

use crate::abi::flags;
use crate::event::{CloneCall, lossy};
use crate::peek::Peek;

use super::observer::Observer;

/// Fills [`CloneCall::cgroup_path`] with the directory behind the descriptor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cgroup;

impl Observer for Cgroup {
    fn entered(&mut self, task: &dyn Peek, call: &mut CloneCall) {
        let request = &call.request;
        if !request
            .flags
            .iter()
            .any(|flag| Some(flag.as_str()) == name())
        {
            return;
        }
        let Some(fd) = request.args.cgroup else {
            return;
        };
        // The kernel takes the low 32 bits as an int (`kernel_clone_args.cgroup`, kernel/fork.c).
        let Some(fd) = i32::try_from(fd.0).ok() else {
            return;
        };
        if let Ok(path) = task.proc_link(&format!("fd/{fd}")) {
            // A path that is not UTF-8 carries U+FFFD; the descriptor itself is in the arguments.
            call.cgroup_path = Some(lossy(&path).0);
        }
    }
}

fn name() -> Option<&'static str> {
    flags::CLONE_INTO_CGROUP.names().next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::peek::testing::Recorded;

    fn path(flags: &[&str], fd: &str) -> Option<String> {
        let mut call: CloneCall = serde_json::from_value(json!({
            "seq": 1, "at_ns": 1, "task": 1, "tid": 1, "tgid": 1, "comm": "x", "abi": "x86_64",
            "call": "clone3", "flags": flags, "args": {"cgroup": fd}, "outcome": {"unfinished": {}}
        }))
        .unwrap();
        let task = Recorded::new().with_link("fd/5", "/sys/fs/cgroup/a");
        Cgroup.entered(&task, &mut call);
        call.cgroup_path
    }

    #[test]
    fn the_descriptor_is_named_where_the_flag_makes_it_one() {
        let flag = ["CLONE_INTO_CGROUP"];
        assert_eq!(path(&flag, "0x5").as_deref(), Some("/sys/fs/cgroup/a"));
        assert_eq!(path(&[], "0x5"), None);
        assert_eq!(path(&flag, "0x6"), None);
        assert_eq!(path(&flag, "0xffffffffffffffff"), None);
    }
}
