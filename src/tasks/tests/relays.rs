//! Tasks that end while what they created lives on.

use super::*;

#[test]
fn relays_become_generations() {
    let mut trace = Trace::launched();
    let mut runner = trace.fork(1);
    let first = runner;
    for _ in 0..4 {
        let helper = trace.thread(runner, 99 + runner as Tid);
        trace.end(helper, Some("h"), Ending::Itself, 0);
        let next = trace.fork(runner);
        trace.exit(runner);
        runner = next;
    }
    let all = trace.task(first).generations.as_ref().unwrap();
    assert_eq!((all.count, all.tasks), (4, 8));
    assert_eq!(all.tids, (101, 107));
    assert_eq!(all.each.folds().next().unwrap().count, 1);
    assert!(!all.various.any());
    assert_eq!(
        trace.task(first).children.tasks_kept().collect::<Vec<_>>(),
        [TaskId(runner)]
    );
    assert_eq!(trace.tree.parent(TaskId(runner)), Some(TaskId(first)));
    audit(&trace.tree);
    // The launched task, which no call made, is no generation of it.
    trace.exit(1);
    assert!(trace.task(1).generations.is_none());
    trace.exit(runner);
    let relay = &trace.folds(0)[0].example.children;
    let relay = relay.folds().next().unwrap();
    assert_eq!((relay.count, relay.tasks, relay.tids), (1, 9, (101, 107)));
    audit(&trace.tree);
}

#[test]
fn generations_fold_whatever_the_order_of_their_ends() {
    // Later ones first, earlier ones first, and from the middle.
    for order in [[2, 3, 4, 5], [5, 4, 3, 2], [3, 5, 2, 4], [4, 3, 5, 2]] {
        let mut trace = Trace::launched();
        for caller in 1..6 {
            trace.fork(caller);
        }
        for task in order {
            trace.exit(task);
            audit(&trace.tree);
        }
        let all = trace.task(2).generations.as_ref().unwrap();
        assert_eq!((all.count, all.tids), (4, (101, 104)), "{order:?}");
        assert_eq!(trace.tree.parent(TaskId(6)), Some(TaskId(2)));
    }
}

#[test]
fn what_only_the_last_generation_made_is_not_everyones() {
    let mut trace = Trace::launched();
    for caller in 1..4 {
        trace.fork(caller);
    }
    trace.exit(2);
    trace.exit(3);
    assert_eq!(trace.task(2).generations.as_ref().unwrap().count, 2);
    // A call of an ended task, whose line comes late.
    let late = trace.fork(2);
    trace.exit(late);
    let next = trace.fork(4);
    trace.exit(4);
    assert_eq!(trace.task(2).generations.as_ref().unwrap().count, 2);
    assert_eq!(trace.folds(2).len(), 1);
    assert_eq!(trace.tree.parent(TaskId(next)), Some(TaskId(4)));
    audit(&trace.tree);
}

#[test]
fn extra_children_of_many_relays_are_counted() {
    let mut trace = Trace::launched();
    let mut runner = trace.fork(1);
    let first = runner;
    for _ in 0..200 {
        // Two generations, then a late child of theirs: the next ones are kept apart,
        let head = runner;
        for _ in 0..2 {
            let next = trace.fork(runner);
            trace.exit(runner);
            runner = next;
        }
        let late = trace.fork(head);
        trace.exit(late);
    }
    // … until there are too many of them.
    let all = trace.task(first).generations.as_ref().unwrap();
    assert!(all.various.subtree && all.count > 100 && all.tasks > all.count);
    audit(&trace.tree);
}
