//! An expectation against what was seen.

use crate::abi::CloneFlags;
use crate::event::{Finding, Header, Outcome};

use super::assign::{assign, in_order};
use super::description::{details_of, line, lines};
use super::expect::{Expectation, Other, Placed};
use super::mismatch::{Mismatch, Problem};
use super::row::{Row, View};
use super::suggestion;
use super::unexpected::{NEAR, differences, strangers, unexpected};
use super::values::{Range, status_words};
use crate::lint::{Analysis, TraceIndex};

/// CLONE_UNTRACED (include/uapi/linux/sched.h).
const CLONE_UNTRACED: CloneFlags = CloneFlags(0x0080_0000);

impl Expectation {
    /// Whether the trace is as expected.
    ///
    /// # Errors
    /// All that differs.
    pub fn check(&self, analysis: &Analysis) -> Result<(), Mismatch> {
        let index = analysis.index();
        let mut problems = Vec::new();
        if let Some(why) = index.cut() {
            problems.push(Problem {
                key: "trace".to_owned(),
                line: None,
                expected: "a whole trace, up to the end of the last task".to_owned(),
                seen: why,
                ..Problem::default()
            });
        }
        self.check_exit(index, &mut problems);
        // What was done comes before what it adds up to.
        self.check_calls(index, &mut problems);
        self.check_forbidden(index, &mut problems);
        self.check_lints(analysis, &mut problems);
        self.check_counts(index, &mut problems);
        if problems.is_empty() {
            return Ok(());
        }
        let command = match (self.recipe.command.is_empty(), index.start()) {
            (true, Some(start)) => start.command.clone(),
            _ => self.recipe.command.clone(),
        };
        Err(Mismatch {
            file: self.file.clone(),
            command,
            conditions: self.recipe.conditions(),
            problems,
        })
    }

    fn check_exit(&self, index: &TraceIndex, problems: &mut Vec<Problem>) {
        if let Some(Placed { value, line }) = &self.exit
            && !value.contains(index.status())
        {
            problems.push(Problem {
                key: "exit".to_owned(),
                line: *line,
                expected: value.to_string(),
                seen: status_words(index.status()),
                suggestion: index.status().and_then(|status| {
                    suggestion::line(*line, "exit", &suggestion::exit_value(status)?)
                }),
                ..Problem::default()
            });
        }
    }

    fn check_counts(&self, index: &TraceIndex, problems: &mut Vec<Problem>) {
        // Those that speak of single tasks come before those that add up.
        let (single, sums): (Vec<_>, Vec<_>) =
            self.counts.iter().partition(|(count, _)| !count.sum);
        let itemized = !problems.is_empty();
        for (count, Placed { value, line }) in single.into_iter().chain(sums) {
            let number = (count.of)(index);
            let unseen = count.hidden.and_then(|gap| index.blind_to(gap));
            if value.contains(number) && unseen.is_none() {
                continue;
            }
            // The calls that a sum is made of have been told where they are not what was expected.
            let mut details = match itemized && count.sum {
                true => Vec::new(),
                false => details_of(count.name, index),
            };
            if let Some(why) = unseen {
                details.push(format!("not all of them can be seen here: {why}"));
            }
            problems.push(Problem {
                key: format!("tasks.{}", count.name),
                line: *line,
                expected: format!("{value} ({})", count.help),
                seen: match unseen {
                    Some(_) => format!("{number} or more"),
                    None => number.to_string(),
                },
                details,
                // Nothing that is written makes the unseen seen.
                suggestion: match unseen {
                    None => suggestion::line(*line, count.name, &number.to_string()),
                    Some(_) => None,
                },
            });
        }
    }

