//! Words that a trace holds, in the language of the reader. The tracer says things in English, and a
//! trace holds them so; those of a fixed form have a row here.

use std::borrow::Cow;

use super::{Lang, Look};

/// What the tracer says, in English and in Chinese; `{}` stands for what differs each time.
#[rustfmt::skip]
static SAID: &[(&str, &str)] = &[
    // What cannot be seen: `start.blind`, `blind.what`.
    ("failed calls", "失败的调用"),
    ("failed calls until its next stop", "到下次停止之前失败的调用"),
    ("CLONE_UNTRACED children", "带 CLONE_UNTRACED 的子任务"),
    ("children that it leaves unreaped, until its next stop", "到下次停止之前它留下未回收的子进程"),
    ("names and other facts that only /proc tells: the one that is mounted here is not that of \
      clonespy's pid namespace",
     "只有 /proc 才能说明的名称等信息：此处挂载的 /proc 不属于 clonespy 所在的 PID 命名空间"),
    ("a process that was asked for ({})", "所指定的一个进程（{}）"),
    ("it could not be attached to", "无法附加"),
    // Why calls are caught in another way: `start.intercept_why`.
    ("--intercept asks for it", "--intercept 如此要求"),
    ("a running program cannot be given the filter", "无法给运行中的程序安装过滤器"),
    ("a seccomp filter that was there before clonespy (a container's?), or a kernel before 5.3, \
      answers clone3 and would hide calls from our filter",
     "早于 clonespy 的 seccomp 过滤器（容器的？）或 5.3 之前的内核会先应答 clone3，使我们的过滤器看不到调用"),
    // Why something is not seen: `blind.why`.
    ("it could not be interrupted", "无法打断它"),
    ("it sleeps in a call that an interrupt would end (epoll_wait, recv and others)",
     "它睡在一个会被打断而提前返回的调用中（epoll_wait、recv 等）"),
    ("another thread installed a seccomp filter for the whole process, and this one sleeps in a call \
      that an interrupt would end",
     "另一线程为整个进程安装了 seccomp 过滤器，而此线程睡在一个会被打断而提前返回的调用中"),
    ("cannot trace: attach to {}: there is no such process", "无法附加到 {}：没有这个进程"),
    ("cannot trace: attach to {}: it is a zombie: it has ended and waits for its parent",
     "无法附加到 {}：它是僵尸进程，已经结束，正等待父进程回收"),
    ("cannot trace: attach to {}: it is traced already, by {}; a task has one tracer at a time; end that one first",
     "无法附加到 {}：它已被 {} 跟踪；一个任务同时只能有一个跟踪者，请先结束那一个"),
    ("cannot trace: attach to {}: it is clonespy itself", "无法附加到 {}：它就是 clonespy 自己"),
    ("cannot trace: attach to {}: it is a kernel thread: nobody can trace those",
     "无法附加到 {}：它是内核线程，谁也不能跟踪"),
    ("cannot trace: attach to {}: it belongs to {}; run clonespy as that user, or as root",
     "无法附加到 {}：它属于 {}；请以该用户或 root 身份运行 clonespy"),
    // Why clonespy ends a process: `kill.why`.
    ("a second Ctrl-C within a second", "一秒之内第二次按下 Ctrl-C"),
    ("clonespy was asked twice to end", "clonespy 两次被要求结束"),
    ("the time was over, and SIGTERM did not end it", "时限已到，SIGTERM 没能结束它"),
    ("the time was over; SIGKILL follows after {}", "时限已到；{} 之后再发 SIGKILL"),
    ("--until=main: the program has ended, and this process, which carries clonespy's filter, could \
      not go on without a tracer",
     "--until=main：程序已经结束，而此进程带有 clonespy 的过滤器，没有跟踪者便无法继续"),
];

/// Words of a trace, in the language of the look where it is known, and made safe.
pub(super) fn said(look: &Look, text: &str) -> String {
    match look.lang() {
        Lang::English => look.name(text),
        Lang::Chinese => look.name(&chinese(text, 2)),
    }
}

/// Words of a fixed form in Chinese, those in their holes as well, so many levels down; others as they
/// are.
fn chinese(text: &str, levels: u8) -> Cow<'_, str> {
    if levels == 0 {
        return Cow::Borrowed(text);
    }
    let fits = |(english, chinese): &(&str, &str)| {
        let inner = holes(english, text)?;
        let inner: Vec<_> = inner
            .into_iter()
            .map(|hole| self::chinese(hole, levels - 1))
            .collect();
        fill(
            chinese,
            &inner.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
        )
    };
    SAID.iter()
        .find_map(fits)
        .map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Words in a row.
pub(super) fn list(look: &Look, words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| said(look, word)).collect();
    words.join(look.lang().pick(", ", "、"))
}

/// What stands in the holes of a pattern; `None` where the text does not fit it.
fn holes<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = pattern.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let (hole, after) = if parts.peek().is_none() {
            (rest.strip_suffix(part)?, "")
        } else {
            rest.split_once(part)?
        };
        found.push(hole);
        rest = after;
    }
    rest.is_empty().then_some(found)
}

/// The pattern with its holes filled, in order.
fn fill(pattern: &str, holes: &[&str]) -> Option<String> {
    let mut holes = holes.iter();
    let mut parts = pattern.split("{}");
    let mut out = parts.next()?.to_owned();
    for part in parts {
        out.push_str(holes.next()?);
        out.push_str(part);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_fixed_form_are_translated_and_others_stay() {
        let mut chinese = Look::default();
        chinese.style.lang = Lang::Chinese;
        let english = "the time was over; SIGKILL follows after 2s";
        assert_eq!(said(&chinese, english), "时限已到；2s 之后再发 SIGKILL");
        assert_eq!(said(&Look::default(), english), english);
        for text in ["failed", "failed calls!", "x failed calls", "\u{1b}[2J"] {
            assert_eq!(said(&chinese, text), chinese.name(text));
        }
        assert_eq!(
            said(
                &chinese,
                "cannot trace: attach to 7: it is traced already, by gdb (5); \
                 a task has one tracer at a time; end that one first"
            ),
            "无法附加到 7：它已被 gdb (5) 跟踪；一个任务同时只能有一个跟踪者，请先结束那一个"
        );
    }

    /// A row whose English nobody says any more would be a translation lost.
    #[test]
    fn every_row_is_said_by_the_tracer() {
        let sources = [
            include_str!("../tracer/attach/mod.rs"),
            include_str!("../tracer/start/first_line.rs"),
            include_str!("../tracer/start/intercept.rs"),
            include_str!("../tracer/start/launch.rs"),
            include_str!("../tracer/state/leave.rs"),
            include_str!("../tracer/attach/refusal.rs"),
            include_str!("../tracer/state/filters.rs"),
        ];
        // A backslash at the end of a line: the string goes on behind the next line's indentation.
        let joined = |text: &str| {
            let lines: Vec<_> = text.split("\\\n").map(str::trim_start).collect();
            lines.concat()
        };
        let all = sources.map(joined).concat();
        for (english, chinese) in SAID {
            let of_error = english.strip_prefix("cannot trace: attach to {}: ");
            let said = of_error.unwrap_or(english);
            let holes = |text: &str| text.matches("{}").count();
            assert_eq!(holes(english), holes(chinese), "{english}");
            for part in said.split("{}").flat_map(|part| part.split("; ")) {
                let part = part.trim_end_matches(')');
                assert!(all.contains(part), "nobody says {part:?}");
            }
        }
    }
}
