//! What belongs to one call alone and not to its set of flags: its stack, its addresses.

use super::units;
use crate::abi::flags::*;
use crate::abi::say;
use crate::event::{CloneCall, Hex, Outcome, Request, Stack};
use crate::report::Look;
use crate::report::names::pid;
use crate::tasks::TaskTree;

/// What belongs to this call alone: other calls with the same flags have other addresses.
pub(super) fn this_call(look: &Look, call: &CloneCall, tree: &TaskTree) -> Vec<String> {
    let (request, args, lang) = (&call.request, &call.request.args, look.lang());
    let at = |word: Option<Hex>| match word {
        Some(word) => word.to_string(),
        None => lang.pick("unknown", "未知").to_owned(),
    };
    let mut parts = Vec::new();
    if request.has(CLONE_THREAD) {
        let tgid = pid(look, tree, call.tgid);
        parts.push(say!(look, "in process {tgid}", "在进程 {tgid} 中"));
    }
    parts.push(stack(look, request));
    if request.has(CLONE_SETTLS) {
        parts.push(format!("tls {}", at(args.tls)));
    }
    let parent = request.has(CLONE_PARENT_SETTID);
    let child = request.has(CLONE_CHILD_SETTID) || request.has(CLONE_CHILD_CLEARTID);
    if parent && child && args.parent_tid == args.child_tid {
        parts.push(format!("parent_tid = child_tid = {}", at(args.child_tid)));
    } else {
        if parent {
            parts.push(format!("parent_tid {}", at(args.parent_tid)));
        }
        if child {
            parts.push(format!("child_tid {}", at(args.child_tid)));
        }
    }
    if request.has(CLONE_PIDFD) {
        let (at, is) = (at(args.pidfd), stands_for(look, CLONE_PIDFD, call));
        parts.push(say!(look, "descriptor to {at}{is}", "描述符写到 {at}{is}"));
    }
    if request.has(CLONE_INTO_CGROUP) {
        // A descriptor is a number, not an address.
        let fd = args.cgroup.map_or_else(|| at(None), |fd| fd.0.to_string());
        let is = stands_for(look, CLONE_INTO_CGROUP, call);
        parts.push(say!(
            look,
            "cgroup descriptor {fd}{is}",
            "cgroup 描述符 {fd}{is}"
        ));
    }
    if let Some(tids) = &args.set_tid {
        let tids: Vec<_> = tids.iter().map(ToString::to_string).collect();
        let tids = tids.join(lang.pick(" inside of ", " 内含于 "));
        parts.push(say!(look, "wants tid {tids}", "要求 tid {tids}"));
    }
    parts
}

/// `-y`: what a descriptor is.
fn stands_for(look: &Look, flag: CloneFlags, call: &CloneCall) -> String {
    if !look.names {
        return String::new();
    }
    let pidfd = call.wrote.as_ref().and_then(|wrote| wrote.pidfd);
    match (flag, &call.cgroup_path, pidfd, &call.outcome) {
        (CLONE_INTO_CGROUP, Some(path), _, _) => {
            let path = look.name(path);
            say!(look, ", {path}", "，{path}")
        }
        (CLONE_PIDFD, _, Some(fd), Outcome::Created(made)) => {
            let tid = made.tid;
            say!(look, ": {fd}, for {tid}", "：{fd}，指向 {tid}")
        }
        _ => String::new(),
    }
}

/// Which stack the child begins on.
fn stack(look: &Look, request: &Request) -> String {
    let given = match request.args.begins_on() {
        Stack::Given => request.args.stack,
        Stack::Zero | Stack::Callers => None,
    };
    match (given, request.args.stack_size) {
        (None, _) if request.has(CLONE_VM) => look
            .lang()
            .pick("the caller's own stack, shared", "调用者自己的栈，共用")
            .into(),
        (None, _) => look
            .lang()
            .pick("stack: its copy of the caller's", "栈是调用者栈的副本")
            .into(),
        (Some(at), Some(size)) => {
            let size = units::bytes(size, look.lang());
            say!(
                look,
                "own stack {size} from {at} up",
                "自己的栈 {size}，自 {at} 向上"
            )
        }
        (Some(top), None) => say!(look, "own stack from {top} down", "自己的栈，自 {top} 向下"),
    }
}
