//! What deserves attention in what a program did: one row a lint.
//!
//! Lints read events in order, with the tree that has taken them in, and decide by the trace's own
//! clock: a replayed trace gives the findings of the live one. A site (the program, the place of the
//! call, its flags) is told once when it is found, and once more at the end with its count, where it was
//! found more than once.

mod calls;
mod ends;
mod forks;
mod index;

use std::collections::BTreeMap;
use std::panic::{RefUnwindSafe, UnwindSafe};

pub use self::index::{Seen, SeenCall, SeenTask};
use crate::event::{CloneCall, Event, EventKind, Finding, Header, TaskId};
use crate::tasks::TaskTree;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It may go wrong.
    Warning,
    /// It is unusual, and may well be meant.
    Note,
}

impl Level {
    /// The word that findings carry.
    pub fn name(self) -> &'static str {
        match self {
            Level::Warning => "warning",
            Level::Note => "note",
        }
    }
}

/// Something to watch for.
#[derive(Debug)]
pub struct Lint {
    /// Its name: `--allow ID` silences it, `--lint ID` asks for one that is not asked for by itself.
    pub id: &'static str,
    /// How grave a finding is.
    pub level: Level,
    /// Whether it is watched for without being asked for.
    pub default: bool,
    /// Its meaning, in a line.
    pub meaning: &'static str,
    /// What a trace must hold for it, which not every trace does.
    pub needs: Option<Needs>,
    watch: fn() -> Box<dyn Watch>,
}

/// What a trace holds only where it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// Whether it is there.
    pub met: fn(&Seen) -> bool,
    /// What to do about it.
    pub otherwise: &'static str,
}

/// Every lint. docs/lints.md has an example of each.
pub static LINTS: &[Lint] = &[
    Lint {
        id: "fork-with-threads",
        level: Level::Warning,
        default: true,
        meaning: "a fork while other threads live, whose child goes on without an exec: locks that they \
                  held stay locked in it",
        needs: None,
        watch: || Box::<forks::WithThreads>::default(),
    },
    Lint {
        id: "shared-memory-process",
        level: Level::Warning,
        default: true,
        meaning: "a process that shares its creator's memory and runs beside it: CLONE_VM without \
                  CLONE_THREAD or CLONE_VFORK",
        needs: None,
        watch: || Box::new(calls::Each(calls::shares_memory)),
    },
    Lint {
        id: "untraced-child",
        level: Level::Note,
        default: true,
        meaning: "CLONE_UNTRACED: the program does not want its child to be traced",
        needs: None,
        watch: || Box::new(calls::Each(calls::untraced)),
    },
    Lint {
        id: "exit-signal-odd",
        level: Level::Warning,
        default: true,
        meaning: "a process whose end does not send SIGCHLD: a plain wait() does not see it",
        needs: None,
        watch: || Box::new(calls::Each(calls::exit_signal)),
    },
    Lint {
        id: "vfork-misuse",
        level: Level::Warning,
        default: true,
        meaning: "a child of vfork that creates tasks, or runs for a second: its creator stands still, and \
                  they share memory",
        needs: None,
        watch: || Box::<forks::Vforks>::default(),
    },
    Lint {
        id: "threads-cut-off",
        level: Level::Note,
        default: false,
        meaning: "threads that were alive when their process ended",
        needs: None,
        watch: || Box::<ends::CutOff>::default(),
    },
    Lint {
        id: "fd-leak-to-exec",
        level: Level::Note,
        default: false,
        meaning: "a new program that inherits descriptors beyond 0 to 2: they lack close-on-exec",
        needs: Some(Needs {
            met: Seen::has_inherited,
            otherwise: "the trace does not hold which descriptors are inherited: record it with \
                        --lint fd-leak-to-exec",
        }),
        watch: || Box::<ends::Inherited>::default(),
    },
    Lint {
        id: "unreaped-children",
        level: Level::Note,
        default: false,
        meaning: "a process that ended without having waited for children that had ended: they were \
                  zombies as long as it lived",
        needs: Some(Needs {
            met: Seen::has_unreaped,
            otherwise: "the trace does not hold which children were not waited for: record it with \
                        --lint unreaped-children",
        }),
        watch: || Box::new(ends::Unreaping),
    },
    Lint {
        id: "namespace-creation",
        level: Level::Note,
        default: true,
        meaning: "a process in new namespaces",
        needs: None,
        watch: || Box::new(calls::Each(calls::namespaces)),
    },
    Lint {
        id: "clone3-fallback",
        level: Level::Note,
        default: true,
        meaning: "clone3 was refused, and the same was asked of clone: what libc does where a filter or an \
                  old kernel has no clone3",
        needs: None,
        watch: || Box::<calls::Fallback>::default(),
    },
    Lint {
        id: "args-changed-during-call",
        level: Level::Warning,
        default: true,
        meaning: "what the kernel did contradicts the arguments: another thread changed them during the call",
        needs: None,
        watch: || Box::new(calls::Each(calls::changed)),
    },
];

