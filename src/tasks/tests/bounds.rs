//! Memory goes by what lives; no recursion goes by the length of the trace.

use super::*;

/// No tree in these tests, with a handful of live tasks, may hold more than this.
const FEW: usize = 200;

/// A reproducible sequence of numbers (Marsaglia's xorshift64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A name without digits, so that no two are alike.
fn name(mut number: u64) -> String {
    let mut name = String::new();
    for _ in 0..12 {
        name.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
    }
    name
}

#[test]
fn sequential_threads_are_one_fold() {
    let mut trace = Trace::launched();
    for number in 0..100_000 {
        let thread = trace.thread(1, 100);
        trace.end(thread, Some(&format!("worker-{number}")), Ending::Itself, 0);
    }
    assert_eq!(trace.tree.size(), 2);
    let fold = trace.folds(1)[0];
    assert_eq!((fold.count, fold.name.as_str()), (100_000, "worker-*"));
    audit(&trace.tree);
}

#[test]
fn random_names_stay_few_folds() {
    let (mut trace, mut numbers) = (Trace::launched(), Numbers(7));
    for _ in 0..100_000 {
        let thread = trace.thread(1, 100);
        let name = name(numbers.next());
        trace.end(thread, Some(&name), Ending::Itself, 0);
    }
    let fold = trace.folds(1)[0];
    assert_eq!((trace.folds(1).len(), fold.count), (1, 100_000));
    assert!(fold.various.name && !fold.various.flags && !fold.various.ending);
    assert_eq!(fold.name, "*");
    audit(&trace.tree);
}

#[test]
fn random_flags_and_subtrees_stay_few_folds() {
    let (mut trace, mut numbers) = (Trace::launched(), Numbers(9));
    let words: Vec<String> = (0..40).map(|bit| format!("CLONE_{bit}")).collect();
    for _ in 0..20_000 {
        let bits = numbers.next();
        let flags: Vec<&str> = (0..40)
            .filter(|bit| bits >> bit & 1 == 1)
            .filter_map(|bit| words.get(bit).map(String::as_str))
            .collect();
        trace.tasks += 1;
        let child = trace.tasks;
        let tid = 99 + child as Tid;
        trace.create((1, 100), (child, tid, tid), Call::Clone, &flags);
        for _ in 0..bits >> 40 & 3 {
            let thread = trace.thread(child, tid);
            let name = name(numbers.next());
            trace.end(
                thread,
                Some(&name),
                Ending::Itself,
                (bits >> 50 & 255) as i32,
            );
        }
        trace.end(
            child,
            Some(&name(bits)),
            Ending::Itself,
            (bits >> 56) as i32,
        );
    }
    let folds = trace.folds(1);
    assert!(folds.len() <= MAX_FOLDS);
    assert_eq!(folds.iter().map(|fold| fold.count).sum::<u64>(), 20_000);
    assert!(
        folds
            .iter()
            .any(|fold| fold.various.flags && fold.various.subtree)
    );
    assert!(trace.tree.size() <= 1 + MAX_NODES);
    audit(&trace.tree);
}

#[test]
fn arguments_are_let_go_before_programs() {
    let mut trace = Trace::launched();
    for number in 0..300 {
        let child = trace.fork(1);
        let tool = ["/cc", "/ld"][number % 2];
        let tid = trace.task(child).tid;
        let exec = serde_json::json!({"type": "exec", "seq": 1, "at_ns": 1, "task": child,
            "tid": tid, "tgid": tid, "path": tool, "argv": [tool, format!("{number}.c")],
            "comm": tool[1..]});
        trace.tree.apply(&serde_json::from_value(exec).unwrap());
        trace.exit(child);
    }
    let folds = trace.folds(1);
    let seen: Vec<_> = folds
        .iter()
        .map(|fold| (fold.name.as_str(), fold.count, fold.various))
        .collect();
    let various = Various {
        arguments: true,
        ..Various::default()
    };
    assert_eq!(seen, [("cc", 150, various), ("ld", 150, various)]);
    audit(&trace.tree);
}

#[test]
fn a_relay_is_one_node() {
    let mut trace = Trace::launched();
    let mut runner = 1;
    for _ in 0..100_000 {
        let next = trace.fork(runner);
        trace.exit(runner);
        runner = next;
    }
    // The launched task, the relay, the runner.
    assert_eq!(trace.tree.size(), 3);
    audit(&trace.tree);
    trace.exit(runner);
    let root = trace.folds(0)[0];
    assert_eq!((root.count, root.tasks), (1, 100_001));
    assert_eq!(trace.tree.size(), 3);
    audit(&trace.tree);
}

#[test]
fn a_relay_of_unlike_runners_stays_short() {
    let (mut trace, mut numbers) = (Trace::launched(), Numbers(11));
    let mut runner = 1;
    for _ in 0..30_000 {
        let bits = numbers.next();
        for _ in 0..bits & 3 {
            let helper = trace.fork(runner);
            trace.end(helper, Some(&name(bits)), Ending::Itself, 0);
        }
        trace.tasks += 1;
        let next = trace.tasks;
        let tid = 99 + next as Tid;
        let flag = name(numbers.next());
        let call = if bits & 4 == 0 {
            Call::Fork
        } else {
            Call::Vfork
        };
        trace.create((runner, 0), (next, tid, tid), call, &[&flag]);
        trace.end(runner, Some(&name(numbers.next())), Ending::Itself, 0);
        runner = next;
        if bits >> 8 & 63 == 0
            && let Some(above) = trace.tree.parent(TaskId(runner))
        {
            let late = trace.fork(above.0);
            trace.exit(late);
        }
        assert!(trace.tree.size() < 4 * FEW, "{}", trace.tree.size());
    }
    audit(&trace.tree);
    trace.exit(runner);
    assert!(trace.tree.tasks.is_empty());
    audit(&trace.tree);
}

