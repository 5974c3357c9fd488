//! The forms that several files of /proc have.

use std::str::FromStr;

/// The rows of a file of lines `KEY: VALUE`, such as `status` and `/proc/meminfo`. A line that is not
/// UTF-8, as a name's may be, is left out.
pub fn rows(bytes: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    bytes.split(|&byte| byte == b'\n').filter_map(|line| {
        let (key, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        Some((key, value.trim()))
    })
}

/// The value of one row.
pub fn field<'b>(bytes: &'b [u8], key: &str) -> Option<&'b str> {
    rows(bytes).find_map(|(one, value)| (one == key).then_some(value))
}

/// The numbers in a list with blanks; what is none is left out.
pub fn numbers<N: FromStr>(text: &str) -> impl Iterator<Item = N> {
    text.split_ascii_whitespace()
        .filter_map(|word| word.parse().ok())
}

/// The first number of a list, as of `12 kB`.
pub fn first<N: FromStr>(text: &str) -> Option<N> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_whole_key() {
        let text = b"Name:\t\xff: x\nVmSizes:\t1\nVmSize:\t   12 kB\nUid:\t1\t2\t3\t4\nnonsense\n";
        assert_eq!(field(text, "VmSize"), Some("12 kB"));
        assert_eq!(field(text, "Vm"), None);
        assert_eq!(field(text, "Name"), None);
        assert_eq!(field(b"", ""), None);
        let uids = field(text, "Uid").unwrap_or_default();
        assert_eq!(numbers::<u64>(uids).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(first::<u64>("12 kB"), Some(12));
        assert_eq!(first::<u64>("kB 12"), None);
        assert_eq!(first::<u64>(""), None);
    }

    #[test]
    fn lists_of_children() {
        let numbers = |text| numbers::<i32>(text).collect::<Vec<_>>();
        assert_eq!(numbers("12 13  14 \n"), [12, 13, 14]);
        assert_eq!(numbers(""), [] as [i32; 0]);
    }
}
