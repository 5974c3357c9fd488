//! Lines as strace prints them, with the tid before each (as `strace -f -o FILE` does), for tools
//! that read those: the four calls, execs, and ends.
//!
//! What strace prints and a trace does not hold is left open: an exec's environment is `...`, its
//! path is that of the file that runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use super::filter::Visibility;
use super::names::pid;
use super::timestamps::Stamper;
use super::{Destination, Look, Reporter};
use crate::abi::flags::{self, Flag};
use crate::error;
use crate::event::{
    Call, CloneCall, Ending, Event, EventKind, Exec, Exit, Header, Hex, Outcome, Request, Status,
    Tid,
};
use crate::tasks::TaskTree;

/// The column of the `=` before a result.
const RESULT: usize = 40;
/// Bytes of `struct clone_args` that are known (CLONE_ARGS_SIZE_VER2).
const KNOWN: u64 = 88;

/// The report.
pub(super) struct Strace {
    out: BufWriter<Destination>,
    look: Look,
    stamper: Stamper,
    visibility: Visibility,
}

impl Strace {
    pub(super) fn new(out: Destination, look: Look) -> Self {
        Strace {
            out: BufWriter::new(out),
            stamper: Stamper::new(&look),
            look,
            visibility: Visibility::default(),
        }
    }

    fn line(&mut self, tid: Tid, at_ns: u64, tree: &TaskTree, text: &str) -> io::Result<()> {
        let who = pid(&self.look, tree, tid);
        self.say(&who, at_ns, text)
    }

    fn say(&mut self, who: &str, at_ns: u64, text: &str) -> io::Result<()> {
        let before = self.stamper.before(at_ns);
        // What the line is to hold comes escaped; a name with a line's end cannot come through.
        writeln!(self.out, "{who:<5} {before}{text}")?;
        self.out.flush()
    }

    fn result(&self, tid: Tid, text: String, result: &str, took_ns: Option<u64>) -> String {
        let before = tid.to_string().len().max(5) + 1;
        let width = RESULT.saturating_sub(before + self.stamper.width());
        let mut line = format!("{text:<width$}");
        if !line.ends_with(' ') {
            line.push(' ');
        }
        line.push_str("= ");
        line.push_str(result);
        if let Some(took) = took_ns.filter(|_| self.look.stamps.took) {
            let _ = write!(
                line,
                " <{}.{:06}>",
                took / 1_000_000_000,
                took / 1000 % 1_000_000
            );
        }
        line
    }

    fn call(&mut self, header: &Header, call: &CloneCall, tree: &TaskTree) -> io::Result<()> {
        if !self.visibility.call(&self.look.filter, header.task, call) {
            return Ok(());
        }
        let mut text = match call.request.call {
            Call::Fork => "fork(".to_owned(),
            Call::Vfork => "vfork(".to_owned(),
            Call::Clone => clone(call),
            Call::Clone3 => self.clone3(call),
        };
        let result = match &call.outcome {
            Outcome::Created(made) => pid(&self.look, tree, made.tid),
            Outcome::Untraced { tid } => tid.map_or("?".into(), |tid| tid.to_string()),
            // Those above 511 never reach the program: the call is made again (signal(7)).
            Outcome::Failed { errno, code, .. } if *code >= 512 => {
                format!("? {} (To be restarted)", word(errno))
            }
            Outcome::Failed { errno, code, .. } => {
                let why = error::plain(&io::Error::from_raw_os_error(*code));
                format!("-1 {} ({why})", word(errno))
            }
            Outcome::Unfinished {} | Outcome::Other(_) => {
                text.push_str(" <unfinished ...>");
                "?".into()
            }
        };
        let line = self.result(call.tid, text + ")", &result, call.took_ns);
        self.line(call.tid, header.at_ns, tree, &line)
    }

