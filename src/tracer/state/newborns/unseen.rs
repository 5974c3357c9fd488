//! Newborns of which no event may tell: whether one may still come, by whatever call is under way.

use crate::abi::flags::{self, CloneFlags};
use crate::event::Tid;
use crate::peek::Peek;
use crate::proc::{self, Position};
use crate::tracer::kernel::Kernel;
use crate::tracer::state::context::Context;

use super::inherited::Inherited;
use super::match_score::{came_by_itself, fits, may_be_group, related};

/// Whether a live task can be the creator, whose event is then still to come: one that was seen to
/// enter a call that fits, or one that cannot be seen to enter calls. `flags`: those of the call that
/// the newborn came from, as far as it shows them; they are read only where they matter.
pub fn may_be_told<K: Kernel>(
    cx: &Context<K>,
    tid: Tid,
    inherited: &Inherited,
    flags: impl FnOnce() -> Option<CloneFlags>,
) -> bool {
    let mut calling = cx.table.calling.iter();
    calling.any(|&caller| {
        let call = cx.table.call(caller);
        call.is_some_and(|p| !p.restarting && fits(p, inherited) && may_be_group(tid, p, inherited))
    }) || creator_may_live(cx, tid, inherited, flags)
}

/// The same of a task that has ended, and of which only its ids are known.
pub fn may_be_told_of_ended<K: Kernel>(
    cx: &Context<K>,
    tid: Tid,
    inherited: &Inherited,
    flags: impl FnOnce() -> Option<CloneFlags>,
) -> bool {
    let mut calling = cx.table.calling.iter();
    calling.any(|&caller| {
        let call = cx.table.call(caller);
        call.is_some_and(|call| !call.restarting && related(tid, call, &inherited.status))
    }) || creator_may_live(cx, tid, inherited, flags)
}

/// Without entry stops: a live task of the creator's group that is in one of the calls, or
/// runs. (CLONE_UNTRACED with CLONE_PTRACE attaches a newborn without any event.)
fn creator_may_live<K: Kernel>(
    cx: &Context<K>,
    tid: Tid,
    inherited: &Inherited,
    flags: impl FnOnce() -> Option<CloneFlags>,
) -> bool {
    let flags = flags();
    if flags.is_some_and(came_by_itself) {
        return false;
    }
    let status = &inherited.status;
    let thread = status.tgid != Some(tid);
    let Some(group) = (if thread { status.tgid } else { status.ppid }) else {
        return false;
    };
    if group_may_be_in_call(cx, group, tid) {
        return true;
    }
    // CLONE_PARENT makes a sibling of the caller's process.
    let sibling = !thread && flags.is_none_or(|flags| flags.contains(flags::CLONE_PARENT));
    sibling
        && cx.table.tgids().any(|tgid| {
            let of_same_parent =
                || proc::status(&cx.task(tgid)).is_some_and(|s| s.ppid == Some(group));
            tgid != group && group_may_be_in_call(cx, tgid, tid) && of_same_parent()
        })
}

fn group_may_be_in_call<K: Kernel>(cx: &Context<K>, tgid: Tid, newborn: Tid) -> bool {
    cx.table.group(tgid).is_some_and(|group| {
        // Among thousands of threads it is mostly the same few that make others.
        group.creator.iter().chain(&group.members).any(|&member| {
            member != newborn && cx.enters_unseen(member) && may_be_in_call(cx, member)
        })
    })
}

fn may_be_in_call<K: Kernel>(cx: &Context<K>, tid: Tid) -> bool {
    let Ok(bytes) = cx.task(tid).proc_file("syscall") else {
        return false;
    };
    match Position::parse(&bytes) {
        Some(Position::Call(nr)) => cx.abis.iter().any(|abi| abi.call(nr).is_some()),
        Some(Position::Running) => true,
        Some(Position::Outside) | None => false,
    }
}
