//! Lints about the flags and the exit signal that a call passes.

use super::each_call::{Each, process, took};
use crate::abi::flags::{CLONE_AUTOREAP, CLONE_PARENT, CLONE_VFORK, CLONE_VM};
use crate::event::{Call, CloneCall, Outcome};
use crate::lint::definition::{Level, Lint, Words, words};

/// The rows.
pub(super) static LINTS: &[Lint] = &[
    Lint {
        id: "shared-memory-process",
        level: Level::Warning,
        default: true,
        meaning: "a process that shares its creator's memory and runs beside it: CLONE_VM without \
                  CLONE_THREAD or CLONE_VFORK",
        needs: None,
        watch: || Box::new(Each(shares_memory)),
    },
    Lint {
        id: "untraced-child",
        level: Level::Note,
        default: true,
        meaning: "CLONE_UNTRACED: the program does not want its child to be traced",
        needs: None,
        watch: || Box::new(Each(untraced)),
    },
    Lint {
        id: "exit-signal-odd",
        level: Level::Warning,
        default: true,
        meaning: "a process whose end does not send SIGCHLD: a plain wait() does not see it",
        needs: None,
        watch: || Box::new(Each(exit_signal)),
    },
];

fn shares_memory(call: &CloneCall) -> Option<Words> {
    let (child, caller) = (process(call)?, call.tgid);
    (took(call, CLONE_VM) && !took(call, CLONE_VFORK)).then(|| {
        words!(
            "process {child} and {caller} share one memory and run side by side: libc's state, errno and \
             locks are one for both",
            "进程 {child} 与 {caller} 共用一份内存并同时运行：libc 的状态、errno 和锁为两者共有"
        )
    })
}

fn untraced(call: &CloneCall) -> Option<Words> {
    match &call.outcome {
        Outcome::Untraced { .. } => Some(words!(
            "CLONE_UNTRACED: the child is not seen, nor what it creates",
            "CLONE_UNTRACED：看不到该子任务，也看不到它创建的任务"
        )),
        Outcome::Created(created) if created.untraced.is_some() => {
            let child = created.tid;
            Some(words!(
                "CLONE_UNTRACED was asked for {child}, which is traced all the same",
                "{child} 要求 CLONE_UNTRACED，但仍被跟踪"
            ))
        }
        _ => None,
    }
}

/// CLONE_NEWTIME, whose bit lies in the exit signal's byte.
const NEWTIME: u64 = 0x80;

fn exit_signal(call: &CloneCall) -> Option<Words> {
    let child = process(call)?;
    // Then the signal is that of the caller's own leader.
    if took(call, CLONE_PARENT) {
        return None;
    }
    // The kernel itself reaps such a child: nobody is to wait for it.
    if took(call, CLONE_AUTOREAP) {
        return None;
    }
    let raw = call.request.exit_signal_raw?.0;
    let mut text = match &call.request.exit_signal {
        Some(Some(name)) if name == "SIGCHLD" => return None,
        Some(Some(name)) => words!(
            "process {child} sends {name} at its end",
            "进程 {child} 结束时发送 {name}"
        ),
        Some(None) => words!(
            "process {child} sends no signal at its end",
            "进程 {child} 结束时不发送信号"
        ),
        None if call.request.call == Call::Clone && raw & NEWTIME != 0 => words!(
            "0x80 in clone's flags is no CLONE_NEWTIME but part of the exit signal, {raw:#x}, which no \
             signal has: process {child} sends none",
            "clone 标志中的 0x80 不是 CLONE_NEWTIME，而是退出信号 {raw:#x} 的一部分，没有这样的信号：\
             进程 {child} 不发送信号"
        ),
        None => words!(
            "process {child} has the exit signal {raw:#x}, which no signal has",
            "进程 {child} 的退出信号是 {raw:#x}，没有这样的信号"
        ),
    };
    text.push((
        "; wait(2) sees it with __WALL or __WCLONE alone",
        "；wait(2) 只有带 __WALL 或 __WCLONE 才能见到它",
    ));
    Some(text)
}
