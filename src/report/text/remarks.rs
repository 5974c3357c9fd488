//! What the reader must know of a call to trust the rest: what could not be read, what has no effect,
//! what the kernel did otherwise.

use super::line::{UNDER, remark};
use crate::abi::flags::{CLONE_NEWTIME, CSIGNAL};
use crate::abi::rules::{self, Version};
use crate::abi::say;
use crate::event::{
    Call, Certainty, Circumstance, CloneCall, Created, Explanation, Hex, Observation, Outcome,
    Reason, Request,
};
use crate::layout::{Ink, Pen};
use crate::report::names::pid;
use crate::report::{Lang, Look};
use crate::tasks::TaskTree;

/// What is said of one call on lines of its own under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Remark {
    /// What the reader must not miss.
    Plain(String),
    /// Why it failed: how sure that is, the reason, its rule.
    Reason {
        /// The word for how sure it is, which has a column of its own.
        word: String,
        /// What is so, or (of an excluded one) is not.
        text: String,
        /// The rule's name.
        rule: String,
        /// It is not the reason.
        excluded: bool,
    },
}

/// Where the reasons stand beside their words.
const TEXT: usize = UNDER + 10;

impl Remark {
    /// Writes its lines.
    pub(super) fn put(&self, pen: &mut Pen<'_>) {
        match self {
            Remark::Plain(text) => remark(pen, text),
            Remark::Reason {
                word,
                text,
                rule,
                excluded,
            } => {
                let ink = if *excluded { Ink::Faint } else { Ink::Odd };
                pen.to(UNDER).ink(word, ink).to(TEXT).words(text, ink, TEXT);
                if !rule.is_empty() {
                    pen.words(&format!("  [{rule}]"), Ink::Faint, TEXT);
                }
                pen.end();
            }
        }
    }
}

/// What the reader must know of a set: bits without a name, and named ones without effect.
pub(super) fn oddities(look: &Look, request: &Request) -> Vec<String> {
    let mut out = Vec::new();
    let unknown = request.flags_unknown.map_or(0, |bits| bits.0);
    // Legacy clone takes the lower 32 bits of its word, clone3 the exit signal in a field of its own
    // (kernel/fork.c: SYSCALL_DEFINE5(clone, ...), clone3_args_valid).
    let (beyond, signal) = match request.call {
        Call::Clone => (unknown & !u64::from(u32::MAX), 0),
        Call::Clone3 => (0, unknown & CSIGNAL),
        Call::Fork | Call::Vfork => (0, 0),
    };
    if beyond != 0 {
        let bits = Hex(beyond);
        out.push(say!(
            look,
            "clone ignores {bits}: its flags have 32 bits",
            "clone 忽略 {bits}：它的标志只有 32 位"
        ));
    }
    if signal != 0 {
        let bits = Hex(signal);
        out.push(say!(
            look,
            "{bits}: clone3 takes the exit signal in a field of its own, not in flags",
            "{bits}：clone3 的退出信号另有字段，不在标志中"
        ));
    }
    if unknown & !(beyond | signal) != 0 {
        let (bits, newest) = (Hex(unknown & !(beyond | signal)), Version::NEWEST);
        out.push(say!(
            look,
            "{bits}: bits that have no name in Linux {newest}",
            "{bits}：Linux {newest} 中没有名字的位"
        ));
    }
    let odd = request.exit_signal.is_none() && request.call == Call::Clone;
    if odd
        && request
            .exit_signal_raw
            .is_some_and(|raw| raw.0 & CLONE_NEWTIME.0 != 0)
    {
        out.push(say!(
            look,
            "in clone, 0x80 is a part of the exit signal, and not CLONE_NEWTIME",
            "在 clone 中，0x80 属于退出信号，并非 CLONE_NEWTIME"
        ));
    }
    if !request.flags_ignored.is_empty() {
        let (call, names) = (request.call, look.names(&request.flags_ignored));
        out.push(say!(look, "{call} ignores {names}", "{call} 忽略 {names}"));
    }
    out
}

/// What the reader must know of one call and what came of it.
pub(super) fn remarks(look: &Look, call: &CloneCall, tree: &TaskTree) -> Vec<Remark> {
    let mut out: Vec<Remark> = plain(look, call, tree)
        .into_iter()
        .map(Remark::Plain)
        .collect();
    if let Outcome::Failed { reasons, .. } = &call.outcome {
        out.extend(reasons.iter().map(|reason| self::reason(look, reason)));
    }
    out
}

