//! Lints that look at one call, or at two in a row.

use std::collections::BTreeMap;

use super::{Found, Watch, Words, site, words};
use crate::abi::Lang;
use crate::abi::flags::*;
use crate::event::{
    Call, Certainty, CloneCall, Event, EventKind, Header, Kind, Outcome, Reason, TaskId,
};
use crate::tasks::TaskTree;

/// A lint that looks at each call alone.
pub(super) struct Each(pub fn(&CloneCall) -> Option<Words>);

impl Watch for Each {
    fn event(&mut self, event: &Event, tree: &TaskTree, found: &mut Vec<Found>) {
        if let EventKind::Clone(call) = &event.kind
            && let Some(text) = (self.0)(call)
        {
            found.push(of_call(&event.header, call, tree, text));
        }
    }
}

/// A finding about a call.
pub(super) fn of_call(header: &Header, call: &CloneCall, tree: &TaskTree, text: Words) -> Found {
    Found {
        at_ns: header.at_ns.saturating_add(call.took_ns.unwrap_or(0)),
        task: header.task,
        text,
        clone_seq: Some(header.seq),
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
fn took(call: &CloneCall, flag: CloneFlags) -> bool {
    let contradicted = match &call.outcome {
        Outcome::Created(created) => flag.is_among(&created.flags_contradicted),
        _ => false,
    };
    call.request.has(flag) && !contradicted
}

pub(super) fn shares_memory(call: &CloneCall) -> Option<Words> {
    let (child, caller) = (process(call)?, call.tgid);
    (took(call, CLONE_VM) && !took(call, CLONE_VFORK)).then(|| {
        words!(
            "process {child} and {caller} share one memory and run side by side: libc's state, errno and \
             locks are one for both",
            "进程 {child} 与 {caller} 共用一份内存并同时运行：libc 的状态、errno 和锁为两者共有"
        )
    })
}

pub(super) fn untraced(call: &CloneCall) -> Option<Words> {
    match &call.outcome {
        Outcome::Untraced { .. } => Some(words!(
            "CLONE_UNTRACED: the child is not seen, nor what it creates",
            "CLONE_UNTRACED：看不到该子任务，也看不到它创建的任务"
        )),
        Outcome::Created(created) if created.untraced.is_some() => {
            let child = created.tid;
            Some(words!(
                "CLONE_UNTRACED was asked for {child}, which is traced all the same",
                "{child} 要求 CLONE_UNTRACED，但仍被跟踪"
            ))
        }
        _ => None,
    }
}

/// CLONE_NEWTIME, whose bit lies in the exit signal's byte.
const NEWTIME: u64 = 0x80;

pub(super) fn exit_signal(call: &CloneCall) -> Option<Words> {
    let child = process(call)?;
    // Then the signal is that of the caller's own leader.
    if took(call, CLONE_PARENT) {
        return None;
    }
    // The kernel itself reaps such a child: nobody is to wait for it.
    if took(call, CLONE_AUTOREAP) {
        return None;
    }
    let raw = call.request.exit_signal_raw?.0;
    let mut text = match &call.request.exit_signal {
        Some(Some(name)) if name == "SIGCHLD" => return None,
        Some(Some(name)) => words!(
            "process {child} sends {name} at its end",
            "进程 {child} 结束时发送 {name}"
        ),
        Some(None) => words!(
            "process {child} sends no signal at its end",
            "进程 {child} 结束时不发送信号"
        ),
        None if call.request.call == Call::Clone && raw & NEWTIME != 0 => words!(
            "0x80 in clone's flags is no CLONE_NEWTIME but part of the exit signal, {raw:#x}, which no \
             signal has: process {child} sends none",
            "clone 标志中的 0x80 不是 CLONE_NEWTIME，而是退出信号 {raw:#x} 的一部分，没有这样的信号：\
             进程 {child} 不发送信号"
        ),
        None => words!(
            "process {child} has the exit signal {raw:#x}, which no signal has",
            "进程 {child} 的退出信号是 {raw:#x}，没有这样的信号"
        ),
    };
    text.push((
        "; wait(2) sees it with __WALL or __WCLONE alone",
        "；wait(2) 只有带 __WALL 或 __WCLONE 才能见到它",
    ));
    Some(text)
}

pub(super) fn namespaces(call: &CloneCall) -> Option<Words> {
    let child = process(call)?;
    let new: Vec<&str> = call
        .request
        .flags
        .iter()
        .filter(|name| named(name).is_some_and(|row| row.sense == Sense::MakesNew))
        .map(String::as_str)
        .collect();
    let names = new.join(", ");
    (!new.is_empty()).then(|| {
        words!(
            "process {child} is in new namespaces: {names}",
            "进程 {child} 在新的命名空间中：{names}"
        )
    })
}

pub(super) fn changed(call: &CloneCall) -> Option<Words> {
    match &call.outcome {
        Outcome::Created(created) if !created.flags_contradicted.is_empty() => {
            let flags = created.flags_contradicted.join(", ");
            Some(words!(
                "what the kernel did contradicts {flags}: the arguments were changed during the call",
                "内核的实际行为与 {flags} 不符：参数在调用中被改动"
            ))
        }
        Outcome::Failed { reasons, .. }
            if reasons
                .iter()
                .any(|reason| reason.evidence.contains_key("arguments")) =>
        {
            Some(words!(
                "the arguments were changed during the call, which failed",
                "参数在调用中被改动，调用失败"
            ))
        }
        _ => None,
    }
}

/// clone3 refused, then clone for the same.
#[derive(Default)]
pub(super) struct Fallback {
    /// By caller: what its last call asked for, if that was a clone3 that was refused.
    refused: BTreeMap<TaskId, Refused>,
}

/// A clone3 that was refused.
struct Refused {
    asked: Vec<String>,
    errno: String,
    /// Why, if that is sure.
    why: Option<Words>,
}

/// Why a call was refused, if that is sure.
fn why(reasons: &[Reason]) -> Option<Words> {
    let sure = |reason: &&Reason| reason.certainty == Certainty::Certain;
    let reason = reasons.iter().find(sure)?;
    Some(Words {
        english: reason.text.text(Lang::English),
        chinese: reason.text.text(Lang::Chinese),
    })
}

/// What is asked for. CLONE_CLEAR_SIGHAND is of clone3 alone, and libc does without.
fn asked(call: &CloneCall) -> Vec<String> {
    let both = |flag: &&String| !CLONE_CLEAR_SIGHAND.is_named(flag);
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
        let task = event.header.task;
        match &event.kind {
            EventKind::Clone(call) => {
                let before = self.refused.remove(&task);
                match (&call.outcome, call.request.call) {
                    (Outcome::Failed { errno, reasons, .. }, Call::Clone3)
                        if matches!(errno.as_str(), "ENOSYS" | "EINVAL")
                            && !reasons.iter().any(is_mistake) =>
                    {
                        let refused = Refused {
                            asked: asked(call),
                            errno: errno.clone(),
                            why: why(reasons),
                        };
                        self.refused.insert(task, refused);
                    }
                    (_, Call::Clone | Call::Vfork | Call::Fork) => {
                        if let Some(refused) = before
                            && refused.asked == asked(call)
                        {
                            let (errno, next) = (&refused.errno, call.request.call);
                            let mut text = words!(
                                "clone3 was refused with {errno}, then {next}, same flags: libc's fall-back",
                                "clone3 以 {errno} 被拒绝，随后以相同标志调用 {next}：libc 的后备办法"
                            );
                            if let Some(why) = &refused.why {
                                text.push(("; ", "；"));
                                text.push((&why.english, &why.chinese));
                            }
                            found.push(of_call(&event.header, call, tree, text));
                        }
                    }
                    (_, Call::Clone3) => {}
                }
            }
            EventKind::Exec(_) | EventKind::Exit(_) | EventKind::Detach(_) => {
                self.refused.remove(&task);
            }
            _ => {}
        }
    }
}