/// The lint of this name.
pub fn named(id: &str) -> Option<&'static Lint> {
    LINTS.iter().find(|lint| lint.id == id)
}

/// Not a lint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no lint; there are: {names}", names = names())]
pub struct NoSuchLint(pub String);

fn names() -> String {
    let names: Vec<&str> = LINTS.iter().map(|lint| lint.id).collect();
    names.join(", ")
}

/// Something that reads events and finds.
trait Watch: Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Reads one event, which the tree has taken in.
    fn event(&mut self, event: &Event, tree: &TaskTree, found: &mut Vec<Found>);
}

/// A text in all languages, so that none can be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Words {
    english: String,
    chinese: String,
}

impl Words {
    /// Goes on with a text that is in all languages, too.
    fn push(&mut self, (english, chinese): (&str, &str)) {
        self.english.push_str(english);
        self.chinese.push_str(chinese);
    }
}

/// The first names of a list, and how many more there are: in English, in Chinese.
fn listed(names: &[String], all: usize) -> (String, String) {
    let (english, chinese) = (names.join(", "), names.join("、"));
    match all.saturating_sub(names.len()) {
        0 => (english, chinese),
        more => (
            format!("{english}, {more} more"),
            format!("{chinese}，另有 {more} 个"),
        ),
    }
}

/// `words!("in English {x}", "用中文 {x}")`.
macro_rules! words {
    ($english:literal, $chinese:literal) => {
        $crate::lint::Words {
            english: format!($english),
            chinese: format!($chinese),
        }
    };
}
use words;

/// One occurrence.
struct Found {
    at_ns: u64,
    task: TaskId,
    text: Words,
    clone_seq: Option<u64>,
    /// Where in the program: what has the same site is told once.
    site: String,
}

/// Sites that are kept apart, at most: a program that has more is counted under the lint alone.
const MOST_SITES: usize = 4096;

/// Lints at work.
pub struct Lints {
    watching: Vec<(&'static Lint, Box<dyn Watch>)>,
    sites: BTreeMap<(&'static str, String), (Header, Finding)>,
}

impl std::fmt::Debug for Lints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lints")
            .field("sites", &self.sites)
            .finish_non_exhaustive()
    }
}

/// All that are watched for by default.
impl Default for Lints {
    fn default() -> Self {
        Lints::of(&[], &[])
    }
}

impl Lints {
    /// All that are watched for by default and all of `enable`, but none of `allow`.
    ///
    /// # Errors
    /// A name that no lint has.
    pub fn new(allow: &[String], enable: &[String]) -> Result<Lints, NoSuchLint> {
        for id in allow.iter().chain(enable) {
            named(id).ok_or_else(|| NoSuchLint(id.clone()))?;
        }
        Ok(Lints::of(allow, enable))
    }

