//! Starting the program under trace.

use std::io;

use crate::abi;
use crate::error::{Error, Result};
use crate::event::{Appeared, EventKind, How, Intercept, Kind, Status, TaskId, Tid};
use crate::sys::{self, Note};

use crate::proc;
use crate::tracer::Starting;
use crate::tracer::Tracer;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::live::Live;
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::waiter::{Style, deadline};
use crate::tracer::start::first_line;
use crate::tracer::start::intercept::{choose, filter_for};
use crate::tracer::start::options::Launch;
use crate::tracer::start::program::{cannot_run, prepare};
use crate::tracer::state::table::Tracee;

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
        let mut tracer = Tracer::new(Live::new(style).leaving(launch.unreaped), intercept, abis);
        tracer.tell_stats = launch.stats;
        tracer.look_at_inherited(launch.inherited_fds);
        tracer.until_main = launch.until_main;
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
        let line = first_line::of_program(launch, intercept, why);
        tracer.start = Some(Starting {
            child,
            line,
            program: launch.program.clone(),
            hosted: false,
        });
        Ok(tracer)
    }

    /// Seizes the child that is to become the program: it is task 1.
    pub(in crate::tracer) fn take_child(&mut self, pid: Tid) -> Result<()> {
        self.root = pid;
        let filtered = self.intercept == Intercept::Seccomp;
        // Without a filter what is left behind can live on, where that is wanted.
        let exit_kill = filtered || !self.until_main;
        sys::seize(pid, exit_kill, filtered).map_err(|why| Error::Trace {
            what: "PTRACE_SEIZE".into(),
            why,
            hint: Some(seize_hint()),
        })?;
        self.table.insert(
            pid,
            Tracee {
                born_ns: Some(0),
                started: true,
                ..Tracee::new(TaskId(1), pid, Kind::Process)
            },
        );
        self.next_task = 2;
        Ok(())
    }
}

impl<K: Kernel> Tracer<K> {
    /// The program's own exec: the trace begins.
    pub(in crate::tracer) fn begin(&mut self, task: &Stopped<K>) {
        let Some(mut starting) = self.start.take() else {
            return;
        };
        if starting.line.intercept == Intercept::Seccomp {
            starting.line.visible.push("Seccomp".to_owned());
        }
        if starting.child.notes().contains(&Note::NoNewPrivs) {
            starting.line.visible.push("NoNewPrivs".to_owned());
        }
        self.out.push_back(starting.line.into());
        let tid = task.tid();
        // Where it was killed meanwhile its end is what comes next.
        let _ = self.ask_before_end(task);
        let status = proc::status(task.eye()).unwrap_or_default();
        if let Some(tracee) = self.table.get_mut(tid) {
            tracee.full = self.intercept == Intercept::Syscall;
            tracee.nested = status.ns_tids.len() > 1;
        }
        let start_ticks = proc::stat(task.eye()).map(|stat| stat.start_ticks);
        self.count_task(Kind::Process);
        self.emit(
            0,
            TaskId(1),
            EventKind::Task(Appeared {
                tid,
                tgid: tid,
                ppid: status.ppid,
                kind: Kind::Process,
                comm: "clonespy".to_owned(),
                comm_hex: None,
                how: How::Launched,
                start_ticks,
                ns_tids: None,
            }),
        );
    }

    /// The child ended before its exec: it said why.
    pub(in crate::tracer) fn failed_start(&mut self, status: &Status) -> Error {
        let Some(mut starting) = self.start.take() else {
            return Error::Usage("the program ended before it began".to_owned());
        };
        let program = starting.program.to_string_lossy().into_owned();
        let failed = starting
            .child
            .notes()
            .into_iter()
            .find_map(|note| match note {
                Note::Failed(step, errno) => Some((step, errno)),
                Note::NoNewPrivs => None,
            });
        match failed {
            Some(("exec", errno)) => cannot_run(program, errno),
            Some((step, errno)) => Error::Launch {
                what: step.to_owned(),
                why: io::Error::from_raw_os_error(errno),
            },
            None => Error::Launch {
                what: program,
                why: io::Error::other(match status {
                    Status::Exited { exited } => {
                        format!("it ended before its exec, with status {exited}")
                    }
                    Status::Signaled { signaled, .. } => {
                        format!("{signaled} ended it before its exec")
                    }
                }),
            },
        }
    }
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
