//! The options, as clap reads them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, Parser, Subcommand, ValueEnum};

use super::language::Language;
use super::{attach, check, explain, lint_options};

pub(super) static USAGE: &str = "clonespy [OPTIONS] [--] PROGRAM [ARGS]...
       clonespy [OPTIONS] -p PID[,PID]...
       clonespy replay [OPTIONS] FILE
       clonespy explain [OPTIONS] SET
       clonespy check [OPTIONS] FILE...";

static AFTER: &str = "\
Examples:
  clonespy ./program                 what does it create?
  clonespy -o trace.txt -- make -j4  the report in a file
  clonespy -qq -- make -j4           nothing but the tree of all tasks
  clonespy --format jsonl:t.jsonl ls record it, then: clonespy replay t.jsonl

`clonespy --help` has every option.";

pub(super) static AFTER_LONG: &str = "\
Exit status: the program's own, or death by the same signal. 125: clonespy
itself failed; 126: the program cannot be executed; 127: it was not found;
124: --timeout ended it. After -p: 0.

Examples:
  clonespy ./program                 what does it create, what is shared?
  clonespy -vv ./program             and which function of the kernel decides?
  clonespy -o trace.txt -- make -j4  the report in a file
  clonespy -qq -- make -j4           nothing but the tree of all tasks
  clonespy -c -- make -j4            how many calls of which kind?
  clonespy -Z -- ./program           only the calls that failed
  clonespy --lang zh ./program       in Chinese
  clonespy --format jsonl:t.jsonl ls record it, then: clonespy replay t.jsonl";

/// Show what a program really creates, processes or threads, with which clone flags, and how each
/// ended.
#[derive(Debug, Parser)]
#[command(name = "clonespy", version, override_usage = USAGE, after_help = AFTER)]
#[command(disable_help_subcommand = true, args_conflicts_with_subcommands = true)]
#[command(disable_help_flag = true)]
pub(super) struct Line {
    #[command(subcommand)]
    pub command: Option<Sub>,
    /// Print a file about clonespy itself: man (page), schema (JSON Schema of a trace's lines),
    /// complete-bash, complete-zsh, complete-fish, complete-elvish, complete-powershell
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with = "program")]
    #[arg(hide_short_help = true, hide_possible_values = true)]
    pub generate: Option<Generate>,
    /// Show the options of most use; --help shows all
    #[arg(short = 'h', action = ArgAction::SetTrue)]
    pub brief: bool,
    /// Show this
    #[arg(long, action = ArgAction::SetTrue, hide_short_help = true)]
    pub help: bool,
    #[command(flatten)]
    pub render: Render,
    #[command(flatten)]
    pub lints: lint_options::LintOptions,
    #[command(flatten)]
    pub start: Start,
    #[command(flatten)]
    pub attach: attach::AttachOptions,
    /// The program to run, and its arguments
    #[arg(trailing_var_arg = true, value_name = "PROGRAM", hide = true)]
    #[arg(value_hint = clap::ValueHint::CommandWithArguments)]
    pub program: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Sub {
    /// Render a recorded trace (jsonl or json), as the live one would have been
    #[command(override_usage = "clonespy replay [OPTIONS] FILE", args = help_options())]
    #[command(
        after_help = "A trace that was cut short is rendered as far as it goes, with a \
        warning, and is no failure.\nA line that makes no sense ends it with status 125."
    )]
    Replay {
        #[command(flatten)]
        render: Render,
        #[command(flatten)]
        lints: lint_options::LintOptions,
        /// The recorded trace; `-` is the standard input
        file: PathBuf,
    },
    /// Explain flags: what each means, what the set makes, whether the kernel takes it, who passes
    /// it. Traces nothing
    #[command(override_usage = explain::USAGE, after_help = explain::AFTER)]
    #[command(args = help_options())]
    Explain(explain::ExplainOptions),
    /// Hold programs, or recorded traces, against expectations: a verdict for CI
    #[command(override_usage = check::USAGE, after_help = check::AFTER)]
    #[command(args = help_options())]
    Check(check::CheckOptions),
}

/// `-h` and `--help` of a subcommand: clap's own are off for all, since those of clonespy itself
/// are laid out in another way.
fn help_options() -> [Arg; 2] {
    let brief = Arg::new("brief").short('h').action(ArgAction::HelpShort);
    let full = Arg::new("help").long("help").action(ArgAction::HelpLong);
    [
        brief.help("Show the options of most use; --help shows all"),
        full.help("Show this"),
    ]
}

