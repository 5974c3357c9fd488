//! Which file something is, whatever it is called.

use std::fs::{File, Metadata};
use std::path::Path;

/// A regular file, by device and inode: one through every link and spelling. Devices, pipes and
/// sockets have none: nothing in them is overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    /// Of a file that is open.
    pub fn of(file: &File) -> Option<Self> {
        Self::from_metadata(&file.metadata().ok()?)
    }

    /// Of what stands at a path; `None` where nothing does.
    pub fn at(path: &Path) -> Option<Self> {
        Self::from_metadata(&path.metadata().ok()?)
    }

    #[cfg(unix)]
    fn from_metadata(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        metadata
            .is_file()
            .then(|| Identity(metadata.dev(), metadata.ino()))
    }

    /// The standard library does not tell elsewhere.
    #[cfg(not(unix))]
    fn from_metadata(_: &Metadata) -> Option<Self> {
        None
    }

    /// Of what a standard stream was redirected to.
    #[cfg(unix)]
    pub fn of_stream(stream: impl std::os::fd::AsFd) -> Option<Self> {
        Self::of(&stream.as_fd().try_clone_to_owned().ok()?.into())
    }

    /// The standard library does not tell elsewhere.
    #[cfg(not(unix))]
    pub fn of_stream<T>(_: T) -> Option<Self> {
        None
    }
}
