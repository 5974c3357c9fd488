//! `-c`: the calls by kind, flags and outcome, in a table.

use std::collections::HashMap;

use super::sets::{Key, are_read, word};
use super::units;
use crate::abi::say;
use crate::event::{Call, CloneCall, Kind, Outcome, Request};
use crate::layout::{Ink, NARROW, Pen, columns};
use crate::report::Look;

/// Rows that are kept; what goes beyond is counted in one more.
const MOST: usize = 1000;

/// Where the columns end (numbers) and begin (words).
const CALLS: usize = 8;
const FAILED: usize = 17;
const SHARE: usize = 25;
const CALL: usize = 27;
const MADE: usize = 35;
const FLAGS: usize = 46;
const UNDER: usize = 4;

#[derive(Debug, Default)]
struct Count {
    calls: u64,
    failed: u64,
    threads: u64,
    processes: u64,
    flags: String,
}

/// The counts so far.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: HashMap<(Call, Option<Key>), Count>,
    rest: Count,
}

impl Table {
    /// One more call.
    pub(super) fn count(&mut self, call: &CloneCall) {
        let read = are_read(&call.request);
        let key = (call.request.call, read.then(|| Key::of(&call.request)));
        let room = self.rows.len() < MOST;
        let count = match self.rows.get_mut(&key) {
            Some(count) => count,
            None if room => {
                let count = self.rows.entry(key).or_default();
                count.flags = flags(&call.request);
                count
            }
            None => &mut self.rest,
        };
        count.calls += 1;
        match &call.outcome {
            Outcome::Created(made) if made.kind == Kind::Thread => count.threads += 1,
            Outcome::Created(_) => count.processes += 1,
            Outcome::Failed { .. } => count.failed += 1,
            _ => {}
        }
    }

    /// The table: most calls first.
    pub(super) fn draw(&self, look: &Look) -> String {
        let mut pen = Pen::new(&look.style);
        let lang = look.lang();
        let heads = [
            lang.pick("calls", "调用"),
            lang.pick("failed", "失败"),
            lang.pick("share", "占比"),
        ];
        let columns = [CALLS, FAILED, SHARE];
        for (head, end) in heads.iter().zip(columns).take(numbers(look)) {
            right(&mut pen, head, end);
        }
        pen.to(call_column(look)).put(lang.pick("call", "系统调用"));
        if look.style.width >= NARROW {
            pen.to(MADE).put(lang.pick("made", "产生"));
            pen.to(FLAGS).put(lang.pick("flags", "标志"));
        }
        pen.end();
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by(|((a, _), one), ((b, _), other)| {
            (other.calls.cmp(&one.calls))
                .then(a.cmp(b))
                .then(one.flags.cmp(&other.flags))
        });
        let all = rows
            .iter()
            .fold(self.rest.calls, |sum, (_, count)| sum + count.calls);
        for ((call, _), count) in &rows {
            row(&mut pen, look, count, call.name(), &count.flags, all);
        }
        if self.rest.calls > 0 {
            let text = lang.pick("other sets of flags", "其余标志集");
            row(&mut pen, look, &self.rest, "", text, all);
        }
        let sums = rows.iter().map(|(_, count)| *count).chain([&self.rest]);
        let sum = sums.fold(Count::default(), |mut sum, one| {
            sum.calls += one.calls;
            sum.failed += one.failed;
            sum.threads += one.threads;
            sum.processes += one.processes;
            sum
        });
        if rows.len() != 1 {
            row(&mut pen, look, &sum, lang.pick("all", "合计"), "", all);
        }
        pen.done()
    }
}

fn row(pen: &mut Pen<'_>, look: &Look, count: &Count, call: &str, flags: &str, all: u64) {
    right(pen, &units::count(count.calls), CALLS);
    let ink = if count.failed > 0 {
        Ink::Bad
    } else {
        Ink::Plain
    };
    let failed = units::count(count.failed);
    pen.to(FAILED.saturating_sub(columns(&failed)))
        .ink(&failed, ink);
    if look.style.width < NARROW {
        pen.to(call_column(look)).put(call).end();
        if !flags.is_empty() {
            pen.to(UNDER).bars(flags, Ink::Plain, UNDER).end();
        }
        return;
    }
    right(pen, &percent(count.calls, all), SHARE);
    pen.to(CALL).put(call);
    pen.to(MADE).put(&made(look, count));
    if !flags.is_empty() {
        pen.to(FLAGS).bars(flags, Ink::Plain, FLAGS);
    }
    pen.end();
}

/// How many of the numbers have their column.
fn numbers(look: &Look) -> usize {
    if look.style.width < NARROW { 2 } else { 3 }
}

/// Where the call's name begins: without the share there is room before it.
fn call_column(look: &Look) -> usize {
    if look.style.width < NARROW {
        FAILED + 2
    } else {
        CALL
    }
}

/// A number that ends in this column.
fn right(pen: &mut Pen<'_>, text: &str, end: usize) {
    pen.to(end.saturating_sub(columns(text))).put(text);
}

/// The kind of the tasks that were made.
fn made(look: &Look, count: &Count) -> String {
    let lang = look.lang();
    match (count.threads, count.processes) {
        (0, 0) => lang.pick("nothing", "无").into(),
        (_, 0) => lang.pick("threads", "线程").into(),
        (0, _) => lang.pick("processes", "进程").into(),
        (n, m) => say!(look, "{n} thr {m} pr", "线程 {n} 进程 {m}"),
    }
}

/// `99.5%`, of nothing `-`.
fn percent(part: u64, all: u64) -> String {
    let all = u128::from(all);
    match (u128::from(part) * 1000 + all / 2).checked_div(all) {
        Some(tenths) => format!("{}.{}%", tenths / 10, tenths % 10),
        None => "-".into(),
    }
}

/// The flags as a C program has them, the exit signal among them.
fn flags(request: &Request) -> String {
    let mut parts: Vec<_> = request.flags.clone();
    parts.extend_from_slice(&request.flags_ignored);
    parts.extend(request.flags_unknown.map(|bits| bits.to_string()));
    match (&request.exit_signal, request.exit_signal_raw) {
        (Some(Some(name)), _) => parts.push(name.clone()),
        (None, Some(raw)) if raw.0 != 0 => parts.push(raw.0.to_string()),
        _ => {}
    }
    if parts.is_empty() {
        parts.push(word(request).map_or("?".into(), |word| word.to_string()));
    }
    let name = |part: &String| crate::report::escape::name(part, false);
    parts.iter().map(name).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all() {
        assert_eq!(percent(1, 3), "33.3%");
        assert_eq!(percent(5, 5), "100.0%");
        assert_eq!(percent(0, 0), "-");
        assert_eq!(percent(u64::MAX, u64::MAX), "100.0%");
    }

    #[test]
    fn a_table_of_nothing_says_so() {
        let text = Table::default().draw(&Look::default());
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.lines().all(|line| columns(line) <= 80));
    }
}
