//! Parse, run, report, end as the program ended.

use std::io::ErrorKind;
use std::process::ExitCode;

use clonespy::cli::{self, Plan};
use clonespy::{Failure, Result, report, run};

fn main() -> ExitCode {
    let plan = match cli::parse(std::env::args_os()) {
        Ok(plan) => plan,
        Err(said) => return said.print(),
    };
    let done = match plan {
        Plan::Trace(plan) => trace(&plan),
        Plan::Replay(plan) => replay(&plan),
        Plan::Schema => {
            cli::say(&report::schema());
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| cli::fail(&error))
}

fn trace(plan: &cli::Trace) -> Result<ExitCode> {
    let outputs = cli::open(&plan.outputs, None)?;
    let tracer = clonespy::tracer::Tracer::launch(&plan.launch)?;
    let run = run(tracer, outputs);
    // What was lost on the way is said; the program's status is not ours to change.
    run.failures.iter().for_each(lost);
    match (run.error, run.end.and_then(|end| end.status)) {
        (error, Some(status)) => {
            error
                .iter()
                .for_each(|error| cli::complain(&error.to_string()));
            Ok(cli::finish_as(&status))
        }
        (Some(error), None) => Err(error),
        (None, None) => {
            cli::complain("the trace ended before the program did");
            Ok(ExitCode::from(cli::status::FAILED))
        }
    }
}

fn replay(plan: &cli::Replay) -> Result<ExitCode> {
    let events = clonespy::replay::Replay::open(&plan.file)?;
    let mut run = run(events, cli::open(&plan.outputs, Some(&plan.file))?);
    // Whoever closed the pipe has seen enough.
    run.failures
        .retain(|failure| failure.why.kind() != ErrorKind::BrokenPipe);
    run.failures.iter().for_each(lost);
    match run.error {
        Some(error) => return Err(error),
        None if run.end.is_none() => {
            cli::complain(&format!(
                "{}: this trace was cut short",
                plan.file.display()
            ));
        }
        None => {}
    }
    let good = run.failures.is_empty();
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(cli::status::FAILED)
    })
}

fn lost(failure: &Failure) {
    cli::complain(&format!(
        "the report to {} was lost: {}",
        failure.destination, failure.why
    ));
}
