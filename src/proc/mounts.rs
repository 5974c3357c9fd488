//! `/proc/TID/mountinfo`: what is mounted where.

/// A mount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// Which directory of the file system is its root.
    pub root: String,
    /// Where it is mounted.
    pub point: String,
    /// The type of the file system; empty where the line does not have it.
    pub kind: String,
    /// The file system's own options.
    pub options: String,
}

/// Blanks and backslashes of a path are written in octal.
fn unescaped(text: &str) -> String {
    text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\134", "\\")
}

impl Mount {
    /// `ID PARENT DEV ROOT POINT OPTIONS [FIELD…] - TYPE SOURCE OPTIONS`, as it stands in a line.
    fn parse(line: &str) -> Option<Self> {
        let (before, after) = line.split_once(" - ").unwrap_or((line, ""));
        let mut before = before.split(' ').skip(3);
        let (root, point) = (before.next()?, before.next()?);
        let mut after = after.split(' ');
        let kind = after.next().unwrap_or_default();
        let options = after.nth(1).unwrap_or_default();
        Some(Self {
            root: unescaped(root),
            point: unescaped(point),
            kind: kind.to_owned(),
            options: options.to_owned(),
        })
    }

    /// Whether one of the file system's options is this.
    pub fn has_option(&self, name: &str) -> bool {
        self.options.split(',').any(|option| option == name)
    }
}

/// The mounts that a task sees, in the file's order.
pub fn mounts(text: &str) -> impl Iterator<Item = Mount> {
    text.lines().filter_map(Mount::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_before_and_after_the_dash() {
        let text = "30 1 0:25 / /a\\040b\\134 rw,nosuid shared:4 master:1 - cgroup cgroup rw,pids\n\
                    31 1 0:26 /sub /c rw\nnonsense\n";
        let [first, second] = &mounts(text).collect::<Vec<_>>()[..] else {
            panic!("two mounts");
        };
        assert_eq!((&*first.root, &*first.point), ("/", "/a b\\"));
        assert_eq!(first.kind, "cgroup");
        assert!(first.has_option("pids") && !first.has_option("pid"));
        assert_eq!((&*second.root, &*second.point), ("/sub", "/c"));
        assert_eq!((&*second.kind, &*second.options), ("", ""));
    }
}
