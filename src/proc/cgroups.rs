//! `/proc/TID/cgroup`: in which cgroup of each hierarchy a task is.

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership<'t> {
    /// The hierarchy's controllers; none for cgroup v2.
    controllers: &'t str,
    /// The cgroup, from the hierarchy's root.
    pub path: &'t str,
}

impl Membership<'_> {
    /// Whether the hierarchy has this controller (v1).
    pub fn has(&self, controller: &str) -> bool {
        self.controllers.split(',').any(|name| name == controller)
    }

    /// Whether the hierarchy is that of cgroup v2.
    pub fn is_v2(&self) -> bool {
        self.controllers.is_empty()
    }
}

/// The lines `HIERARCHY:CONTROLLERS:PATH` (cgroups(7)).
pub fn memberships(text: &str) -> impl Iterator<Item = Membership<'_>> {
    text.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        Some(Membership { controllers, path })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_of_both_versions() {
        let text = "5:cpu,pids:/a:b\n0::/c\nnonsense\n";
        let [v1, v2] = &memberships(text).collect::<Vec<_>>()[..] else {
            panic!("two hierarchies");
        };
        assert!(v1.has("pids") && !v1.has("pid") && !v1.is_v2());
        assert_eq!(v1.path, "/a:b");
        assert!(v2.is_v2() && !v2.has("pids"));
        assert_eq!(v2.path, "/c");
    }
}
