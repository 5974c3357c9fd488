//! What is asked about, read from text.

use crate::abi::Call;
use crate::abi::flags::{self, CSIGNAL, CloneFlags, Use};
use crate::abi::rules::{Arguments, Kernel, Version};
use crate::abi::signals;
use crate::origins::{self, Origin};
use crate::suggest::nearest;

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
    /// Nothing where a word should be.
    #[error(
        "nothing stands before or behind a `|`, or nothing at all; give flags, as in CLONE_VM|SIGCHLD"
    )]
    Nothing,
    /// A child has one exit signal.
    #[error("a child has one exit signal, not both {0} and {1}")]
    TwoSignals(&'static str, &'static str),
    /// The function makes other calls.
    #[error("{0} does not call {1}; it comes by {2}")]
    OtherCall(&'static str, Call, String),
    /// fork and vfork pass nothing.
    #[error("{0} takes no flags: give {0} alone, or --call clone or clone3")]
    NoFlags(Call),
}

/// What a word was probably meant to be, as `; did you mean CLONE_VM?`, or nothing.
fn meant(word: &str) -> String {
    let flags = flags::FLAGS.iter().map(|flag| flag.name);
    let signals = (1..=31).filter_map(signals::name);
    let functions = origins::ORIGINS.iter().map(|row| row.name);
    let serving = origins::serving(word);
    if !serving.is_empty() {
        return format!("; it comes by {}", serving.join(" or "));
    }
    match nearest(word, flags.chain(signals).chain(functions)) {
        Some(known) => format!("; did you mean {known}?"),
        None => String::new(),
    }
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
    number(text).map(Word::Number)
}

/// A number as C writes it: `17`, `0x11`, `021`; or as others do: `0o21`, `0b10001`.
fn number(text: &str) -> Option<u64> {
    let octal = text
        .strip_prefix('0')
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let (digits, radix) = [("0x", 16), ("0X", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((text.strip_prefix(prefix)?, radix)))
        .or(octal.map(|rest| (rest, 8)))
        .unwrap_or((text, 10));
    // The parser knows signs, too.
    let clean = digits.starts_with(|c: char| c.is_ascii_hexdigit());
    clean.then(|| u64::from_str_radix(digits, radix).ok())?
}

/// The words of a set: between bars, commas or blanks, and without the names of fields.
fn words(text: &str) -> Result<Vec<&str>, BadSet> {
    let mut found = Vec::new();
    for part in text.split(['|', ',']) {
        let before = found.len();
        found.extend(part.split_whitespace());
        if found.len() == before {
            return Err(BadSet::Nothing);
        }
    }
    let bare = |word: &mut &str| {
        let field = ["flags=", "exit_signal="].into_iter();
        *word = field
            .filter_map(|name| word.strip_prefix(name))
            .next()
            .unwrap_or(word);
    };
    found.iter_mut().for_each(bare);
    Ok(found)
}

impl Set {
    /// Reads a set. Without a call it is clone3's where clone could not pass it, else clone's.
    pub fn parse(text: &str, call: Option<Call>, version: Version) -> Result<Set, BadSet> {
        let mut set = Set::read(text.trim(), call, version)?;
        set.call_given = call.is_some();
        Ok(set)
    }

    fn read(text: &str, call: Option<Call>, version: Version) -> Result<Set, BadSet> {
        if let Some(set) = Set::of_function(text, call, version)? {
            return Ok(set);
        }
        let (mut named, mut numbers) = (CloneFlags(0), 0);
        let mut found: Option<i32> = None;
        let mut signal_bits = 0;
        for part in words(text)? {
            match word(part).ok_or_else(|| BadSet::Word(part.to_owned()))? {
                Word::Flag(flag) => named = named.union(flag),
                Word::Number(bits) => numbers |= bits,
                Word::Signal(number) => {
                    let bits = u64::try_from(number).unwrap_or(0);
                    let two = found.filter(|first| *first != number);
                    if let Some(first) = two {
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
    fn of_function(
        name: &str,
        call: Option<Call>,
        version: Version,
    ) -> Result<Option<Set>, BadSet> {
        // The calls themselves come before functions of the same name.
        let own = [Call::Fork, Call::Vfork]
            .into_iter()
            .find(|own| own.name() == name);
        if let Some(own) = own.filter(|own| call.is_none_or(|call| call == *own)) {
            let mut set = Set::new(own, 0, 0, version);
            set.function = Some(own.name());
            return Ok(Some(set));
        }
        let rows: Vec<&Origin> = origins::pattern(name).collect();
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let fits = |row: &&&Origin| call.is_none_or(|call| call == row.call);
        let Some(row) = rows.iter().find(fits) else {
            let mut calls: Vec<&str> = rows.iter().map(|row| row.call.name()).collect();
            calls.sort_unstable();
            calls.dedup();
            let asked = call.unwrap_or(first.call);
            return Err(BadSet::OtherCall(first.name, asked, calls.join(" or ")));
        };
        let mut set = Set::new(row.call, row.flags.0, row.exit_signal, version);
        set.stack = Some(row.stack.is_passed());
        set.function = Some(row.name);
        Ok(Some(set))
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
