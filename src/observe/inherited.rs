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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Tid;
    use crate::event::{Event, EventKind};
    use crate::peek::Errno;

    /// A task with these descriptors, of which the even ones have names.
    struct Open(Option<Vec<&'static str>>);

    impl Peek for Open {
        fn tid(&self) -> Tid {
            100
        }
        fn read(&self, _: u64, _: &mut [u8]) -> Result<(), Errno> {
            Err(Errno(14))
        }
        fn proc_file(&self, _: &str) -> Result<Vec<u8>, Errno> {
            Err(Errno(2))
        }
        fn proc_link(&self, name: &str) -> Result<Vec<u8>, Errno> {
            match name.ends_with(['0', '2', '4', '6', '8']) {
                true => Ok(b"/dev/\xff".to_vec()),
                false => Err(Errno(2)),
            }
        }
        fn system_list(&self, path: &str) -> Result<Vec<String>, Errno> {
            assert_eq!(path, "/proc/100/fd");
            let names = self.0.as_ref().ok_or(Errno(3))?;
            Ok(names.iter().map(ToString::to_string).collect())
        }
    }

    fn inherited(open: Option<Vec<&'static str>>) -> Option<Vec<InheritedFd>> {
        let line = r#"{"type":"exec","seq":1,"at_ns":0,"task":1,"tid":100,"tgid":100}"#;
        let Ok(Event {
            kind: EventKind::Exec(mut event),
            ..
        }) = serde_json::from_str(line)
        else {
            panic!("an exec");
        };
        Inherited.exec(&Open(open), &mut event);
        event.inherited_fds
    }

    #[test]
    fn what_is_open_beyond_the_standard_streams() {
        let fd = |fd: i32, path: Option<&str>| InheritedFd {
            fd,
            path: path.map(str::to_owned),
        };
        let open = vec!["10", "0", "3", "2", "1", "nonsense"];
        assert_eq!(
            inherited(Some(open)),
            Some(vec![fd(3, None), fd(10, Some("/dev/\u{fffd}"))])
        );
        assert_eq!(inherited(Some(vec!["0", "1", "2"])), Some(vec![]));
        // Not known is not none.
        assert_eq!(inherited(None), None);
        assert_eq!(
            inherited(Some(vec!["7"; 100])).map(|all| all.len()),
            Some(MOST)
        );
    }
}
