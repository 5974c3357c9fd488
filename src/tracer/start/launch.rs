//! Starting the program under trace.

use crate::abi;
use crate::error::{Error, Result};
use crate::event::{Extra, Intercept, Kind, Tid};
use crate::proc;
use crate::sys;
use crate::tracer::Tracer;
use crate::tracer::kernel::live::Live;
use crate::tracer::kernel::waiter::{Style, deadline};
use crate::tracer::state::exit_stops::Options;
use crate::tracer::state::table::Tracee;

use super::first_line;
use super::intercept::{choose, filter_for};
use super::options::Launch;
use super::program::prepare;
use super::starting::Starting;

impl Tracer<Live> {
    /// Starts a program. Its exec has not been seen when this returns: a program that cannot be
    /// run is the iterator's first and only item.
    ///
    /// # Errors
    /// The user is not known, fork failed, or tracing is not permitted.
    pub fn launch(launch: &Launch) -> Result<Self> {
        let (intercept, why) = choose(launch.intercept);
        let abis = abi::arch::of_machine(std::env::consts::ARCH);
        let program = prepare(launch, filter_for(intercept, &abis))?;
        let style = match &launch.attach {
            // Signals and the time are noticed by the wait itself.
            Some(_) => Style::Directed {
                deadline: deadline(launch.timeout),
            },
            None if launch.own_signals => Style::Mixed,
            None => Style::Plain,
        };
        let mut tracer = Tracer::new(Live::new(style), intercept, abis, &launch.record);
        tracer.tell_stats = launch.stats;
        tracer.end.until_main = launch.until_main;
        tracer.also = launch.attach.clone();
        if launch.own_signals {
            sys::block_sigchld();
        }
        let failed = |what: &str, why| Error::Launch {
            what: what.to_owned(),
            why,
        };
        let mut child = sys::spawn(&program).map_err(|why| failed("fork", why))?;
        tracer.take_child(child.pid)?;
        if launch.own_signals && launch.attach.is_none() {
            sys::forward_signals_to(child.pid);
            if let Some(time) = launch.timeout {
                sys::alarm_after(time);
            }
        }
        child.go().map_err(|why| failed("the child is gone", why))?;
        tracer.start = Some(Starting {
            child,
            line: first_line::of_program(launch, intercept, why),
            program: launch.program.clone(),
            hosted: false,
            exit_stops: exit_stops(launch),
        });
        Ok(tracer)
    }

    /// Seizes the child that is to become the program: it is task 1.
    pub(super) fn take_child(&mut self, pid: Tid) -> Result<()> {
        self.end.root = pid;
        let filtered = self.cx.intercept == Intercept::Seccomp;
        // Without a filter what is left behind can live on, where that is wanted.
        let exit_kill = filtered || !self.end.until_main;
        sys::seize(pid, exit_kill, filtered).map_err(|why| Error::Trace {
            what: "PTRACE_SEIZE".into(),
            why,
            hint: Some(seize_hint()),
        })?;
        let id = self.cx.ledger.new_task();
        let tracee = Tracee {
            born_ns: Some(0),
            started: true,
            ..Tracee::new(id, pid, Kind::Process)
        };
        self.cx.table.insert(pid, tracee);
        Ok(())
    }
}

/// Whether tasks are asked to stop before they end, and how.
pub(super) fn exit_stops(launch: &Launch) -> Option<Options> {
    let until_main = launch.until_main;
    launch
        .record
        .has(Extra::Unreaped)
        .then_some(Options { until_main })
}

/// Why our own child cannot be seized. Who traces us has it already: a task has one tracer.
fn seize_hint() -> String {
    let status = std::fs::read("/proc/self/status").unwrap_or_default();
    let tracer = proc::field(&status, "TracerPid").filter(|pid| *pid != "0");
    let Some(pid) = tracer else {
        return "a container must allow ptrace (CAP_SYS_PTRACE, or its seccomp profile)".into();
    };
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!(
        "clonespy is itself traced, by {} ({pid}), and so are its children: a task has one tracer at a time",
        comm.trim().escape_debug()
    )
}
