//! Files about clonespy itself: the manual page, the schema, completions for shells.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{AFTER_LONG, Generate, Line};
use crate::report;

/// The file that was asked for.
pub(super) fn text(what: Generate) -> String {
    let shell = match what {
        Generate::Schema => return report::schema(),
        Generate::Man => return man(),
        Generate::CompleteBash => Shell::Bash,
        Generate::CompleteZsh => Shell::Zsh,
        Generate::CompleteFish => Shell::Fish,
        Generate::CompleteElvish => Shell::Elvish,
        Generate::CompletePowershell => Shell::PowerShell,
    };
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Line::command(), "clonespy", &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The help: the options of most use, or all of them; each on a line or two either way.
pub(super) fn help(brief: bool) -> String {
    let mut command = Line::command();
    if !brief {
        let mut after = String::from("Formats:\n");
        for format in report::FORMATS {
            after.push_str(&format!("  {:<7} {}\n", format.name, format.help));
        }
        command = command
            .mut_args(|arg| arg.hide_short_help(false))
            .after_help(after + "\n" + AFTER_LONG);
    }
    command.render_help().to_string()
}

fn man() -> String {
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    let _ = clap_mangen::Man::new(Line::command().after_help(AFTER_LONG)).render(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}
