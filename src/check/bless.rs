//! Writing what was seen as an expectation, ready to edit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::abi::CloneFlags;
use crate::error::{Error, Result};
use crate::event::Kind;

use super::expect::{COUNTS, Expectation, Recipe};
use super::library_calls;
use super::row::View;
use super::values::{End, Ends, Glob};
use crate::lint::Analysis;

/// With more rows than this, calls that differ in what became of the child share one.
const ROWS: usize = 24;
/// Counts that are written even where they are zero: what should stay so.
const ALWAYS: [&str; 4] = ["processes", "threads", "failed", "cut_off"];
/// Counts that say nothing beyond the others.
const NEVER: [&str; 1] = ["created"];

/// What keeps calls in rows of their own, besides the call itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Apart {
    NameAndEnd,
    Name,
    Call,
}

/// What calls of one row have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    call: &'static str,
    flags: Option<u64>,
    exit_signal: String,
    outcome: String,
    kind: Option<&'static str>,
    /// The name with each number in it as `*`.
    name: Option<String>,
    exit: Option<String>,
}

/// Calls of one shape.
struct Group {
    first: u64,
    count: u64,
    names: BTreeSet<String>,
    /// How the processes ended; `None`: in a way that a file cannot say.
    ends: BTreeSet<Option<String>>,
    origin: Option<&'static str>,
}

/// What was seen, as an expectation file. How and on which machines the program is run, and what must
/// not be, is taken over from what was expected `before`; the rest is what was seen, and holds.
///
/// # Errors
/// The trace was cut short: what would have come is not known.
pub fn bless(before: &Expectation, analysis: &Analysis) -> Result<String> {
    let index = analysis.index();
    if let Some(why) = index.cut() {
        return Err(Error::Check {
            what: format!("{why}: this is not to be expected"),
        });
    }
    let mut out = String::from(
        "# What clonespy saw. Edit what may differ: counts can be ranges (\"4..=8\"), names patterns.\n",
    );
    head(&mut out, &before.recipe);
    if !before.machine.is_empty() {
        let machines = before.machine.iter().map(String::as_str);
        line(&mut out, "machine", &list(machines));
    }
    if let Some(exit) = index.status().map(Ends::of).filter(readable) {
        line(&mut out, "exit", &ends(&exit));
    }
    out.push_str("\n[tasks]\n");
    for count in COUNTS {
        let number = (count.of)(index);
        if NEVER.contains(&count.name) {
            continue;
        }
        let known = count.hidden.is_none_or(|gap| index.blind_to(gap).is_none());
        if known && (number > 0 || ALWAYS.contains(&count.name)) {
            let what = format!("{} = {number}", count.name);
            put(&mut out, &format!("{what:<20}# {}\n", count.help));
        }
    }
    let mut groups = Vec::new();
    for apart in [Apart::NameAndEnd, Apart::Name, Apart::Call] {
        let views = index.calls().iter().map(|call| View::of(index, call));
        groups = self::groups(views, apart);
        if groups.len() <= ROWS {
            break;
        }
    }
    let mut named = BTreeSet::new();
    for (shape, group) in &groups {
        // Once a pattern: what holds for one row holds for the next.
        let origin = group.origin.filter(|origin| named.insert(*origin));
        row(&mut out, shape, group, origin, Form::Exact);
    }
    if groups.is_empty() {
        // No call was seen, and none is expected: said before the tables begin.
        out = out.replacen("\n[tasks]\n", "else = \"forbid\"\n\n[tasks]\n", 1);
    }
    policy(&mut out, before);
    Ok(out)
}

