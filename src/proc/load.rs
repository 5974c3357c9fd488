//! `/proc/loadavg`: how busy the system is.

/// All tasks of the system: the second number of the fourth field.
pub fn tasks(text: &str) -> Option<u64> {
    let (_, all) = text.split_ascii_whitespace().nth(3)?.split_once('/')?;
    all.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_ones_of_all() {
        assert_eq!(tasks("0.00 0.01 0.05 1/200 4711\n"), Some(200));
        assert_eq!(tasks("0.00 0.01 0.05"), None);
        assert_eq!(tasks(""), None);
    }
}
