//! Which program a task runs after an exec: its file, arguments and name, and what the file is.

use crate::event::{Exec, hex, lossy};
use crate::peek::Peek;
use crate::proc;
use crate::symbols::elf;

use super::observer::Observer;

/// Bytes of the arguments that are recorded. The kernel takes megabytes, and one line of a trace
/// should stay readable in one go; the longest ones that people look at (a JVM's class path, a
/// linker's objects) have some 20 KiB.
pub const ARGV_BYTES: usize = 32 << 10;
/// Arguments that are recorded: some bytes each in JSON, even where they are empty.
pub const ARGV_COUNT: usize = 1024;

/// Fills the fields of [`Exec`] that say which program it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Program;

impl Observer for Program {
    fn exec(&mut self, task: &dyn Peek, event: &mut Exec) {
        if let Ok(path) = task.proc_link("exe") {
            // A file that is gone has " (deleted)" after it: the kernel's word, and kept.
            let (path, path_hex) = lossy(&path);
            (event.path, event.path_hex) = (Some(path), path_hex);
        }
        if let Some((comm, comm_hex)) = proc::comm(task) {
            (event.comm, event.comm_hex) = (Some(comm), comm_hex);
        }
        if let Some(line) = command_line(task) {
            fill_argv(event, line);
        }
        // No cache: `exe` says nothing about the file's identity, and a file may be replaced under
        // its path at any time. Two short reads cost less than being wrong.
        let mut read =
            |offset, buf: &mut [u8]| task.proc_read_at("exe", offset, buf).unwrap_or_default();
        if let Some(facts) = elf::facts(&mut read) {
            event.machine = Some(facts.machine);
            event.linkage = facts.linkage;
            event.interpreter = facts.interpreter;
            event.build_id = facts.build_id;
            event.stripped = facts.stripped;
        }
    }
}

/// The arguments as they lie in memory, each with a NUL after it; one byte more than is recorded
/// where there are more.
fn command_line(task: &dyn Peek) -> Option<Vec<u8>> {
    let mut bytes = vec![0; ARGV_BYTES + 1];
    let mut have = 0;
    while let Some(rest) = bytes.get_mut(have..).filter(|rest| !rest.is_empty()) {
        match task.proc_read_at("cmdline", have as u64, rest) {
            Ok(0) => break,
            Ok(got) => have = have.saturating_add(got),
            Err(_) if have == 0 => return None,
            Err(_) => break,
        }
        // The kernel returns all at once; only an end that looks cut is worth another look.
        if bytes.get(have.saturating_sub(1)) == Some(&0) {
            break;
        }
    }
    bytes.truncate(have);
    Some(bytes)
}

fn fill_argv(event: &mut Exec, mut line: Vec<u8>) {
    let cut = line.len() > ARGV_BYTES;
    line.truncate(ARGV_BYTES);
    let ended = line.pop_if(|last| *last == 0).is_some();
    let mut argv: Vec<&[u8]> = match (line.is_empty(), ended) {
        (true, false) => Vec::new(),
        _ => line.split(|byte| *byte == 0).collect(),
    };
    let many = argv.len() > ARGV_COUNT;
    argv.truncate(ARGV_COUNT);
    if let (true, false, false, Some(last)) = (cut, many, ended, argv.last_mut()) {
        *last = whole_characters(last);
    }
    let (text, any_hex): (Vec<String>, Vec<Option<String>>) =
        argv.iter().map(|argument| lossy(argument)).unzip();
    event.argv_hex = any_hex
        .iter()
        .any(Option::is_some)
        .then(|| argv.iter().map(|argument| hex(argument)).collect());
    event.argv = Some(text);
    event.argv_truncated = Some(cut || many);
}

/// Without a last character that our own cut went through.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => {
            bytes.get(..error.valid_up_to()).unwrap_or(bytes)
        }
        _ => bytes,
    }
}

#[cfg(test)]
mod tests;
