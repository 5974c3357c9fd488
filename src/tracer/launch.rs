//! Starting the program under trace.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use nix::unistd::{User, getgrouplist};

use crate::abi;
use crate::error::{Error, Result, plain};
use crate::event::{
    Appeared, Event, FORMAT, How, Intercept, Kind, Mode, Start, Status, TaskId, Tid, hex, lossy,
};
use crate::sys::{self, Identity, Note, Program, SockFilter};

use super::attach::Attach;
use super::kernel::{Kernel, Live, proc_is_ours};
use super::table::Tracee;
use super::tracee::Stopped;
use super::waiter::Style;
use super::{Starting, Tracer, facts, filter};

/// What is to be started, and how it is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// The program: a path, or a name that PATH finds.
    pub program: OsString,
    /// Its arguments, without the name.
    pub args: Vec<OsString>,
    /// What it is told of its own name; `program`, if nothing else.
    pub argv0: Option<OsString>,
    /// Changes to the environment: set, or (`None`) removed.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// The user as whom it runs, with that user's groups.
    pub user: Option<String>,
    /// How calls are caught; the best that works, if none is asked for.
    pub intercept: Option<Intercept>,
    /// Tell what tracing took.
    pub stats: bool,
    /// Record the descriptors that each new program inherits ([`crate::event::Exec::inherited_fds`]).
    pub inherited_fds: bool,
    /// Record the children that a process leaves behind as zombies ([`crate::event::Exit::unreaped`]).
    /// Every task stops once more for it.
    pub unreaped: bool,
    /// clonespy's options, for the record.
    pub options: Vec<String>,
    /// Signals, SIGCHLD first, belong to the trace: waits are directed by SIGCHLD, and what would
    /// end this process goes to the program. Only for a program that does nothing else.
    pub own_signals: bool,
    /// The program gets SIGTERM after this time, and everything SIGKILL two seconds later. Only with
    /// `own_signals`.
    pub timeout: Option<Duration>,
    /// The trace ends when the program itself does, and not when its last descendant has.
    pub until_main: bool,
    /// Running tasks to be traced along with it.
    pub attach: Option<Attach>,
}

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
        let line = describe(launch, intercept, why);
        tracer.start = Some(Starting {
            child,
            line,
            program: launch.program.clone(),
            hosted: false,
        });
        Ok(tracer)
    }

    /// Seizes the child that is to become the program: it is task 1.
    pub(super) fn take_child(&mut self, pid: Tid) -> Result<()> {
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
    pub(super) fn begin(&mut self, task: &Stopped<K>) {
        let Some(mut starting) = self.start.take() else {
            return;
        };
        if starting.line.intercept == Intercept::Seccomp {
            starting.line.visible.push("Seccomp".to_owned());
        }
        if starting.child.notes().contains(&Note::NoNewPrivs) {
            starting.line.visible.push("NoNewPrivs".to_owned());
        }
        self.out.push_back(Event::Start(starting.line));
        let tid = task.tid();
        // Where it was killed meanwhile its end is what comes next.
        let _ = self.ask_before_end(task);
        let status = facts::status(task.eye()).unwrap_or_default();
        if let Some(tracee) = self.table.get_mut(tid) {
            tracee.full = self.intercept == Intercept::Syscall;
            tracee.nested = status.ns_tids.len() > 1;
        }
        let start_ticks = facts::stat(task.eye()).map(|stat| stat.start_ticks);
        self.count_task(Kind::Process);
        self.emit(|seq| {
            Event::Task(Appeared {
                seq,
                at_ns: 0,
                task: TaskId(1),
                tid,
                tgid: tid,
                ppid: status.ppid,
                kind: Kind::Process,
                comm: "clonespy".to_owned(),
                comm_hex: None,
                how: How::Launched,
                start_ticks,
                ns_tids: None,
            })
        });
    }

    /// The child ended before its exec: it said why.
    pub(super) fn failed_start(&mut self, status: &Status) -> Error {
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

/// Why an exec failed, told apart as shells do: not there, or there and not to be run.
pub(super) fn cannot_run(program: String, errno: i32) -> Error {
    let why = io::Error::from_raw_os_error(errno);
    let missing = errno == libc::ENOENT || errno == libc::ENOTDIR;
    if missing && std::fs::exists(&program).unwrap_or(false) && program.contains('/') {
        let why = io::Error::other(format!(
            "{why} (the file is there: its interpreter, the #! line's or the ELF loader, is not)"
        ));
        Error::NotExecutable { program, why }
    } else if missing {
        Error::NotFound { program, why }
    } else {
        Error::NotExecutable { program, why }
    }
}

/// The filter of this way of catching calls.
pub(super) fn filter_for(intercept: Intercept, abis: &[&'static abi::Abi]) -> Vec<SockFilter> {
    let instructions = match intercept {
        Intercept::Seccomp => filter::build(abis),
        Intercept::Event | Intercept::Syscall => Vec::new(),
    };
    instructions
        .iter()
        .map(|insn| SockFilter {
            code: insn.code,
            jt: insn.jt,
            jf: insn.jf,
            k: insn.k,
        })
        .collect()
}

/// When a time that begins now is over.
pub(super) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(timeout?)
}

/// The way of catching calls, and why it is not the filter, if it is not.
pub(super) fn choose(wanted: Option<Intercept>) -> (Intercept, Option<String>) {
    match wanted {
        Some(Intercept::Seccomp) => (Intercept::Seccomp, None),
        Some(other) => (other, Some("--intercept asks for it".to_owned())),
        None => best(sys::probe_filter().err(), sys::probe_clone3()),
    }
}

/// The best way that works, by what was found out: why no filter can be installed, and whether the
/// kernel itself answers clone3.
fn best(no_filter: Option<io::Error>, clone3: bool) -> (Intercept, Option<String>) {
    match (no_filter, clone3) {
        (None, true) => (Intercept::Seccomp, None),
        (Some(why), _) => {
            let why = plain(&why);
            let why = format!(
                "seccomp(2) is refused here ({why}), by a filter that was there before clonespy (a \
                 container's?) or by a kernel without filters"
            );
            (Intercept::Syscall, Some(why))
        }
        (None, false) => {
            let why = "a seccomp filter that was there before clonespy (a container's?), or a \
                       kernel before 5.3, answers clone3 and would hide calls from our filter";
            (Intercept::Syscall, Some(why.to_owned()))
        }
    }
}

/// The trace's first line, for a program that is started.
pub(super) fn describe(
    launch: &Launch,
    intercept: Intercept,
    intercept_why: Option<String>,
) -> Start {
    let command: Vec<&OsString> = std::iter::once(&launch.program)
        .chain(&launch.args)
        .collect();
    let odd = command
        .iter()
        .any(|part| lossy(part.as_bytes()).1.is_some());
    Start {
        command: command
            .iter()
            .map(|part| lossy(part.as_bytes()).0)
            .collect(),
        command_hex: odd.then(|| command.iter().map(|part| hex(part.as_bytes())).collect()),
        intercept_why,
        ..describe_machine(Mode::Launch, intercept, &launch.options)
    }
}

/// Why our own child cannot be seized. Who traces us has it already: a task has one tracer.
fn seize_hint() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let tracer = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"))
        .map(str::trim)
        .filter(|pid| *pid != "0");
    let Some(pid) = tracer else {
        return "a container must allow ptrace (CAP_SYS_PTRACE, or its seccomp profile)".into();
    };
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!(
        "clonespy is itself traced, by {} ({pid}), and so are its children: a task has one tracer at a time",
        comm.trim().escape_debug()
    )
}

/// The trace's first line, for tasks that run already.
pub(super) fn describe_attach(attach: &Attach, intercept: Intercept) -> Start {
    let why = match intercept {
        Intercept::Event => "a running program cannot be given the filter",
        Intercept::Seccomp | Intercept::Syscall => "--intercept asks for it",
    };
    Start {
        intercept_why: Some(why.to_owned()),
        ..describe_machine(Mode::Attach, intercept, &attach.options)
    }
}

/// What is the same for all traces on this machine.
fn describe_machine(mode: Mode, intercept: Intercept, options: &[String]) -> Start {
    let read = |path: &str| {
        let text = std::fs::read_to_string(path).ok()?;
        Some(text.trim().to_owned())
    };
    let blind: &[&str] = match intercept {
        Intercept::Event => &["failed calls", "CLONE_UNTRACED children"],
        Intercept::Seccomp | Intercept::Syscall => &[],
    };
    let names = "names and other facts that only /proc tells: the one that is mounted here is not \
                 that of clonespy's pid namespace";
    let nameless = (!proc_is_ours()).then_some(names);
    Start {
        format: FORMAT,
        clonespy: env!("CARGO_PKG_VERSION").to_owned(),
        trace_id: read("/proc/sys/kernel/random/uuid").unwrap_or_default(),
        boot_id: read("/proc/sys/kernel/random/boot_id"),
        pid_ns: std::fs::metadata("/proc/self/ns/pid")
            .ok()
            .map(|file| file.ino()),
        mode: mode.into(),
        command: Vec::new(),
        command_hex: None,
        options: options.to_vec(),
        kernel: read("/proc/sys/kernel/osrelease").unwrap_or_default(),
        machine: std::env::consts::ARCH.to_owned(),
        wall: jiff::Timestamp::now().to_string(),
        intercept: intercept.into(),
        intercept_why: None,
        blind: blind
            .iter()
            .copied()
            .chain(nameless)
            .map(str::to_owned)
            .collect(),
        visible: Vec::new(),
    }
}

/// Everything that the child needs.
fn prepare(launch: &Launch, filter: Vec<SockFilter>) -> Result<Program> {
    let env = environment(std::env::vars_os().collect(), &launch.env);
    let argv0 = launch.argv0.as_ref().unwrap_or(&launch.program);
    let argv = std::iter::once(argv0)
        .chain(&launch.args)
        .map(|arg| c_string(arg.as_bytes()));
    let envp = env
        .iter()
        .map(|(name, value)| c_string(&[name.as_bytes(), b"=", value.as_bytes()].concat()));
    let path = env
        .iter()
        .find(|(name, _)| name == "PATH")
        .map(|(_, path)| path.clone().into_vec());
    Ok(Program {
        files: candidates(launch.program.as_bytes(), path.as_deref())?,
        argv: argv.collect::<Result<_>>()?,
        envp: envp.collect::<Result<_>>()?,
        identity: launch.user.as_deref().map(identity).transpose()?,
        filter,
    })
}

/// The environment with changes, in the order in which it was inherited; new ones come last.
fn environment(
    mut env: Vec<(OsString, OsString)>,
    changes: &[(OsString, Option<OsString>)],
) -> Vec<(OsString, OsString)> {
    for (name, value) in changes {
        let Some(value) = value else {
            env.retain(|(known, _)| known != name);
            continue;
        };
        match env.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => old.clone_from(value),
            None => env.push((name.clone(), value.clone())),
        }
    }
    env
}

