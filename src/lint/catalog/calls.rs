//! Lints about what came of a call, and of the one before it.

use std::collections::BTreeMap;

use super::each_call::{Each, process};
use super::site::of_call;
use crate::abi::Lang;
use crate::abi::flags::{CLONE_CLEAR_SIGHAND, Sense, named};
use crate::event::{Call, Certainty, CloneCall, Event, EventKind, Outcome, Reason, TaskId};
use crate::lint::definition::{Level, Lint, Occurrence, Watch, Words, words};
use crate::tasks::TaskTree;

/// The rows.
pub(super) static LINTS: &[Lint] = &[
    Lint {
        id: "namespace-creation",
        level: Level::Note,
        default: true,
        meaning: "a process in new namespaces",
        needs: None,
        watch: || Box::new(Each(namespaces)),
    },
    Lint {
        id: "clone3-fallback",
        level: Level::Note,
        default: true,
        meaning: "clone3 was refused, and the same was asked of clone: what libc does where a filter or an \
                  old kernel has no clone3",
        needs: None,
        watch: || Box::<Fallback>::default(),
    },
    Lint {
        id: "args-changed-during-call",
        level: Level::Warning,
        default: true,
        meaning: "what the kernel did contradicts the arguments: another thread changed them during the call",
        needs: None,
        watch: || Box::new(Each(changed)),
    },
];

fn namespaces(call: &CloneCall) -> Option<Words> {
    let child = process(call)?;
    let new: Vec<&str> = call
        .request
        .flags
        .iter()
        .filter(|name| match named(name) {
            Some(row) => row.sense == Sense::MakesNew,
            // A flag of a newer version's trace: the kernel names those of namespaces so.
            None => name.starts_with("CLONE_NEW"),
        })
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

fn changed(call: &CloneCall) -> Option<Words> {
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
struct Fallback {
    /// By caller: what its last call asked for, if that was a clone3 that was refused.
    refused: BTreeMap<TaskId, Refused>,
}

/// A clone3 that was refused.
struct Refused {
    requested: Vec<String>,
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
fn requested(call: &CloneCall) -> Vec<String> {
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
    fn event(&mut self, event: &Event, tree: &TaskTree, occurrences: &mut Vec<Occurrence>) {
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
                            requested: requested(call),
                            errno: errno.clone(),
                            why: why(reasons),
                        };
                        self.refused.insert(task, refused);
                    }
                    (_, Call::Clone | Call::Vfork | Call::Fork) => {
                        if let Some(refused) = before
                            && refused.requested == requested(call)
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
                            occurrences.push(of_call(&event.header, call, tree, text));
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