    fn clone3(&self, call: &CloneCall) -> String {
        let (request, args) = (&call.request, &call.request.args);
        // A size that no count of a trace can hold stands among the raw arguments alone.
        let raw = request.raw.as_ref().and_then(|raw| raw.args.get(1));
        let size = args.size.or(raw.map(|size| size.0));
        let size = size.map_or("?".into(), |size| size.to_string());
        let pointer = request.raw.as_ref().and_then(|raw| raw.args.first());
        if request.flags_raw.is_none() {
            return format!(
                "clone3({}, {size}",
                pointer.map_or("?".into(), |at| address(*at))
            );
        }
        let mut fields = vec![format!("flags={}", flags_word(request, false))];
        let mut put = |name: &str, value: Option<String>| {
            fields.extend(value.map(|value| format!("{name}={value}")));
        };
        put("pidfd", args.pidfd.map(address));
        put("child_tid", args.child_tid.map(address));
        put("parent_tid", args.parent_tid.map(address));
        put("exit_signal", Some(signal(request)));
        put("stack", Some(args.stack.map_or("NULL".into(), address)));
        put(
            "stack_size",
            Some(match args.stack_size {
                Some(size) if size.0 > 0 => size.to_string(),
                _ => "0".into(),
            }),
        );
        put("tls", args.tls.map(address));
        if let Some(tids) = &args.set_tid {
            let list: Vec<_> = tids.iter().map(ToString::to_string).collect();
            put("set_tid", Some(format!("[{}]", list.join(", "))));
            put("set_tid_size", Some(tids.len().to_string()));
        }
        let path = call.cgroup_path.as_ref().filter(|_| self.look.names);
        let path = path.map_or(String::new(), |path| format!("<{}>", word(path)));
        // The field came with the last size of the struct (CLONE_ARGS_SIZE_VER2).
        let cgroup = args
            .cgroup
            .filter(|_| args.size.is_none_or(|size| size >= KNOWN));
        put("cgroup", cgroup.map(|fd| format!("{}{path}", fd.0)));
        if let Some(tail) = &args.unknown_tail {
            let last = args.size.unwrap_or_default().saturating_sub(1);
            let bytes: String = pairs(tail).map(|pair| format!("\\x{pair}")).collect();
            fields.push(format!("/* bytes {KNOWN}..{last} */ \"{bytes}\""));
        }
        let wrote = self.wrote(call);
        format!("clone3({{{}}}{wrote}, {size}", fields.join(", "))
    }

    /// ` => {parent_tid=[123]}`: what the kernel wrote.
    fn wrote(&self, call: &CloneCall) -> String {
        let Some(wrote) = &call.wrote else {
            return String::new();
        };
        let mut parts = BTreeMap::new();
        if let Some(fd) = wrote.pidfd {
            let of = match &call.outcome {
                Outcome::Created(made) if self.look.names => format!("<pid:{}>", made.tid),
                _ => String::new(),
            };
            parts.insert(1, format!("pidfd=[{fd}{of}]"));
        }
        if let Some(tid) = wrote.parent_tid {
            parts.insert(0, format!("parent_tid=[{tid}]"));
        }
        let parts: Vec<_> = parts.into_values().collect();
        if parts.is_empty() {
            return String::new();
        }
        format!(" => {{{}}}", parts.join(", "))
    }

    fn exec(&mut self, header: &Header, exec: &Exec, tree: &TaskTree) -> io::Result<()> {
        if !self.visibility.task(&self.look.filter, header.task) {
            return Ok(());
        }
        if let Some(former) = exec.former_tid {
            let text = format!("+++ superseded by execve in pid {former} +++");
            self.line(exec.tid, header.at_ns, tree, &text)?;
        }
        let path = match (&exec.path, &exec.path_hex) {
            (Some(path), hex) => quoted(path, hex.as_deref()),
            (None, _) => "?".into(),
        };
        let hex = exec.argv_hex.as_deref().unwrap_or_default();
        let mut argv: Vec<_> = exec
            .argv
            .iter()
            .flatten()
            .enumerate()
            .map(|(at, word)| quoted(word, hex.get(at).map(String::as_str)))
            .collect();
        if exec.argv_truncated == Some(true) || exec.argv.is_none() {
            argv.push("...".into());
        }
        let text = format!("execve({path}, [{}], ...)", argv.join(", "));
        let line = self.result(exec.tid, text, "0", None);
        self.line(exec.tid, header.at_ns, tree, &line)
    }

    fn exit(&mut self, header: &Header, exit: &Exit) -> io::Result<()> {
        let hidden = exit.how == Ending::Replaced || self.look.quiet >= 2;
        if hidden || !self.visibility.task(&self.look.filter, header.task) {
            return Ok(());
        }
        let text = match &exit.status {
            Some(Status::Exited { exited }) => format!("exited with {exited}"),
            Some(Status::Signaled {
                signaled,
                core_dumped,
            }) => {
                let core = if *core_dumped { " (core dumped)" } else { "" };
                format!("killed by {}{core}", word(signaled))
            }
            None => "exited with ?".into(),
        };
        // It is out of the tree already.
        let who = match &exit.comm {
            Some(comm) if self.look.names => format!("{}<{}>", exit.tid, word(comm)),
            _ => exit.tid.to_string(),
        };
        self.say(&who, header.at_ns, &format!("+++ {text} +++"))
    }
}

impl Reporter for Strace {
    fn event(&mut self, event: &Event, tree: &TaskTree) -> io::Result<()> {
        let header = &event.header;
        match &event.kind {
            EventKind::Start(start) => self.stamper.begin(&start.wall),
            EventKind::Clone(call) => {
                self.visibility.learn(&self.look.filter, event);
                self.call(header, call, tree)?;
            }
            EventKind::Exec(exec) => self.exec(header, exec, tree)?,
            EventKind::Exit(exit) => {
                self.exit(header, exit)?;
                self.visibility.forget(event);
            }
            EventKind::Detach(_) => self.visibility.forget(event),
            _ => self.visibility.learn(&self.look.filter, event),
        }
        Ok(())
    }

    fn finish(&mut self, _: &TaskTree) -> io::Result<()> {
        self.out.flush()
    }
}