/// What must not be, whatever was seen.
fn policy(out: &mut String, before: &Expectation) {
    let forbid = &before.forbid;
    let mut rows = Vec::new();
    if let Some(flags) = &forbid.flags {
        rows.push(format!("flags = {}", flags_text(flags.value)));
    }
    if forbid.untraced.is_some() {
        rows.push("untraced = true".to_owned());
    }
    if let Some(calls) = &forbid.calls {
        let names = calls.value.iter().map(|call| call.name());
        rows.push(format!("calls = {}", list(names)));
    }
    if !rows.is_empty() {
        put(out, &format!("\n[forbid]\n{}\n", rows.join("\n")));
    }
    let lints = &before.lints;
    let mut rows = Vec::new();
    if !lints.deny.is_empty() {
        let names = lints.deny.iter().map(|lint| lint.value);
        rows.push(format!("deny = {}", list(names)));
    }
    if !lints.allow.is_empty() {
        rows.push(format!("allow = {}", list(lints.allow.iter().copied())));
    }
    if !rows.is_empty() {
        put(out, &format!("\n[lints]\n{}\n", rows.join("\n")));
    }
}

fn put(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = out.write_str(text);
}

fn line(out: &mut String, key: &str, value: &str) {
    put(out, &format!("{key} = {value}\n"));
}

fn head(out: &mut String, recipe: &Recipe) {
    if !recipe.command.is_empty() {
        line(
            out,
            "command",
            &list(recipe.command.iter().map(String::as_str)),
        );
    }
    if let Some(build) = &recipe.build {
        line(out, "build", &text(build));
    }
    if !recipe.env.is_empty() {
        let pairs = recipe.env.iter().map(|(name, value)| {
            let value = value.as_deref().map_or("false".to_owned(), text);
            format!("{} = {value}", text(name))
        });
        let pairs: Vec<String> = pairs.collect();
        line(out, "env", &format!("{{ {} }}", pairs.join(", ")));
    }
    if let Some(stdin) = &recipe.stdin {
        line(out, "stdin", &text(stdin));
    }
    if let Some(timeout) = &recipe.timeout {
        line(out, "timeout", &timeout.as_secs().to_string());
    }
    if let Some(skip) = &recipe.skip {
        line(out, "skip", &text(&skip.0));
    }
}

/// The calls by shape, in the order of their first appearance.
fn groups<'a>(views: impl Iterator<Item = View<'a>>, apart: Apart) -> Vec<(Shape, Group)> {
    let mut shapes: BTreeMap<Shape, Group> = BTreeMap::new();
    for view in views {
        let call = view.call;
        let name = view.child.map(|child| child.name.clone());
        let group = shapes.entry(shape(&view, apart)).or_insert_with(|| Group {
            first: view.seq,
            count: 0,
            names: BTreeSet::new(),
            ends: BTreeSet::new(),
            origin: library_calls::name_of(&call.request),
        });
        group.count += 1;
        group.names.extend(name);
        group.ends.insert(end(&view));
    }
    let mut groups: Vec<(Shape, Group)> = shapes.into_iter().collect();
    groups.sort_by_key(|(_, group)| group.first);
    groups
}

fn shape(view: &View, apart: Apart) -> Shape {
    let name = view.child.filter(|_| apart != Apart::Call);
    Shape {
        call: view.call.request.call.name(),
        flags: view.flags().map(|flags| flags.0),
        exit_signal: view.exit_signal(),
        outcome: view.outcome().to_owned(),
        kind: view.child.map(|child| match child.kind {
            Kind::Thread => "thread",
            Kind::Process => "process",
        }),
        name: name.map(|child| without_numbers(&child.name)),
        exit: end(view).filter(|_| apart == Apart::NameAndEnd),
    }
}

/// How a process ended. (How a thread ends is mostly its process's doing.)
fn end(view: &View) -> Option<String> {
    let child = view.child.filter(|child| child.kind == Kind::Process)?;
    let exit = child.process_status.as_ref().map(Ends::of)?;
    readable(&exit).then(|| ends(&exit))
}

/// Whether the file can say it: a signal of another machine's numbering may have no name here.
fn readable(ends: &Ends) -> bool {
    ends.0
        .iter()
        .all(|end| end.to_string().parse::<End>().is_ok())
}

