//! Any order of events that a kernel can produce: the account is even at the end.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::event::Kind::{Process, Thread};
use crate::event::{EventKind, Outcome, Tid};
use crate::peek::Syscall;
use crate::sys::Registers;

const MOST_TASKS: usize = 40;

/// Where a task is, as the kernel sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// In its own code.
    Idle,
    /// Inside a call, which has made nobody yet.
    Inside(Syscall),
    /// The call returned -ERESTARTNOINTR.
    Restarting(Syscall),
    /// Inside a call that has made this task; the event is not reported yet.
    Made(Tid),
    /// Before its first stop.
    Newborn,
    /// Killed; its end is not reported yet.
    Doomed,
}

struct Sim {
    s: Story,
    phases: BTreeMap<Tid, Phase>,
    next: Tid,
    entered: u64,
    /// Who made whom, and whether the newborn ended before anybody could read its registers.
    makers: BTreeMap<Tid, Tid>,
    only_died: Vec<Tid>,
}

impl Sim {
    fn new() -> Self {
        Sim {
            s: Story::new(),
            phases: BTreeMap::from([(ROOT, Phase::Idle)]),
            next: ROOT + 1,
            entered: 0,
            makers: BTreeMap::new(),
            only_died: Vec::new(),
        }
    }

    fn tgid(&self, tid: Tid) -> Tid {
        self.s.world().tasks[&tid].tgid
    }

    fn members(&self, tgid: Tid) -> Vec<Tid> {
        let world = self.s.world();
        let members = world.tasks.iter().filter(|(_, fake)| fake.tgid == tgid);
        members.map(|(&tid, _)| tid).collect()
    }

    fn act(&mut self, who: usize, what: u8) {
        let Some((&tid, &phase)) = self.phases.iter().nth(who % self.phases.len()) else {
            return;
        };
        let runs = self.s.state(tid) == Some(State::Runs);
        match phase {
            _ if what >= 250 => self.kill(self.tgid(tid)),
            Phase::Doomed => self.end_of(tid),
            Phase::Idle if runs => self.idle(tid, what),
            Phase::Inside(call) => self.inside(tid, call, what),
            Phase::Restarting(call) => {
                if what.is_multiple_of(2) {
                    self.s.signal(tid, 14);
                }
                self.enter(tid, call);
            }
            Phase::Made(child) => {
                self.phases.insert(tid, Phase::Idle);
                self.s.tells(tid, child, 1 + i32::from(what % 3));
                self.s.edit(tid, |fake| fake.call = None);
            }
            Phase::Newborn => {
                self.phases.insert(tid, Phase::Idle);
                self.s.first_stop(tid);
            }
            // Parked.
            Phase::Idle => {}
        }
    }

    fn idle(&mut self, tid: Tid, what: u8) {
        let own = u64::from(tid.unsigned_abs());
        self.s.edit(tid, |fake| {
            fake.call = None;
            let (saved, tls) = ([own; 6], own);
            fake.registers = Registers { saved, tls };
        });
        let tgid = self.tgid(tid);
        match what % 16 {
            0 => self.exec(tid, tgid),
            1 if self.members(tgid) == [tid] || tid != tgid => {
                self.phases.insert(tid, Phase::Doomed);
                self.s.dies(tid);
            }
            2 => self.s.signal(tid, 10),
            _ if self.phases.len() >= MOST_TASKS => {}
            n => {
                self.entered += 1;
                let call = if n.is_multiple_of(2) {
                    fork()
                } else {
                    pthread()
                };
                self.enter(tid, call);
            }
        }
    }

    fn enter(&mut self, tid: Tid, call: Syscall) {
        self.phases.insert(tid, Phase::Inside(call));
        self.s.enters(tid, call);
    }

    fn inside(&mut self, tid: Tid, call: Syscall, what: u8) {
        match what % 8 {
            0 => {
                self.phases.insert(tid, Phase::Idle);
                self.s.returns(tid, -11);
            }
            1 => {
                self.phases.insert(tid, Phase::Restarting(call));
                self.s.returns(tid, -513);
            }
            _ => {
                let kind = if call == fork() { Process } else { Thread };
                let child = self.next;
                self.next += 1;
                self.s.makes(tid, child, kind);
                self.makers.insert(child, tid);
                self.phases.insert(tid, Phase::Made(child));
                self.phases.insert(child, Phase::Newborn);
            }
        }
    }

    /// exit_group, or a fatal signal.
    fn kill(&mut self, tgid: Tid) {
        for tid in self.members(tgid) {
            self.doom(tid);
        }
    }

    fn doom(&mut self, tid: Tid) {
        let parked = self.s.state(tid) == Some(State::Stopped);
        if self.phases.insert(tid, Phase::Doomed) == Some(Phase::Newborn) || parked {
            self.only_died.push(tid);
        }
        self.s.dies(tid);
    }

    /// A doomed task's end is reported; a leader's after all others of its group.
    fn end_of(&mut self, tid: Tid) {
        let tgid = self.tgid(tid);
        let members = self.members(tgid);
        if tid == tgid && members.len() > 1 {
            return;
        }
        self.phases.remove(&tid);
        self.s.killed(tid);
        if members.len() == 1 {
            for fake in self.s.world().tasks.values_mut() {
                if fake.ppid == tgid {
                    fake.ppid = 1;
                }
            }
        }
    }

    fn exec(&mut self, tid: Tid, tgid: Tid) {
        for other in self.members(tgid) {
            if other != tid {
                self.doom(other);
                if other != tgid {
                    self.end_of(other);
                }
            }
        }
        if tid != tgid {
            self.phases.remove(&tid);
            self.s.takes_tid(tgid, tid);
        }
        self.phases.insert(tgid, Phase::Idle);
        self.s.execs(tgid, tid);
    }

    fn finish(mut self) {
        let tgids: Vec<Tid> = self.phases.keys().map(|&tid| self.tgid(tid)).collect();
        for tgid in tgids {
            self.kill(tgid);
        }
        while !self.phases.is_empty() {
            for tid in self.phases.keys().copied().collect::<Vec<_>>() {
                self.end_of(tid);
            }
        }
        let totals = self.s.totals().clone();
        let (makers, only_died) = (self.makers, self.only_died);
        let mut told = BTreeMap::new();
        let mut appeared = 0;
        for event in &self.s.told {
            match &event.kind {
                EventKind::Clone(call) => {
                    if let Outcome::Created(child) = &call.outcome {
                        told.insert(child.tid, (call.tid, child.kind));
                    }
                }
                EventKind::Task(task) => {
                    appeared += 1;
                    assert!(only_died.contains(&task.tid), "registers told: {task:?}");
                }
                _ => {}
            }
        }
        for (child, (caller, kind)) in &told {
            assert_eq!(makers.get(child), Some(caller), "{child} {kind}");
        }
        assert_eq!(told.len() + appeared, makers.len());
        let lines = self.s.end();
        let calls = lines
            .iter()
            .filter(|line| line.contains(" fork: ") || line.contains(" clone: "));
        assert_eq!(calls.count() as u64, self.entered);
        assert_eq!(totals.created, told.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(512)
    })]

    #[test]
    fn whatever_happens_the_account_is_even(acts in prop::collection::vec((any::<usize>(), any::<u8>()), 1..160)) {
        let mut sim = Sim::new();
        for (who, what) in acts {
            if sim.phases.is_empty() {
                break;
            }
            sim.act(who, what);
        }
        sim.finish();
    }
}
