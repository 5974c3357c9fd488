//! The values of an expectation: ranges, patterns, endings.

use std::fmt;
use std::str::FromStr;

use crate::abi::signals;
use crate::event::Status;

/// How many: `4`, `"4..=8"`, `"..=8"`, `"1.."`, `"4..9"` (the last one excluded, as in Rust).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// At least.
    pub min: u64,
    /// At most; `None`: no bound.
    pub max: Option<u64>,
}

impl Range {
    /// Exactly this many.
    pub const fn exactly(count: u64) -> Self {
        Range {
            min: count,
            max: Some(count),
        }
    }

    /// One or more.
    pub const SOME: Range = Range { min: 1, max: None };

    /// Whether it allows this many.
    pub fn contains(self, count: u64) -> bool {
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, Some(max)) if min == max => write!(f, "{min}"),
            (0, Some(max)) => write!(f, "..={max}"),
            (min, Some(max)) => write!(f, "{min}..={max}"),
            (min, None) => write!(f, "{min}.."),
        }
    }
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(pub String);

impl FromStr for Range {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let number = |digits: &str| -> Result<u64, BadValue> {
            let digits = digits.trim();
            let clean = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            match digits.parse() {
                Ok(number) if clean => Ok(number),
                _ => Err(BadValue(format!(
                    "{text:?} is not a number or a range such as \"4..=8\", \"..=8\" or \"1..\""
                ))),
            }
        };
        let Some((low, high)) = text.split_once("..") else {
            return number(text).map(Range::exactly);
        };
        let min = if low.trim().is_empty() {
            0
        } else {
            number(low)?
        };
        let max = match (high.trim(), high.trim().strip_prefix('=')) {
            ("", _) => None,
            (_, Some(last)) => Some(number(last)?),
            (end, None) => Some(number(end)?.checked_sub(1).ok_or_else(|| empty(text))?),
        };
        match max {
            Some(max) if max < min => Err(empty(text)),
            _ => Ok(Range { min, max }),
        }
    }
}

fn empty(text: &str) -> BadValue {
    BadValue(format!("the range {text:?} is empty: nothing lies in it"))
}

/// A pattern for names: `*` is any text, `?` any one character, `\` takes the next one literally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(pub String);

/// One step of a [`Glob`].
enum Step {
    Any,
    One,
    This(char),
}

impl Glob {
    /// A pattern that fits this text alone.
    pub fn literal(text: &str) -> Self {
        let mut pattern = String::with_capacity(text.len());
        for c in text.chars() {
            if matches!(c, '*' | '?' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        Glob(pattern)
    }

    /// Whether more than one text can fit.
    pub fn is_wild(&self) -> bool {
        self.steps()
            .iter()
            .any(|step| !matches!(step, Step::This(_)))
    }

    fn steps(&self) -> Vec<Step> {
        let mut chars = self.0.chars();
        let mut steps = Vec::new();
        while let Some(c) = chars.next() {
            steps.push(match c {
                '*' => Step::Any,
                '?' => Step::One,
                '\\' => Step::This(chars.next().unwrap_or('\\')),
                c => Step::This(c),
            });
        }
        steps
    }

    /// Whether the text fits, in time proportional to both lengths at the worst.
    pub fn fits(&self, text: &str) -> bool {
        let steps = self.steps();
        let text: Vec<char> = text.chars().collect();
        // Where the last `*` is, and how much it has swallowed.
        let mut star: Option<(usize, usize)> = None;
        let (mut step, mut at) = (0, 0);
        loop {
            match (steps.get(step), text.get(at)) {
                (Some(Step::Any), _) => {
                    star = Some((step, at));
                    step += 1;
                    continue;
                }
                (Some(Step::One), Some(_)) => {
                    (step, at) = (step + 1, at + 1);
                    continue;
                }
                (Some(Step::This(wanted)), Some(c)) if wanted == c => {
                    (step, at) = (step + 1, at + 1);
                    continue;
                }
                (None, None) => return true,
                _ => {}
            }
            match star {
                Some((from, swallowed)) if swallowed < text.len() => {
                    star = Some((from, swallowed + 1));
                    (step, at) = (from + 1, swallowed + 1);
                }
                _ => return false,
            }
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Alternatives as a person says them: `"a" or "b"`.
pub(super) fn any_of<T: fmt::Display>(list: &[T]) -> String {
    let words: Vec<String> = list.iter().map(T::to_string).collect();
    words.join(" or ")
}

/// How something may end: exit codes, or the signal that kills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends(pub Vec<End>);

/// One way to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Exit codes from here to there.
    Code(Range),
    /// Killed by this signal.
    Signal(String),
}

impl Ends {
    /// Whether it may end like this.
    pub fn contains(&self, status: Option<&Status>) -> bool {
        self.0.iter().any(|end| match (end, status) {
            (End::Code(range), Some(Status::Exited { exited })) => {
                u64::try_from(*exited).is_ok_and(|code| range.contains(code))
            }
            (End::Signal(name), Some(Status::Signaled { signaled, .. })) => name == signaled,
            _ => false,
        })
    }

    /// Exactly this.
    pub fn of(status: &Status) -> Self {
        Ends(vec![match status {
            Status::Exited { exited } => {
                End::Code(Range::exactly(u64::try_from(*exited).unwrap_or_default()))
            }
            Status::Signaled { signaled, .. } => End::Signal(signaled.clone()),
        }])
    }
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&any_of(&self.0))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Code(range) => range.fmt(f),
            End::Signal(name) => f.write_str(name),
        }
    }
}

impl FromStr for End {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            let range: Range = text.parse()?;
            return match range.min <= 255 && range.max.is_none_or(|max| max <= 255) {
                true => Ok(End::Code(range)),
                false => Err(BadValue(format!("{text}: exit codes end at 255"))),
            };
        }
        match signals::number(text) {
            Some(_) => Ok(End::Signal(text.to_owned())),
            None => Err(BadValue(format!(
                "{text:?} is neither an exit code nor the name of a signal such as \"SIGKILL\""
            ))),
        }
    }
}

/// How something ended, in the words of an expectation.
pub(super) fn status_words(status: Option<&Status>) -> String {
    match status {
        Some(status) => Ends::of(status).to_string(),
        None => "no status (its end was not seen)".to_owned(),
    }
}

/// Text of the traced program, made safe for a terminal.
pub(super) fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
