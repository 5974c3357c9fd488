//! Quantities for people: times, sizes, counts. Pure, and the same on every machine.

use crate::event::Hex;
use crate::report::Lang;

/// Units of time: nanoseconds in one, and the name (ASCII, Unicode).
static TIMES: &[(u64, &str, &str)] = &[
    (1_000_000_000, "s", "s"),
    (1_000_000, "ms", "ms"),
    (1_000, "us", "µs"),
    (1, "ns", "ns"),
];

/// `value / unit` with two digits that count: `1.2`, `12`, `840`.
fn number(value: u64, unit: u64) -> String {
    let tenths = u128::from(value) * 10 / u128::from(unit);
    if unit > 1 && tenths < 100 {
        format!("{}.{}", tenths / 10, tenths % 10)
    } else {
        (tenths / 10).to_string()
    }
}

/// The largest unit of which there is at least one.
fn unit(ns: u64) -> (u64, &'static str, &'static str) {
    TIMES
        .iter()
        .copied()
        .find(|&(size, _, _)| ns >= size)
        .unwrap_or((1, "ns", "ns"))
}

/// A duration, such as `1.2 ms`; rounded down.
pub(super) fn duration(ns: u64, unicode: bool) -> String {
    let seconds = ns / 1_000_000_000;
    if seconds >= 3600 {
        return format!("{} h {} min", seconds / 3600, seconds / 60 % 60);
    }
    if seconds >= 100 {
        return format!("{} min {} s", seconds / 60, seconds % 60);
    }
    let (size, ascii, micro) = unit(ns);
    format!(
        "{} {}",
        number(ns, size),
        if unicode { micro } else { ascii }
    )
}

/// A range of durations, such as `19–840 µs`; one of them where both look alike.
pub(super) fn durations(low: u64, high: u64, unicode: bool) -> String {
    let (first, second) = (duration(low, unicode), duration(high, unicode));
    if first == second {
        return first;
    }
    let dash = if unicode { "–" } else { "-" };
    match (first.split_once(' '), second.split_once(' ')) {
        (Some((number, a)), Some((_, b))) if a == b => format!("{number}{dash}{second}"),
        _ => format!("{first}{dash}{second}"),
    }
}

/// A count with its thousands set off: `20,000`.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A noun that is counted: in English, and in Chinese with the measure word.
pub(super) struct Noun(&'static str, &'static str);

pub(super) static PROCESS: Noun = Noun("process", "个进程");
pub(super) static THREAD: Noun = Noun("thread", "个线程");
pub(super) static TASK: Noun = Noun("task", "个任务");
pub(super) static CREATING_CALL: Noun = Noun("creating call", "次创建调用");
pub(super) static EVENT: Noun = Noun("event", "个事件");
static BYTE: Noun = Noun("byte", "字节");

/// `1 thread`, `2 threads`; `1 process`, `2 processes`; `2 个线程`.
pub(super) fn counted(n: u64, noun: &Noun, lang: Lang) -> String {
    let Noun(english, chinese) = noun;
    match lang {
        Lang::English => format!("{} {}", count(n), plural(n, english)),
        Lang::Chinese => format!("{} {chinese}", count(n)),
    }
}

/// The noun, in the number that `n` asks for.
pub(super) fn plural(n: u64, noun: &str) -> String {
    match n {
        1 => noun.to_owned(),
        _ if noun.ends_with('s') => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// A size, such as `8 MiB`; to the nearest tenth, so that a stack of 8 MiB less a guard's remains
/// is `8 MiB` (the exact word is in the trace).
pub(super) fn bytes(size: Hex, lang: Lang) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (unit, name) in units {
        let tenths = (u128::from(size.0) * 10 + unit / 2) / unit;
        if tenths >= 10 {
            return match tenths % 10 {
                0 => format!("{} {name}", tenths / 10),
                tenth => format!("{}.{tenth} {name}", tenths / 10),
            };
        }
    }
    counted(size.0, &BYTE, lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let cases = [
            (0, "0 ns"),
            (840, "840 ns"),
            (1_000, "1.0 µs"),
            (19_400, "19 µs"),
            (2_960_000, "2.9 ms"),
            (999_999_999, "999 ms"),
            (1_900_000_000, "1.9 s"),
            (99_000_000_000, "99 s"),
            (100_000_000_000, "1 min 40 s"),
            (3_725_000_000_000, "1 h 2 min"),
            (u64::MAX, "5124095 h 34 min"),
        ];
        for (ns, text) in cases {
            assert_eq!(duration(ns, true), text);
        }
        assert_eq!(duration(5_000, false), "5.0 us");
    }

    #[test]
    fn ranges() {
        assert_eq!(durations(19_000, 840_000, true), "19–840 µs");
        assert_eq!(durations(19_000, 1_900_000, true), "19 µs–1.9 ms");
        assert_eq!(durations(19_000, 19_100, false), "19 us");
        assert_eq!(durations(19_000, 840_000, false), "19-840 us");
    }

    #[test]
    fn counts_and_sizes() {
        assert_eq!(count(999), "999");
        assert_eq!(count(20_000), "20,000");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(counted(1, &PROCESS, Lang::English), "1 process");
        assert_eq!(counted(0, &PROCESS, Lang::English), "0 processes");
        assert_eq!(counted(1000, &THREAD, Lang::Chinese), "1,000 个线程");
        assert_eq!(bytes(Hex(0x7f_ff80), Lang::English), "8 MiB");
        assert_eq!(bytes(Hex(0x9000), Lang::English), "36 KiB");
        assert_eq!(bytes(Hex(1536), Lang::English), "1.5 KiB");
        assert_eq!(bytes(Hex(1), Lang::English), "1 byte");
        assert_eq!(bytes(Hex(u64::MAX), Lang::English), "17179869184 GiB");
    }
}
