//! One test a rule.

use super::*;

#[test]
fn threads_alike_become_one_fold_with_ranges() {
    let mut trace = Trace::launched();
    let ids: Vec<u64> = (0..3).map(|_| trace.thread(1, 100)).collect();
    assert_eq!(trace.task(1).children.len(), 3);
    for (number, id) in ids.iter().enumerate() {
        trace.end(*id, Some(&format!("worker-{number}")), Ending::Itself, 0);
    }
    let folds = trace.folds(1);
    assert_eq!(folds.len(), 1);
    let fold = folds[0];
    assert_eq!((fold.count, fold.tasks, fold.tids), (3, 3, (101, 103)));
    assert_eq!(fold.name, "worker-*");
    assert_eq!(fold.example.comm, "worker-0");
    assert!(!fold.various.any());
    // Created at 23, 33, 43 and ended at 50, 60, 70.
    assert_eq!(fold.lived_ns, Some((27, 27)));
    assert_eq!(trace.task(1).children.len(), 1);
    audit(&trace.tree);
}

#[test]
fn a_fold_of_one_keeps_its_member() {
    let mut trace = Trace::launched();
    let id = trace.thread(1, 100);
    trace.end(id, Some("worker-7"), Ending::Itself, 0);
    let fold = trace.folds(1)[0];
    assert_eq!(
        (fold.count, fold.name.as_str(), fold.tids),
        (1, "worker-7", (101, 101))
    );
    assert_eq!(fold.example.id, TaskId(id));
    assert_eq!(fold.example.end.as_ref().unwrap().how, Ending::Itself);
    assert_eq!(fold.example.via.as_ref().unwrap().creator, TaskId(1));
    assert!(
        trace.tree.task(TaskId(id)).is_none(),
        "it stands in the fold alone"
    );
}

#[test]
fn whatever_differs_keeps_tasks_apart() {
    let mut trace = Trace::launched();
    let plain = |trace: &mut Trace| trace.thread(1, 100);
    let id = plain(&mut trace);
    trace.exit(id);
    let id = plain(&mut trace);
    trace.end(id, Some("other"), Ending::Itself, 0);
    let id = plain(&mut trace);
    trace.end(id, None, Ending::CutOff, 0);
    let id = plain(&mut trace);
    trace.end(id, None, Ending::Itself, 3);
    trace.create((1, 100), (20, 120, 100), Call::Clone, THREAD);
    trace.exit(20);
    trace.create((1, 100), (21, 121, 100), Call::Clone3, &["CLONE_THREAD"]);
    trace.exit(21);
    trace.create((1, 100), (22, 122, 122), Call::Clone3, THREAD);
    trace.exit(22);
    trace.create((1, 100), (23, 123, 123), Call::Clone3, THREAD);
    trace.exec(23, 123, None, "/main");
    trace.exit(23);
    assert_eq!(trace.folds(1).len(), 8);
    assert!(trace.folds(1).iter().all(|fold| fold.count == 1));
    // The order of flags is no difference.
    let mut turned = THREAD.to_vec();
    turned.reverse();
    trace.create((1, 100), (24, 124, 100), Call::Clone3, &turned);
    trace.exit(24);
    assert_eq!(trace.folds(1).len(), 8);
    audit(&trace.tree);
}

#[test]
fn a_fold_stands_where_its_first_member_stood() {
    let mut trace = Trace::launched();
    let first = trace.thread(1, 100);
    let other = trace.fork(1);
    let second = trace.thread(1, 100);
    trace.exit(second);
    let kept = |trace: &Trace| -> Vec<String> {
        let words = trace.task(1).children.iter().map(|branch| match branch {
            Branch::Task(id) => id.to_string(),
            Branch::Fold(fold) => format!("{}x{}", fold.count, fold.example.id),
        });
        words.collect()
    };
    assert_eq!(kept(&trace), ["T2", "T3", "1xT4"]);
    trace.exit(first);
    assert_eq!(
        kept(&trace),
        ["2xT2", "T3"],
        "the example is the first to appear"
    );
    trace.exit(other);
    assert_eq!(kept(&trace), ["2xT2", "1xT3"]);
}