fn clone(call: &CloneCall) -> String {
    let (request, args) = (&call.request, &call.request.args);
    let stack = args.stack.map_or("NULL".into(), address);
    let mut text = format!(
        "clone(child_stack={stack}, flags={}",
        flags_word(request, true)
    );
    let wrote = call.wrote.as_ref();
    let number = wrote.and_then(|wrote| wrote.parent_tid.or(wrote.pidfd));
    // Legacy clone has one argument for both.
    if let Some(at) = args.parent_tid.or(args.pidfd) {
        let value = number.map_or_else(|| address(at), |number| format!("[{number}]"));
        let _ = write!(text, ", parent_tid={value}");
    }
    if let Some(tls) = args.tls {
        let _ = write!(text, ", tls={}", address(tls));
    }
    if let Some(child) = args.child_tid {
        let _ = write!(text, ", child_tidptr={}", address(child));
    }
    text
}

/// The flags word; legacy clone's holds the exit signal.
fn flags_word(request: &Request, legacy: bool) -> String {
    // strace has no name for a flag that does nothing.
    let names = request
        .flags
        .iter()
        .filter(|name| flags::named(name).is_none_or(Flag::acts));
    let named = names.clone().filter_map(|name| flags::named(name));
    let known = named.fold(0, |bits, flag| bits | flag.bits);
    let mut parts: Vec<String> = names.map(|name| word(name)).collect();
    let rest = request.flags_raw.map_or(0, |all| all.0 & !known);
    match (rest, parts.is_empty()) {
        (0, _) => {}
        (rest, true) => parts.push(format!("{rest:#x} /* CLONE_??? */")),
        (rest, false) => parts.push(format!("{rest:#x}")),
    }
    let signal = signal(request);
    if legacy && signal != "0" {
        parts.push(signal);
    }
    if parts.is_empty() {
        parts.push("0".into());
    }
    parts.join("|")
}

fn signal(request: &Request) -> String {
    match (&request.exit_signal, request.exit_signal_raw) {
        (Some(Some(name)), _) => word(name),
        (_, raw) => raw.unwrap_or_default().0.to_string(),
    }
}

fn address(at: Hex) -> String {
    match at.0 {
        0 => "NULL".into(),
        _ => at.to_string(),
    }
}

/// A word of the trace without anything that could break the line.
fn word(text: &str) -> String {
    super::escape::name(text, true)
}

/// A string as C has it; `hex` holds its bytes where they are not UTF-8.
fn quoted(text: &str, hex: Option<&str>) -> String {
    let bytes: Vec<u8> = match hex {
        Some(hex) => pairs(hex)
            .filter_map(|pair| u8::from_str_radix(pair, 16).ok())
            .collect(),
        None => text.bytes().collect(),
    };
    let mut out = String::from("\"");
    let mut bytes = bytes.iter().peekable();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\r' => out.push_str("\\r"),
            b' '..=b'~' => out.push(char::from(byte)),
            // Three digits where another would be taken for one of them.
            _ if bytes.peek().is_some_and(|next| next.is_ascii_digit()) => {
                let _ = write!(out, "\\{byte:03o}");
            }
            _ => {
                let _ = write!(out, "\\{byte:o}");
            }
        }
    }
    out.push('"');
    out
}

/// Hex digits, two and two.
fn pairs(hex: &str) -> impl Iterator<Item = &str> {
    (0..hex.len() / 2).filter_map(move |at| hex.get(2 * at..2 * at + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_as_c_has_them() {
        assert_eq!(quoted("a\"b\\c\nd", None), r#""a\"b\\c\nd""#);
        assert_eq!(quoted("\x1b[1m\u{1}2", None), r#""\33[1m\0012""#);
        assert_eq!(quoted("é", None), r#""\303\251""#);
        assert_eq!(quoted("\u{fffd}x", Some("ff78")), r#""\377x""#);
    }

    #[test]
    fn flags_are_named_and_what_has_no_name_is_kept() {
        let mut request: Request = serde_json::from_value(serde_json::json!({
            "abi": "x86_64", "call": "clone", "flags": ["CLONE_VM"], "flags_raw": "0x400100",
            "exit_signal": "SIGCHLD", "exit_signal_raw": "0x11"
        }))
        .unwrap();
        assert_eq!(flags_word(&request, true), "CLONE_VM|0x400000|SIGCHLD");
        assert_eq!(flags_word(&request, false), "CLONE_VM|0x400000");
        request.flags.clear();
        request.flags_raw = Some(Hex(0x400000));
        assert_eq!(
            flags_word(&request, true),
            "0x400000 /* CLONE_??? */|SIGCHLD"
        );
        request.flags_raw = Some(Hex(0));
        request.exit_signal = None;
        request.exit_signal_raw = Some(Hex(65));
        assert_eq!(flags_word(&request, true), "65");
        request.exit_signal_raw = Some(Hex(0));
        assert_eq!(flags_word(&request, true), "0");
    }
}
