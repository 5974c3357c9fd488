//! The outputs of a run, and which of them still work.

use std::fmt;
use std::io;

/// Waits until an output has reached its reader; what it says if it did not.
pub type Close = Box<dyn FnOnce() -> io::Result<()>>;

/// The outputs of a run, each with what writes to it: a reporter, or what tells a verdict.
///
/// One that fails is muted, and the run goes on: the traced program is not to suffer from a closed
/// pipe or a full disk.
pub struct Outputs<W: ?Sized>(Vec<Output<W>>);

struct Output<W: ?Sized> {
    destination: String,
    writer: Box<W>,
    close: Option<Close>,
    failed: Option<io::Error>,
}

/// An output that was lost on the way.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// Where it went.
    pub destination: String,
    /// The system's words.
    pub why: io::Error,
}

impl<W: ?Sized> Default for Outputs<W> {
    fn default() -> Self {
        Outputs(Vec::new())
    }
}

impl<W: ?Sized> Outputs<W> {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more; `destination` names where it goes.
    pub fn add(&mut self, destination: impl Into<String>, writer: Box<W>) {
        self.0.push(Output {
            destination: destination.into(),
            writer,
            close: None,
            failed: None,
        });
    }

    /// What is to be called for the last output that was added, when nobody is held up any more:
    /// after the last event and the writer's last word.
    pub fn close_with(&mut self, close: Close) {
        if let Some(output) = self.0.last_mut() {
            output.close = Some(close);
        }
    }

    /// Calls every writer that works; one that fails is not called again.
    pub(crate) fn each(&mut self, mut call: impl FnMut(&mut W) -> io::Result<()>) {
        self.each_knowing(|writer, _| call(writer));
    }

    /// The same, each with whether another has failed by then.
    pub(crate) fn each_knowing(&mut self, mut call: impl FnMut(&mut W, bool) -> io::Result<()>) {
        let mut lost = self.0.iter().any(|output| output.failed.is_some());
        for output in self.0.iter_mut().filter(|output| output.failed.is_none()) {
            output.failed = call(output.writer.as_mut(), lost).err();
            lost |= output.failed.is_some();
        }
    }

    /// Waits for all that has not failed, and tells which destinations failed, and why.
    pub(crate) fn close(mut self) -> Vec<Failure> {
        for output in self.0.iter_mut().filter(|output| output.failed.is_none()) {
            if let Some(close) = output.close.take() {
                output.failed = close().err();
            }
        }
        let failure = |output: Output<W>| {
            Some(Failure {
                destination: output.destination,
                why: output.failed?,
            })
        };
        self.0.into_iter().filter_map(failure).collect()
    }
}

impl<W: ?Sized> fmt::Debug for Outputs<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|output| &output.destination))
            .finish()
    }
}
