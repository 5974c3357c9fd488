//! What becomes of a piece of a task, and the row of a function that decides it.

use serde::Serialize;

use crate::abi::Lang;
use crate::explain::set::Set;

/// What becomes of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Caller and child have one and the same.
    Shared,
    /// The child has a copy.
    Copied,
    /// The child has a new one.
    New,
    /// There is none.
    None,
    /// Something is done.
    Done,
    /// Here the kernel refuses.
    Refused,
}

impl Fate {
    /// It in a word.
    pub fn word(self, language: Lang) -> &'static str {
        let (english, chinese) = match self {
            Fate::Shared => ("shared", "共享"),
            Fate::Copied => ("copied", "复制"),
            Fate::New => ("new", "新建"),
            Fate::None => ("none", "无"),
            Fate::Done => ("done", "执行"),
            Fate::Refused => ("refused", "拒绝"),
        };
        language.pick(english, chinese)
    }
}

/// The fate of a piece, in English and in Chinese.
pub(super) type Told = (Fate, &'static str, &'static str);

/// A row of the walk.
pub(super) struct Row {
    /// The kernel's function.
    pub function: &'static str,
    /// What it does for a set; nothing where it has no part.
    pub tell: fn(&Set) -> Option<Told>,
}
