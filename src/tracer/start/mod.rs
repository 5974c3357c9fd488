//! How a program is started under trace: by us, or through a host program's own `Command`.

pub mod command;
pub(super) mod first_line;
pub(super) mod intercept;
pub mod launch;
pub mod options;
pub(super) mod program;
