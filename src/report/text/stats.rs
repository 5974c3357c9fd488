//! What tracing took (`--stats`).

use std::collections::BTreeMap;

use super::units;
use crate::abi::say;
use crate::event::Stats;
use crate::layout::{Ink, Pen, columns};
use crate::report::Look;

/// What tracing took, in all and for each task that calls made.
pub(super) fn stats(look: &Look, stats: &Stats) -> String {
    let mut pen = Pen::new(&look.style);
    let mut line = |name: &str, counts: &BTreeMap<String, u64>| {
        let total = counts.values().fold(0u64, |sum, &n| sum.saturating_add(n));
        let total_text = units::count(total);
        pen.put(name)
            .to(18usize.saturating_sub(columns(&total_text)))
            .put(&total_text);
        if let Some(ratio) = ratio(total, stats.created) {
            pen.put(&say!(look, "  {ratio} a new task", "  每个新任务 {ratio}"));
        }
        let mut kinds: Vec<_> = counts.iter().collect();
        kinds.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let kinds: Vec<_> = kinds
            .iter()
            .map(|&(kind, &n)| format!("{} {}", look.name(kind), units::count(n)))
            .collect();
        let hang = if look.style.width < 60 { 2 } else { 36 };
        pen.to(hang).parts(&kinds, Ink::Faint, hang).end();
    };
    line(look.lang().pick("stops", "停止"), &stats.stops);
    line(look.lang().pick("requests", "请求"), &stats.requests);
    line(look.lang().pick("reads", "读取"), &stats.reads);
    pen.done()
}

/// `3.02`; nothing where nothing was created.
fn ratio(total: u64, created: u64) -> Option<String> {
    let hundredths = (u128::from(total) * 100).checked_div(u128::from(created))?;
    Some(format!("{}.{:02}", hundredths / 100, hundredths % 100))
}
