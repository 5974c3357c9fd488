//! Newborns of which no event will tell: whether one may still come, and how they are told without.

use crate::abi::flags;
use crate::event::{How, Intercept, TaskId, Tid};
use crate::proc::{self, Position};
use crate::tracer::Tracer;
use crate::tracer::kernel::Kernel;
use crate::tracer::state::table::{Lineage, Tracee};

use super::Facts;
use super::match_score::{came_by_itself, fits, may_be_group};

impl<K: Kernel> Tracer<K> {
    /// Whether a live task can be the creator, whose event is then still to come: one that was seen
    /// to enter a call that fits, or one that cannot be seen to enter calls.
    pub(super) fn may_still_be_told(&self, tid: Tid, facts: &Facts) -> bool {
        self.table.calling.iter().any(|&caller| {
            let call = self
                .table
                .get(caller)
                .and_then(|tracee| tracee.call.as_ref());
            call.is_some_and(|p| !p.restarting && fits(p, facts) && may_be_group(tid, p, facts))
        }) || self.creator_may_live(tid, facts)
    }

    /// Without entry stops: a live task of the creator's group that is in one of the calls, or
    /// runs. (CLONE_UNTRACED with CLONE_PTRACE attaches a newborn without any event.)
    pub(super) fn creator_may_live(&self, tid: Tid, facts: &Facts) -> bool {
        let flags = self.inherited_flags(facts);
        if flags.is_some_and(came_by_itself) {
            return false;
        }
        let status = &facts.status;
        let thread = status.tgid != Some(tid);
        let Some(group) = (if thread { status.tgid } else { status.ppid }) else {
            return false;
        };
        if self.group_may_be_in_call(group, tid) {
            return true;
        }
        // CLONE_PARENT makes a sibling of the caller's process.
        let sibling = !thread && flags.is_none_or(|flags| flags.contains(flags::CLONE_PARENT));
        sibling
            && self.table.tgids().any(|tgid| {
                let of_same_parent =
                    || proc::status(&self.eye(tgid)).is_some_and(|s| s.ppid == Some(group));
                tgid != group && self.group_may_be_in_call(tgid, tid) && of_same_parent()
            })
    }

    fn group_may_be_in_call(&self, tgid: Tid, newborn: Tid) -> bool {
        self.table.group(tgid).is_some_and(|group| {
            // Among thousands of threads it is mostly the same few that make others.
            group.creator.iter().chain(&group.members).any(|&member| {
                member != newborn && self.enters_unseen(member) && self.may_be_in_call(member)
            })
        })
    }

    /// Whether a task's calls are seen only by the kernel's events.
    fn enters_unseen(&self, tid: Tid) -> bool {
        self.table.get(tid).is_some_and(|tracee| {
            let filtered = tracee.started && self.intercept == Intercept::Seccomp;
            !tracee.full && !filtered
        })
    }

    fn may_be_in_call(&self, tid: Tid) -> bool {
        let Ok(bytes) = self.kernel.proc_file(tid, "syscall") else {
            return false;
        };
        match Position::parse(&bytes) {
            Some(Position::Call(nr)) => self.abis.iter().any(|abi| abi.call(nr).is_some()),
            Some(Position::Running) => true,
            Some(Position::Outside) | None => false,
        }
    }

    /// How a task came about that no event told of.
    pub(super) fn how_unseen(&self, facts: &Facts) -> How {
        match self.inherited_flags(facts) {
            Some(flags) if came_by_itself(flags) => How::Ptrace,
            _ => How::Orphan,
        }
    }

    /// The flags of the call that a parked newborn came from, as far as it shows them.
    fn inherited_flags(&self, facts: &Facts) -> Option<flags::CloneFlags> {
        let call = facts.call.as_ref()?;
        let parked = self
            .nursery
            .parked
            .values()
            .find(|parked| parked.facts.as_ref().and_then(|f| f.call.as_ref()) == Some(call))?;
        let decoded = crate::decode::decode(parked.stopped.eye(), call)?;
        Some(decoded.flags)
    }

    /// A task whose creator cannot be told: its process is known, the thread is not.
    pub(in crate::tracer) fn orphan(&mut self, tid: Tid, status: &proc::Status, how: How) {
        let tgid = status.tgid.unwrap_or(tid);
        // Whatever its creator was, it was of one of these.
        let groups = [Some(tgid), status.ppid];
        let lineage = groups
            .iter()
            .filter_map(|&group| self.table.group(group?))
            .flat_map(|group| &group.members)
            .filter_map(|&tid| self.table.get(tid))
            .map(Lineage::from)
            .fold(Lineage::default(), |all, one| all | one);
        let tracee = Tracee {
            full: lineage.full,
            started: lineage.started,
            awaited: true,
            orphan: true,
            ..self.tell_appeared(tid, tgid, status, how)
        };
        self.count_task(tracee.kind);
        self.adopt(tid, tracee);
    }

    /// The number of a task that was told without a creator, and is still there under its tid.
    pub(in crate::tracer) fn told_as_orphan(&self, tid: Tid) -> Option<TaskId> {
        let tracee = self.table.get(tid).filter(|tracee| tracee.orphan)?;
        (!self.changed_hands(tid)).then_some(tracee.id)
    }

    /// An event named a newborn, and its call cannot be told: it is taken in all the same.
    pub(in crate::tracer) fn told_without_call(&mut self, tid: Tid) {
        if tid <= 0 || self.told_as_orphan(tid).is_some() {
            return;
        }
        let status = self
            .nursery
            .tombstone_status(tid)
            .or_else(|| proc::status(&self.eye(tid)))
            .unwrap_or_default();
        self.orphan(tid, &status, How::Orphan);
        // Killed while it was parked: its end will be reported.
        let _ = self.release_newborn(tid);
    }
}