/// The pattern of a name in which each run of digits is `*`.
fn without_numbers(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, digits) = rest.split_at(start);
        out.push_str(&Glob::literal(before).0);
        out.push('*');
        rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out.push_str(&Glob::literal(rest).0);
    out
}

/// How much a row says of a call that a known library makes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// What it passes, with the pattern in a comment.
    Exact,
    /// The pattern.
    Short,
}

fn row(out: &mut String, shape: &Shape, group: &Group, origin: Option<&str>, form: Form) {
    put(out, "\n");
    match (origin, form) {
        (Some(origin), Form::Short) => {
            put(out, &format!("[[clone]]\nis = {}\n", text(origin)));
        }
        (Some(origin), Form::Exact) => {
            put(
                out,
                &format!(
                    "# To hold with any libc, write is = {} instead of call, flags and exit_signal.\n",
                    text(origin)
                ),
            );
            request(out, shape);
        }
        (None, _) => request(out, shape),
    }
    if shape.outcome != "created" {
        let outcome = match shape
            .outcome
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == ' ')
        {
            true => shape.outcome.clone(),
            false => "*".to_owned(),
        };
        line(out, "outcome", &text(&outcome));
    }
    if let Some(kind) = shape.kind {
        line(out, "kind", &text(kind));
    }
    // One name alone is meant as it is.
    let mut names = group.names.iter();
    match (names.next(), names.next(), &shape.name) {
        (Some(name), None, _) => line(out, "name", &text(&Glob::literal(name).0)),
        (Some(_), Some(_), Some(pattern)) => line(out, "name", &text(pattern)),
        _ => {}
    }
    let mut ends = group.ends.iter();
    if let (Some(Some(exit)), None) = (ends.next(), ends.next()) {
        line(out, "exit", exit);
    }
    line(out, "count", &group.count.to_string());
}

fn request(out: &mut String, shape: &Shape) {
    put(out, "[[clone]]\n");
    line(out, "call", &text(shape.call));
    if let Some(flags) = shape.flags {
        line(out, "flags", &flags_text(CloneFlags(flags)));
    }
    // A signal of another numbering, or a pattern's characters in it, is not what files can say.
    if signal_is_readable(&shape.exit_signal) {
        line(out, "exit_signal", &text(&shape.exit_signal));
    }
}

/// The rows that calls like these would need, for a file to accept them: the shortest that say it.
pub(super) fn rows_for(views: &[View]) -> Vec<String> {
    let groups = groups(views.iter().copied(), Apart::NameAndEnd);
    let row = |(shape, group): &(Shape, Group)| {
        let mut out = String::new();
        let origin = group.origin.filter(|_| shape.outcome == "created");
        row(&mut out, shape, group, origin, Form::Short);
        out.trim_start().to_owned()
    };
    groups.iter().map(row).collect()
}

pub(super) fn signal_is_readable(word: &str) -> bool {
    word.starts_with("0x")
        || ["none", "unreadable"].contains(&word)
        || crate::abi::signals::number(word).is_some()
}

pub(super) fn flags_text(flags: CloneFlags) -> String {
    let mut words: Vec<String> = flags.names().map(str::to_owned).collect();
    let unknown = flags.unknown();
    if !unknown.is_empty() {
        words.push(format!("{:#x}", unknown.0));
    }
    list(words.iter().map(String::as_str))
}

fn ends(exit: &Ends) -> String {
    let each = exit.0.iter().map(|end| match end {
        End::Code(range) if range.max == Some(range.min) => range.to_string(),
        other => text(&other.to_string()),
    });
    each.collect::<Vec<_>>().join(", ")
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(text).collect();
    format!("[{}]", words.join(", "))
}

/// A TOML basic string.
pub(super) fn text(word: &str) -> String {
    let mut out = String::from('"');
    for c in word.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => put(&mut out, &format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