/// What is said in words alone.
fn plain(look: &Look, call: &CloneCall, tree: &TaskTree) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(error) = &call.request.args_error {
        let (what, errno, at) = (
            look.name(&error.what),
            look.name(&error.errno),
            error.address,
        );
        out.push(say!(
            look,
            "{what} at {at} could not be read: {errno}",
            "{at} 处的 {what} 读不出：{errno}"
        ));
    }
    if let Some(tail) = &call.request.args.unknown_tail {
        let size = call.request.args.size.map(|size| match look.lang() {
            Lang::English => format!(" of {size} bytes"),
            Lang::Chinese => format!("（{size} 字节）"),
        });
        let (size, tail) = (size.unwrap_or_default(), look.name(tail));
        out.push(say!(
            look,
            "struct clone_args{size} is longer than is known; its tail: {tail}",
            "struct clone_args{size} 比已知的长，多出的字节：{tail}"
        ));
    }
    let plain = match &call.outcome {
        Outcome::Created(made) => {
            created(look, call, made, tree, &mut out);
            return out;
        }
        Outcome::Failed { .. } => return out,
        Outcome::Untraced { .. } => (
            "CLONE_UNTRACED: let go, nothing that it does is seen",
            "CLONE_UNTRACED：已脱离跟踪，看不到它的任何行为",
        ),
        Outcome::Unfinished {} => (
            "the caller died inside the call; no child was seen",
            "调用者在调用过程中死亡，没有见到子任务",
        ),
        Outcome::Other(_) => (
            "an outcome that this version does not know",
            "此版本不认识的结果",
        ),
    };
    out.push(look.lang().pick(plain.0, plain.1).into());
    out
}

/// The reason in the language of the look. Where a trace has words that this version does not know, the
/// rule's own stand for them, which are known in Chinese; beside those what was looked at stands in
/// brackets.
fn in_words(look: &Look, reason: &Reason) -> String {
    let rule = match (&reason.text, look.lang()) {
        (Explanation::Rule(rule), Lang::Chinese) => rules::named(rule),
        (Explanation::Found(Observation::Other(_)), Lang::Chinese) => rules::named(&reason.rule),
        _ => None,
    };
    let Some(rule) = rule else {
        return look.sentence(|lang| reason.text.text(lang));
    };
    let scalars = reason
        .evidence
        .iter()
        .filter(|(_, value)| !value.is_object());
    let evidence: Vec<_> = scalars
        .map(|(name, value)| seen(look, name, value))
        .collect();
    match evidence.as_slice() {
        [] => rule.chinese.to_owned(),
        some => format!("{}（{}）", rule.chinese, some.join("，")),
    }
}

/// Something that was looked at.
fn seen(look: &Look, name: &str, value: &serde_json::Value) -> String {
    match value.as_str().map(Circumstance::read) {
        None | Some(Circumstance::Other(_)) => look.name(&format!("{name}: {value}")),
        Some(known) => look.sentence(|lang| known.text(lang)),
    }
}

/// Why it failed, and how sure that is.
fn reason(look: &Look, reason: &Reason) -> Remark {
    let word = match &reason.certainty {
        Certainty::Certain => look.lang().pick("certain", "确定").to_owned(),
        Certainty::Likely => look.lang().pick("likely", "很可能").to_owned(),
        Certainty::Possible => look.lang().pick("possible", "可能").to_owned(),
        Certainty::Excluded => look.lang().pick("excluded", "已排除").to_owned(),
        Certainty::Other(word) => look.name(word),
    };
    Remark::Reason {
        word,
        text: in_words(look, reason),
        rule: look.name(&reason.rule),
        excluded: reason.certainty == Certainty::Excluded,
    }
}

fn created(look: &Look, call: &CloneCall, made: &Created, tree: &TaskTree, out: &mut Vec<String>) {
    let mut put =
        |english: &str, chinese: &str| out.push(look.lang().pick(english, chinese).into());
    match made.untraced.as_deref() {
        None => {}
        Some("cleared") => put(
            "CLONE_UNTRACED was taken off, so that the child stays in view",
            "CLONE_UNTRACED 已被去掉，以便继续看到子任务",
        ),
        Some(other) => {
            let text = format!("CLONE_UNTRACED: {}", look.name(other));
            put(&text, &text);
        }
    }
    if made.seen_by.as_deref() == Some("child") {
        put(
            "the caller died inside the call; the newborn itself told of it",
            "调用者在调用过程中死亡，由新任务自己得知",
        );
    }
    if !made.flags_contradicted.is_empty() {
        let names = look.names(&made.flags_contradicted);
        out.push(say!(
            look,
            "what the kernel did contradicts {names}: changed during the call",
            "内核的实际行为与 {names} 不符：参数在调用中被改动"
        ));
    }
    if let Some(tids) = &made.ns_tids {
        let tids: Vec<_> = tids.iter().map(ToString::to_string).collect();
        let tids = tids.join(look.lang().pick(", ", "、"));
        out.push(say!(
            look,
            "in nested pid namespaces; its tid, outermost first: {tids}",
            "在嵌套的 PID 命名空间中，其 tid 由外到内：{tids}"
        ));
    }
    match made.parent {
        Some(Some(parent)) => {
            let caller = call.tgid;
            out.push(
                match tree.task(parent).map(|task| pid(look, tree, task.tid)) {
                    Some(parent) => say!(
                        look,
                        "its parent is {parent}, not the caller {caller} (CLONE_PARENT)",
                        "其父进程是 {parent}，而非调用者 {caller}（CLONE_PARENT）"
                    ),
                    None => say!(
                        look,
                        "its parent is the caller's parent, not the caller {caller}",
                        "其父进程是调用者的父进程，而非调用者 {caller}"
                    ),
                },
            );
        }
        Some(None) => out.push(
            look.lang()
                .pick(
                    "its parent is outside of this trace",
                    "其父进程不在此次跟踪之内",
                )
                .into(),
        ),
        None => {}
    }
}
