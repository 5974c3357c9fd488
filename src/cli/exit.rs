//! How clonespy ends after a run: as the program did, or with what went wrong.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use super::message::warn;
use super::status;
use crate::abi::signals;
use crate::error::Result;
use crate::error::plain;
use crate::event::{Cut, Mode, Status};
use crate::library::Run;
use crate::output::Failure;

/// After a live trace: says what was lost, and ends as the traced program ended.
///
/// # Errors
/// What ended the trace before the program's end was seen.
pub(super) fn traced(run: Run) -> Result<ExitCode> {
    // An output that was lost does not change the status: that one is the program's.
    run.failures.iter().for_each(lost);
    let attached = run
        .tree
        .start()
        .is_some_and(|start| start.mode == Mode::Attach);
    if let (true, None, Some(_)) = (attached, &run.error, &run.end) {
        return Ok(ExitCode::SUCCESS);
    }
    if run.end.as_ref().and_then(|end| end.cut.as_ref()) == Some(&Cut::Timeout) {
        return Ok(ExitCode::from(status::TIMEOUT));
    }
    match (run.error, run.end.and_then(|end| end.status)) {
        (error, Some(status)) => {
            error.iter().for_each(|error| warn(&error.to_string()));
            Ok(end_as(&status))
        }
        (Some(error), None) => Err(error),
        (None, None) => {
            warn("the trace ended before the program did");
            Ok(ExitCode::from(status::FAILED))
        }
    }
}

/// After a replay: a trace that was cut short is worth a warning, and no failure.
///
/// # Errors
/// What ended the reading.
pub(super) fn replayed(run: Run, file: &Path) -> Result<ExitCode> {
    // Whoever closed the pipe has seen enough.
    let failures = || {
        run.failures
            .iter()
            .filter(|one| one.why.kind() != io::ErrorKind::BrokenPipe)
    };
    failures().for_each(lost);
    if let Some(error) = run.error {
        return Err(error);
    }
    if run.end.is_none() {
        warn(&format!("{}: this trace was cut short", file.display()));
    }
    Ok(ExitCode::from(if failures().next().is_none() {
        0
    } else {
        status::FAILED
    }))
}

fn lost(failure: &Failure) {
    warn(&format!(
        "the report to {} was lost: {}",
        failure.destination,
        plain(&failure.why)
    ));
}

/// Ends with a program's exit status, or by the same signal.
fn end_as(end: &Status) -> ExitCode {
    match end {
        // The kernel keeps eight bits of it (wait(2)).
        Status::Exited { exited } => ExitCode::from((exited & 0xff) as u8),
        Status::Signaled { signaled, .. } => match signals::number(signaled) {
            Some(signal) => crate::sys::die_by(signal),
            None => {
                warn(&format!(
                    "the program was ended by {signaled}, which has no number here"
                ));
                ExitCode::from(status::FAILED)
            }
        },
    }
}