    fn check_lints(&self, analysis: &Analysis, problems: &mut Vec<Problem>) {
        let (index, linter) = (analysis.index(), analysis.linter());
        for Placed { value: lint, line } in self.lints.lints() {
            let count = linter.count(lint.id);
            let unseen = lint
                .needs
                .filter(|needs| !index.recorded().has(needs.extra));
            if count == 0 && unseen.is_none() {
                continue;
            }
            let mut details: Vec<String> = linter
                .findings(lint.id)
                .flat_map(|(header, finding)| finding_lines(index, header, finding))
                .collect();
            if let Some(needs) = unseen {
                details.push(format!("{}: {}", lint.id, needs.otherwise));
            }
            problems.push(Problem {
                key: "lints.deny".to_owned(),
                line,
                expected: format!("no {} ({})", lint.id, lint.meaning),
                seen: match (unseen, count) {
                    (None, 1) => "1 finding".to_owned(),
                    (None, _) => format!("{count} findings"),
                    (Some(_), _) => "it was not looked for".to_owned(),
                },
                details,
                suggestion: unseen.is_none().then(|| {
                    let mut allow = self.lints.allow.clone();
                    allow.push(lint.id);
                    format!("in [lints]: allow = {allow:?}")
                }),
            });
        }
    }

    fn check_forbidden(&self, index: &TraceIndex, problems: &mut Vec<Problem>) {
        let mut forbid =
            |key: &str, line: Option<usize>, what: String, bad: &dyn Fn(&View) -> bool| {
                let views = index.calls().iter().map(|call| View::of(index, call));
                let broken: Vec<View> = views.filter(bad).collect();
                if !broken.is_empty() {
                    problems.push(Problem {
                        key: format!("forbid.{key}"),
                        line,
                        expected: format!("no call with {what}"),
                        seen: calls(broken.len()),
                        details: lines(&broken),
                        suggestion: None,
                    });
                }
            };
        if let Some(Placed { value, line }) = &self.forbid.flags {
            forbid("flags", *line, value.to_string(), &|view| {
                view.flags().is_some_and(|flags| flags.intersects(*value))
            });
        }
        if let Some(Placed { line, .. }) = &self.forbid.untraced {
            let what = format!("{CLONE_UNTRACED}, which hides its child from tracers");
            forbid("untraced", *line, what, &|view| {
                let passed = view.flags();
                passed.is_some_and(|flags| flags.intersects(CLONE_UNTRACED))
                    || matches!(view.call.outcome, Outcome::Untraced { .. })
            });
        }
        if let Some(Placed { value, line }) = &self.forbid.calls {
            let names: Vec<&str> = value.iter().map(|call| call.name()).collect();
            forbid("calls", *line, names.join(" or "), &|view| {
                value.contains(&view.call.request.call)
            });
        }
    }

    fn check_calls(&self, index: &TraceIndex, problems: &mut Vec<Problem>) {
        if self.rows.is_empty() && self.other() == Other::Allow {
            return;
        }
        let views = index.calls().iter().map(|call| View::of(index, call));
        let views: Vec<View> = views.collect();
        let rows = |view: &View| -> Vec<usize> {
            let all = self.rows.iter().enumerate();
            let fitting = all.filter(|(_, row)| row.fits(view));
            fitting.map(|(index, _)| index).collect()
        };
        let fits: Vec<Vec<usize>> = views.iter().map(rows).collect();
        let ranges: Vec<Range> = self.rows.iter().map(Row::wanted).collect();
        let before = problems.len();
        let assigned = assign(fits.clone(), &ranges);
        let at = |calls: &[usize]| -> Vec<View> { calls.iter().map(|&call| views[call]).collect() };
        let groups = match self.other() {
            Other::Forbid => strangers(&self.rows, &at(&assigned.strangers), &assigned.counts),
            Other::Allow => Vec::new(),
        };
        for (index, row) in self.rows.iter().enumerate() {
            let over = assigned.excess.iter().filter(|(_, full)| *full == index);
            let over: Vec<usize> = over.map(|(call, _)| *call).collect();
            let has = assigned.counts[index];
            if let Some(mut problem) = row_count(index, row, has, &at(&over), &views) {
                let instead = groups.iter().filter_map(|group| group.instead.as_ref());
                if let Some((_, keys)) = instead.into_iter().find(|(row, _)| *row == index) {
                    problem.suggestion = suggestion::in_row(row, keys);
                }
                problems.push(problem);
            }
        }
        unexpected(self, &groups, &assigned.counts, problems);
        if let (Some(ordered), true) = (&self.ordered, problems.len() == before) {
            // Strangers that are allowed may stand anywhere.
            let listed = fits.iter().zip(&views).filter(|(rows, _)| !rows.is_empty());
            let (fits, views): (Vec<Vec<usize>>, Vec<View>) =
                listed.map(|(rows, view)| (rows.clone(), *view)).unzip();
            if let Err((row, call)) = in_order(&fits, &ranges) {
                problems.push(self.disorder(ordered, row, views.get(call)));
            }
        }
    }

