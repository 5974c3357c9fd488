//! Taking tasks that run already.
//!
//! The trace runs in a thread of its own: the kernel lets everything go when that thread ends, in
//! one pass and without stopping anybody, which no sequence of requests can do (a task blocked in
//! vfork, for one, cannot be stopped to be detached).

mod in_flight;
mod reaper;
pub(super) mod refusal;
pub(super) mod seize;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::abi;
use crate::error::{Error, Result};
use crate::event::{Event, Extra, Intercept};
use crate::sys;
use crate::tracer::Tracer;
use crate::tracer::kernel::live::{Live, proc_is_ours};
use crate::tracer::kernel::waiter::{Style, deadline};
use crate::tracer::start::first_line;
use crate::tracer::start::options::{Attach, Launch};
use crate::tracer::state::exit_stops::Options;

/// Events that may wait for a slow consumer before the tracing thread waits for it.
const AHEAD: usize = 65_536;

/// A trace of running tasks, and perhaps of a program along with them: an iterator of events.
/// Dropping it lets the tasks go.
pub struct Traced {
    events: Option<Receiver<Result<Event>>>,
    thread: Option<JoinHandle<()>>,
}

impl Iterator for Traced {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        self.events.as_ref()?.recv().ok()
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        // Without a receiver the tracing thread ends at its next event.
        self.events = None;
        if let Some(thread) = self.thread.take()
            && thread.is_finished()
        {
            let _ = thread.join();
        }
    }
}

/// Who is traced from a thread of its own.
enum Wanted {
    Attach(Attach),
    Both(Box<Launch>),
}

/// Attaches to running processes, or, with `launch.attach`, does so along with a program that it
/// starts. SIGINT, SIGQUIT, SIGTERM and SIGHUP, which are blocked from here on, let them go.
///
/// # Errors
/// Nothing could be attached to: why, and what to do about it. The program could not be started.
pub fn trace(attach: Attach, launch: Option<Launch>) -> Result<Traced> {
    if !proc_is_ours() {
        let why = "the /proc that is mounted here, if any, is not that of clonespy's pid namespace";
        return Err(Error::Trace {
            what: "attach".into(),
            why: std::io::Error::other(why),
            hint: Some("mount -t proc proc /proc (unshare has --mount-proc)".into()),
        });
    }
    sys::block_ending_signals();
    let wanted = match launch {
        Some(launch) => Wanted::Both(Box::new(Launch {
            attach: Some(attach),
            ..launch
        })),
        None => Wanted::Attach(attach),
    };
    let (sender, events) = sync_channel(AHEAD);
    let (ready, outcome) = sync_channel(1);
    let thread = thread::Builder::new()
        .name("tracer".to_owned())
        .spawn(move || run(&wanted, &ready, &sender))
        .map_err(|why| Error::Trace {
            what: "a thread to trace from".into(),
            why,
            hint: None,
        })?;
    match outcome.recv() {
        Ok(Ok(())) => Ok(Traced {
            events: Some(events),
            thread: Some(thread),
        }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error::Usage(
            "the tracing thread ended before it began".to_owned(),
        )),
    }
}

/// The tracing thread's whole life.
fn run(wanted: &Wanted, ready: &SyncSender<Result<()>>, events: &SyncSender<Result<Event>>) {
    let tracer = match wanted {
        Wanted::Attach(attach) => Tracer::attach(attach),
        Wanted::Both(launch) => Tracer::launch(launch),
    };
    let tracer = match tracer {
        Ok(tracer) => tracer,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    if ready.send(Ok(())).is_err() {
        return;
    }
    for event in tracer {
        if events.send(event).is_err() {
            return;
        }
    }
}

impl Tracer<Live> {
    fn attach(wanted: &Attach) -> Result<Self> {
        let intercept = match wanted.intercept {
            Some(Intercept::Syscall) => Intercept::Syscall,
            Some(Intercept::Seccomp) => {
                let why = "--intercept=seccomp needs a filter that the program itself installs \
                           before its exec: a running one can be watched by event or syscall";
                return Err(Error::Usage(why.to_owned()));
            }
            Some(Intercept::Event) | None => Intercept::Event,
        };
        let style = Style::Directed {
            deadline: deadline(wanted.timeout),
        };
        let abis = abi::arch::of_machine(std::env::consts::ARCH);
        let mut tracer = Tracer::new(Live::new(style), intercept, abis, &wanted.record);
        tracer.tell_stats = wanted.stats;
        tracer.unseen_entries |= !seize::is_full(wanted);
        let until_main = false;
        tracer.cx.exit_stops.options = wanted
            .record
            .has(Extra::Unreaped)
            .then_some(Options { until_main });
        let start = first_line::of_attach(wanted, intercept);
        tracer.cx.ledger.start(start);
        let refusals = seize::all(&mut tracer.cx, &mut tracer.life.newborns, wanted);
        if tracer.cx.table.len() == 0 {
            return Err(refusals.into_iter().next().map_or_else(
                || Error::Usage("every task ended before it could be attached to".to_owned()),
                Error::from,
            ));
        }
        seize::tell_refused(&mut tracer.cx, refusals);
        Ok(tracer)
    }
}
