//! What the tracer knows of its tracees, one part of it each.

pub(super) mod appeared;
pub(super) mod calls;
pub(super) mod created;
pub(super) mod endings;
pub(super) mod filters;
pub(super) mod init;
pub(super) mod leave;
pub(super) mod newborns;
pub(super) mod restarts;
pub(super) mod table;
pub(super) mod unreaped;
pub(super) mod untraced;
pub(super) mod vforks;