/// What decides how a trace is shown, whether it is live or recorded.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is shown, and where")]
pub(super) struct Render {
    /// Write the report to FILE, where the program's own output does not come between its lines; `-`
    /// is standard output [default: stderr; with replay: stdout]
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Explain no flags; -qq: the tree alone; -qqq: nothing but what other options ask for
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "verbose")]
    pub quiet: u8,
    /// Explain the flags of every call, not only of the first with a set of flags; -vv: with the
    /// kernel's function and object behind each
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Tell the kernel's function and object behind each flag that is explained
    #[arg(long, hide_short_help = true)]
    pub why_flags: bool,
    /// Show every line: do not fold those that are alike
    #[arg(long)]
    pub all: bool,
    /// Show the lines of these calls only: fork, vfork, clone, clone3, %process (all four), with
    /// commas; `!` turns the choice round. The tree, the totals and JSON stay complete
    #[arg(short = 'e', long = "expr", value_name = "trace=SET")]
    pub trace: Vec<String>,
    /// Show the lines of calls that succeeded only
    #[arg(
        short = 'z',
        long,
        conflicts_with = "failed_only",
        hide_short_help = true
    )]
    pub successful_only: bool,
    /// Show the lines of calls that failed only
    #[arg(short = 'Z', long)]
    pub failed_only: bool,
    /// Show threads, not the processes that are created (they are followed and counted)
    #[arg(long)]
    pub threads_only: bool,
    /// Show tasks down to N levels below the program (deeper ones are followed and counted)
    #[arg(long, value_name = "N", value_parser = levels, allow_hyphen_values = true)]
    pub depth: Option<usize>,
    /// A table of calls instead of the report: by kind and flags, with counts and failures
    #[arg(short = 'c', long, conflicts_with = "summary")]
    pub summary_only: bool,
    /// The same table after the report
    #[arg(short = 'C', long, hide_short_help = true)]
    pub summary: bool,
    /// The time of day on each line; -tt: with microseconds; -ttt: seconds since the epoch
    #[arg(short = 't', long = "absolute-timestamps", action = ArgAction::Count)]
    pub times: u8,
    /// The time since the line before, on each line
    #[arg(short = 'r', long = "relative-timestamps", hide_short_help = true)]
    pub relative: bool,
    /// The time from each call to the birth of its task, or to its failure
    #[arg(short = 'T', long = "syscall-times", hide_short_help = true)]
    pub took: bool,
    /// Name what numbers stand for: descriptors, the cgroup of CLONE_INTO_CGROUP, pids
    #[arg(short = 'y', long = "decode-fds", action = ArgAction::Count, hide_short_help = true)]
    pub names: u8,
    /// Write the trace in this format (text, strace, jsonl, json); may be given again for another
    /// DEST [default: text]
    #[arg(long, value_name = "NAME[:DEST]", long_help = formats_help())]
    pub format: Vec<OsString>,
    /// The language of explanations: en, zh, auto (as the locale says)
    #[arg(long, value_name = "LANG", value_enum, default_value = "auto")]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    pub lang: Language,
    /// Colour the text: auto (where it goes to a terminal), always, never
    #[arg(long, value_name = "WHEN", value_enum, num_args = 0..=1, require_equals = true)]
    #[arg(
        default_value = "auto",
        default_missing_value = "always",
        hide_short_help = true
    )]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    pub color: When,
}

/// What decides how a program is started and caught.
#[derive(Debug, Args)]
#[command(next_help_heading = "The program, and how it is traced")]
pub(super) struct Start {
    /// How to catch calls: seccomp (a filter: complete and fast), event (misses failed calls),
    /// syscall (complete and slow), auto (the best that works)
    #[arg(long, value_name = "HOW", value_enum, default_value = "auto")]
    #[arg(
        hide_short_help = true,
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub intercept: How,
    /// strace's spelling of --intercept
    #[arg(long, value_name = "WHEN", value_enum, num_args = 0..=1, require_equals = true)]
    #[arg(
        default_missing_value = "on",
        hide = true,
        conflicts_with = "intercept"
    )]
    pub seccomp_bpf: Option<Switch>,
    /// Set VAR in the program's environment, or take it away
    #[arg(
        short = 'E',
        long = "env",
        value_name = "VAR[=VAL]",
        hide_short_help = true
    )]
    pub env: Vec<OsString>,
    /// Run the program as this user, with the user's groups
    #[arg(short, long, value_name = "USER", hide_short_help = true)]
    pub user: Option<String>,
    /// Tell the program that this is its name
    #[arg(
        long,
        value_name = "NAME",
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    pub argv0: Option<OsString>,
    /// Count what tracing took: stops, requests, reads
    #[arg(long, hide_short_help = true)]
    pub stats: bool,
    /// New tasks are always followed
    #[arg(short = 'f', long = "follow-forks", action = ArgAction::Count, hide = true)]
    pub follow: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum How {
    Auto,
    Seccomp,
    Event,
    Syscall,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Switch {
    Auto,
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Generate {
    Man,
    Schema,
    CompleteBash,
    CompleteZsh,
    CompleteFish,
    CompleteElvish,
    CompletePowershell,
}

/// `0`, `2`.
fn levels(word: &str) -> Result<usize, String> {
    word.parse()
        .map_err(|_| format!("'{word}' is no number of levels"))
}

/// The formats, from their table.
fn formats_help() -> String {
    let mut text = String::from(
        "Write the trace in this format to DEST (without it: to -o, else where the report goes); \
         `-` is standard output. May be given again for another DEST. Naming a format replaces \
         the text\n",
    );
    for format in crate::report::FORMATS {
        text.push_str(&format!("\n{}: {}", format.name, format.help));
    }
    text
}
