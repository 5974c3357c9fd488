//! `/proc/TID/comm`: a task's name.

use crate::event::lossy;
use crate::peek::Peek;

/// A task's name, and its bytes in hex where they are not UTF-8.
pub fn comm(task: &dyn Peek) -> Option<(String, Option<String>)> {
    let bytes = task.proc_file("comm").ok()?;
    // A name may itself end with a newline: the kernel's is the last one.
    Some(lossy(bytes.strip_suffix(b"\n").unwrap_or(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peek::testing::Recorded;

    #[test]
    fn one_newline_is_the_kernels() {
        let named = |bytes: &[u8]| comm(&Recorded::new().with_file("comm", bytes));
        assert_eq!(named(b"a\n"), Some(("a".into(), None)));
        assert_eq!(named(b"\n\n"), Some(("\n".into(), None)));
        assert_eq!(
            named(b"\xff\n"),
            Some(("\u{fffd}".into(), Some("ff".into())))
        );
        assert_eq!(comm(&Recorded::new()), None);
    }
}
