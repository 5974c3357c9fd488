//! Opens what is to be written, before anything is read or run: an output that cannot be written
//! is an error before anything has happened.
//!
//! The rule is one for every subcommand: no output is a file that is an input, or another output.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, LineWriter, Write};
use std::path::{Path, PathBuf};

use super::identity::Identity;
use super::target::Target;
use crate::error::{Error, Result};

/// An output that is open.
#[derive(Debug)]
pub struct Opened {
    target: Target,
    /// `None`: a standard stream.
    file: Option<File>,
}

/// Opens outputs: all of them, or none. `inputs` are the files that are going to be read, `-` the
/// standard input.
///
/// # Errors
/// [`Error::Output`] for a file that cannot be written, [`Error::Usage`] for one that is an input or
/// an output already. No file has been changed then, nor made.
pub fn open<'a>(
    targets: impl IntoIterator<Item = &'a Target>,
    inputs: &[PathBuf],
) -> Result<Vec<Opened>> {
    let mut opening = Opening::beside(inputs);
    let targets = targets.into_iter();
    let opened: Result<Vec<Opened>> = targets.map(|target| opening.open(target)).collect();
    let emptied = opened.and_then(|all| {
        all.iter().try_for_each(Opened::empty)?;
        Ok(all)
    });
    opening.settle(emptied)
}

/// Opens the only output of a run.
///
/// # Errors
/// As [`open`].
pub fn open_one(target: &Target, inputs: &[PathBuf]) -> Result<Opened> {
    let mut opening = Opening::beside(inputs);
    let opened = opening.open(target);
    let emptied = opened.and_then(|one| one.empty().map(|()| one));
    opening.settle(emptied)
}

/// Outputs that are being opened.
#[derive(Default)]
struct Opening {
    inputs: Vec<Identity>,
    /// Of the outputs so far: files, and what standard streams were redirected to.
    files: Vec<Identity>,
    streams: Vec<Identity>,
    /// Files that were not there before.
    made: Vec<PathBuf>,
}

impl Opening {
    fn beside(inputs: &[PathBuf]) -> Self {
        let input = |path: &PathBuf| match path.as_os_str() == "-" {
            true => Identity::of_stream(io::stdin()),
            false => Identity::at(path),
        };
        Opening {
            inputs: inputs.iter().filter_map(input).collect(),
            ..Opening::default()
        }
    }

    /// Opens one, without a change to what a file holds.
    fn open(&mut self, target: &Target) -> Result<Opened> {
        let (identity, file) = match target {
            Target::Stdout => (Identity::of_stream(io::stdout()), None),
            Target::Stderr => (Identity::of_stream(io::stderr()), None),
            Target::File(path) => {
                let file = self.file(path).map_err(|why| failed(target, why))?;
                (Identity::of(&file), Some(file))
            }
        };
        if let Some(identity) = identity {
            // Both standard streams may well go to one file, whose position they share.
            let taken = |among: &[Identity]| among.contains(&identity);
            let twice = taken(&self.inputs)
                || taken(&self.files)
                || (file.is_some() && taken(&self.streams));
            if twice {
                return Err(Error::Usage(format!(
                    "{target} is read or written for something else already"
                )));
            }
            match file {
                Some(_) => self.files.push(identity),
                None => self.streams.push(identity),
            }
        }
        Ok(Opened {
            target: target.clone(),
            file,
        })
    }

    /// The standard library opens with O_CLOEXEC: the traced program does not inherit it.
    fn file(&mut self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true);
        match options.clone().create_new(true).open(path) {
            Ok(file) => {
                self.made.push(path.to_owned());
                Ok(file)
            }
            // `create` is for a link whose file is not there: create_new does not follow it (open(2)).
            Err(why) if why.kind() == ErrorKind::AlreadyExists => {
                options.create(true).truncate(false).open(path)
            }
            Err(why) => Err(why),
        }
    }

    /// Takes back what was made, where something failed.
    fn settle<T>(self, opened: Result<T>) -> Result<T> {
        if opened.is_err() {
            for path in &self.made {
                // It is empty: whether it stays does no harm.
                let _ = std::fs::remove_file(path);
            }
        }
        opened
    }
}

fn failed(target: &Target, why: io::Error) -> Error {
    Error::Output {
        path: target.to_string().into(),
        why,
    }
}

impl Opened {
    /// Empties the file: once all are open, so that none is lost in vain.
    fn empty(&self) -> Result<()> {
        match &self.file {
            // Devices and pipes have no length.
            Some(file) if Identity::of(file).is_some() => {
                file.set_len(0).map_err(|why| failed(&self.target, why))
            }
            _ => Ok(()),
        }
    }

    /// Its name, for messages.
    pub fn destination(&self) -> String {
        self.target.to_string()
    }

    /// A writer that waits for a slow reader, as every program does.
    pub fn waiting(self) -> Box<dyn Write> {
        match (self.file, self.target) {
            (Some(file), _) => Box::new(LineWriter::new(file)),
            (None, Target::Stderr) => Box::new(io::stderr()),
            (None, _) => Box::new(io::stdout()),
        }
    }
}

#[cfg(all(feature = "trace", target_os = "linux"))]
mod live {
    use std::io::{self, IsTerminal, Write};
    use std::os::fd::AsFd;

    use super::{File, Opened, Target, failed};
    use crate::error::Result;
    use crate::output::background::BackgroundWriter;
    use crate::output::sinks::Close;

    /// Columns of a line where no terminal says otherwise.
    pub const WIDTH: usize = 80;

    impl Opened {
        /// The columns of a terminal; `None` for what is none. One that does not know has [`WIDTH`].
        pub fn columns(&self) -> Option<usize> {
            match (&self.file, &self.target) {
                (Some(file), _) => columns(file),
                (None, Target::Stderr) => columns(&io::stderr()),
                (None, _) => columns(&io::stdout()),
            }
        }

        /// A writer that a slow reader cannot make hold up the program, and, where a reader may be
        /// slow, what is to be waited for at the end. Files and terminals take what they are given
        /// (who stops a terminal wants the program to wait).
        ///
        /// # Errors
        /// There are too many descriptors.
        pub fn in_background(self) -> Result<(Box<dyn Write>, Option<Close>)> {
            let terminal = self.columns().is_some();
            let fd = match (self.file, &self.target) {
                (Some(file), _) => Ok(file.into()),
                (None, Target::Stderr) => io::stderr().as_fd().try_clone_to_owned(),
                (None, _) => io::stdout().as_fd().try_clone_to_owned(),
            };
            let file = File::from(fd.map_err(|why| failed(&self.target, why))?);
            if terminal || file.metadata().is_ok_and(|meta| meta.is_file()) {
                return Ok((Box::new(file), None));
            }
            let writer = BackgroundWriter::new(file.into());
            let pending = writer.pending();
            Ok((Box::new(writer), Some(Box::new(|| pending.wait()))))
        }
    }

    fn columns(stream: &(impl AsFd + IsTerminal)) -> Option<usize> {
        stream.is_terminal().then(|| {
            terminal_size::terminal_size_of(stream).map_or(WIDTH, |(width, _)| usize::from(width.0))
        })
    }
}
#[cfg(all(feature = "trace", target_os = "linux"))]
pub use live::WIDTH;
