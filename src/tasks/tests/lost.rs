//! Lines that are missing, late, or make no sense.

use super::*;

#[test]
fn a_call_by_an_unknown_task_makes_a_root() {
    let mut trace = Trace::launched();
    trace.create((77, 176), (2, 101, 101), Call::Fork, &[]);
    assert_eq!(trace.tree.roots().len(), 2);
    assert_eq!(trace.tree.parent(TaskId(2)), None);
    // By itself, and by one that is not born yet.
    trace.create((2, 101), (2, 101, 101), Call::Fork, &[]);
    trace.create((4, 101), (3, 103, 103), Call::Fork, &[]);
    trace.create((3, 103), (4, 104, 104), Call::Fork, &[]);
    assert_eq!(trace.tree.parent(TaskId(4)), Some(TaskId(3)));
    audit(&trace.tree);
}

#[test]
fn a_number_introduced_twice_retires_the_old_task() {
    let mut trace = Trace::launched();
    let middle = trace.fork(1);
    let leaf = trace.fork(middle);
    trace.appear(middle, 500, 500, Kind::Process);
    let old = trace.folds(1)[0];
    assert_eq!(old.example.end.as_ref().unwrap().how, Ending::Unknown);
    assert_eq!(old.example.tid, 101);
    assert_eq!(trace.task(middle).tid, 500);
    assert_eq!(trace.tree.parent(TaskId(leaf)), None, "its child is a root");
    audit(&trace.tree);
}

#[test]
fn a_tid_introduced_twice_retires_the_old_task() {
    let mut trace = Trace::launched();
    let old = trace.thread(1, 100);
    trace.create((1, 100), (9, 101, 100), Call::Clone3, THREAD);
    assert!(trace.tree.task(TaskId(old)).is_none());
    assert_eq!(trace.tree.by_tid(101).unwrap().id, TaskId(9));
    // A new process with the tgid of a live one: that one's tasks are gone.
    trace.appear(10, 100, 100, Kind::Process);
    assert_eq!(trace.tree.alive(), 1);
    assert_eq!(trace.tree.totals().processes, 2);
    audit(&trace.tree);
}

#[test]
fn a_leader_seen_late_joins_its_threads() {
    let mut trace = Trace::default();
    trace.appear(1, 101, 100, Kind::Thread);
    assert_eq!(trace.tree.group(100).unwrap().leader, TaskId(1));
    trace.appear(2, 100, 100, Kind::Process);
    assert_eq!(trace.tree.group(100).unwrap().leader, TaskId(2));
    assert_eq!(trace.tree.group(100).unwrap().live.len(), 2);
    let totals = trace.tree.totals();
    assert_eq!(
        (totals.processes, totals.threads, totals.leaders),
        (1, 2, 1)
    );
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    let mut trace = Trace::launched();
    trace.exit(5);
    trace.exec(5, 100, Some(3), "/none");
    trace.detach(5);
    trace.tell(TaskId(1), EventKind::Unknown);
    let child = trace.fork(1);
    trace.exit(1);
    trace.end(1, Some("again"), Ending::CutOff, 9);
    trace.exec(1, 100, None, "/late");
    let root = trace.task(1);
    assert_eq!((root.comm.as_str(), root.program.is_none()), ("main", true));
    assert_eq!(root.end.as_ref().unwrap().how, Ending::Itself);
    assert_eq!(trace.tree.alive(), 1);
    trace.exit(child);
    audit(&trace.tree);
}

#[test]
fn a_late_call_of_an_ended_caller_still_makes_its_child() {
    let mut trace = Trace::launched();
    let keeps = trace.fork(1);
    trace.exit(1);
    let late = trace.fork(1);
    assert_eq!(trace.tree.parent(TaskId(late)), Some(TaskId(1)));
    trace.exit(late);
    trace.exit(keeps);
    assert_eq!(trace.folds(0)[0].tasks, 3);
    audit(&trace.tree);
}

#[test]
fn a_final_exit_takes_its_own_group_away() {
    let exit = |task: u64| {
        let line = serde_json::json!({"type": "exit", "seq": 9, "at_ns": 90, "task": task,
            "tid": 100, "tgid": 100, "how": "self", "last": true});
        serde_json::from_value::<Event>(line).unwrap()
    };
    // The end of thread 2 was lost.
    let mut trace = Trace::launched();
    let lost = trace.thread(1, 100);
    trace.tree.apply(&exit(1));
    assert!(trace.tree.group(100).is_none());
    // A new process gets the number; the lost thread's end belongs to the group before it.
    trace.appear(8, 100, 100, Kind::Process);
    trace.tree.apply(&exit(lost));
    assert_eq!(trace.tree.group(100).unwrap().leader, TaskId(8));
    audit(&trace.tree);
}

#[test]
fn an_orphan_that_a_call_names_later_is_its_creators() {
    let mut trace = Trace::launched();
    let maker = trace.fork(1);
    trace.appear_as(9, 208, 208, Kind::Process, How::Orphan);
    let leaf = {
        trace.tasks = 9;
        trace.fork(9)
    };
    assert_eq!(trace.tree.parent(TaskId(9)), None);
    trace.create((maker, 101), (9, 208, 208), Call::Fork, &[]);
    assert_eq!(trace.tree.parent(TaskId(9)), Some(TaskId(maker)));
    assert_eq!(trace.tree.parent(TaskId(leaf)), Some(TaskId(9)));
    assert_eq!(trace.tree.totals().threads, 4, "nobody is counted twice");
    assert_eq!(trace.task(9).via.as_ref().unwrap().creator, TaskId(maker));
    audit(&trace.tree);
    // By its own descendant, or by itself: it stays where it is.
    trace.appear_as(20, 219, 219, Kind::Process, How::Orphan);
    trace.tasks = 20;
    let child = trace.fork(20);
    for (by, tid) in [(20, 219), (child, 120)] {
        trace.create((by, tid), (20, 219, 219), Call::Fork, &[]);
        assert_eq!(trace.tree.parent(TaskId(20)), None);
        audit(&trace.tree);
    }
}
