//! What the reader must know of a call to trust the rest: what could not be read, what has no effect,
//! what the kernel did otherwise.

use super::Look;
use crate::event::{Certainty, CloneCall, Created, Outcome, Reason, Request};

/// What the reader must know of a set: bits without a name, and named ones without effect.
pub(super) fn oddities(look: &Look, request: &Request) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(bits) = request.flags_unknown {
        out.push(format!("{bits}: bits that have no name in Linux 7.1"));
    }
    if !request.flags_ignored.is_empty() {
        let names: Vec<_> = request
            .flags_ignored
            .iter()
            .map(|flag| look.name(flag))
            .collect();
        out.push(format!("{} ignores {}", request.call, names.join(", ")));
    }
    out
}

/// What the reader must know of one call and what came of it.
pub(super) fn remarks(look: &Look, call: &CloneCall) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(error) = &call.request.args_error {
        out.push(format!(
            "{} at {} could not be read: {}",
            look.name(&error.what),
            error.address,
            look.name(&error.errno)
        ));
    }
    if let Some(tail) = &call.request.args.unknown_tail {
        let size = call
            .request
            .args
            .size
            .map(|size| format!(" of {size} bytes"));
        out.push(format!(
            "struct clone_args{} is longer than is known; its tail: {}",
            size.unwrap_or_default(),
            look.name(tail)
        ));
    }
    match &call.outcome {
        Outcome::Created(made) => created(look, made, &mut out),
        Outcome::Failed { reasons, .. } => {
            out.extend(reasons.iter().map(|reason| self::reason(look, reason)));
        }
        Outcome::Untraced { .. } => {
            out.push("CLONE_UNTRACED: let go, nothing that it does is seen".into());
        }
        Outcome::Unfinished {} => {
            out.push("the caller died inside the call; no child was seen".into());
        }
        Outcome::Other(_) => out.push("an outcome that this version does not know".into()),
    }
    out
}

/// Why it failed, and how sure that is.
fn reason(look: &Look, reason: &Reason) -> String {
    let text = look.name(&reason.text);
    match &reason.certainty {
        Certainty::Certain => text,
        Certainty::Likely => format!("likely: {text}"),
        Certainty::Possible => format!("possibly: {text}"),
        Certainty::Excluded => format!("not this: {text}"),
        Certainty::Other(word) => format!("{}: {text}", look.name(word)),
    }
}

fn created(look: &Look, made: &Created, out: &mut Vec<String>) {
    if let Some(word) = &made.untraced {
        out.push(match word.as_str() {
            "cleared" => "CLONE_UNTRACED was taken off, so that the child stays in view".into(),
            other => format!("CLONE_UNTRACED: {}", look.name(other)),
        });
    }
    if made.seen_by.as_deref() == Some("child") {
        out.push("the caller died inside the call; the newborn itself told of it".into());
    }
    if !made.flags_contradicted.is_empty() {
        let names: Vec<_> = made
            .flags_contradicted
            .iter()
            .map(|flag| look.name(flag))
            .collect();
        out.push(format!(
            "what the kernel did contradicts {}: changed during the call",
            names.join(", ")
        ));
    }
    if let Some(tids) = &made.ns_tids {
        let tids: Vec<_> = tids.iter().map(ToString::to_string).collect();
        out.push(format!(
            "in nested pid namespaces; its tid, outermost first: {}",
            tids.join(", ")
        ));
    }
    match made.parent {
        Some(Some(_)) => out.push("its parent is the caller's parent, not the caller".into()),
        Some(None) => out.push("its parent is outside of this trace".into()),
        None => {}
    }
}
