//! How calls are caught: the best way that works here, and its filter.

use std::io;

use crate::abi;
use crate::error::plain;
use crate::event::{Intercept, NoFilter, SystemError};
use crate::sys::{self, SockFilter};

use crate::seccomp::filter;

/// The way of catching calls, and why it is not the filter, if it is not.
pub(in crate::tracer) fn choose(wanted: Option<Intercept>) -> (Intercept, Option<NoFilter>) {
    match wanted {
        Some(Intercept::Seccomp) => (Intercept::Seccomp, None),
        Some(other) => (other, Some(NoFilter::Asked)),
        None => best(sys::probe_filter().err(), sys::probe_clone3()),
    }
}

/// The best way that works, by what was found out: why no filter can be installed, and whether the
/// kernel itself answers clone3.
fn best(no_filter: Option<io::Error>, clone3: bool) -> (Intercept, Option<NoFilter>) {
    match (no_filter, clone3) {
        (None, true) => (Intercept::Seccomp, None),
        (Some(why), _) => {
            let error = SystemError(plain(&why));
            (Intercept::Syscall, Some(NoFilter::Refused { error }))
        }
        (None, false) => (Intercept::Syscall, Some(NoFilter::Clone3Answered)),
    }
}

/// The filter of this way of catching calls.
pub(in crate::tracer) fn filter_for(
    intercept: Intercept,
    abis: &[&'static abi::Abi],
) -> Vec<SockFilter> {
    let instructions = match intercept {
        Intercept::Seccomp => filter::build(abis),
        Intercept::Event | Intercept::Syscall => Vec::new(),
    };
    instructions
        .iter()
        .map(|insn| SockFilter {
            code: insn.code,
            jt: insn.jt,
            jf: insn.jf,
            k: insn.k,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_way_that_works_is_taken_and_why_it_is_not_the_filter_is_said() {
        let denied = || Some(io::Error::from_raw_os_error(libc::EPERM));
        assert_eq!(best(None, true), (Intercept::Seccomp, None));
        for (no_filter, clone3) in [(denied(), true), (denied(), false), (None, false)] {
            let reason = if no_filter.is_some() {
                "seccomp(2)"
            } else {
                "clone3"
            };
            let (way, why) = best(no_filter, clone3);
            assert_eq!(way, Intercept::Syscall);
            assert!(why.is_some_and(|why| why.to_string().contains(reason)));
        }
    }
}
