//! What is said of a task that appears or changes, and of the trace as a whole.

use super::line::remark;
use crate::abi::say;
use crate::event::{Appeared, Copied, Cut, How, Intercept, Kind, Start, Unshared, Word};
use crate::layout::Pen;
use crate::report::Look;
use crate::report::names::pid;
use crate::tasks::TaskTree;

/// A task that no seen call made. Of the launched one there is nothing to say.
pub(super) fn unseen_birth(look: &Look, event: &Appeared, tree: &TaskTree) -> Option<String> {
    let of = event.ppid.map(|ppid| pid(look, tree, ppid));
    let pick = |english: &str, chinese: &str| look.lang().pick(english, chinese).to_owned();
    let what = match (&event.how, of) {
        (How::Launched, _) => return None,
        (How::Orphan, Some(parent)) => say!(
            look,
            "orphan of process {parent}: its creator died inside the call",
            "进程 {parent} 的孤儿：创建者在调用过程中死亡"
        ),
        (How::Orphan, None) => pick(
            "orphan: its creator died inside the call",
            "孤儿：创建者在调用过程中死亡",
        ),
        (How::Attached, _) => pick("attached", "附加时已在运行"),
        (How::Ptrace, _) => pick("handed to us by CLONE_PTRACE", "经 CLONE_PTRACE 交给我们"),
        (How::Worker, _) => pick(
            "made by the kernel itself (io_uring, vhost)",
            "由内核自己创建（io_uring、vhost）",
        ),
        (How::Other(word), _) => look.name(word),
    };
    let tgid = pid(look, tree, event.tgid);
    Some(match event.kind {
        Kind::Thread => say!(
            look,
            "thread of process {tgid}, {what}",
            "进程 {tgid} 的线程，{what}"
        ),
        Kind::Process => say!(look, "process, {what}", "进程，{what}"),
    })
}

/// How calls are caught, where that is not what was hoped for.
pub(super) fn start(look: &Look, event: &Start) -> String {
    let mut pen = Pen::new(&look.style);
    if let Some(why) = &event.intercept_why {
        let other;
        let (english, chinese) = match &event.intercept {
            Word::Known(Intercept::Seccomp) => ("by a seccomp filter", "seccomp 过滤器"),
            Word::Known(Intercept::Event) => ("by the kernel's events alone", "仅凭内核事件"),
            Word::Known(Intercept::Syscall) => {
                ("by a stop at every system call", "停在每个系统调用")
            }
            Word::Other(word) => {
                other = look.name(word);
                (other.as_str(), other.as_str())
            }
        };
        let (how, why) = (
            look.lang().pick(english, chinese),
            look.sentence(|lang| why.text(lang)),
        );
        remark(
            &mut pen,
            &say!(
                look,
                "calls are caught {how}: {why}",
                "捕获调用的方式：{how}（{why}）"
            ),
        );
    }
    if !event.blind.is_empty() {
        let blind = look.row(
            event
                .blind
                .iter()
                .map(|gap| look.sentence(|lang| gap.text(lang))),
        );
        remark(
            &mut pen,
            &say!(look, "not seen: {blind}", "看不到：{blind}"),
        );
    }
    pen.done()
}

/// A page that was copied on write.
pub(super) fn copied(look: &Look, event: &Copied) -> String {
    let (access, address) = (look.name(&event.access), event.address);
    let mut text = say!(
        look,
        "page copied: {access} to {address}",
        "复制页面：{access} {address}"
    );
    if let Some(mapping) = &event.mapping {
        let mapping = look.name(mapping);
        text.push_str(&say!(look, " in {mapping}", "，在 {mapping} 中"));
    }
    if let Some(symbol) = &event.symbol {
        text.push_str(&format!(" ({})", look.name(symbol)));
    }
    text
}

/// What a task has of its own from now on.
pub(super) fn unshared(look: &Look, event: &Unshared) -> String {
    let (what, by) = (look.names(&event.what), look.name(&event.by));
    say!(
        look,
        "{what} of its own from now on, by {by}",
        "此后拥有自己的 {what}（{by}）"
    )
}

/// What is said where a trace did not end in order.
pub(super) fn cut_short(look: &Look, tree: &TaskTree) -> Option<String> {
    let cut = match tree.end() {
        None => None,
        Some(end) => Some(end.cut.as_ref()?),
    };
    let (english, chinese) = match cut {
        None => (
            "the trace was cut short: what came after is not known",
            "跟踪记录被截断：之后的事无从得知",
        ),
        Some(Cut::Timeout) => (
            "the time was up before the last task ended",
            "时限已到，尚有任务未结束",
        ),
        Some(Cut::Interrupt) => (
            "tracing was interrupted before the last task ended",
            "跟踪被中断，尚有任务未结束",
        ),
        Some(Cut::MainEnded) => (
            "the program ended; what it had started was let go or killed (--until=main)",
            "程序已经结束；它所启动的任务已脱离跟踪或被杀死（--until=main）",
        ),
        Some(other) => return Some(look.sentence(|lang| other.text(lang))),
    };
    Some(look.lang().pick(english, chinese).to_owned())
}