#[test]
fn ended_tasks_wait_for_their_descendants() {
    let mut trace = Trace::launched();
    let child = trace.fork(1);
    let grandchild = trace.fork(child);
    trace.exit(child);
    assert!(trace.task(child).end.is_some());
    trace.exit(1);
    assert_eq!(trace.tree.roots().tasks_kept().count(), 1);
    assert_eq!(trace.tree.alive(), 1);
    trace.exit(grandchild);
    assert_eq!(trace.tree.roots().tasks_kept().count(), 0);
    let root = trace.folds(0)[0];
    assert_eq!((root.count, root.tasks, root.example.id), (1, 3, TaskId(1)));
    let below = root.example.children.folds().next().unwrap();
    assert_eq!(
        (below.count, below.tasks, below.descendants),
        (1, 2, (1, 1))
    );
    assert_eq!(
        below.example.children.folds().next().unwrap().example.id,
        TaskId(grandchild)
    );
    audit(&trace.tree);
}

#[test]
fn subtrees_alike_fold_and_their_ranges_widen() {
    let mut trace = Trace::launched();
    for round in 0..3 {
        let process = trace.fork(1);
        let tgid = trace.task(process).tid;
        for number in 0..2 {
            let thread = trace.thread(process, tgid);
            let name = format!("w{}", round * 2 + number);
            trace.end(thread, Some(&name), Ending::Itself, 0);
        }
        trace.exit(process);
    }
    let folds = trace.folds(1);
    assert_eq!(folds.len(), 1);
    assert_eq!(
        (folds[0].count, folds[0].tasks, folds[0].descendants),
        (3, 9, (2, 2))
    );
    let threads = folds[0].example.children.folds().next().unwrap();
    assert_eq!((threads.count, threads.tids), (2, (102, 109)));
    assert_eq!(threads.name, "w*");
    // One with three threads is of another shape.
    let process = trace.fork(1);
    for _ in 0..3 {
        let thread = trace.thread(process, 99 + process as Tid);
        trace.end(thread, Some("w1"), Ending::Itself, 0);
    }
    trace.exit(process);
    assert_eq!(trace.folds(1).len(), 2);
    audit(&trace.tree);
}

#[test]
fn names_and_programs_are_inherited() {
    let mut trace = Trace::launched();
    trace.exec(1, 100, None, "/sh");
    assert_eq!(trace.task(1).comm, "sh");
    let thread = trace.thread(1, 100);
    let process = trace.fork(thread);
    assert_eq!(trace.task(process).comm, "sh");
    let program = trace.task(process).program.clone().unwrap();
    assert_eq!(program.path.as_deref(), Some("/sh"));
    assert!(
        trace.task(thread).program.is_none(),
        "a thread has its group's"
    );
    assert_eq!(
        trace.tree.group(100).unwrap().program.as_deref(),
        Some(&*program)
    );
    let via = trace.task(process).via.clone().unwrap();
    assert_eq!(
        (via.call, via.creator, via.shares_memory),
        (Call::Fork, TaskId(thread), false)
    );
    // Created by the end of the call, three nanoseconds after its entry.
    assert_eq!(trace.task(thread).born_ns, 33);
}

#[test]
fn a_process_that_shares_memory_says_so() {
    let mut trace = Trace::launched();
    let flags = ["CLONE_VM", "CLONE_VFORK"];
    trace.create((1, 100), (2, 101, 101), Call::Vfork, &flags);
    assert!(trace.task(2).via.as_ref().unwrap().shares_memory);
    trace.create((1, 100), (3, 102, 100), Call::Clone3, THREAD);
    assert!(!trace.task(3).via.as_ref().unwrap().shares_memory);
}

