//! Which descriptors a new program inherits: what is left after an exec lacked close-on-exec.

use crate::event::{Exec, InheritedFd, lossy};
use crate::observe::Observer;
use crate::peek::Peek;

/// Descriptors that are recorded of one exec, at most.
const MOST: usize = 64;

/// Fills `Exec::inherited_fds`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inherited;

impl Observer for Inherited {
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
