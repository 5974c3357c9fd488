//! What is asked about, read from text.

use crate::abi::Call;
use crate::abi::flags::{self, CSIGNAL, CloneFlags, Use};
use crate::abi::rules::{Arguments, Kernel, Version};
use crate::abi::{origins, signals};

/// A set of flags, as one of the calls passes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// The call.
    pub call: Call,
    /// Whether that was asked for, and not derived from the flags.
    pub call_given: bool,
    /// All bits without the exit signal.
    pub flags: CloneFlags,
    /// The exit signal's number.
    pub signal: u64,
    /// Whether a stack is given, where that is known.
    pub stack: Option<bool>,
    /// The call's arguments, as far as they are known.
    pub arguments: Arguments,
    /// On which kernel.
    pub kernel: Kernel,
    /// The library function by whose name it was asked for.
    pub function: Option<&'static str>,
}

/// Text that is no set of flags.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSet {
    /// A word that is none of what can be there.
    #[error(
        "{0:?} is neither a CLONE_ flag, nor a signal, nor a number, nor a library function{hint}; clonespy explain --list shows every flag", hint = meant(.0)
    )]
    Word(String),
    /// clone3 has one exit signal.
    #[error("clone3 takes one exit signal, not both {0} and {1}")]
    TwoSignals(&'static str, &'static str),
    /// fork and vfork pass nothing.
    #[error("{0} takes no flags: give {0} alone, or --call clone or clone3")]
    NoFlags(Call),
}

/// What a word was probably meant to be, as `; did you mean CLONE_VM?`, or nothing.
fn meant(word: &str) -> String {
    let upper = word.to_ascii_uppercase();
    let flags = flags::FLAGS.iter().map(|flag| flag.name);
    let signals = (1..=31).filter_map(signals::name);
    let functions = origins::ORIGINS.iter().map(|row| row.name);
    let candidates = flags.chain(signals).map(|name| (name, upper.as_str()));
    let candidates = candidates.chain(functions.map(|name| (name, word)));
    let distance = |known: &str, word: &str| {
        // CLONE_ and SIG may be left out, and say nothing of what is meant.
        let short = known
            .strip_prefix("CLONE_")
            .filter(|_| !word.starts_with("CLONE_"));
        let known = short.unwrap_or(known);
        let far = strsim::damerau_levenshtein(known, word);
        let letters = known.strip_prefix("CLONE_").unwrap_or(known).len();
        // At least half of it has to be there.
        (far <= (1 + known.len() / 4).min(letters / 2)).then_some(far)
    };
    candidates
        .take(if word.len() <= 64 { usize::MAX } else { 0 })
        .filter_map(|(known, word)| Some((distance(known, word)?, known)))
        .min_by_key(|(far, _)| *far)
        .map_or(String::new(), |(_, known)| {
            format!("; did you mean {known}?")
        })
}

/// What one word between two bars stands for.
enum Word {
    Flag(CloneFlags),
    Signal(i32),
    Number(u64),
}

fn word(text: &str) -> Option<Word> {
    let upper = text.to_ascii_uppercase();
    let flag = flags::named(&upper).or_else(|| flags::named(&format!("CLONE_{upper}")));
    if let Some(flag) = flag {
        return Some(Word::Flag(flag.flags()));
    }
    if let Some(number) = signals::number(&upper) {
        return Some(Word::Signal(number));
    }
    // Numbers and nothing else: their parser knows signs and names, of which none is left here.
    let digit = text.starts_with(|c: char| c.is_ascii_digit());
    let CloneFlags(bits) = digit.then(|| text.parse().ok())??;
    Some(Word::Number(bits))
}

impl Set {
    /// Reads a set. Without a call it is clone3's where clone could not pass it, else clone's.
    pub fn parse(text: &str, call: Option<Call>, version: Version) -> Result<Set, BadSet> {
        let mut set = Set::read(text.trim(), call, version)?;
        set.call_given = call.is_some();
        Ok(set)
    }

