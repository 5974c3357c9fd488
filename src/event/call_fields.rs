//! How the line of a call is read: the fields of the request stand among those of the call.

use serde::{Deserialize, Deserializer};

use super::call::{
    ArgsError, CallArgs, Certainty, CloneCall, Cost, Outcome, Place, RawCall, Request, Sharing,
    Wrote,
};
use super::syscall::Call;
use super::value::{Hex, Tid, present};

/// All of them at one level. A flattened field would be read into a tree first, and from there.
#[derive(Deserialize)]
struct Flat {
    took_ns: Option<u64>,
    tid: Tid,
    tgid: Tid,
    comm: String,
    comm_hex: Option<String>,
    abi: String,
    call: Call,
    raw: Option<RawCall>,
    #[serde(default)]
    flags: Vec<String>,
    flags_raw: Option<Hex>,
    flags_unknown: Option<Hex>,
    #[serde(default)]
    flags_ignored: Vec<String>,
    #[serde(default, deserialize_with = "present")]
    exit_signal: Option<Option<String>>,
    exit_signal_raw: Option<Hex>,
    #[serde(default)]
    args: CallArgs,
    args_error: Option<ArgsError>,
    wrote: Option<Wrote>,
    outcome: Outcome,
    libc: Option<String>,
    cgroup_path: Option<String>,
    origin: Option<String>,
    origin_certainty: Option<Certainty>,
    #[serde(default)]
    caller: Vec<Place>,
    runs: Option<Place>,
    sharing: Option<Sharing>,
    cost: Option<Cost>,
}

impl From<Flat> for CloneCall {
    fn from(flat: Flat) -> Self {
        CloneCall {
            took_ns: flat.took_ns,
            tid: flat.tid,
            tgid: flat.tgid,
            comm: flat.comm,
            comm_hex: flat.comm_hex,
            request: Request {
                abi: flat.abi,
                call: flat.call,
                raw: flat.raw,
                flags: flat.flags,
                flags_raw: flat.flags_raw,
                flags_unknown: flat.flags_unknown,
                flags_ignored: flat.flags_ignored,
                exit_signal: flat.exit_signal,
                exit_signal_raw: flat.exit_signal_raw,
                args: flat.args,
                args_error: flat.args_error,
            },
            wrote: flat.wrote,
            outcome: flat.outcome,
            libc: flat.libc,
            cgroup_path: flat.cgroup_path,
            origin: flat.origin,
            origin_certainty: flat.origin_certainty,
            caller: flat.caller,
            runs: flat.runs,
            sharing: flat.sharing,
            cost: flat.cost,
        }
    }
}

impl<'de> Deserialize<'de> for CloneCall {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Flat::deserialize(deserializer).map(CloneCall::from)
    }
}
