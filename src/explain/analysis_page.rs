//! An analysis as a page.

use crate::abi::Call;

use super::Lang;
use super::analysis::Analysis;
use super::page::{Block, Page};

impl Analysis {
    /// The verdict in words.
    fn verdict(&self, language: Lang) -> String {
        let kernel = &self.kernel;
        let verdict = match (&self.refused, language) {
            (None, Lang::English) => {
                format!("accepted by Linux {kernel}, as far as the flags decide")
            }
            (None, Lang::Chinese) => format!("Linux {kernel} 接受（就标志而言）"),
            (Some(rule), Lang::English) => format!(
                "refused by Linux {kernel} with {}: {}  [{}]",
                rule.errno.unwrap_or("any errno"),
                rule.text,
                rule.rule
            ),
            (Some(rule), Lang::Chinese) => format!(
                "Linux {kernel} 拒绝，{}：{}  [{}]",
                rule.errno.unwrap_or("errno 不定"),
                rule.text,
                rule.rule
            ),
        };
        match (&self.known_up_to, language) {
            (None, _) => verdict,
            (Some(newest), Lang::English) => format!(
                "{verdict}; that is by the rules of Linux {newest}, the newest that is known: {kernel} may have others"
            ),
            (Some(newest), Lang::Chinese) => {
                format!("{verdict}；所据是已知最新的 Linux {newest} 的规则，{kernel} 可能另有规则")
            }
        }
    }

    /// The facts at the top.
    fn summary(&self, language: Lang) -> Vec<(String, String)> {
        let label = |english: &str, chinese: &str| language.pick(english, chinese).to_owned();
        let mut facts = vec![
            (
                match self.refused {
                    None => label("makes", "创建"),
                    Some(_) => label("asks for", "要求"),
                },
                self.kind_text.clone(),
            ),
            (label("kernel", "内核"), self.verdict(language)),
        ];
        if self.callers.is_empty() && self.refused.is_none() {
            let nobody = language.pick(
                "no library function that is known passes just this",
                "没有已知的库函数恰好这样传",
            );
            facts.push((label("passed by", "谁这样传"), nobody.to_owned()));
        }
        for (i, caller) in self.callers.iter().enumerate() {
            let name = if i == 0 {
                label("passed by", "谁这样传")
            } else {
                String::new()
            };
            let text = match language {
                Lang::English => format!(
                    "{} ({}), by {}, for {}",
                    caller.function, caller.library, caller.call, caller.serves
                ),
                Lang::Chinese => format!(
                    "{}（{}），经 {}，用于 {}",
                    caller.function, caller.library, caller.call, caller.serves
                ),
            };
            facts.push((name, text));
        }
        for (i, other) in self.others.iter().enumerate() {
            let name = if i == 0 {
                label("besides", "另有")
            } else {
                String::new()
            };
            let text = match language {
                Lang::English => format!(
                    "{} ({}) passes {}({})",
                    other.function, other.library, other.call, other.set
                ),
                Lang::Chinese => format!(
                    "{}（{}）传 {}({})",
                    other.function, other.library, other.call, other.set
                ),
            };
            facts.push((name, text));
        }
        facts.push((
            label("exit signal", "退出信号"),
            self.exit_signal_text.clone(),
        ));
        for row in &self.ignored {
            facts.push((
                label("ignored", "被忽略"),
                format!("{}  [{}]", row.text, row.rule),
            ));
        }
        if let Some(bits) = &self.unknown {
            let text = language.pick("bits without a name", "没有名字的位");
            facts.push((label("unknown", "未知"), format!("{bits}: {text}")));
        }
        facts
    }

    /// As a page.
    pub fn page(&self, language: Lang) -> Page {
        let heading = |english: &str, chinese: &str| {
            Block::Heading(language.pick(english, chinese).to_owned())
        };
        let title = match self.call {
            Call::Fork | Call::Vfork => format!(
                "{}()  =  clone({})  {}",
                self.call, self.expression, self.word
            ),
            Call::Clone | Call::Clone3 => {
                format!("{}({})  {}", self.call, self.expression, self.word)
            }
        };
        let mut blocks = vec![Block::Heading(title), Block::Facts(self.summary(language))];
        if !self.flags.is_empty() {
            blocks.push(heading("The flags", "各个标志"));
            blocks.extend(self.flags.iter().map(|flag| flag.item(language)));
        }
        if !self.walk.is_empty() {
            blocks.push(heading(
                "What the kernel does, step by step",
                "内核逐步做了什么",
            ));
            let head = ["step", "fate", "what"];
            let head = if language == Lang::Chinese {
                ["步骤", "结果", "内容"]
            } else {
                head
            };
            let rows = self.walk.iter().map(|step| {
                vec![
                    step.function.to_owned(),
                    step.fate.word(language).to_owned(),
                    step.text.clone(),
                ]
            });
            blocks.push(Block::Table(
                head.map(str::to_owned).to_vec(),
                rows.collect(),
            ));
        }
        if !self.may_fail.is_empty() {
            blocks.push(heading(
                "What else can refuse these flags",
                "这些标志还可能因何被拒",
            ));
            let head = ["errno", "why"];
            let head = if language == Lang::Chinese {
                ["errno", "原因"]
            } else {
                head
            };
            let rows = self.may_fail.iter().map(|rule| {
                vec![
                    rule.errno.unwrap_or("?").to_owned(),
                    format!("{}  [{}]", rule.text, rule.rule),
                ]
            });
            blocks.push(Block::Table(
                head.map(str::to_owned).to_vec(),
                rows.collect(),
            ));
        }
        Page(blocks)
    }
}
