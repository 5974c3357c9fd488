//! Test data: every variant of an event, each with every optional field and with none.

use serde_json::{Value, json};

use crate::event::Event;

/// The largest form of each type of line.
fn full() -> Vec<Value> {
    let place = json!({"address": "0x7f", "module": "/lib/libc.so.6", "symbol": "run",
        "offset": "0x29", "file": "a.c", "line": 5});
    let stamp = json!({"seq": 7, "at_ns": 123456789, "task": 3, "tid": 100, "tgid": 99});
    let lines = vec![
        json!({"type": "start", "format": 1, "clonespy": "0.1.0", "trace_id": "t",
            "boot_id": "b", "pid_ns": 4026531836u64, "mode": "launch", "command": ["./a", "\u{fffd}"],
            "command_hex": ["2e2f61", "ff"], "options": ["-q"], "kernel": "6.18.44",
            "machine": "x86_64", "wall": "2026-11-21T16:00:00Z", "intercept": "event",
            "intercept_why": "no seccomp", "blind": ["failed calls"], "visible": ["Seccomp"]}),
        json!({"type": "task", "ppid": 98, "kind": "process", "comm": "\u{fffd}",
            "comm_hex": "ff", "how": "launched", "start_ticks": 5, "ns_tids": [99, 1]}),
        json!({"type": "exec", "former_tid": 101, "path": "/\u{fffd}", "path_hex": "2fff",
            "argv": ["a"], "argv_hex": ["61"], "argv_truncated": true, "comm": "a",
            "comm_hex": "61", "machine": "x86_64", "linkage": "static_pie",
            "interpreter": "/lib64/ld.so", "build_id": "abc", "stripped": false}),
        json!({"type": "clone", "took_ns": 41000, "comm": "a", "comm_hex": "61", "abi": "x86_64",
            "call": "clone3",
            "raw": {"nr": 435, "args": ["0x1", "0x2", "0x3", "0x4", "0x5", "0xffffffffffffffff"]},
            "flags": ["CLONE_VM"], "flags_raw": "0x100", "flags_unknown": "0x4000000000",
            "flags_ignored": ["CLONE_DETACHED"], "exit_signal": "SIGCHLD",
            "exit_signal_raw": "0x11",
            "args": {"stack": "0x1", "stack_size": "0x2", "tls": "0x3", "parent_tid": "0x4",
                "child_tid": "0x5", "pidfd": "0x6", "set_tid": [1, 31111], "cgroup": "0x5",
                "size": 96, "unknown_tail": "ff00"},
            "args_error": {"errno": "EFAULT", "address": "0x10", "what": "struct clone_args"},
            "wrote": {"parent_tid": 101, "pidfd": 7},
            "outcome": {"created": {"task": 4, "tid": 101, "tgid": 99, "kind": "thread",
                "ns_tids": [101, 2], "parent": 1, "untraced": "cleared", "seen_by": "child",
                "flags_contradicted": ["CLONE_VM"]}},
            "libc": "glibc 2.36", "cgroup_path": "/u", "origin": "pthread_create",
            "origin_certainty": "likely", "caller": [place], "runs": place,
            "sharing": {"mm": "shared", "io": "none yet", "fs": "own", "namespaces": ["pid"]},
            "cost": {"cpu_ns": 1, "page_tables_bytes": 0, "resident_bytes": 2}}),
        json!({"type": "copy", "clone_seq": 3, "address": "0x1", "access": "write",
            "mapping": "[stack]", "symbol": "msg", "code": place, "by": "child"}),
        json!({"type": "unshared", "what": ["files"], "by": "exec"}),
        json!({"type": "lost", "what": "copy", "count": 12}),
        json!({"type": "blind", "what": ["failed calls"], "why": "a filter"}),
        json!({"type": "detach"}),
        json!({"type": "exit", "comm": "w", "comm_hex": "77", "how": "self",
            "status": {"signaled": "SIGKILL", "core_dumped": true}, "last": true, "lived_ns": 2,
            "usage": {"cpu_ns": 1, "minor_faults": 2, "major_faults": 3,
                "voluntary_switches": 4, "involuntary_switches": 5}}),
        json!({"type": "finding", "lint": "l", "level": "warning", "text": "t", "clone_seq": 3,
            "count": 1}),
        json!({"type": "stats", "created": 2, "stops": {"seccomp": 2}, "requests": {"CONT": 4},
            "reads": {"mem": 1}}),
        json!({"type": "end", "status": {"exited": 3}, "totals": {"processes": 1, "threads": 2,
            "leaders": 1, "calls": {"clone3": 1}, "created": 1, "failed": 0, "untraced": 0,
            "unfinished": 0}}),
    ];
    lines.into_iter().map(|line| merge(&stamp, &line)).collect()
}

