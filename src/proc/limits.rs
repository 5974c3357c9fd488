//! `/proc/TID/limits`: the resource limits of a process.

/// The soft limit of the row with this name; the highest number where there is none, `None` where it is
/// not known.
pub fn soft(text: &str, name: &str) -> Option<u64> {
    let row = text.lines().find_map(|line| line.strip_prefix(name))?;
    match row.split_ascii_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_limits_stand_before_hard_ones() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             400                  800                  processes \n\
                    Max open files            unlimited            1                    files     \n\
                    Max nonsense              x\n";
        assert_eq!(soft(text, "Max processes"), Some(400));
        assert_eq!(soft(text, "Max open files"), Some(u64::MAX));
        assert_eq!(soft(text, "Max nonsense"), None);
        assert_eq!(soft(text, "Max nothing"), None);
    }
}
