//! What the answers add up to: which rules are certainly, likely or possibly behind a failure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::abi::rules::{Decided, Rule};
use crate::event::{Certainty, Explanation, Reason};

use super::answer::{Answer, Evidence};
use super::failed_call::FailedCall;
use super::questions;

/// What was found about one rule.
struct Weighed {
    rule: &'static Rule,
    certainty: Certainty,
    evidence: Evidence,
}

/// Looks at each rule that can be behind the errno, in the kernel's order, and weighs what is found.
pub(super) fn weigh(call: &FailedCall<'_>, suspects: Vec<&'static Rule>) -> Vec<Reason> {
    let mut all = Vec::new();
    let mut unseen: Vec<&'static Rule> = Vec::new();
    for rule in suspects {
        let answer = match rule.decided {
            Decided::Arguments => Answer::Holds(Certainty::Certain, Evidence::default()),
            Decided::Look | Decided::Unseen => questions::ask(call, rule),
        };
        match answer {
            Answer::Holds(certainty, evidence) => {
                let certain = certainty == Certainty::Certain;
                all.push(Weighed {
                    rule,
                    certainty,
                    evidence,
                });
                if certain {
                    break;
                }
            }
            Answer::Not(evidence) => all.push(Weighed {
                rule,
                certainty: Certainty::Excluded,
                evidence,
            }),
            Answer::Unknown(evidence) => all.push(Weighed {
                rule,
                certainty: Certainty::Possible,
                evidence,
            }),
            Answer::Unseen => unseen.push(rule),
            Answer::Silent => {}
        }
    }
    settle(&mut all, unseen);
    all.into_iter().map(Weighed::reason).collect()
}

/// Draws the conclusions: what is certain needs no others, what alone is left is likely.
fn settle(all: &mut Vec<Weighed>, unseen: Vec<&'static Rule>) {
    let has = |all: &[Weighed], certainty| all.iter().any(|one| one.certainty == certainty);
    if has(all, Certainty::Certain) {
        all.retain(|one| one.certainty == Certainty::Certain);
        return;
    }
    if !has(all, Certainty::Likely) {
        all.extend(together(&unseen));
        let mut left = all
            .iter_mut()
            .filter(|one| one.certainty == Certainty::Possible);
        if let (Some(only), None) = (left.next(), left.next()) {
            only.certainty = Certainty::Likely;
        }
    }
    all.sort_by_key(|one| match one.certainty {
        Certainty::Certain => 0,
        Certainty::Likely => 1,
        Certainty::Possible => 2,
        Certainty::Excluded | Certainty::Other(_) => 3,
    });
}

/// What leaves no trace, as one reason: ten kinds of missing memory are no ten reasons.
fn together(unseen: &[&'static Rule]) -> Option<Weighed> {
    let (first, others) = unseen.split_first()?;
    let mut evidence = Evidence::default();
    if !others.is_empty() {
        let names: Vec<&str> = unseen.iter().map(|rule| rule.id).collect();
        evidence.text = Some(Explanation::Among {
            rule: first.id,
            others: others.len(),
        });
        evidence = evidence.with("rules", names);
    }
    Some(Weighed {
        rule: first,
        certainty: Certainty::Possible,
        evidence,
    })
}

impl Weighed {
    fn reason(self) -> Reason {
        let Evidence { text, values } = self.evidence;
        Reason {
            rule: self.rule.id.to_owned(),
            certainty: self.certainty,
            text: text.unwrap_or(Explanation::Rule(self.rule.id)),
            evidence: values.into_iter().collect::<BTreeMap<String, Value>>(),
        }
    }
}