    fn read(text: &str, call: Option<Call>, version: Version) -> Result<Set, BadSet> {
        if let Some(set) = Set::of_function(text, call, version) {
            return Ok(set);
        }
        let (mut named, mut numbers) = (CloneFlags(0), 0);
        let mut found: Option<i32> = None;
        let mut signal_bits = 0;
        for part in text.split('|').map(str::trim) {
            match word(part).ok_or_else(|| BadSet::Word(part.to_owned()))? {
                Word::Flag(flag) => named = named.union(flag),
                Word::Number(bits) => numbers |= bits,
                Word::Signal(number) => {
                    let bits = u64::try_from(number).unwrap_or(0);
                    let two = found.filter(|first| *first != number);
                    if let (Some(first), Some(Call::Clone3)) = (two, call) {
                        let name = |number| signals::name(number).unwrap_or("?");
                        return Err(BadSet::TwoSignals(name(first), name(number)));
                    }
                    found = Some(number);
                    signal_bits |= bits;
                }
            }
        }
        let word = named.0 | numbers;
        let needs_clone3 = word > u64::from(u32::MAX) || named.contains(flags::CLONE_NEWTIME);
        let call = call.unwrap_or(if needs_clone3 {
            Call::Clone3
        } else {
            Call::Clone
        });
        match call {
            Call::Clone => {
                let all = word | signal_bits;
                Ok(Set::new(call, all & !CSIGNAL, all & CSIGNAL, version))
            }
            Call::Clone3 => Ok(Set::new(call, word, signal_bits, version)),
            Call::Fork | Call::Vfork => Err(BadSet::NoFlags(call)),
        }
    }

    /// A set that is named by the library function that passes it.
    fn of_function(name: &str, call: Option<Call>, version: Version) -> Option<Set> {
        // The calls themselves come before functions of the same name.
        if let ("fork" | "vfork", Some(Call::Fork | Call::Vfork) | None) = (name, call) {
            let call = if name == "fork" {
                Call::Fork
            } else {
                Call::Vfork
            };
            let mut set = Set::new(call, 0, 0, version);
            set.function = Some(call.name());
            return Some(set);
        }
        let mut rows = origins::pattern(name);
        let row = rows.find(|row| call.is_none_or(|call| call == row.call))?;
        let mut set = Set::new(row.call, row.flags.0, row.exit_signal, version);
        set.stack = Some(row.stack.is_passed());
        set.function = Some(row.name);
        Some(set)
    }

    /// A set of known parts.
    pub fn new(call: Call, flags: u64, signal: u64, version: Version) -> Set {
        let arguments = Arguments::of_flags(call, flags, signal);
        Set {
            call,
            call_given: true,
            flags: match call {
                Call::Fork | Call::Vfork => arguments.flags(),
                Call::Clone | Call::Clone3 => CloneFlags(flags),
            },
            signal: arguments.signal(),
            stack: None,
            arguments,
            kernel: Kernel::generic(version),
            function: None,
        }
    }

    /// The flags that the kernel acts on.
    pub fn effective(&self) -> CloneFlags {
        let known = self.arguments.flags().intersection(self.kernel.flags());
        match self.call {
            // CLONE_DETACHED is the one of the low bits that it knows and passes over.
            Call::Clone => known
                .rows()
                .filter(|flag| flag.clone == Use::Takes)
                .fold(CloneFlags(0), |all, flag| all.union(flag.flags())),
            Call::Clone3 | Call::Fork | Call::Vfork => known,
        }
    }

    /// Whether the kernel acts on this flag.
    pub fn has(&self, flag: CloneFlags) -> bool {
        self.effective().contains(flag)
    }

    /// As a C program would write it: `CLONE_VM|CLONE_FS|SIGCHLD`.
    pub fn expression(&self) -> String {
        let signal = self.signal_name();
        match (self.flags.is_empty(), self.signal) {
            (_, 0) => self.flags.to_string(),
            (true, _) => signal,
            (false, _) => format!("{}|{signal}", self.flags),
        }
    }

    /// The exit signal's name, or its number where no signal has it.
    pub fn signal_name(&self) -> String {
        let name = i32::try_from(self.signal).ok().and_then(signals::name);
        name.map_or_else(|| format!("{}", self.signal), str::to_owned)
    }

    /// The word that legacy clone would pass; clone3's flags.
    pub fn word(&self) -> u64 {
        match self.call {
            Call::Clone3 => self.flags.0,
            Call::Clone | Call::Fork | Call::Vfork => self.flags.0 | (self.signal & CSIGNAL),
        }
    }
}
