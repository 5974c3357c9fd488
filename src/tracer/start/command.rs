//! Tracing what a host program starts through its own [`Command`].

use std::process::Command;

use crate::abi::{self, Abi};
use crate::error::{Error, Result};
use crate::event::{Extras, Intercept, NoFilter};
use crate::sys::{self, Coming, Host};
use crate::tracer::Tracer;
use crate::tracer::kernel::live::Live;
use crate::tracer::kernel::waiter::Style;

use super::first_line;
use super::intercept::{choose, filter_for};
use super::launch::exit_stops;
use super::options::Launch;
use super::program::cannot_run;
use super::starting::Starting;

/// The tracing thread's half of a start. [`Hook::trace`] belongs in a thread that has no children
/// and traces nothing else.
#[derive(Debug)]
pub struct Hook {
    coming: Coming,
    intercept: Intercept,
    why: Option<NoFilter>,
    abis: Vec<&'static Abi>,
    launch: Launch,
}

/// Prepares a command: what it spawns waits until it is traced. The [`Host`] is for the thread that
/// spawns it.
///
/// # Errors
/// No pipes are left.
pub fn hook(command: &mut Command) -> Result<(Hook, Host)> {
    let (intercept, why) = choose(None);
    let abis = abi::arch::of_machine(std::env::consts::ARCH);
    let filter = filter_for(intercept, &abis);
    let (coming, host) = sys::hook(command, filter).map_err(|why| Error::Launch {
        what: "pipe".to_owned(),
        why,
    })?;
    let launch = Launch {
        program: command.get_program().to_owned(),
        args: command.get_args().map(ToOwned::to_owned).collect(),
        ..Launch::default()
    };
    let hook = Hook {
        coming,
        intercept,
        why,
        abis,
        launch,
    };
    Ok((hook, host))
}

impl Hook {
    /// What to record on demand.
    pub fn record(&mut self, what: Extras) {
        self.launch.record = what;
    }

    /// Waits for the child, seizes it and lets it go on to its exec. `None`: no child came, and
    /// the spawning thread knows why.
    ///
    /// # Errors
    /// Tracing is not permitted; the child is ended then.
    pub fn trace(self) -> Result<Option<Tracer<Live>>> {
        let failed = |what: &str, why| Error::Launch {
            what: what.to_owned(),
            why,
        };
        let coming = self.coming.wait();
        let Some(mut child) = coming.map_err(|why| failed("waiting for the child", why))? else {
            return Ok(None);
        };
        let mut tracer = Tracer::new(
            Live::new(Style::Plain),
            self.intercept,
            self.abis,
            &self.launch.record,
        );
        if let Err(why) = tracer.take_child(child.pid) {
            child.stop();
            return Err(why);
        }
        child.go().map_err(|why| failed("the child is gone", why))?;
        let exit_stops = exit_stops(&self.launch);
        tracer.start = Some(Starting {
            child,
            line: first_line::of_program(&self.launch, self.intercept, self.why),
            program: self.launch.program,
            hosted: true,
            exit_stops,
        });
        Ok(Some(tracer))
    }
}

impl Tracer<Live> {
    /// The pid of the program that was started.
    pub fn root(&self) -> crate::event::Tid {
        self.end.root
    }
}

/// What [`Command::spawn`] failed with. `reached`: the child had come to its exec, so that is what
/// failed; otherwise a step before it did.
pub fn spawn_failure(program: &str, reached: bool, why: std::io::Error) -> Error {
    match why.raw_os_error() {
        Some(errno) if reached => cannot_run(program.to_owned(), errno),
        _ => Error::Launch {
            what: format!("{program}: fork, or a step before its exec"),
            why,
        },
    }
}
