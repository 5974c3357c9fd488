//! The trace's first line: what is traced, where, and how.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use crate::event::{FORMAT, Gap, Intercept, Mode, NoFilter, Start, hex, lossy};

use crate::tracer::kernel::live::proc_is_ours;
use crate::tracer::start::options::{Attach, Launch};

/// For a program that is started.
pub(in crate::tracer) fn of_program(
    launch: &Launch,
    intercept: Intercept,
    intercept_why: Option<NoFilter>,
) -> Start {
    let command: Vec<&OsString> = std::iter::once(&launch.program)
        .chain(&launch.args)
        .collect();
    let odd = command
        .iter()
        .any(|part| lossy(part.as_bytes()).1.is_some());
    Start {
        command: command
            .iter()
            .map(|part| lossy(part.as_bytes()).0)
            .collect(),
        command_hex: odd.then(|| command.iter().map(|part| hex(part.as_bytes())).collect()),
        intercept_why,
        ..on_this_machine(Mode::Launch, intercept, &launch.options)
    }
}

/// For tasks that run already.
pub(in crate::tracer) fn of_attach(attach: &Attach, intercept: Intercept) -> Start {
    let why = match intercept {
        Intercept::Event => NoFilter::Running,
        Intercept::Seccomp | Intercept::Syscall => NoFilter::Asked,
    };
    Start {
        intercept_why: Some(why),
        ..on_this_machine(Mode::Attach, intercept, &attach.options)
    }
}

/// What is the same for all traces on this machine.
fn on_this_machine(mode: Mode, intercept: Intercept, options: &[String]) -> Start {
    let read = |path: &str| {
        let text = std::fs::read_to_string(path).ok()?;
        Some(text.trim().to_owned())
    };
    let mut blind = match intercept {
        Intercept::Event => vec![Gap::FailedCalls, Gap::UntracedChildren],
        Intercept::Seccomp | Intercept::Syscall => Vec::new(),
    };
    blind.extend((!proc_is_ours()).then_some(Gap::Proc));
    Start {
        format: FORMAT,
        clonespy: env!("CARGO_PKG_VERSION").to_owned(),
        trace_id: read("/proc/sys/kernel/random/uuid").unwrap_or_default(),
        boot_id: read("/proc/sys/kernel/random/boot_id"),
        pid_ns: std::fs::metadata("/proc/self/ns/pid")
            .ok()
            .map(|file| file.ino()),
        mode: mode.into(),
        command: Vec::new(),
        command_hex: None,
        options: options.to_vec(),
        kernel: read("/proc/sys/kernel/osrelease").unwrap_or_default(),
        machine: std::env::consts::ARCH.to_owned(),
        wall: jiff::Timestamp::now().to_string(),
        intercept: intercept.into(),
        intercept_why: None,
        blind,
        visible: Vec::new(),
    }
}
