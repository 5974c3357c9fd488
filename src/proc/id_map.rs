//! `/proc/TID/uid_map` and `gid_map`: which ids a user namespace has.

use super::text::numbers;

/// Whether a map has this id, by its number inside or outside: which of the two is that of our own view
/// depends on whose namespace we are in.
pub fn has(map: &str, id: u64) -> bool {
    map.lines().any(|line| {
        // Words that are no numbers leave less than three.
        let mut row = numbers::<u64>(line);
        match (row.next(), row.next(), row.next()) {
            (Some(inside), Some(outside), Some(count)) => {
                let within = |first: u64| id.checked_sub(first).is_some_and(|n| n < count);
                within(inside) || within(outside)
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_looked_up_in_ranges() {
        let map = "         0       1000          1\n      100     100000      65536\n";
        assert!(has(map, 1000) && has(map, 0) && has(map, 100_000) && has(map, 165_535));
        assert!(!has(map, 1001 + 65536) && !has("", 0) && !has("nonsense\n1 2\n", 1));
        assert!(!has("0 0 0\n", 0));
        assert!(has("0 0 18446744073709551615\n", u64::MAX - 1));
    }
}
