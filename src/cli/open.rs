//! Opens what is to be written, before the program starts: an output that cannot be written is an
//! error before anything has run.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::tz::TimeZone;

use super::language::{language, unicode};
use super::patient::{Patient, Rest};
use super::{OutputPlan, To};
use crate::report::{Destination, Look, Style};
use crate::sys;
use crate::{Error, Outputs, Result};

/// Columns of a line where no terminal says otherwise.
const WIDTH: usize = 80;

/// Makes every reporter of a plan. `input` is a recorded trace that is going to be read: it must
/// not be emptied.
///
/// # Errors
/// [`Error::Output`] for a file that cannot be written, [`Error::Usage`] for one that is asked for
/// twice.
pub fn open(plan: &OutputPlan, input: Option<&Path>) -> Result<Outputs> {
    let mut taken: Vec<Metadata> = input
        .and_then(|path| path.metadata().ok())
        .into_iter()
        .collect();
    let mut outputs = Outputs::new();
    sys::outlive_limits();
    for (format, to) in &plan.outputs {
        let failed = |why| Error::Output {
            path: to.to_string().into(),
            why,
        };
        let fd: io::Result<OwnedFd> = match to {
            To::Stdout => io::stdout().as_fd().try_clone_to_owned(),
            To::Stderr => io::stderr().as_fd().try_clone_to_owned(),
            To::File(path) => Ok(file(path, &mut taken)?.into()),
        };
        let fd = fd.map_err(failed)?;
        let columns = terminal(&fd);
        let (destination, rest) = destination(fd, columns.is_some());
        let look = look(plan, columns, &|name| std::env::var_os(name));
        outputs.add(to.to_string(), (format.make)(destination, &look));
        if let Some(rest) = rest {
            outputs.close_with(Box::new(|| rest.wait()));
        }
    }
    Ok(outputs)
}

/// Where a report goes, and, where a reader may be slow, what is to be waited for at the end. Files
/// and terminals take what they are given (who stops a terminal wants the program to wait).
fn destination(fd: OwnedFd, terminal: bool) -> (Destination, Option<Rest>) {
    let file = File::from(fd);
    if terminal || file.metadata().is_ok_and(|meta| meta.is_file()) {
        return (Box::new(file), None);
    }
    let patient = Patient::new(file.into());
    let rest = patient.rest();
    (Box::new(patient), Some(rest))
}

/// Makes or empties a file. The standard library opens with O_CLOEXEC: the traced program does not
/// inherit it.
fn file(path: &Path, taken: &mut Vec<Metadata>) -> Result<File> {
    let failed = |why| Error::Output {
        path: path.to_owned(),
        why,
    };
    let same = |a: &Metadata, b: &Metadata| a.is_file() && (a.dev(), a.ino()) == (b.dev(), b.ino());
    if let Ok(there) = path.metadata()
        && taken.iter().any(|one| same(one, &there))
    {
        let path = path.display();
        return Err(Error::Usage(format!(
            "{path} is read or written for something else already"
        )));
    }
    let file = File::create(path).map_err(failed)?;
    taken.push(file.metadata().map_err(failed)?);
    Ok(file)
}

/// The columns of a terminal; `None` for what is none. One that does not know has [`WIDTH`].
fn terminal(stream: &(impl AsFd + IsTerminal)) -> Option<usize> {
    stream.is_terminal().then(|| {
        terminal_size::terminal_size_of(stream).map_or(WIDTH, |(width, _)| usize::from(width.0))
    })
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
    use crate::cli::{Plan, parse};

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
    fn one_file_is_not_written_twice_nor_read_and_emptied() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let (one, other) = (path("a"), path("b"));
        std::fs::write(&one, "").unwrap();
        std::fs::hard_link(&one, &other).unwrap();
        let plan = outputs(&[
            "--format",
            &format!("text:{one}"),
            "--format",
            &format!("json:{other}"),
        ]);
        assert!(matches!(open(&plan, None), Err(Error::Usage(_))));
        std::fs::write(&one, "precious").unwrap();
        let plan = outputs(&["-o", &other]);
        assert!(matches!(
            open(&plan, Some(Path::new(&one))),
            Err(Error::Usage(_))
        ));
        assert_eq!(std::fs::read_to_string(&one).unwrap(), "precious");
        assert!(open(&plan, None).is_ok());
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        let plan = outputs(&["-o", "/nowhere/at/all"]);
        let error = open(&plan, None).unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot write /nowhere/at/all: No such file or directory"
        );
    }
}
