//! Random sequences: garbage breaks nothing, and what makes sense is counted as a naive count does.

use proptest::prelude::*;

use super::*;

/// A step of garbage: numbers may mean anything.
#[derive(Clone, Debug)]
enum Step {
    Appear(u64, Tid, Tid, bool),
    Create(u64, u64, Tid, Tid, bool, usize),
    Exec(u64, Tid, bool),
    Exit(u64, bool, u8),
    Detach(u64),
}

fn garbage() -> impl Strategy<Value = Step> {
    let (id, tid) = (0u64..12, 0i32..8);
    prop_oneof![
        1 => (id.clone(), tid.clone(), tid.clone(), any::<bool>())
            .prop_map(|(id, tid, tgid, kind)| Step::Appear(id, tid, tgid, kind)),
        6 => (id.clone(), id.clone(), tid.clone(), tid.clone(), any::<bool>(), 0usize..3)
            .prop_map(|(by, id, tid, tgid, kind, flags)| Step::Create(by, id, tid, tgid, kind, flags)),
        1 => (id.clone(), tid, any::<bool>()).prop_map(|(id, tid, former)| Step::Exec(id, tid, former)),
        5 => (id.clone(), any::<bool>(), 0u8..3).prop_map(|(id, last, name)| Step::Exit(id, last, name)),
        1 => id.prop_map(Step::Detach),
    ]
}

fn kind(process: bool) -> Kind {
    if process { Kind::Process } else { Kind::Thread }
}

impl Trace {
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Appear(id, tid, tgid, process) => self.appear(id, tid, tgid, kind(process)),
            Step::Create(by, task, tid, tgid, process, flags) => {
                let created = Created {
                    task: TaskId(task),
                    tid,
                    tgid,
                    kind: kind(process),
                    ns_tids: None,
                    parent: None,
                    untraced: None,
                    seen_by: None,
                    flags_contradicted: Vec::new(),
                };
                let flags = &THREAD[..flags];
                self.call((by, tgid), Call::Clone, flags, Outcome::Created(created));
            }
            Step::Exec(id, tid, former) => self.exec(id, tid, former.then_some(3), "/x"),
            Step::Exit(id, last, name) => {
                let seq = self.seq;
                let exit = serde_json::json!({"type": "exit", "seq": seq, "at_ns": seq, "task": id,
                    "tid": 1, "tgid": 1, "comm": (["a", "b", "c"])[usize::from(name)],
                    "how": "self", "last": last});
                self.tree.apply(&serde_json::from_value(exit).unwrap());
            }
            Step::Detach(id) => self.detach(id),
        }
    }
}

/// A step of a trace that makes sense: which of the live tasks does what.
#[derive(Clone, Copy, Debug)]
enum Act {
    Fork(usize),
    Thread(usize),
    Exec(usize),
    Exit(usize, u8),
}

fn sense() -> impl Strategy<Value = Act> {
    let who = any::<usize>();
    prop_oneof![
        3 => who.prop_map(Act::Fork),
        3 => who.prop_map(Act::Thread),
        1 => who.prop_map(Act::Exec),
        5 => (who, 0u8..4).prop_map(|(who, code)| Act::Exit(who, code)),
    ]
}

/// What a naive count makes of it.
#[derive(Default)]
struct Naive {
    /// Number, tid, tgid.
    live: Vec<(u64, Tid, Tid)>,
    processes: u64,
    threads: u64,
    peak: usize,
}

impl Naive {
    fn act(&mut self, act: Act, trace: &mut Trace) {
        let (Act::Fork(who) | Act::Thread(who) | Act::Exec(who) | Act::Exit(who, _)) = act;
        let Some(place) = who.checked_rem(self.live.len()) else {
            return;
        };
        let (task, tid, tgid) = self.live[place];
        match act {
            Act::Fork(_) => {
                let child = trace.fork(task);
                let tid = 99 + child as Tid;
                self.live.push((child, tid, tid));
                self.processes += 1;
                self.threads += 1;
            }
            Act::Thread(_) => {
                let child = trace.thread(task, tgid);
                self.live.push((child, 99 + child as Tid, tgid));
                self.threads += 1;
            }
            Act::Exec(_) => {
                let others: Vec<_> = self
                    .live
                    .iter()
                    .filter(|it| it.2 == tgid)
                    .copied()
                    .collect();
                self.live.retain(|it| it.2 != tgid || it.0 == task);
                for (other, other_tid, _) in others {
                    if other != task {
                        let replaced = other_tid == tgid;
                        let how = if replaced {
                            Ending::Replaced
                        } else {
                            Ending::CutOff
                        };
                        trace.end(other, None, how, 0);
                    }
                }
                trace.exec(task, tgid, (tid != tgid).then_some(tid), "/x");
                self.live
                    .iter_mut()
                    .filter(|it| it.0 == task)
                    .for_each(|it| it.1 = tgid);
            }
            Act::Exit(_, code) => {
                self.live.remove(place);
                trace.end(task, None, Ending::Itself, i32::from(code));
            }
        }
        self.peak = self.peak.max(self.live.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_breaks_nothing(steps in prop::collection::vec(garbage(), 0..200)) {
        let mut trace = Trace::default();
        let mut introduced = 0;
        for step in &steps {
            trace.seq += 1;
            trace.step(step);
            introduced += u64::from(matches!(step, Step::Appear(..) | Step::Create(..)));
            audit(&trace.tree);
        }
        prop_assert_eq!(trace.tree.totals().threads, introduced);
        prop_assert!(trace.tree.walk().count() <= trace.tree.size());
    }

    #[test]
    fn sense_is_counted(acts in prop::collection::vec(sense(), 0..300)) {
        let mut trace = Trace::launched();
        let mut naive = Naive { live: vec![(1, 100, 100)], processes: 1, threads: 1, peak: 1 };
        for act in acts {
            naive.act(act, &mut trace);
            audit(&trace.tree);
            prop_assert_eq!(trace.tree.alive(), naive.live.len() as u64);
            for (task, tid, tgid) in &naive.live {
                let task = trace.task(*task);
                prop_assert_eq!((task.tid, task.tgid), (*tid, *tgid));
                prop_assert!(trace.tree.group(*tgid).unwrap().live.contains(&task.id));
            }
        }
        let totals = trace.tree.totals();
        prop_assert_eq!(totals.processes, naive.processes);
        prop_assert_eq!(totals.leaders, naive.processes);
        prop_assert_eq!(totals.threads, naive.threads);
        prop_assert_eq!(trace.tree.peak_alive(), naive.peak as u64);
        for (task, ..) in naive.live {
            trace.exit(task);
        }
        prop_assert_eq!(trace.tree.roots().tasks(), naive.threads);
        prop_assert_eq!(trace.tree.groups().count(), 0);
        audit(&trace.tree);
    }
}
