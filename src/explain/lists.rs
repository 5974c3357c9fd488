//! Every flag, and every rule.

use serde::Serialize;

use crate::abi::flags::FLAGS;
use crate::abi::rules::{self, Decided, IGNORED, Proof, Version};

use super::Lang;
use super::page::{Block, Page};
use super::rows::FlagRow;

/// Every flag that kernels up to this one know.
pub fn flags(version: Version, language: Lang) -> Vec<FlagRow> {
    FLAGS
        .iter()
        .filter(|flag| Version::of_release(flag.since).is_none_or(|since| since <= version))
        .map(|flag| FlagRow::of(flag, language))
        .collect()
}

/// The list of flags as a page.
pub fn flags_page(list: &[FlagRow], language: Lang) -> Page {
    let title = language.pick("Every flag", "全部标志").to_owned();
    let mut blocks = vec![Block::Heading(title)];
    blocks.extend(list.iter().map(|flag| flag.item(language)));
    Page(blocks)
}

/// A rule, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleInFull {
    /// Its name.
    pub rule: &'static str,
    /// Its errnos; empty: any for a rule, none for what is ignored.
    pub errnos: Vec<&'static str>,
    /// The calls.
    pub calls: Vec<&'static str>,
    /// The first kernel that has it, where it was not always there.
    pub since: Option<String>,
    /// The first kernel that has it no more.
    pub until: Option<String>,
    /// What there is to say about other kernels.
    pub kernels: Option<&'static str>,
    /// How it is decided: `arguments`, `look`, `unseen`; `ignored` for what is no refusal.
    pub decided: &'static str,
    /// Condition and reason.
    pub text: String,
    /// Where to look.
    pub look: Option<&'static str>,
    /// Where it was read.
    pub source: &'static str,
    /// What stands behind it: `observed`, `read`, `documented`.
    pub proof: Option<&'static str>,
}

fn text_or_none(text: &'static str) -> Option<&'static str> {
    (!text.is_empty()).then_some(text)
}

/// Every rule in the kernel's order, or every rule of one kernel; then what is ignored.
pub fn rules(on: Option<Version>, language: Lang) -> Vec<RuleInFull> {
    let refusals = rules::all()
        .filter(|rule| on.is_none_or(|version| rule.on(version)))
        .map(|rule| RuleInFull {
            rule: rule.id,
            errnos: rule.errnos.to_vec(),
            calls: rule.calls.iter().map(|call| call.name()).collect(),
            since: (rule.since > Version::FIRST).then(|| rule.since.to_string()),
            until: rule.until.map(|until| until.to_string()),
            kernels: text_or_none(rule.kernels.pick(language)),
            decided: match rule.decided {
                Decided::Arguments => "arguments",
                Decided::Look => "look",
                Decided::Unseen => "unseen",
            },
            text: match language {
                Lang::English => format!("{}: {}", rule.condition, rule.english),
                Lang::Chinese => rule.chinese.to_owned(),
            },
            look: text_or_none(rule.look.pick(language)),
            source: rule.source,
            proof: Some(match rule.proof {
                Proof::Observed => "observed",
                Proof::Read => "read",
                Proof::Documented => "documented",
            }),
        });
    let ignored = IGNORED.iter().map(|row| RuleInFull {
        rule: row.id,
        errnos: Vec::new(),
        calls: row.calls.iter().map(|call| call.name()).collect(),
        since: None,
        until: None,
        kernels: text_or_none(row.kernels.pick(language)),
        decided: "ignored",
        text: match language {
            Lang::English => format!("{}: {}", row.condition, row.english),
            Lang::Chinese => row.chinese.to_owned(),
        },
        look: None,
        source: row.source,
        proof: None,
    });
    refusals.chain(ignored).collect()
}

/// How a rule is decided, in words.
fn decided(rule: &RuleInFull, language: Lang) -> &'static str {
    match (rule.decided, language) {
        ("arguments", Lang::English) => "by the arguments alone: certain",
        ("arguments", Lang::Chinese) => "只看参数：确定",
        ("look", Lang::English) => "by a look at limits and permissions",
        ("look", Lang::Chinese) => "要查限制与权限",
        (_, Lang::English) => "it cannot be looked up",
        (_, Lang::Chinese) => "无从查看",
    }
}

fn item(rule: &RuleInFull, language: Lang) -> Block {
    let label = |english: &str, chinese: &str| language.pick(english, chinese).to_owned();
    let any = language.pick("any errno", "errno 不定");
    let mut head = rule.rule.to_owned();
    if rule.decided != "ignored" {
        let errnos = if rule.errnos.is_empty() {
            any.to_owned()
        } else {
            rule.errnos.join(", ")
        };
        head = format!("{errnos}  {head}");
    }
    let mut facts = vec![(label("calls", "调用"), rule.calls.join(", "))];
    let span = match (&rule.since, &rule.until, language) {
        (None, None, _) => None,
        (Some(since), None, Lang::English) => Some(format!("since {since}")),
        (Some(since), None, Lang::Chinese) => Some(format!("自 {since} 起")),
        (None, Some(until), Lang::English) => Some(format!("before {until}")),
        (None, Some(until), Lang::Chinese) => Some(format!("{until} 之前")),
        (Some(since), Some(until), Lang::English) => Some(format!("since {since}, before {until}")),
        (Some(since), Some(until), Lang::Chinese) => Some(format!("自 {since} 起，{until} 之前")),
    };
    let kernels: Vec<&str> = span.as_deref().into_iter().chain(rule.kernels).collect();
    if !kernels.is_empty() {
        facts.push((label("kernels", "内核"), kernels.join("; ")));
    }
    if rule.decided != "ignored" {
        facts.push((label("decided", "判定"), decided(rule, language).to_owned()));
    }
    if let Some(look) = rule.look {
        facts.push((label("look at", "查看"), look.to_owned()));
    }
    facts.push((label("source", "出处"), rule.source.to_owned()));
    Block::Item(head, rule.text.clone(), facts)
}

/// The list of rules as a page.
pub fn rules_page(list: &[RuleInFull], language: Lang) -> Page {
    let heading =
        |english: &str, chinese: &str| Block::Heading(language.pick(english, chinese).to_owned());
    let mut blocks = vec![heading(
        "Why the kernel refuses, in the order in which it checks",
        "内核拒绝的原因，按其检查顺序",
    )];
    let (refusals, ignored): (Vec<_>, Vec<_>) =
        list.iter().partition(|rule| rule.decided != "ignored");
    blocks.extend(refusals.into_iter().map(|rule| item(rule, language)));
    blocks.push(heading("What it accepts and ignores", "接受但忽略的"));
    blocks.extend(ignored.into_iter().map(|rule| item(rule, language)));
    Page(blocks)
}
