//! What `clonespy check` asks of the world: build a program, run and trace it.

use std::process::{Command, Stdio};

use super::options::Options;
use super::trace::Trace;
use crate::check::{Job, Recipe, Recording, Subject};
use crate::error::{Error, Result};
use crate::lint;
use crate::replay::Replay;

/// Does a job: builds, runs and traces a program, or reads a recorded trace.
///
/// # Errors
/// The program cannot be built or run, or tracing is not permitted; the trace cannot be read.
pub fn run_job(job: &Job) -> Result<Recording> {
    let mut options = Options {
        timeout: job.recipe.timeout,
        record: lint::extras(job.lints.iter().copied()),
        ..Options::default()
    };
    match &job.subject {
        Subject::Trace(file) => Ok(Recording {
            events: Replay::open(file)?.collect::<Result<_>>()?,
            ..Recording::default()
        }),
        Subject::Command(words) => {
            let Some((program, args)) = words.split_first() else {
                return Err(Error::Usage("no command is given".to_owned()));
            };
            let mut command = Command::new(program);
            command.args(args);
            options.trace(command).map(ran)
        }
        Subject::Own => {
            build(&job.recipe)?;
            options.stdin = job.recipe.stdin.clone().unwrap_or_default().into_bytes();
            let traced = options.trace(own(&job.recipe)?);
            traced.map(ran).map_err(|why| match why {
                Error::NotFound { .. } | Error::NotExecutable { .. } => Error::Check {
                    what: format!("`command`: {why}"),
                },
                why => why,
            })
        }
    }
}

fn ran(mut trace: Trace) -> Recording {
    Recording {
        stdout: std::mem::take(&mut trace.stdout),
        stderr: std::mem::take(&mut trace.stderr),
        events: trace.into_events(),
    }
}

/// The command of a file, in the file's directory.
fn own(recipe: &Recipe) -> Result<Command> {
    let Some((program, args)) = recipe.command.split_first() else {
        return Err(Error::Usage("no `command` is given".to_owned()));
    };
    // exec comes after chdir, so a relative path would be looked for in the wrong place.
    let directory = std::path::absolute(&recipe.directory).map_err(|why| Error::Input {
        path: recipe.directory.clone(),
        why,
    })?;
    let mut command = match program.contains('/') {
        true => Command::new(directory.join(program.strip_prefix("./").unwrap_or(program))),
        false => Command::new(program),
    };
    command.args(args).current_dir(&directory);
    for (name, value) in &recipe.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(match recipe.stdin {
        Some(_) => Stdio::piped(),
        None => Stdio::null(),
    });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

/// Runs `build`, if there is one.
fn build(recipe: &Recipe) -> Result<()> {
    let Some(build) = &recipe.build else {
        return Ok(());
    };
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(build).current_dir(&recipe.directory);
    let made = shell.stdin(Stdio::null()).output();
    let made = made.map_err(|why| Error::Check {
        what: format!("`build` could not be run: {why}"),
    })?;
    if made.status.success() {
        return Ok(());
    }
    let said = [made.stdout, made.stderr].concat();
    Err(Error::Check {
        what: format!(
            "`build` failed ({}): {build}\n{}",
            made.status,
            String::from_utf8_lossy(&said).trim_end()
        ),
    })
}
