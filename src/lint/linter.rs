//! Lints at work: each reads the events, and what it finds is told once for each site.

use std::collections::BTreeMap;

use super::catalog::{self, NoSuchLint};
use super::definition::{Lint, Occurrence, Watch};
use crate::event::{Event, EventKind, Finding, Header};
use crate::tasks::TaskTree;

/// Sites that are kept apart, at most: a program that has more is counted under the lint alone.
pub(super) const MOST_SITES: usize = 4096;

/// Linter at work.
pub struct Linter {
    pub(super) watching: Vec<(&'static Lint, Box<dyn Watch>)>,
    pub(super) sites: BTreeMap<(&'static str, String), (Header, Finding)>,
}

impl std::fmt::Debug for Linter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Linter")
            .field("sites", &self.sites)
            .finish_non_exhaustive()
    }
}

/// All that are watched for by default.
impl Default for Linter {
    fn default() -> Self {
        Linter::of(&[], &[])
    }
}

impl Linter {
    /// All that are watched for by default and all of `enable`, but none of `allow`.
    ///
    /// # Errors
    /// A name that no lint has.
    pub fn new(allow: &[String], enable: &[String]) -> Result<Linter, NoSuchLint> {
        for id in allow.iter().chain(enable) {
            catalog::named(id).ok_or_else(|| NoSuchLint(id.clone()))?;
        }
        Ok(Linter::of(allow, enable))
    }

    /// Every lint there is.
    pub(super) fn all() -> Linter {
        let ids: Vec<String> = catalog::lints().map(|lint| lint.id.to_owned()).collect();
        Linter::of(&[], &ids)
    }

    fn of(allow: &[String], enable: &[String]) -> Linter {
        let among = |ids: &[String], lint: &Lint| ids.iter().any(|id| id == lint.id);
        let watching = catalog::lints()
            .filter(|lint| (lint.default || among(enable, lint)) && !among(allow, lint))
            .map(|lint| (lint, (lint.watch)()))
            .collect();
        Linter {
            watching,
            sites: BTreeMap::new(),
        }
    }

    /// Reads one event, which the tree has taken in, and tells what is found for the first time.
    pub fn event(&mut self, event: &Event, tree: &TaskTree) -> Vec<Event> {
        let mut new = Vec::new();
        let mut occurrences = Vec::new();
        for (lint, watch) in &mut self.watching {
            watch.event(event, tree, &mut occurrences);
            for one in occurrences.drain(..) {
                new.extend(note(&mut self.sites, lint, one));
            }
        }
        new
    }

    /// What was found more than once, with its count: before the last line of the trace.
    pub fn finish(&mut self) -> Vec<Event> {
        let repeated =
            |(_, finding): &&(Header, Finding)| finding.count.is_some_and(|count| count > 1);
        self.sites.values().filter(repeated).map(line).collect()
    }

    /// What a lint has found so far: the first of each site, with its count.
    pub fn findings(&self, id: &str) -> impl Iterator<Item = (&Header, &Finding)> {
        self.sites
            .iter()
            .filter(move |((lint, _), _)| *lint == id)
            .map(|(_, (header, finding))| (header, finding))
    }

    /// How often a lint has found something.
    pub fn count(&self, id: &str) -> u64 {
        self.findings(id).fold(0, |sum: u64, (_, finding)| {
            sum.saturating_add(finding.count.unwrap_or(1))
        })
    }
}

/// Counts an occurrence; the finding itself where it is the site's first.
fn note(
    sites: &mut BTreeMap<(&'static str, String), (Header, Finding)>,
    lint: &'static Lint,
    occurrence: Occurrence,
) -> Option<Event> {
    let full = sites.len() >= MOST_SITES;
    let mut key = (lint.id, occurrence.site);
    if full && !sites.contains_key(&key) {
        key.1 = String::new();
    }
    if let Some((_, known)) = sites.get_mut(&key) {
        known.count = Some(known.count.unwrap_or(1).saturating_add(1));
        return None;
    }
    let header = Header {
        at_ns: occurrence.at_ns,
        task: occurrence.task,
        ..Header::NONE
    };
    let finding = Finding {
        lint: lint.id.to_owned(),
        level: lint.level.name().to_owned(),
        text: occurrence.text.english,
        chinese: occurrence.text.chinese,
        clone_seq: occurrence.clone_seq,
        count: Some(1),
    };
    let site = (header, finding);
    let event = line(&site);
    sites.insert(key, site);
    Some(event)
}

/// The line of a finding.
fn line((header, finding): &(Header, Finding)) -> Event {
    Event {
        header: *header,
        kind: EventKind::Finding(finding.clone()),
    }
}
