//! Which descriptors a new program inherits: what is left after an exec lacked close-on-exec.

use crate::event::{Exec, InheritedFd, lossy};
use crate::peek::Peek;

use super::observer::Observer;

/// Descriptors that are recorded of one exec, at most.
const MOST: usize = 64;

/// Fills `Exec::inherited_fds`.
#[derive(Clone, Copy, Debug, Default)]
pub struct InheritedFds;

impl Observer for InheritedFds {
    fn exec(&mut self, task: &dyn Peek, event: &mut Exec) {
        let Ok(names) = task.system_list(&format!("/proc/{}/fd", task.tid())) else {
            return;
        };
        let mut open: Vec<i32> = names.iter().filter_map(|name| name.parse().ok()).collect();
        open.retain(|fd| *fd > 2);
        open.sort_unstable();
        open.truncate(MOST);
        let named = open.into_iter().map(|fd| InheritedFd {
            fd,
            path: task
                .proc_link(&format!("fd/{fd}"))
                .ok()
                .map(|path| lossy(&path).0),
        });
        event.inherited_fds = Some(named.collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, EventKind};
    use crate::peek::testing::Recorded;

    fn inherited(task: &Recorded) -> Option<Vec<InheritedFd>> {
        let line = r#"{"type":"exec","seq":1,"at_ns":0,"task":1,"tid":100,"tgid":100}"#;
        let Ok(Event {
            kind: EventKind::Exec(mut event),
            ..
        }) = serde_json::from_str(line)
        else {
            panic!("an exec");
        };
        InheritedFds.exec(task, &mut event);
        event.inherited_fds
    }

    #[test]
    fn what_is_open_beyond_the_standard_streams() {
        let fd = |fd: i32, path: Option<&str>| InheritedFd {
            fd,
            path: path.map(str::to_owned),
        };
        let open = |fds: &[&str]| Recorded::new().with_system_list("/proc/100/fd", fds);
        let some = open(&["10", "0", "3", "2", "1", "nonsense"]).with_link("fd/10", b"/dev/\xff");
        assert_eq!(
            inherited(&some),
            Some(vec![fd(3, None), fd(10, Some("/dev/\u{fffd}"))])
        );
        assert_eq!(inherited(&open(&["0", "1", "2"])), Some(vec![]));
        // Not known is not none.
        assert_eq!(inherited(&Recorded::new()), None);
        let many = inherited(&open(&["7"; 100]));
        assert_eq!(many.map(|all| all.len()), Some(MOST));
    }
}
