//! Files about clonespy itself: the manual page, the schema, completions for shells.

use clap::CommandFactory;
use clap_complete::Shell;

use super::arguments::{AFTER_LONG, Generate, Line};
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

/// The manual page. clap's renderer knows options; what has lines of its own is put there as it is.
fn man() -> String {
    let page = Line::command()
        // It leaves out what the shortest help leaves out.
        .mut_args(|arg| arg.hide_short_help(false))
        // The formats have a section.
        .mut_arg("format", |arg| arg.long_help(None));
    let subcommands: Vec<_> = page
        .get_subcommands()
        .map(|sub| {
            let about = sub.get_about().map(ToString::to_string);
            (sub.get_name().to_owned(), about.unwrap_or_default())
        })
        .collect();
    let page = clap_mangen::Man::new(page);
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    let _ = page
        .render_title(&mut out)
        .and_then(|()| page.render_name_section(&mut out))
        .and_then(|()| page.render_synopsis_section(&mut out))
        .and_then(|()| page.render_description_section(&mut out))
        .and_then(|()| page.render_options_section(&mut out));
    let mut out = String::from_utf8_lossy(&out).into_owned();
    out.push_str(".SH SUBCOMMANDS\n");
    for (name, about) in subcommands {
        let about = format!("{about}. \\fBclonespy {name} \\-\\-help\\fR lists its options.");
        out.push_str(&format!(".TP\n\\fB{name}\\fR\n{about}\n"));
    }
    out.push_str(".SH FORMATS\n");
    for format in report::FORMATS {
        out.push_str(&format!(".TP\n\\fB{}\\fR\n", format.name));
        out.push_str(&lines(format.help));
    }
    for section in AFTER_LONG.split("\n\n") {
        let (heading, text) = section.split_once(':').unwrap_or_default();
        out.push_str(&format!(".SH \"{}\"\n", heading.to_uppercase()));
        let text = text.trim();
        match heading {
            "Examples" => {
                let text = text.replace("\n  ", "\n");
                out.push_str(&format!(".nf\n{}.fi\n", lines(&text)));
            }
            // A sentence of its own under its heading.
            _ => out.push_str(&lines(&text.replacen("the ", "The ", 1))),
        }
    }
    out
}

/// Text in roff: nothing in it is a request or an escape (groff(7)).
fn lines(text: &str) -> String {
    let escaped = text.lines().map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        match line.starts_with(['.', '\'']) {
            true => format!("\\&{line}\n"),
            false => line + "\n",
        }
    });
    escaped.collect()
}