#[test]
fn a_thread_that_execs_takes_over_its_leader() {
    for exit_first in [true, false] {
        let mut trace = Trace::launched();
        let thread = trace.thread(1, 100);
        if exit_first {
            trace.end(1, None, Ending::Replaced, 0);
            assert_eq!(trace.tree.group(100).unwrap().leader, TaskId(1));
        }
        trace.exec(thread, 100, Some(101), "/next");
        if !exit_first {
            trace.end(1, None, Ending::Replaced, 0);
        }
        let task = trace.task(thread);
        assert_eq!(
            (task.tid, task.tgid, task.kind),
            (100, 100, Kind::Process),
            "{exit_first}"
        );
        let group = trace.tree.group(100).unwrap();
        assert_eq!(group.leader, TaskId(thread));
        assert_eq!(
            group.live.iter().copied().collect::<Vec<_>>(),
            [TaskId(thread)]
        );
        assert_eq!(trace.tree.by_tid(100).unwrap().id, TaskId(thread));
        assert!(trace.tree.by_tid(101).is_none());
        let totals = trace.tree.totals();
        assert_eq!(
            (totals.processes, totals.threads, totals.leaders),
            (1, 2, 1)
        );
        audit(&trace.tree);
        trace.exit(thread);
        assert!(trace.tree.group(100).is_none());
        assert_eq!(trace.folds(0)[0].tasks, 2);
        audit(&trace.tree);
    }
}

#[test]
fn groups_know_their_live_tasks_and_their_peak() {
    let mut trace = Trace::launched();
    let threads: Vec<u64> = (0..4).map(|_| trace.thread(1, 100)).collect();
    for thread in &threads[..3] {
        trace.exit(*thread);
    }
    trace.thread(1, 100);
    let group = trace.tree.group(100).unwrap();
    assert_eq!((group.live.len(), group.peak, group.ever), (3, 5, 6));
    // The leader may end first: the group lives on.
    trace.exit(1);
    assert_eq!(trace.tree.group(100).unwrap().leader, TaskId(1));
    trace.exit(5);
    trace.exit(6);
    assert!(trace.tree.group(100).is_none());
    assert_eq!((trace.tree.alive(), trace.tree.peak_alive()), (0, 5));
}

#[test]
fn totals_count_calls_by_outcome() {
    let mut trace = Trace::launched();
    trace.thread(1, 100);
    trace.fork(1);
    let failed = Outcome::Failed {
        errno: "EINVAL".into(),
        code: 22,
        reasons: Vec::new(),
    };
    trace.call((1, 100), Call::Clone, &[], failed);
    trace.call(
        (1, 100),
        Call::Clone,
        &[],
        Outcome::Untraced { tid: Some(9) },
    );
    trace.call((1, 100), Call::Fork, &[], Outcome::Unfinished {});
    trace.call((1, 100), Call::Vfork, &[], Outcome::Other("later".into()));
    let calls = [("clone", 2), ("clone3", 1), ("fork", 2), ("vfork", 1)];
    assert_eq!(
        trace.tree.totals(),
        Totals {
            processes: 2,
            threads: 3,
            leaders: 2,
            calls: calls
                .iter()
                .map(|(name, count)| ((*name).into(), *count))
                .collect(),
            created: 2,
            failed: 1,
            untraced: 1,
            unfinished: 1,
        }
    );
}

#[test]
fn a_task_that_is_let_go_leaves_with_no_ending() {
    let mut trace = Trace::launched();
    let thread = trace.thread(1, 100);
    trace.detach(thread);
    let fold = trace.folds(1)[0];
    assert!(fold.example.end.is_none() && fold.example.let_go_ns == Some(30));
    assert_eq!(trace.tree.alive(), 1);
    audit(&trace.tree);
}

#[test]
fn a_caller_is_called_what_it_was_called_last() {
    let mut trace = Trace::launched();
    trace.thread(1, 100);
    let line = serde_json::json!({"type": "clone", "seq": 9, "at_ns": 90, "task": 2, "tid": 101,
        "tgid": 100, "comm": "renamed", "abi": "x86_64", "call": "fork", "outcome":
        {"created": {"task": 3, "tid": 102, "tgid": 102, "kind": "process"}}});
    trace.tree.apply(&serde_json::from_value(line).unwrap());
    assert_eq!(trace.task(2).comm, "renamed");
    assert_eq!(trace.task(3).comm, "renamed");
    // The entry into the call was not seen: its line's time is the best there is.
    assert_eq!(trace.task(3).born_ns, 90);
}