/// The files to try, as execvp(3) does.
fn candidates(program: &[u8], path: Option<&[u8]>) -> Result<Vec<CString>> {
    if program.contains(&b'/') {
        return Ok(vec![c_string(program)?]);
    }
    if program.is_empty() {
        return Ok(Vec::new());
    }
    path.unwrap_or(b"/bin:/usr/bin")
        .split(|&byte| byte == b':')
        .map(|folder| {
            // An empty entry means the working directory.
            let folder = if folder.is_empty() {
                b".".as_slice()
            } else {
                folder
            };
            c_string(&[folder, b"/", program].concat())
        })
        .collect()
}

fn c_string(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).map_err(|_| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        Error::Usage(format!(
            "{text:?} has a NUL byte in it, which no program can be given"
        ))
    })
}

/// A user with all groups, as a login would have them.
fn identity(name: &str) -> Result<Identity> {
    let unknown = |why: io::Error| Error::Launch {
        what: format!("user {name:?}"),
        why,
    };
    let user = match User::from_name(name) {
        Ok(Some(user)) => user,
        Ok(None) => return Err(unknown(io::Error::other("there is no such user"))),
        Err(why) => return Err(unknown(why.into())),
    };
    let c_name = c_string(name.as_bytes())?;
    let groups = getgrouplist(&c_name, user.gid).map_err(|why| unknown(why.into()))?;
    Ok(Identity {
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
        groups: groups.into_iter().map(nix::unistd::Gid::as_raw).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(program: &str, path: Option<&str>) -> Vec<String> {
        candidates(program.as_bytes(), path.map(str::as_bytes))
            .expect("no NUL")
            .into_iter()
            .map(|file| file.into_string().expect("UTF-8"))
            .collect()
    }

    #[test]
    fn a_name_is_looked_up_as_execvp_does() {
        assert_eq!(texts("./a", Some("/x")), ["./a"]);
        assert_eq!(texts("a", Some("/x::/y")), ["/x/a", "./a", "/y/a"]);
        assert_eq!(texts("a", None), ["/bin/a", "/usr/bin/a"]);
        assert!(texts("", Some("/x")).is_empty());
    }

    #[test]
    fn the_environment_keeps_its_order() {
        let pairs = |text: &str| -> Vec<(OsString, OsString)> {
            text.split(' ')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.into(), value.into()))
                .collect()
        };
        let changes = [
            ("A".into(), Some("9".into())),
            ("B".into(), None),
            ("N".into(), Some("1".into())),
        ];
        assert_eq!(
            environment(pairs("Z=1 A=2 B=3 C=4"), &changes),
            pairs("Z=1 A=9 C=4 N=1")
        );
    }

    #[test]
    fn a_nul_byte_is_an_error_and_no_panic() {
        assert!(candidates(b"/a\0b", None).is_err());
    }

    #[test]
    fn the_best_way_that_works_is_taken_and_why_it_is_not_the_filter_is_said() {
        let denied = || Some(io::Error::from_raw_os_error(libc::EPERM));
        assert_eq!(best(None, true), (Intercept::Seccomp, None));
        for (no_filter, clone3) in [(denied(), true), (denied(), false), (None, false)] {
            let reason = if no_filter.is_some() {
                "seccomp(2)"
            } else {
                "clone3"
            };
            let (way, why) = best(no_filter, clone3);
            assert_eq!(way, Intercept::Syscall);
            assert!(why.is_some_and(|why| why.contains(reason)));
        }
    }

    #[test]
    fn a_user_must_exist() {
        assert!(identity("no-such-user-here").is_err());
        assert_eq!(identity("root").expect("root exists").uid, 0);
    }
}