#[test]
fn a_long_chain_of_live_tasks_overflows_no_stack() {
    // Far more than a stack of 2 MiB could take at a frame each.
    let last = 40_000;
    // Ends: the newest first, the oldest first, and half of the chain each way.
    let orders: [Vec<u64>; 3] = [
        (1..=last).rev().collect(),
        (1..=last).collect(),
        (1..=last / 2).chain((last / 2 + 1..=last).rev()).collect(),
    ];
    for order in orders {
        let mut trace = Trace::launched();
        for task in 1..last {
            trace.fork(task);
        }
        assert_eq!(trace.tree.walk().count() as u64, last);
        assert_eq!(trace.tree.peak_alive(), last);
        for task in order {
            trace.exit(task);
        }
        assert!(trace.tree.size() < FEW);
        assert_eq!(trace.tree.totals().threads, last);
        audit(&trace.tree);
    }
    // Dropped while it is long.
    let mut trace = Trace::launched();
    (1..last).for_each(|task| {
        trace.fork(task);
    });
}

#[test]
fn what_lies_too_deep_is_counted() {
    let mut trace = Trace::launched();
    let deep = MAX_DEPTH as u64 + 10;
    for task in 1..deep {
        trace.fork(task);
    }
    for task in (1..=deep).rev() {
        trace.exit(task);
    }
    let mut fold = trace.folds(0)[0];
    let mut levels = 1;
    while let Some(below) = fold.example.children.folds().next() {
        assert_eq!(fold.only_counted, 0);
        (fold, levels) = (below, levels + 1);
    }
    assert_eq!((levels, fold.only_counted), (MAX_DEPTH, 10));
    audit(&trace.tree);
}

/// Under a process: 60 kinds of children, each with 3 kinds of their own.
fn bush(trace: &mut Trace, process: u64) {
    for inner in 0..60 {
        let child = trace.fork(process);
        for code in 0..3 {
            let leaf = trace.fork(child);
            trace.end(leaf, None, Ending::Itself, code);
        }
        trace.end(child, None, Ending::Itself, inner);
    }
}

#[test]
fn what_is_too_much_is_counted() {
    let mut trace = Trace::launched();
    let first = trace.fork(1);
    for code in 0..60 {
        let process = trace.fork(1);
        bush(&mut trace, process);
        trace.end(process, None, Ending::Itself, code);
    }
    // Not all of 60 times 241 folds.
    assert!(trace.tree.size() <= MAX_NODES + 2);
    assert_eq!(trace.folds(1).len(), 60);
    assert_eq!(trace.tree.totals().threads, 2 + 60 * 241);
    audit(&trace.tree);
    // One that is whole joins one whose subtree is only counted: so is that of both.
    let cut = |fold: &Fold| fold.only_counted == 240;
    let place = trace.folds(1).iter().position(|fold| cut(fold)).unwrap();
    bush(&mut trace, first);
    trace.end(first, None, Ending::Itself, place as i32);
    let both = trace.folds(1)[0];
    assert_eq!((both.count, both.tasks), (2, 482));
    assert!(cut(both) && both.example.id == TaskId(first));
    audit(&trace.tree);
}

#[test]
fn folds_that_are_various_inside_are_alike_only_with_equal_counts() {
    let mut trace = Trace::launched();
    // Children with as many threads each; 70 different ones are too many.
    let various = |more: &[u64]| (0..70).chain(more.iter().copied()).collect::<Vec<u64>>();
    let mut fewer = various(&[4]);
    fewer[69] -= 5;
    for threads in [
        various(&[]),
        various(&[]),
        various(&[4]),
        various(&[5]),
        fewer,
    ] {
        let process = trace.fork(1);
        for many in threads {
            let child = trace.fork(process);
            for _ in 0..many {
                let thread = trace.thread(child, 99 + child as Tid);
                trace.exit(thread);
            }
            trace.exit(child);
        }
        trace.exit(process);
    }
    let folds = trace.folds(1);
    let counts: Vec<_> = folds.iter().map(|fold| (fold.count, fold.tasks)).collect();
    // 1 + 70 + (0 + 1 + … + 69) = 2486; the last has one child more and as many tasks.
    assert_eq!(counts, [(2, 4972), (1, 2491), (1, 2492), (1, 2486)]);
    let inside = folds[0].example.children.folds().next().unwrap();
    assert!(inside.various.subtree && inside.descendants == (0, 69));
    audit(&trace.tree);
}

#[test]
fn many_live_siblings_cost_little_each() {
    // 40,000 siblings: a scan of them at every exit would take minutes here.
    let mut trace = Trace::launched();
    let threads: Vec<u64> = (0..40_000).map(|_| trace.thread(1, 100)).collect();
    assert_eq!(trace.tree.group(100).unwrap().peak, 40_001);
    for thread in threads
        .iter()
        .step_by(2)
        .chain(threads.iter().skip(1).step_by(2))
    {
        trace.exit(*thread);
    }
    assert_eq!(trace.tree.size(), 2);
    audit(&trace.tree);
}
