//! Where in a program something was found, and lists of names.

use crate::event::{CloneCall, Header};
use crate::lint::definition::{Occurrence, Words};
use crate::tasks::TaskTree;

/// A finding about a call.
pub(super) fn of_call(
    header: &Header,
    call: &CloneCall,
    tree: &TaskTree,
    text: Words,
) -> Occurrence {
    Occurrence {
        at_ns: header.at_ns.saturating_add(call.took_ns.unwrap_or(0)),
        task: header.task,
        text,
        clone_seq: Some(header.seq),
        site: site(call, tree),
    }
}

/// The place of a call: its program, the function that made it, what it asks for.
fn site(call: &CloneCall, tree: &TaskTree) -> String {
    let program = tree
        .group(call.tgid)
        .and_then(|group| group.program.as_ref()?.path.clone())
        .unwrap_or_else(|| call.comm.clone());
    let place = call.caller.first().map(|place| {
        let within = place.offset.map(|offset| offset.to_string());
        match (&place.module, &place.symbol) {
            (Some(module), Some(symbol)) => {
                format!("{module} {symbol}+{}", within.unwrap_or_default())
            }
            (_, _) => place.address.to_string(),
        }
    });
    // The address of a call in a shared library differs from run to run; that of the same process does not.
    format!(
        "{program} {} {} {}",
        place.unwrap_or_default(),
        call.request.call,
        call.request.flags.join("|")
    )
}

/// The first names of a list, and how many more there are: in English, in Chinese.
pub(super) fn listed(names: &[String], all: usize) -> (String, String) {
    let (english, chinese) = (names.join(", "), names.join("、"));
    match all.saturating_sub(names.len()) {
        0 => (english, chinese),
        more => (
            format!("{english}, {more} more"),
            format!("{chinese}，另有 {more} 个"),
        ),
    }
}
