//! clonespy: what a program really creates, processes or threads, and how.

pub mod abi;
pub mod check;
pub mod decode;
pub mod error;
pub mod event;
pub mod observe;
pub mod peek;
pub mod perform;
pub mod report;
pub mod symbols;
pub mod sys;
pub mod tasks;
pub mod trace;
pub mod tracer;

pub use error::{Error, Result};
pub use trace::{Trace, trace};
