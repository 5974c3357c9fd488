//! Attaching while the process changes: what the list of threads says is told by the story.

use super::*;
use crate::event::{Event, Intercept, Tid};
use crate::ledger::Ledger;
use crate::tracer::attach::refusal::Unattached;
use crate::tracer::attach::seize;
use crate::tracer::start::options::Attach;

/// A process that runs already, and its second thread.
const LEADER: Tid = 200;
const THREAD: Tid = 201;

/// A running process; nothing else is traced.
fn running() -> Story {
    let mut s = Story::with(Intercept::Event);
    s.tracer.cx.table.remove(ROOT);
    s.tracer.cx.ledger = Ledger::default();
    s.world().tasks.clear();
    s.world().tasks.insert(LEADER, fake(LEADER, LEADER, 1, 0));
    s
}

fn idle(fake: &mut Fake) {
    fake.place = Some("-1 0x0 0x0".to_owned());
}

/// Each happening comes before one reading of the list.
fn at_lists(s: &Story, happens: Vec<Happening>) {
    s.world().at_lists = happens.into();
}

fn attach(s: &mut Story) -> Vec<String> {
    let wanted = Attach {
        pids: vec![LEADER],
        ..Attach::default()
    };
    seize_all(s, &wanted)
        .into_iter()
        .map(|refused| crate::Error::from(refused).to_string())
        .collect()
}

fn seize_all(s: &mut Story, wanted: &Attach) -> Vec<Unattached> {
    s.tracer.unseen_entries |= !seize::is_full(wanted);
    seize::all(&mut s.tracer.cx, &mut s.tracer.life.newborns, wanted)
}

fn seized(s: &Story) -> Vec<Tid> {
    let seize = |did| match did {
        Did::Seize(tid) => Some(tid),
        _ => None,
    };
    s.did().into_iter().filter_map(seize).collect()
}

fn told(s: &Story) -> Vec<String> {
    let events: Vec<Event> = s.tracer.cx.ledger.waiting().cloned().collect();
    lines(&events)
}

/// Whether a newborn is traced is decided when its making begins (kernel/fork.c, kernel_clone): one
/// whose creator was seized later is not, and shows in the list only when it is made.
#[test]
fn a_thread_whose_making_had_begun_is_found() {
    let mut s = running();
    // In the kernel for some time, which no list tells.
    at_lists(
        &s,
        vec![
            Box::new(|_| {}),
            Box::new(|_| {}),
            Box::new(|world| {
                let leader = world.tasks.get_mut(&LEADER).expect("the leader");
                leader.user_ticks += 1;
                let mut newborn = fake(THREAD, LEADER, 1, 0);
                idle(&mut newborn);
                world.tasks.insert(THREAD, newborn);
            }),
        ],
    );
    assert_eq!(attach(&mut s), [""; 0]);
    assert_eq!(seized(&s), [LEADER, THREAD]);
}

/// The same where another thread computes meanwhile: its time is not the creator's.
#[test]
fn the_time_of_another_thread_does_not_count() {
    let mut s = running();
    let mut other = fake(THREAD, LEADER, 1, 0);
    idle(&mut other);
    s.world().tasks.insert(THREAD, other);
    at_lists(
        &s,
        vec![
            Box::new(|_| {}),
            Box::new(|_| {}),
            Box::new(|world| {
                let other = world.tasks.get_mut(&THREAD).expect("the other");
                other.user_ticks += 1;
            }),
            Box::new(|_| {}),
            Box::new(|_| {}),
            Box::new(|world| {
                let leader = world.tasks.get_mut(&LEADER).expect("the leader");
                leader.user_ticks += 1;
                let mut newborn = fake(202, LEADER, 1, 0);
                idle(&mut newborn);
                world.tasks.insert(202, newborn);
            }),
        ],
    );
    assert_eq!(attach(&mut s), [""; 0]);
    assert_eq!(seized(&s), [LEADER, THREAD, 202]);
}

/// The same where the call is over only after the list was read.
#[test]
fn the_list_is_read_once_more_when_all_have_left_their_calls() {
    let mut s = running();
    at_lists(
        &s,
        vec![
            Box::new(|_| {}),
            Box::new(|world| {
                let leader = world.tasks.get_mut(&LEADER).expect("the leader");
                leader.user_ticks += 1;
            }),
            Box::new(|world| {
                let mut newborn = fake(THREAD, LEADER, 1, 0);
                idle(&mut newborn);
                world.tasks.insert(THREAD, newborn);
            }),
        ],
    );
    assert_eq!(attach(&mut s), [""; 0]);
    assert_eq!(seized(&s), [LEADER, THREAD]);
}

/// An exec by a thread that is not seized yet kills the seized leader and takes its tid: who has
/// that now is not traced (fs/exec.c, de_thread).
#[test]
fn a_leader_replaced_while_it_is_being_seized_is_seized_again() {
    let mut s = running();
    s.edit(LEADER, idle);
    at_lists(
        &s,
        vec![
            Box::new(|_| {}),
            Box::new(|world| {
                let mut heir = fake(LEADER, LEADER, 1, 0);
                idle(&mut heir);
                world.tasks.insert(LEADER, heir);
            }),
        ],
    );
    assert_eq!(attach(&mut s), [""; 0]);
    assert_eq!(seized(&s), [LEADER, LEADER]);
    assert_eq!(
        told(&s),
        [
            "#1 200 process Attached",
            "#1 ends: Unknown",
            "#2 200 process Attached"
        ]
    );
}

