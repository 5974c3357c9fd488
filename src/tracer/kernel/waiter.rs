//! Which report comes next, without asking about every tracee.
//!
//! Any wait for "some tracee" that finds nothing scans all of them, blocking or not
//! (kernel/exit.c, do_wait): with thousands alive each new one then costs a scan of all. So with
//! few alive we wait plainly, which is one system call; with many we let SIGCHLD say whose turn it
//! is and ask about that one alone. SIGCHLD is one bit while it is pending, so a stop can go
//! unannounced: a scan of all finds those, rationed to a tenth of the time.
//!
//! Tried and left: the plain loop alone (a thread of 12,000 costs seven times the first one);
//! scans alone, however rationed (four times slower in a storm of eight processes).

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crate::event::Tid;
use crate::sys::{self, Report, Taken, Target, What};

/// With fewer tracees than this a scan is cheaper than the signal calls.
const FEW: usize = 64;
/// A scan is due when this many times its own length has passed since the last one.
const RATION: u32 = 9;
/// How often an expected task is asked before the signal is relied upon.
const TRIES: u8 = 3;
/// The longest sleep: a child of ours whose exit signal is not SIGCHLD ends unannounced
/// (CLONE_PARENT in the program that we started).
const NAP: Duration = Duration::from_millis(500);

/// The longest sleep while somebody is parked whose creator is not known.
const SHORT_NAP: Duration = Duration::from_millis(5);

/// How waits are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Signals belong to the host program: plain waits alone.
    Plain,
    /// SIGCHLD is blocked and ours: plain with few tasks, directed with many.
    Mixed,
    /// Always directed, so that a signal that asks us to end, or a deadline, is noticed at once.
    Directed {
        /// Until when.
        deadline: Option<Instant>,
    },
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woke {
    /// A tracee has something to report.
    Report(Report),
    /// A signal asks us to end.
    Ending(i32),
    /// The deadline has passed.
    Deadline,
    /// A handler ran; it may have a wish.
    Handler,
    /// Nobody had anything to say for a while, and somebody is parked whose creator is not known:
    /// it is time to look again.
    Idle,
    /// No tracee is left.
    Nobody,
}

/// Who is asked for reports: wait(2), or a test's list.
pub trait Source {
    /// A report of a target that is not taken yet; `None`: nothing is there, or a signal came.
    ///
    /// # Errors
    /// Those of wait(2).
    fn peek(&mut self, target: Target, block: bool) -> io::Result<Option<Report>>;
    /// Takes the stop of a task that was peeked.
    ///
    /// # Errors
    /// ECHILD: it was killed meanwhile.
    fn take_stop(&mut self, tid: Tid) -> io::Result<Option<Report>>;
}

/// The kernel.
pub struct Wait;

impl Source for Wait {
    fn peek(&mut self, target: Target, block: bool) -> io::Result<Option<Report>> {
        sys::peek(target, block)
    }

    fn take_stop(&mut self, tid: Tid) -> io::Result<Option<Report>> {
        sys::take_stop(tid)
    }
}

/// Where the reports come from.
pub struct Waiter<S = Wait> {
    source: S,
    style: Style,
    /// Stops that were taken ahead of their turn.
    taken: VecDeque<Report>,
    /// A round of taking all that is ready was left for a task that had to be reaped first, and how
    /// long it has taken so far.
    round: Option<Duration>,
    /// Tasks that are likely to report, and how often each has been asked.
    expected: VecDeque<(Tid, u8)>,
    /// How many reports in a row were found by asking those.
    streak: usize,
    /// Something may wait unannounced.
    unsure: bool,
    next_scan: Instant,
    waits: u64,
}

impl Waiter {
    /// A waiter of this style.
    pub fn new(style: Style) -> Self {
        Self::of(Wait, style)
    }
}

impl<S: Source> Waiter<S> {
    fn of(source: S, style: Style) -> Self {
        Self {
            source,
            style,
            taken: VecDeque::new(),
            round: None,
            expected: VecDeque::new(),
            streak: 0,
            unsure: true,
            next_scan: Instant::now(),
            waits: 0,
        }
    }

    /// How many waits were made.
    pub fn waits(&self) -> u64 {
        self.waits
    }

    /// This task is likely to report soon.
    pub fn expect(&mut self, tid: Tid) {
        if self.style != Style::Plain && self.expected.len() < FEW {
            self.expected.push_back((tid, 0));
        }
    }

    /// Moves the deadline; `false`: this style has none.
    pub fn set_deadline(&mut self, time: Duration) -> bool {
        if let Style::Directed { deadline } = &mut self.style {
            *deadline = Instant::now().checked_add(time);
            return true;
        }
        false
    }

    /// What was taken ahead of its turn, where nothing more is to be waited for.
    pub fn take_taken(&mut self) -> Option<Report> {
        self.taken.pop_front()
    }

