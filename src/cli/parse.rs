//! From the words of the command line to a plan.

use std::ffi::OsString;

use clap::Parser;

use super::arguments::{Line, Sub, USAGE};
use super::message::Message;
use super::plan::{self, Plan};
use super::subcommands::{RESERVED, SUBCOMMANDS};
use super::{generate, status};

/// Reads the command line, the program's own name first.
///
/// # Errors
/// What is to be said instead of doing anything: help, the version, or what is wrong.
pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Plan, Message> {
    let args: Vec<OsString> = args.into_iter().collect();
    let check = args.get(1).is_some_and(|word| word == "check");
    plan(args).map_err(|message| match check && message.status == status::FAILED {
        // A check that was asked for in vain has not run, whatever hindered it.
        true => Message {
            status: status::NOT_CHECKED,
            ..message
        },
        false => message,
    })
}

fn plan(args: Vec<OsString>) -> Result<Plan, Message> {
    let line = Line::try_parse_from(&args).map_err(Message::from_clap)?;
    let Line {
        command,
        render,
        lints,
        start,
        attach,
        generate,
        brief,
        help,
        program,
    } = line;
    if brief || help {
        return Ok(Plan::Print(generate::help(brief)));
    }
    if let Some(what) = generate {
        return Ok(Plan::Print(generate::text(what)));
    }
    match command {
        Some(Sub::Replay {
            render,
            lints,
            file,
        }) => {
            return plan::replay(render, &lints, file).map(Plan::Replay);
        }
        Some(Sub::Explain(options)) => {
            return options
                .plan()
                .map(|command| Plan::Explain(Box::new(command)));
        }
        Some(Sub::Check(options)) => {
            return options.plan().map(|command| Plan::Check(Box::new(command)));
        }
        None => {}
    }
    // What is left of the program are clonespy's options: the program takes all that follows it.
    let ours = args
        .get(1..args.len().saturating_sub(program.len()))
        .unwrap_or_default();
    let (ours, dashes) = match ours {
        [ours @ .., last] if last == "--" => (ours, true),
        ours => (ours, false),
    };
    let options: Vec<String> = ours
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let Some((name, rest)) = program.split_first() else {
        if !attach.pids().is_empty() {
            attach.without_program()?;
            return plan::trace(render, start, &attach, &lints, None, options)
                .map(|trace| Plan::Trace(Box::new(trace)));
        }
        return Err(Message::usage_error(format!(
            "no program to run; usage: {}",
            USAGE.lines().next().unwrap_or_default()
        )));
    };
    if !dashes {
        not_a_subcommand(name, ours, rest)?;
    }
    plan::trace(render, start, &attach, &lints, Some((name, rest)), options)
        .map(|trace| Plan::Trace(Box::new(trace)))
}

/// A program that is named like a subcommand is one only after `--`.
fn not_a_subcommand(name: &OsString, ours: &[OsString], rest: &[OsString]) -> Result<(), Message> {
    let words = |first: &str, more: &[OsString]| {
        let more = more
            .iter()
            .map(|word| format!(" {}", word.to_string_lossy()));
        more.fold(first.to_owned(), |line, word| line + &word)
    };
    let Some(word) = name.to_str() else {
        return Ok(());
    };
    let run = format!("clonespy{}", words(&words("", ours), &[])) + " -- " + &words(word, rest);
    if SUBCOMMANDS.contains(&word) {
        let sub = words(&words(&format!("clonespy {word}"), ours), rest);
        return Err(Message::usage_error(format!(
            "'{word}' after an option: for the subcommand write '{sub}', \
             to run a program of that name '{run}'"
        )));
    }
    if RESERVED.contains(&word) {
        return Err(Message::usage_error(format!(
            "the subcommand '{word}' is not in this version; \
             to run a program of that name write '{run}'"
        )));
    }
    Ok(())
}
