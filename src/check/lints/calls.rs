//! Lints that look at one call, or at two in a row.

use std::collections::BTreeMap;

use super::{Found, Watch, site};
use crate::event::{Call, Certainty, CloneCall, Event, Kind, Outcome, Reason, TaskId};
use crate::tasks::TaskTree;

/// A lint that looks at each call alone.
pub(super) struct Each(pub fn(&CloneCall) -> Option<String>);

impl Watch for Each {
    fn event(&mut self, event: &Event, tree: &TaskTree, found: &mut Vec<Found>) {
        if let Event::Clone(call) = event
            && let Some(text) = (self.0)(call)
        {
            found.push(of_call(call, tree, text));
        }
    }
}

/// A finding about a call.
pub(super) fn of_call(call: &CloneCall, tree: &TaskTree, text: String) -> Found {
    Found {
        at_ns: call.at_ns.saturating_add(call.took_ns.unwrap_or(0)),
        task: call.task,
        text,
        clone_seq: Some(call.seq),
        site: site(call, tree),
    }
}

/// The process that a call made, if it made one: its tid.
fn process(call: &CloneCall) -> Option<i32> {
    match &call.outcome {
        Outcome::Created(created) if created.kind == Kind::Process => Some(created.tid),
        _ => None,
    }
}

/// Whether a flag was passed, and the kernel's deed does not contradict it.
fn took(call: &CloneCall, flag: &str) -> bool {
    let contradicted = match &call.outcome {
        Outcome::Created(created) => created.flags_contradicted.iter().any(|one| one == flag),
        _ => false,
    };
    call.request.has(flag) && !contradicted
}

pub(super) fn shares_memory(call: &CloneCall) -> Option<String> {
    let child = process(call)?;
    (took(call, "CLONE_VM") && !took(call, "CLONE_VFORK")).then(|| {
        format!(
            "process {child} and {} share one memory and run side by side: libc's state, errno and locks \
             are one for both",
            call.tgid
        )
    })
}

pub(super) fn untraced(call: &CloneCall) -> Option<String> {
    match &call.outcome {
        Outcome::Untraced { .. } => {
            Some("CLONE_UNTRACED: the child is not seen, nor what it creates".to_owned())
        }
        Outcome::Created(created) if created.untraced.is_some() => Some(format!(
            "CLONE_UNTRACED was asked for {}, which is traced all the same",
            created.tid
        )),
        _ => None,
    }
}

/// CLONE_NEWTIME, whose bit lies in the exit signal's byte.
const NEWTIME: u64 = 0x80;

pub(super) fn exit_signal(call: &CloneCall) -> Option<String> {
    let child = process(call)?;
    // Then the signal is that of the caller's own leader.
    if took(call, "CLONE_PARENT") {
        return None;
    }
    let raw = call.request.exit_signal_raw?.0;
    let unseen = "wait(2) sees it with __WALL or __WCLONE alone";
    match &call.request.exit_signal {
        Some(Some(name)) if name == "SIGCHLD" => None,
        Some(Some(name)) => Some(format!("process {child} sends {name} at its end: {unseen}")),
        Some(None) => Some(format!(
            "process {child} sends no signal at its end: {unseen}"
        )),
        None if call.request.call == Call::Clone && raw & NEWTIME != 0 => Some(format!(
            "0x80 in clone's flags is no CLONE_NEWTIME but part of the exit signal, {raw:#x}, which no \
             signal has: process {child} sends none, and {unseen}"
        )),
        None => Some(format!(
            "process {child} has the exit signal {raw:#x}, which no signal has: {unseen}"
        )),
    }
}

pub(super) fn namespaces(call: &CloneCall) -> Option<String> {
    let child = process(call)?;
    let new: Vec<&str> = call
        .request
        .flags
        .iter()
        .map(String::as_str)
        .filter(|flag| flag.starts_with("CLONE_NEW") || *flag == "CLONE_EMPTY_MNTNS")
        .collect();
    (!new.is_empty()).then(|| format!("process {child} is in new namespaces: {}", new.join(", ")))
}

pub(super) fn changed(call: &CloneCall) -> Option<String> {
    match &call.outcome {
        Outcome::Created(created) if !created.flags_contradicted.is_empty() => Some(format!(
            "what the kernel did contradicts {}: the arguments were changed during the call",
            created.flags_contradicted.join(", ")
        )),
        Outcome::Failed { reasons, .. }
            if reasons
                .iter()
                .any(|reason| reason.evidence.contains_key("arguments")) =>
        {
            Some("the arguments were changed during the call, which failed".to_owned())
        }
        _ => None,
    }
}

/// clone3 refused, then clone for the same.
#[derive(Default)]
pub(super) struct Fallback {
    /// By caller: what its last call asked for, if that was a clone3 that was refused, and the errno.
    refused: BTreeMap<TaskId, (Vec<String>, String)>,
}

/// What is asked for. CLONE_CLEAR_SIGHAND is of clone3 alone, and libc does without.
fn asked(call: &CloneCall) -> Vec<String> {
    let both = |flag: &&String| *flag != "CLONE_CLEAR_SIGHAND";
    let mut flags: Vec<String> = call.request.flags.iter().filter(both).cloned().collect();
    flags.sort_unstable();
    flags
}

/// Whether a reason is the arguments' own fault, whatever the kernel: then no fall-back is meant.
fn is_mistake(reason: &Reason) -> bool {
    let newer = [
        "sandbox-filter",
        "no-clone3",
        "unknown-flag",
        "clone3-reserved-bits",
    ];
    reason.certainty == Certainty::Certain && !newer.contains(&reason.rule.as_str())
}

impl Watch for Fallback {
    fn event(&mut self, event: &Event, tree: &TaskTree, found: &mut Vec<Found>) {
        match event {
            Event::Clone(call) => {
                let before = self.refused.remove(&call.task);
                match (&call.outcome, call.request.call) {
                    (Outcome::Failed { errno, reasons, .. }, Call::Clone3)
                        if matches!(errno.as_str(), "ENOSYS" | "EINVAL")
                            && !reasons.iter().any(is_mistake) =>
                    {
                        self.refused.insert(call.task, (asked(call), errno.clone()));
                    }
                    (_, Call::Clone | Call::Vfork | Call::Fork) => {
                        if let Some((flags, errno)) = before
                            && flags == asked(call)
                        {
                            found.push(of_call(call, tree, format!(
                                "clone3 was refused with {errno}, then {} with the same flags: libc's \
                                 fall-back",
                                call.request.call
                            )));
                        }
                    }
                    (_, Call::Clone3) => {}
                }
            }
            Event::Exec(exec) => {
                self.refused.remove(&exec.task);
            }
            Event::Exit(exit) => {
                self.refused.remove(&exit.task);
            }
            Event::Detach(detach) => {
                self.refused.remove(&detach.task);
            }
            _ => {}
        }
    }
}