    /// The next report of `live` tracees, or what ended the wait for it. `restless`: somebody is
    /// parked whose creator is not known, so that silence is news too.
    ///
    /// # Errors
    /// What wait(2) says beyond ECHILD and EINTR.
    pub fn next(&mut self, live: usize, restless: bool) -> io::Result<Woke> {
        if self.round.is_some() {
            match self.gather() {
                Ok(Some(report)) => return Ok(Woke::Report(report)),
                Ok(None) => {}
                Err(why) if why.raw_os_error() == Some(libc::ECHILD) => return Ok(Woke::Nobody),
                Err(why) => return Err(why),
            }
        }
        if let Some(report) = self.taken.pop_front() {
            return Ok(Woke::Report(report));
        }
        loop {
            let found = match self.style {
                Style::Directed { .. } => self.directed(restless),
                Style::Mixed if live >= FEW || restless => self.directed(restless),
                Style::Plain if restless => self.polled(),
                Style::Mixed | Style::Plain => self.plain(),
            };
            match found {
                Ok(Some(woke)) => return Ok(woke),
                Ok(None) => {}
                Err(why) if why.raw_os_error() == Some(libc::ECHILD) => return Ok(Woke::Nobody),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => return Ok(Woke::Handler),
                Err(why) => return Err(why),
            }
        }
    }

    /// Sleeps until some tracee reports, then takes what else is ready.
    fn plain(&mut self) -> io::Result<Option<Woke>> {
        self.expected.clear();
        self.unsure = true;
        let Some(first) = self.ask(Target::Any, true)? else {
            return Ok(None);
        };
        self.round = Some(Duration::ZERO);
        if !matches!(first.what, What::Stopped(_)) {
            return Ok(Some(Woke::Report(first)));
        }
        self.taken.push_back(first);
        Ok(self.gather()?.map(Woke::Report))
    }

    /// Takes all that is ready, then hands it out in turn. The kernel looks at the newest tracee
    /// first: whoever took one report at a time would keep an old task waiting for as long as new
    /// ones come (seen: a thread that was to end a storm of clones never had its turn). What is
    /// taken stays stopped, so a round ends.
    ///
    /// The end of a task is only seen, and hides all others until it is reaped: it is handed out at
    /// once, and the round goes on at the next call.
    fn gather(&mut self) -> io::Result<Option<Report>> {
        let began = Instant::now();
        let found = loop {
            match self.ask(Target::Any, false) {
                Ok(Some(report)) if matches!(report.what, What::Stopped(_)) => {
                    // Who was not resumed cannot stop again: the stop that was taken before was an
                    // old leader's, whom an exec has ended, and this is the EXEC of its heir.
                    self.forget(report.tid);
                    self.taken.push_back(report);
                }
                Ok(Some(ended)) => {
                    // Killed in its stop, which nobody can answer any more.
                    self.forget(ended.tid);
                    break Some(ended);
                }
                Ok(None) => break None,
                // Nobody else is left, and those that were taken have not had their turn.
                Err(why) if why.raw_os_error() == Some(libc::ECHILD) && !self.taken.is_empty() => {
                    break None;
                }
                Err(why) => {
                    self.round = None;
                    return Err(why);
                }
            }
        };
        let ended = Instant::now();
        let spent = self.round.unwrap_or_default() + (ended - began);
        if found.is_some() {
            self.round = Some(spent);
            return Ok(found);
        }
        self.round = None;
        self.next_scan = ended + spent * RATION;
        // What stops after a round that ended with nothing announces itself: no SIGCHLD is pending
        // now that could hide another, or it is taken next.
        self.unsure = false;
        Ok(self.taken.pop_front())
    }

    fn forget(&mut self, tid: Tid) {
        self.taken.retain(|report| report.tid != tid);
    }

    fn directed(&mut self, restless: bool) -> io::Result<Option<Woke>> {
        if let Some(report) = self.ask_expected()? {
            return Ok(Some(Woke::Report(report)));
        }
        let now = Instant::now();
        let (ending, deadline) = match self.style {
            Style::Directed { deadline } => (true, deadline),
            Style::Mixed | Style::Plain => (false, None),
        };
        if deadline.is_some_and(|deadline| now >= deadline) {
            return Ok(Some(Woke::Deadline));
        }
        if self.unsure && now >= self.next_scan {
            self.round = Some(Duration::ZERO);
            return Ok(self.gather()?.map(Woke::Report));
        }
        let until = if self.unsure {
            self.next_scan
        } else {
            now + NAP
        };
        let until = deadline.map_or(until, |deadline| until.min(deadline));
        let taken = sys::take_signal(ending, until.saturating_duration_since(now));
        // Whatever came: others may wait unannounced. After a nap, look for those who cannot speak.
        self.unsure = true;
        Ok(match taken {
            Taken::Child(tid) => self.ask_one(tid)?.map(Woke::Report),
            Taken::Ending(signal) => Some(Woke::Ending(signal)),
            Taken::Interrupted => Some(Woke::Handler),
            Taken::Nothing => restless.then_some(Woke::Idle),
        })
    }