/// What refuses because it is ending is asked again, and what replaced it is taken.
#[test]
fn who_refuses_in_passing_is_asked_again() {
    let mut s = running();
    s.edit(LEADER, |leader| {
        idle(leader);
        leader.unseizable = Some(1);
    });
    at_lists(
        &s,
        vec![
            Box::new(|_| {}),
            Box::new(|world| {
                let leader = world.tasks.get_mut(&LEADER).expect("the leader");
                leader.unseizable = None;
            }),
        ],
    );
    assert_eq!(attach(&mut s), [""; 0]);
    assert_eq!(seized(&s), [LEADER, LEADER]);
}

#[test]
fn a_thread_that_has_ended_since_the_list_was_read_is_passed_over() {
    let mut s = running();
    s.edit(LEADER, |leader| {
        leader.letter = Some('Z');
        leader.status = "State:\tZ (zombie)\n".to_owned();
        leader.unseizable = Some(1);
    });
    let mut other = fake(THREAD, LEADER, 1, 0);
    idle(&mut other);
    s.world().tasks.insert(THREAD, other);
    assert_eq!(attach(&mut s), [""; 0]);
    assert_eq!(told(&s), ["#1 201 thread Attached"]);
}

/// Every reason that /proc gives for a refusal, by what it says of the task.
#[test]
fn each_refusal_has_its_reason() {
    let alive = "State:\tS\nVmSize:\t1 kB\nUid:\t5\t5\t5\t5\n";
    // What status says, as whom clonespy runs, Yama's scope, and a word of the answer.
    let rows = [
        ("State:\tZ (zombie)\n", 0, None, "it is a zombie"),
        ("State:\tX (dead)\n", 0, None, "it is a zombie"),
        ("State:\tS\nKthread:\t1\n", 0, None, "kernel thread"),
        // Before Linux 6.8 there is no such line.
        ("State:\tS\n", 0, None, "kernel thread"),
        (alive, 6, None, "it belongs to "),
        (alive, 5, Some("1\n"), "ptrace_scope 1"),
        (alive, 5, Some("2\n"), "run as root"),
        (alive, 0, Some("3\n"), "until the next boot"),
        (alive, 5, Some("0\n"), "set-uid or not dumpable"),
        (alive, 5, None, "set-uid or not dumpable"),
    ];
    for (status, uid, scope, word) in rows {
        let mut s = running();
        s.edit(LEADER, |leader| {
            leader.unseizable = Some(1);
            leader.status = status.to_owned();
        });
        s.world().uid = uid;
        if let Some(scope) = scope {
            let path = "/proc/sys/kernel/yama/ptrace_scope".to_owned();
            s.world().files.insert(path, scope.to_owned());
        }
        let said = attach(&mut s).concat();
        assert!(said.contains(word), "{word:?} is not in {said:?}");
        assert!(said.contains("200"), "{said}");
    }
}

/// What a seized thread makes comes by itself, and shows in the list before anybody has told of it.
#[test]
fn a_thread_that_comes_by_itself_is_no_refusal() {
    let mut s = running();
    s.edit(LEADER, idle);
    s.world().own_tid = 1;
    at_lists(
        &s,
        vec![
            Box::new(|_| {}),
            Box::new(|world| {
                let mut newborn = fake(THREAD, LEADER, 1, 0);
                idle(&mut newborn);
                newborn.traced = true;
                newborn.unseizable = Some(1);
                world.tasks.insert(THREAD, newborn);
            }),
        ],
    );
    assert_eq!(attach(&mut s), [""; 0]);
    assert_eq!(told(&s), ["#1 200 process Attached"]);
}

/// The tree grows while it is being seized: by a child whose making had begun before, which nobody
/// traces; by one that came by itself; by one that has ended before it could be seized; and then by a
/// child of the first.
#[test]
fn descendants_that_come_meanwhile_are_found() {
    let mut s = running();
    s.edit(LEADER, idle);
    s.world().own_tid = 1;
    let child = |world: &mut World, tid: Tid, parent: Tid| {
        let mut child = fake(tid, tid, parent, 0);
        idle(&mut child);
        world.tasks.insert(tid, child);
    };
    at_lists(
        &s,
        vec![
            Box::new(|_| {}),
            Box::new(|_| {}),
            Box::new(|_| {}),
            Box::new(move |world| {
                child(world, 300, LEADER);
                child(world, 301, LEADER);
                let by_itself = world.tasks.get_mut(&301).expect("a child");
                (by_itself.traced, by_itself.unseizable) = (true, Some(1));
                child(world, 302, LEADER);
                let ends = world.tasks.get_mut(&302).expect("a child");
                (ends.letter, ends.unseizable) = (Some('Z'), Some(1));
                ends.status = "State:\tZ (zombie)\n".to_owned();
            }),
            Box::new(|_| {}),
            Box::new(|_| {}),
            Box::new(|_| {}),
            Box::new(move |world| child(world, 303, 300)),
        ],
    );
    let wanted = Attach {
        pids: vec![LEADER],
        descendants: true,
        ..Attach::default()
    };
    assert!(seize_all(&mut s, &wanted).is_empty());
    assert_eq!(seized(&s), [LEADER, 300, 303]);
}

/// /proc names a thread of the tracer; what is told is the process.
#[test]
fn a_tracer_is_told_by_the_name_and_pid_of_its_process() {
    let mut s = running();
    s.edit(LEADER, |leader| {
        leader.unseizable = Some(1);
        leader.status = "State:\tS\nVmSize:\t1 kB\n".to_owned();
        leader.traced = true;
    });
    // The story's tracer is task 1, a thread of process 7.
    s.world().tasks.insert(1, fake(1, 7, 1, 0));
    s.world().tasks.insert(7, fake(7, 7, 1, 0));
    let said = attach(&mut s).concat();
    assert!(said.contains("traced already, by t7 (7)"), "{said}");
}
