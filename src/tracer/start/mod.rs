//! How a program is started under trace: by us, or through a host program's own `Command`.

pub mod command;
pub(super) mod first_line;
mod intercept;
mod launch;
pub mod options;
mod program;
pub(super) mod starting;