    /// Every lint there is.
    fn all() -> Lints {
        let ids: Vec<String> = LINTS.iter().map(|lint| lint.id.to_owned()).collect();
        Lints::of(&[], &ids)
    }

    fn of(allow: &[String], enable: &[String]) -> Lints {
        let among = |ids: &[String], lint: &Lint| ids.iter().any(|id| id == lint.id);
        let watching = LINTS
            .iter()
            .filter(|lint| (lint.default || among(enable, lint)) && !among(allow, lint))
            .map(|lint| (lint, (lint.watch)()))
            .collect();
        Lints {
            watching,
            sites: BTreeMap::new(),
        }
    }

    /// Reads one event, which the tree has taken in, and tells what is found for the first time.
    pub fn event(&mut self, event: &Event, tree: &TaskTree) -> Vec<Event> {
        let mut new = Vec::new();
        let mut found = Vec::new();
        for (lint, watch) in &mut self.watching {
            watch.event(event, tree, &mut found);
            for one in found.drain(..) {
                new.extend(note(&mut self.sites, lint, one));
            }
        }
        new
    }

    /// What was found more than once, with its count: before the last line of the trace.
    pub fn finish(&mut self) -> Vec<Event> {
        let repeated =
            |(_, finding): &&(Header, Finding)| finding.count.is_some_and(|count| count > 1);
        self.sites.values().filter(repeated).map(told).collect()
    }

    /// What a lint has found so far: the first of each site, with its count.
    pub fn found(&self, id: &str) -> impl Iterator<Item = (&Header, &Finding)> {
        self.sites
            .iter()
            .filter(move |((lint, _), _)| *lint == id)
            .map(|(_, (header, finding))| (header, finding))
    }

    /// How often a lint has found something.
    pub fn count(&self, id: &str) -> u64 {
        self.found(id).fold(0, |sum: u64, (_, finding)| {
            sum.saturating_add(finding.count.unwrap_or(1))
        })
    }
}

/// Counts an occurrence; the finding itself where it is the site's first.
fn note(
    sites: &mut BTreeMap<(&'static str, String), (Header, Finding)>,
    lint: &'static Lint,
    found: Found,
) -> Option<Event> {
    let full = sites.len() >= MOST_SITES;
    let mut key = (lint.id, found.site);
    if full && !sites.contains_key(&key) {
        key.1 = String::new();
    }
    if let Some((_, known)) = sites.get_mut(&key) {
        known.count = Some(known.count.unwrap_or(1).saturating_add(1));
        return None;
    }
    let header = Header {
        at_ns: found.at_ns,
        task: found.task,
        ..Header::NONE
    };
    let finding = Finding {
        lint: lint.id.to_owned(),
        level: lint.level.name().to_owned(),
        text: found.text.english,
        chinese: found.text.chinese,
        clone_seq: found.clone_seq,
        count: Some(1),
    };
    let site = (header, finding);
    let event = told(&site);
    sites.insert(key, site);
    Some(event)
}

/// The line of a finding.
fn told((header, finding): &(Header, Finding)) -> Event {
    Event {
        header: *header,
        kind: EventKind::Finding(finding.clone()),
    }
}

/// The place of a call: its program, the function that made it, what it asks for.
fn site(call: &CloneCall, tree: &TaskTree) -> String {
    let program = tree
        .group(call.tgid)
        .and_then(|group| group.program.as_ref()?.path.clone())
        .unwrap_or_else(|| call.comm.clone());
    let place = call.caller.first().map(|place| {
        let within = place.offset.map(|offset| offset.to_string());
        match (&place.module, &place.symbol) {
            (Some(module), Some(symbol)) => {
                format!("{module} {symbol}+{}", within.unwrap_or_default())
            }
            (_, _) => place.address.to_string(),
        }
    });
    // The address of a call in a shared library differs from run to run; that of the same process does not.
    format!(
        "{program} {} {} {}",
        place.unwrap_or_default(),
        call.request.call,
        call.request.flags.join("|")
    )
}

#[cfg(test)]
mod tests;
