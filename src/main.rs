//! Parse, run, report, end as the program ended.

use std::process::ExitCode;

#[cfg(not(all(feature = "trace", target_os = "linux")))]
fn main() -> ExitCode {
    clonespy::cli::run(std::env::args_os())
}

#[cfg(all(feature = "trace", target_os = "linux"))]
fn main() -> ExitCode {
    linux::run()
}

#[cfg(all(feature = "trace", target_os = "linux"))]
mod linux {
    use std::process::ExitCode;

    use clonespy::cli::{self, Plan};
    use clonespy::replay::Replay;
    use clonespy::tracer::{Tracer, attach};
    use clonespy::{Result, run as report};

    pub fn run() -> ExitCode {
        let plan = match cli::parse(std::env::args_os()) {
            Ok(plan) => plan,
            Err(said) => return said.print(),
        };
        let done = match plan {
            Plan::Trace(plan) => trace(*plan),
            Plan::Replay(plan) => replay(plan),
            Plan::Explain(asked) => cli::explain(&asked),
            Plan::Check(asked) => cli::check(&asked),
            Plan::Print(text) => {
                cli::say(&text);
                Ok(ExitCode::SUCCESS)
            }
        };
        done.unwrap_or_else(|error| cli::fail(&error))
    }

    /// Outputs are opened first: one that cannot be written is an error before anything has run.
    fn trace(plan: cli::Trace) -> Result<ExitCode> {
        let outputs = cli::open(&plan.outputs, None)?;
        let run = match (plan.attach, plan.launch) {
            (Some(pids), launch) => report(attach::trace(pids, launch)?, plan.lints, outputs),
            (None, Some(launch)) => report(Tracer::launch(&launch)?, plan.lints, outputs),
            (None, None) => return Ok(ExitCode::SUCCESS),
        };
        cli::traced(run)
    }

    fn replay(plan: cli::Replay) -> Result<ExitCode> {
        let events = Replay::open(&plan.file)?;
        let outputs = cli::open(&plan.outputs, Some(&plan.file))?;
        cli::replayed(report(events, plan.lints, outputs), &plan.file)
    }
}
