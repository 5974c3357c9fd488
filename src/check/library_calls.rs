//! Calls that known C libraries and runtimes make, by the name of what asks for them. An
//! expectation that says `is = "fork"` holds on any of those libraries. The facts are
//! [`origins`]'s.

use crate::abi::{CloneFlags, signals};
use crate::event::{Call, Request};
use crate::origins::{self, Origin};

/// The names, each once.
pub fn names() -> Vec<&'static str> {
    origins::names()
}

/// Whether the call is made as one of the libraries makes it for this name.
pub fn is(name: &str, request: &Request) -> bool {
    let (Some(flags), Some(signal)) = (passed(request), signal(request)) else {
        return false;
    };
    let fits = |row: &Origin| match request.call {
        // These two have no arguments, so that nothing can differ.
        Call::Fork | Call::Vfork => row.call == request.call,
        Call::Clone | Call::Clone3 => {
            row.passes(request.call, flags.0, signal, request.args.begins_on())
        }
    };
    origins::pattern(name).any(fits)
}

/// The name for which a library makes calls like this one.
pub fn name_of(request: &Request) -> Option<&'static str> {
    let (flags, signal) = (passed(request)?, signal(request)?);
    let stack = request.args.begins_on();
    Some(origins::likely(request.call, flags.0, signal, stack)?.name)
}

/// The name for which libraries pass exactly these, where one name is enough; `signal` is a name, or `none`.
pub fn name_of_flags(call: Call, flags: CloneFlags, signal: &str) -> Option<&'static str> {
    let signal = match signal {
        "none" => 0,
        name => signals::number(name).and_then(|number| u64::try_from(number).ok())?,
    };
    let fits = |row: &&Origin| row.passes_flags(call, flags.0, signal);
    let mut fitting = origins::ORIGINS.iter().filter(fits);
    let first = fitting.next()?;
    let alone = first.telling && fitting.all(|row| row.name == first.name && row.telling);
    alone.then_some(first.name)
}

/// The exit signal in the table's numbering, which is the generic one.
fn signal(request: &Request) -> Option<u64> {
    match &request.exit_signal {
        Some(Some(name)) => signals::number(name).and_then(|number| u64::try_from(number).ok()),
        _ => request.exit_signal_raw.map(|raw| raw.0),
    }
}

/// All bits that were passed, the exit signal left out; `None`: they could not be read.
pub fn passed(request: &Request) -> Option<CloneFlags> {
    request.flags_raw.map(|raw| CloneFlags(raw.0))
}
