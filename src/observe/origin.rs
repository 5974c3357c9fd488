//! Which library function is behind a call, by the fingerprint of its flags and arguments.

use crate::event::{Certainty, CloneCall};
use crate::origins;
use crate::peek::Peek;

use super::observer::Observer;

/// Fills [`CloneCall::origin`] where one function's calls look like this and no other's; nothing is
/// asked of the task. A program may make the same call by hand, so it is never more than likely.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin;

impl Observer for Origin {
    fn entered(&mut self, _: &dyn Peek, call: &mut CloneCall) {
        let request = &call.request;
        // Where the arguments could not be read, nothing is like them.
        let (Some(flags), None) = (request.flags_raw, &request.args_error) else {
            return;
        };
        let signal = request.exit_signal_raw.unwrap_or_default().0;
        let stack = request.args.begins_on();
        if let Some(row) = origins::likely(request.call, flags.0, signal, stack) {
            call.origin = Some(row.name.to_owned());
            call.origin_certainty = Some(Certainty::Likely);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::peek::testing::Recorded;

    fn origin(call: &str, flags: &str, signal: &str, args: serde_json::Value) -> Option<String> {
        let mut call: CloneCall = serde_json::from_value(json!({
            "seq": 1, "at_ns": 1, "task": 1, "tid": 1, "tgid": 1, "comm": "x", "abi": "x86_64",
            "call": call, "flags_raw": flags, "exit_signal_raw": signal, "args": args,
            "outcome": {"unfinished": {}}
        }))
        .unwrap();
        Origin.entered(&Recorded::new(), &mut call);
        assert_eq!(
            call.origin.is_some(),
            call.origin_certainty == Some(Certainty::Likely)
        );
        call.origin
    }

    #[test]
    fn what_libraries_pass_is_known() {
        let stack = json!({"stack": "0x1000", "stack_size": "0x1000"});
        for (call, flags, signal, args, name) in [
            ("clone3", "0x3d0f00", "0x0", &stack, Some("pthread_create")),
            ("clone3", "0x4100", "0x11", &stack, Some("posix_spawn")),
            ("clone", "0x1200000", "0x11", &json!({}), Some("fork")),
            ("vfork", "0x4100", "0x11", &json!({}), Some("vfork")),
            ("clone", "0x1200000", "0xa", &json!({}), None),
            ("clone3", "0x100", "0x0", &stack, None),
        ] {
            assert_eq!(
                origin(call, flags, signal, args.clone()).as_deref(),
                name,
                "{flags}"
            );
        }
    }

    #[test]
    fn nothing_is_said_of_what_could_not_be_read() {
        let mut call: CloneCall = serde_json::from_value(json!({
            "seq": 1, "at_ns": 1, "task": 1, "tid": 1, "tgid": 1, "comm": "x", "abi": "x86_64",
            "call": "clone3", "args_error": {"errno": "EFAULT", "address": "0x1", "what": "it"},
            "outcome": {"unfinished": {}}
        }))
        .unwrap();
        Origin.entered(&Recorded::new(), &mut call);
        assert_eq!((call.origin, call.origin_certainty), (None, None));
    }
}