/// Other values for a field of one of them: every enumeration, `null`, other shapes.
fn others() -> Vec<(&'static str, &'static str, Value)> {
    let mut out = vec![
        ("start", "mode", json!("attach")),
        ("start", "mode", json!("record")),
        ("task", "kind", json!("thread")),
        ("exec", "interpreter", Value::Null),
        ("exec", "build_id", Value::Null),
        ("exec", "linkage", json!("dynamic")),
        ("exec", "linkage", json!("static")),
        ("exec", "linkage", json!("by hand")),
        ("clone", "exit_signal", Value::Null),
        ("clone", "sharing", json!({"namespaces": []})),
        ("clone", "sharing", json!({"mm": "half", "namespaces": []})),
        ("exit", "status", json!({"exited": 255})),
        (
            "exit",
            "status",
            json!({"signaled": "SIGTERM", "core_dumped": false}),
        ),
        (
            "end",
            "status",
            json!({"signaled": "SIGRT_3", "core_dumped": false}),
        ),
    ];
    out.extend(["seccomp", "syscall", "dispatch"].map(|v| ("start", "intercept", json!(v))));
    out.extend(
        ["attached", "orphan", "ptrace", "worker", "by magic"].map(|v| ("task", "how", json!(v))),
    );
    out.extend(["clone", "fork", "vfork"].map(|v| ("clone", "call", json!(v))));
    out.extend(
        ["certain", "possible", "excluded", "maybe"]
            .map(|v| ("clone", "origin_certainty", json!(v))),
    );
    out.extend(
        ["cut_off", "signal", "replaced", "unknown", "faded"].map(|v| ("exit", "how", json!(v))),
    );
    let reason = json!({"rule": "r", "certainty": "certain", "text": "t",
        "evidence": {"n": 1, "deep": {"x": [null]}}});
    let created = json!({"task": 4, "tid": 101, "tgid": 101, "kind": "process"});
    let mut outside = created.clone();
    outside["parent"] = Value::Null;
    out.extend(
        [
            json!({"created": created}),
            json!({"created": outside}),
            json!({"failed": {"errno": "EINVAL", "code": 22}}),
            json!({"failed": {"errno": "EINVAL", "code": 22, "reasons": [reason]}}),
            json!({"untraced": {}}),
            json!({"untraced": {"tid": 101}}),
            json!({"unfinished": {}}),
            json!({"postponed": {"until": 3}}),
        ]
        .map(|v| ("clone", "outcome", v)),
    );
    out
}

/// The line with its common fields before it. Fields that a type does not have are left out by
/// reading, so the events are what counts.
fn merge(stamp: &Value, line: &Value) -> Value {
    let mut out = stamp.clone();
    for (name, value) in line.as_object().unwrap() {
        out[name] = value.clone();
    }
    out
}

fn read(line: &Value) -> Option<Event> {
    serde_json::from_value(line.clone()).ok()
}

/// Every event: each line in full, each with one field less wherever the type can do without it,
/// and each with the other values of its fields.
pub(crate) fn all() -> Vec<Event> {
    let full = full();
    let mut out: Vec<_> = full.iter().map(|line| read(line).unwrap()).collect();
    for line in &full {
        let mut bare = line.clone();
        for name in line.as_object().unwrap().keys() {
            let mut less = line.clone();
            less.as_object_mut().unwrap().remove(name);
            if let Some(event) = read(&less) {
                bare.as_object_mut().unwrap().remove(name);
                out.push(event);
            }
        }
        out.push(read(&bare).unwrap());
    }
    for (kind, field, value) in others() {
        let mut line = full
            .iter()
            .find(|line| line["type"] == kind)
            .unwrap()
            .clone();
        line[field] = value;
        out.push(read(&line).unwrap());
    }
    out
}
