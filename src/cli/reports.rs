//! From the outputs of a plan to reports that are open.

use std::ffi::OsString;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::language::{language, unicode};
use super::plan::OutputPlan;
use crate::error::Result;
use crate::library::Outputs;
use crate::output::{self, WIDTH};
use crate::report::{Look, Style};
use crate::sys;

/// Makes every reporter of a plan. `inputs` are the files that are going to be read.
///
/// # Errors
/// As [`output::open`].
pub(super) fn open(plan: &OutputPlan, inputs: &[PathBuf]) -> Result<Outputs> {
    let mut outputs = Outputs::new();
    sys::outlive_limits();
    let targets = plan.outputs.iter().map(|(_, target)| target);
    let opened = output::open(targets, inputs)?;
    for ((format, _), opened) in plan.outputs.iter().zip(opened) {
        let look = look(plan, opened.columns(), &|name| std::env::var_os(name));
        let destination = opened.destination();
        let (writer, close) = opened.in_background()?;
        outputs.add(destination, (format.make)(writer, &look));
        if let Some(close) = close {
            outputs.close_with(close);
        }
    }
    Ok(outputs)
}

/// How text is to look on a destination: a terminal of so many columns, or none.
fn look(
    plan: &OutputPlan,
    terminal: Option<usize>,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Look {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let auto = if set("NO_COLOR").is_some() {
        false
    } else if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        true
    } else {
        terminal.is_some() && set("TERM").is_none_or(|value| value != "dumb")
    };
    let unicode = unicode(&set);
    let lang = plan.lang.unwrap_or_else(|| language(&set));
    Look {
        style: Style {
            width: terminal.unwrap_or(WIDTH).clamp(40, 1000),
            cut: terminal.is_some(),
            color: plan.color.unwrap_or(auto),
            unicode,
            lang,
        },
        zone: TimeZone::system(),
        ..plan.look.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parse::parse;
    use crate::cli::plan::Plan;

    fn outputs(args: &[&str]) -> OutputPlan {
        let args = ["clonespy"]
            .iter()
            .chain(args)
            .chain(&["x"])
            .map(OsString::from);
        match parse(args) {
            Ok(Plan::Trace(trace)) => trace.outputs,
            other => panic!("{other:?}"),
        }
    }

    fn seen(args: &[&str], terminal: Option<usize>, env: &[(&str, &str)]) -> Look {
        look(&outputs(args), terminal, &|name| {
            env.iter()
                .find(|(one, _)| *one == name)
                .map(|(_, value)| value.into())
        })
    }

    #[test]
    fn colour_is_for_terminals_unless_said_otherwise() {
        let color =
            |args: &[&str], terminal, env: &[(&str, &str)]| seen(args, terminal, env).style.color;
        assert!(color(&[], Some(80), &[]));
        assert!(!color(&[], None, &[]));
        assert!(!color(&[], Some(80), &[("NO_COLOR", "1")]));
        assert!(color(&[], Some(80), &[("NO_COLOR", "")]));
        assert!(color(&[], None, &[("CLICOLOR_FORCE", "1")]));
        assert!(!color(&[], None, &[("CLICOLOR_FORCE", "0")]));
        assert!(!color(
            &[],
            None,
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]
        ));
        assert!(!color(&[], Some(80), &[("TERM", "dumb")]));
        assert!(color(&["--color=always"], None, &[("NO_COLOR", "1")]));
        assert!(color(&["--color"], None, &[]));
        assert!(!color(
            &["--color=never"],
            Some(80),
            &[("CLICOLOR_FORCE", "1")]
        ));
    }

    #[test]
    fn the_first_locale_that_is_set_decides() {
        let unicode = |env: &[(&str, &str)]| seen(&[], None, env).style.unicode;
        assert!(!unicode(&[]));
        assert!(unicode(&[("LANG", "C.UTF-8")]));
        assert!(unicode(&[
            ("LC_ALL", ""),
            ("LC_CTYPE", "zh_CN.utf8"),
            ("LANG", "C")
        ]));
        assert!(!unicode(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")]));
    }

    #[test]
    fn eighty_columns_where_no_terminal_says_more() {
        assert_eq!(seen(&[], None, &[("COLUMNS", "200")]).style.width, 80);
        assert_eq!(seen(&[], Some(132), &[]).style.width, 132);
        assert_eq!(seen(&[], Some(7), &[]).style.width, 40);
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        let plan = outputs(&["-o", "/nowhere/at/all"]);
        let error = open(&plan, &[]).unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot write /nowhere/at/all: No such file or directory"
        );
    }
}
