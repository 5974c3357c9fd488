//! The line of an end: of every process, of a thread where it is the one that a signal hit.

use super::units;
use crate::abi::say;
use crate::event::{Ending, Exit, Status};
use crate::layout::Ink;
use crate::report::Look;

/// How a task ended, without how long it lived: ends alike have this in common. `None` where the
/// tree is enough to tell of it: threads come and go, with `-v` each is told of. A `copy` is a process
/// that has run no program of its own.
pub(super) fn end(look: &Look, exit: &Exit, copy: bool) -> Option<(String, Ink)> {
    let leader = exit.tid == exit.tgid;
    let pick = |english: &str, chinese: &str, ink| {
        Some((look.lang().pick(english, chinese).to_owned(), ink))
    };
    match (&exit.how, &exit.status) {
        (Ending::Signal, Some(Status::Signaled { signaled, .. })) if !leader => {
            let signal = look.name(signaled);
            let text = say!(
                look,
                "took {signal}, which ended the process",
                "收到 {signal}，整个进程因此结束"
            );
            Some((text, Ink::Bad))
        }
        _ if !leader && look.verbose == 0 => None,
        (
            _,
            Some(Status::Signaled {
                signaled,
                core_dumped,
            }),
        ) if leader => {
            let signal = look.name(signaled);
            let mut text = say!(look, "killed by {signal}", "死于 {signal}");
            if *core_dumped {
                text.push_str(look.lang().pick(" (core dumped)", "（已转储内存）"));
            }
            Some((text, Ink::Bad))
        }
        (_, Some(Status::Exited { exited })) if leader && exit.last => {
            let ink = if *exited == 0 { Ink::Plain } else { Ink::Bad };
            let mut text = say!(look, "exit {exited}", "退出 {exited}");
            // What shells and libraries exit with where no program could be run (the shell's 2.8.2 of
            // POSIX). Why is not seen: an exec that fails is no event.
            if [126, 127].contains(exited) && copy {
                text.push_str(look.lang().pick(" without an exec", "，未曾 exec"));
            }
            Some((text, ink))
        }
        (Ending::Replaced, _) if look.verbose == 0 => None,
        (Ending::Replaced, _) => pick(
            "replaced by another thread's exec",
            "被执行 exec 的线程取代",
            Ink::Plain,
        ),
        (Ending::CutOff, _) => pick("cut off", "被迫结束", Ink::Plain),
        (Ending::Itself | Ending::Signal, _) => pick("ended", "自行结束", Ink::Plain),
        (Ending::Unknown, _) => pick("ended, it is not known how", "已结束，方式不明", Ink::Odd),
        (Ending::Other(word), _) => Some((look.name(word), Ink::Odd)),
    }
}

/// How long it lived, as it follows how it ended.
pub(super) fn lived(look: &Look, exit: &Exit) -> String {
    // Of the thread that ended a process, the process's life says more.
    let hit = exit.how == Ending::Signal && exit.tid != exit.tgid;
    let Some(ns) = exit.lived_ns.filter(|_| !hit) else {
        return String::new();
    };
    let time = units::duration(ns, look.style.unicode);
    say!(look, " after {time}", "，存活 {time}")
}