    /// Asks those that are likely to report. Each report can lead to the next (who is resumed makes
    /// another task at once), so that all others, signals and the deadline would never have their
    /// turn (seen: a busy machine, and four threads that make threads): a streak has an end.
    fn ask_expected(&mut self) -> io::Result<Option<Report>> {
        if self.streak >= FEW {
            self.streak = 0;
            return Ok(None);
        }
        for _ in 0..self.expected.len() {
            let Some((tid, tries)) = self.expected.pop_front() else {
                break;
            };
            if let Some(report) = self.ask_one(tid)? {
                self.streak += 1;
                return Ok(Some(report));
            }
            if tries + 1 < TRIES {
                self.expected.push_back((tid, tries + 1));
            }
        }
        self.streak = 0;
        Ok(None)
    }

    /// Without a signal to wait for, and with a reason not to sleep for ever.
    fn polled(&mut self) -> io::Result<Option<Woke>> {
        let found = self.ask(Target::Any, false)?;
        if found.is_none() {
            std::thread::sleep(SHORT_NAP);
        }
        Ok(Some(found.map_or(Woke::Idle, Woke::Report)))
    }

    /// As [`Waiter::ask`]; a task that is not there (any more) has nothing to report.
    fn ask_one(&mut self, tid: Tid) -> io::Result<Option<Report>> {
        match self.ask(Target::One(tid), false) {
            Err(why) if why.raw_os_error() == Some(libc::ECHILD) => Ok(None),
            answer => answer,
        }
    }

    fn ask(&mut self, target: Target, block: bool) -> io::Result<Option<Report>> {
        self.waits += 1;
        let Some(seen) = self.source.peek(target, block)? else {
            return Ok(None);
        };
        match seen.what {
            What::Stopped(_) => {
                self.waits += 1;
                match self.source.take_stop(seen.tid) {
                    // Killed between the two waits: its end comes next.
                    Err(why) if why.raw_os_error() == Some(libc::ECHILD) => Ok(None),
                    answer => answer,
                }
            }
            What::Exited(_) | What::Killed { .. } => Ok(Some(seen)),
        }
    }
}

/// When a time that begins now is over.
pub(in crate::tracer) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(timeout?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is ready; as in the kernel the newest tracee comes first.
    #[derive(Default)]
    struct List(Vec<Report>);

    impl Source for List {
        fn peek(&mut self, _: Target, _: bool) -> io::Result<Option<Report>> {
            Ok(self.0.first().copied())
        }

        fn take_stop(&mut self, tid: Tid) -> io::Result<Option<Report>> {
            let at = self.0.iter().position(|report| report.tid == tid);
            Ok(at.map(|at| self.0.remove(at)))
        }
    }

    const fn stop(tid: Tid, status: i32) -> Report {
        let what = What::Stopped(status);
        Report { tid, what }
    }

    fn waiter(reports: &[Report]) -> Waiter<List> {
        Waiter::of(List(reports.to_vec()), Style::Plain)
    }

    fn next(waiter: &mut Waiter<List>) -> Report {
        match waiter.next(2, false) {
            Ok(Woke::Report(report)) => report,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_old_task_has_its_turn_however_often_a_new_one_stops() {
        let (old, new) = (stop(100, 10), stop(300, 10));
        let mut waiter = waiter(&[new, old]);
        let mut turns = Vec::new();
        for _ in 0..4 {
            let report = next(&mut waiter);
            turns.push(report.tid);
            if report == new {
                // Resumed, it stops again at once.
                waiter.source.0.insert(0, new);
            }
        }
        assert_eq!(turns, [300, 100, 300, 300]);
    }

    /// One task that stops again as soon as it is resumed.
    struct Restless;

    impl Source for Restless {
        fn peek(&mut self, _: Target, _: bool) -> io::Result<Option<Report>> {
            Ok(Some(stop(300, 10)))
        }

        fn take_stop(&mut self, _: Tid) -> io::Result<Option<Report>> {
            Ok(Some(stop(300, 10)))
        }
    }

    #[test]
    fn a_deadline_is_noticed_however_often_an_expected_task_stops() {
        let deadline = Some(Instant::now());
        let mut waiter = Waiter::of(Restless, Style::Directed { deadline });
        let woke = (0..=FEW).map(|_| {
            waiter.expect(300);
            waiter.next(2, false).expect("no wait fails")
        });
        let reports = woke.take_while(|woke| *woke != Woke::Deadline).count();
        assert_eq!(reports, FEW);
    }

    #[test]
    fn the_stop_of_a_task_that_has_ended_since_is_forgotten() {
        let killed = Report {
            tid: 100,
            what: What::Killed {
                signal: 9,
                core: false,
            },
        };
        let mut waiter = waiter(&[stop(100, 10), stop(300, 10), killed]);
        assert_eq!(next(&mut waiter), killed);
        waiter.source.0.clear();
        assert_eq!(next(&mut waiter).tid, 300);
    }

    #[test]
    fn the_stop_of_a_leader_is_forgotten_when_its_heir_reports() {
        let exec = stop(100, 5 | 4 << 8);
        let mut waiter = waiter(&[stop(100, 5 | 7 << 8), stop(300, 10), exec]);
        assert_eq!(next(&mut waiter).tid, 300);
        assert_eq!(next(&mut waiter), exec);
    }
}