    fn disorder(&self, ordered: &Placed<()>, row: usize, view: Option<&View>) -> Problem {
        let row_words = self.rows[row].words();
        Problem {
            key: "ordered".to_owned(),
            line: ordered.line,
            expected: format!(
                "calls in the order of the rows; here clone[{}], or what follows it",
                row + 1
            ),
            seen: match view {
                Some(view) => line(view),
                None => "the end of the trace".to_owned(),
            },
            details: vec![format!("clone[{}]: {row_words}", row + 1)],
            suggestion: None,
        }
    }
}

/// A row that has too few calls, or too many.
fn row_count(index: usize, row: &Row, has: u64, over: &[View], all: &[View]) -> Option<Problem> {
    let more = u64::try_from(over.len()).unwrap_or(u64::MAX);
    let wanted = row.wanted();
    let number = has.saturating_add(more);
    if wanted.contains(number) {
        return None;
    }
    let mut details = vec![row.words()];
    if number < wanted.min {
        // What was probably meant: the call that is nearest to the row.
        let others = all.iter().filter(|view| !row.fits(view));
        let near = others
            .min_by_key(|view| row.distance(view))
            .filter(|view| row.distance(view) <= NEAR);
        if let (Some(view), 0) = (near, number) {
            details.push(format!("nearest: {}", line(view)));
            details.extend(differences(row, view));
        }
    } else {
        details.extend(
            lines(over)
                .into_iter()
                .map(|line| format!("too many: {line}")),
        );
    }
    Some(Problem {
        key: format!("clone[{}].count", index + 1),
        line: row.line,
        expected: calls_range(wanted, row.count.is_none()),
        seen: number.to_string(),
        details,
        suggestion: suggestion::in_row(row, &format!("count = {number}")),
    })
}

/// A finding and its site: what was found, by whom, in which call.
fn finding_lines(index: &TraceIndex, header: &Header, finding: &Finding) -> Vec<String> {
    let times = match finding.count {
        Some(count) if count > 1 => format!("{count} × "),
        _ => String::new(),
    };
    let mut lines = vec![format!("{times}{}: {}", finding.lint, finding.text)];
    let call = index
        .calls()
        .iter()
        .find(|call| Some(call.seq) == finding.clone_seq);
    let program = index.task(header.task);
    match (call, program) {
        (Some(call), _) => lines.push(format!("  {}", line(&View::of(index, call)))),
        (None, Some(task)) => lines.push(format!("  in {:?} (tid {})", task.name, task.tid)),
        (None, None) => {}
    }
    lines
}

fn calls_range(range: Range, unsaid: bool) -> String {
    match unsaid {
        true => "1 or more such calls (no count is given)".to_owned(),
        false => match (range.min, range.max) {
            (1, Some(1)) => "1 such call".to_owned(),
            (min, None) => format!("{min} or more such calls"),
            _ => format!("{range} such calls"),
        },
    }
}

fn calls(count: usize) -> String {
    match count {
        1 => "a call".to_owned(),
        n => format!("{n} calls"),
    }
}
