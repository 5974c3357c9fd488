//! What lints found: under the line that it is about, and once a site at the end.

use super::line::{UNDER, remark};
use crate::abi::say;
use crate::event::{Finding, Header};
use crate::layout::{Ink, Pen};
use crate::report::{Lang, Look, escape};

/// Sites that are named at the end, at most.
const NAMED: usize = 20;

/// The sites so far, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Site>);

#[derive(Debug)]
struct Site {
    header: Header,
    finding: Finding,
    /// Who did it: tid and name.
    who: String,
}

impl Findings {
    /// Takes in a finding. `true`: it is news, and no count of what is known.
    pub(super) fn learn(&mut self, header: &Header, finding: &Finding, who: String) -> bool {
        let counts = finding.count.is_some_and(|count| count > 1);
        let known = self.0.iter_mut().find(|site| {
            counts
                && site.header == *header
                && site.finding.lint == finding.lint
                && site.finding.clone_seq == finding.clone_seq
        });
        if let Some(site) = known {
            site.finding.count = finding.count;
            return false;
        }
        self.0.push(Site {
            header: *header,
            finding: finding.clone(),
            who,
        });
        true
    }

    /// Under the totals: a line a lint and task. Where there were no lines above, they say all.
    pub(super) fn sum(&self, look: &Look) -> String {
        let mut sums: Vec<(&str, &str, u64)> = Vec::new();
        let mut out = String::new();
        for site in &self.0 {
            let (lint, who) = (site.finding.lint.as_str(), site.who.as_str());
            let count = site.finding.count.unwrap_or(1);
            match sums
                .iter_mut()
                .find(|(a, b, _)| (*a, *b) == (lint, who) && look.quiet < 2)
            {
                Some((_, _, sum)) => *sum = sum.saturating_add(count),
                None => sums.push((lint, who, count)),
            }
        }
        for ((lint, who, count), site) in sums.iter().zip(&self.0).take(NAMED) {
            if look.quiet >= 2 {
                out.push_str(&in_full(look, &site.finding));
                continue;
            }
            let id = marked(look, lint, *count);
            let mut pen = Pen::new(&look.style);
            // Who has ended is named no more.
            let text = match who.is_empty() {
                true => id,
                false => say!(look, "{id}: {who}", "{id}：{who}"),
            };
            remark(&mut pen, &text);
            out.push_str(&pen.done());
        }
        let more = sums.len().saturating_sub(NAMED);
        if more > 0 {
            let mut pen = Pen::new(&look.style);
            remark(
                &mut pen,
                &say!(look, "{more} more findings", "另有 {more} 处"),
            );
            out.push_str(&pen.done());
        }
        out
    }
}

/// What is said of a call as it is: its line has a remark about it, which no option takes away.
static IN_REMARKS: &[&str] = &["untraced-child", "args-changed-during-call"];

/// What the explanation of the call's flags says, row by row.
static IN_FLAGS: &[&str] = &["namespace-creation"];

/// Whether the line of the call says it already, or what stands under it: `explained` is the last call
/// whose flags were explained.
pub(super) fn stands_above(finding: &Finding, explained: Option<u64>) -> bool {
    let among = |list: &[&str]| list.contains(&finding.lint.as_str());
    finding.clone_seq.is_some()
        && (among(IN_REMARKS) || (among(IN_FLAGS) && finding.clone_seq == explained))
}

/// `fork-with-threads ×3`
fn marked(look: &Look, lint: &str, count: u64) -> String {
    let id = look.name(lint);
    match count {
        2.. => format!("{id} {}{count}", look.style.glyphs().times),
        _ => id,
    }
}

/// `! warning: what was found  [fork-with-threads]`
pub(super) fn in_full(look: &Look, finding: &Finding) -> String {
    let text = match look.lang() {
        // What was found is ours; the names in it are the program's.
        Lang::Chinese if !finding.chinese.is_empty() => escape::name(&finding.chinese, true),
        _ => look.name(&finding.text),
    };
    // No hazard, but the end of a story.
    let (mark, ink) = match finding.lint.as_str() {
        "clone3-fallback" => (format!("{} ", look.style.glyphs().arrow), Ink::Plain),
        _ => marks(look, finding),
    };
    let id = marked(look, &finding.lint, finding.count.unwrap_or(1));
    let mut pen = Pen::new(&look.style);
    pen.to(UNDER)
        .words(&format!("{mark}{text}"), ink, UNDER + 2)
        .words(&format!("  [{id}]"), Ink::Faint, UNDER + 2)
        .end();
    pen.done()
}

/// `! warning: `
fn marks(look: &Look, finding: &Finding) -> (String, Ink) {
    let (level, ink) = match finding.level.as_str() {
        "warning" => (look.lang().pick("warning", "警告").to_owned(), Ink::Odd),
        "note" => (look.lang().pick("note", "提示").to_owned(), Ink::Plain),
        other => (look.name(other), Ink::Plain),
    };
    (say!(look, "! {level}: ", "! {level}："), ink)
}
