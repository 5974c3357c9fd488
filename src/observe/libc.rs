//! Which C library the caller runs on.
//!
//! At the exec stop no library is mapped yet, so it is looked for at a process's first call: once in
//! `/proc/TID/maps` for each process, and in the library's own text, as it is mapped, once for each
//! build of a library. The file is never opened: it may lie in another mount namespace, or be
//! replaced by now. glibc's version comes from its banner, "GNU C Library (…) stable release version
//! 2.36."; its symbol versions would not do, since not every release adds one.

use std::collections::HashMap;

use crate::event::{CloneCall, Exec, Exit, Tid};
use crate::peek::Peek;
use crate::proc::maps::{Mapping, mappings};
use crate::symbols::elf;

use super::observer::Observer;

/// Bytes of a library that are searched, at most: twice glibc's size.
const SEARCHED: usize = 4 << 20;

/// Fills `CloneCall::libc`; absent where no C library is mapped, as in a static program.
#[derive(Debug, Default)]
pub struct Libc {
    /// By tgid, what its first call found. Dropped at exec and with the process.
    processes: HashMap<Tid, Option<String>>,
    /// By build id.
    builds: HashMap<String, Option<String>>,
}

impl Observer for Libc {
    fn entered(&mut self, task: &dyn Peek, call: &mut CloneCall) {
        let builds = &mut self.builds;
        call.libc = self
            .processes
            .entry(call.tgid)
            .or_insert_with(|| find(task, builds))
            .clone();
    }

    fn exec(&mut self, _: &dyn Peek, event: &mut Exec) {
        self.processes.remove(&event.tgid);
    }

    fn exit(&mut self, _: &dyn Peek, event: &mut Exit) {
        if event.last {
            self.processes.remove(&event.tgid);
        }
    }
}

/// What a file's name says about which C library it is; `None` where it is none.
///
/// glibc: `libc.so.6` (`.6.1` on alpha and ia64), until 2.33 a link to `libc-2.31.so`, which is then
/// what maps shows. musl: `ld-musl-ARCH.so.1`, or `libc.so`, whichever is the file and not the link.
/// `libc.so` is bionic's name too, so it takes a look inside.
fn by_file_name(path: &[u8]) -> Option<Option<&'static str>> {
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    match std::str::from_utf8(name).ok()? {
        "libc.so" => Some(None),
        "libc.so.6" | "libc.so.6.1" => Some(Some("glibc")),
        name if name.starts_with("ld-musl-") && name.ends_with(".so.1") => Some(Some("musl")),
        name if name.starts_with("libc-2.") && name.ends_with(".so") => Some(Some("glibc")),
        _ => None,
    }
}

fn find(task: &dyn Peek, builds: &mut HashMap<String, Option<String>>) -> Option<String> {
    let maps = task.proc_file("maps").ok()?;
    let mut files = mappings(&maps);
    let (first, by_name) = files.find_map(|file| Some((file, by_file_name(file.path?)?)))?;
    let id = (first.offset == 0)
        .then(|| build_id(task, &first))
        .flatten();
    if let Some(known) = id.as_ref().and_then(|id| builds.get(id)) {
        return known.clone();
    }
    let path = first.path;
    let rest = files.filter(|file| file.path == path);
    let mut parts: Vec<Mapping<'_>> = [first].into_iter().chain(rest).collect();
    // Constants lie outside of the code, in libraries linked within the last years.
    parts.sort_by_key(|part| part.executable);
    let found = by_text(task, &parts).or(by_name.map(str::to_owned));
    if let Some(id) = id {
        builds.insert(id, found.clone());
    }
    found
}

fn build_id(task: &dyn Peek, file: &Mapping<'_>) -> Option<String> {
    let mut read = |offset: u64, buf: &mut [u8]| {
        let Some(at) = file.start.checked_add(offset).filter(|at| *at < file.end) else {
            return 0;
        };
        let room = usize::try_from(file.end - at)
            .unwrap_or(usize::MAX)
            .min(buf.len());
        let part = buf.get_mut(..room).unwrap_or_default();
        if task.read(at, part).is_ok() { room } else { 0 }
    };
    elf::build_id(&mut read)
}

/// Name and version, as the library's own text has them.
fn by_text(task: &dyn Peek, parts: &[Mapping<'_>]) -> Option<String> {
    let mut left = SEARCHED;
    for part in parts.iter().filter(|part| part.readable) {
        let size = usize::try_from(part.end.saturating_sub(part.start)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; size.min(left)];
        left -= bytes.len();
        if task.read(part.start, &mut bytes).is_err() {
            continue;
        }
        if let Some(name) = glibc(&bytes).or_else(|| musl(&bytes)) {
            return Some(name);
        }
    }
    None
}

/// "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36."
fn glibc(bytes: &[u8]) -> Option<String> {
    let banner = after(bytes, b"GNU C Library (")?;
    let banner = banner.get(..banner.len().min(256))?;
    let number = after(banner, b" release version ")?;
    let end = number
        .iter()
        .position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
    let version = version(number.get(..end)?.strip_suffix(b".")?)?;
    Some(format!("glibc {version}"))
}

/// "musl libc (x86_64)", and elsewhere "1.2.3": the only text of that form, or we do not know.
fn musl(bytes: &[u8]) -> Option<String> {
    after(bytes, b"musl libc (")?;
    let mut versions = bytes
        .split(|byte| *byte == 0)
        .filter_map(version)
        .filter(|version| version.split('.').count() == 3);
    let first = versions.next();
    match (first, versions.next()) {
        (Some(version), None) => Some(format!("musl {version}")),
        _ => Some("musl".to_owned()),
    }
}

/// Numbers with dots between them.
fn version(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.len() <= 16)?;
    let numbers = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('.').all(numbers).then_some(text)
}

/// What follows the first occurrence.
fn after<'a>(bytes: &'a [u8], text: &[u8]) -> Option<&'a [u8]> {
    let at = bytes
        .windows(text.len())
        .position(|window| window == text)?;
    bytes.get(at + text.len()..)
}

#[cfg(test)]
mod tests;
