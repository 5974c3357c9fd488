//! `/proc/TID/maps`: what is mapped where.

/// A mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping<'b> {
    /// Its first address.
    pub start: u64,
    /// The first address behind it.
    pub end: u64,
    /// It can be read.
    pub readable: bool,
    /// It can be written.
    pub writable: bool,
    /// It can be run.
    pub executable: bool,
    /// Where in the file it begins.
    pub offset: u64,
    /// The file's path, with a line break as `\012`; `None`: no file is mapped.
    pub path: Option<&'b [u8]>,
}

impl<'b> Mapping<'b> {
    /// `START-END PERMS OFFSET DEV INODE PATH`, as it stands in a line.
    pub fn parse(line: &'b [u8]) -> Option<Self> {
        // A path may hold spaces, and stands after many; nothing before it holds a slash.
        let path = line.iter().position(|&byte| byte == b'/');
        let path = path.and_then(|at| line.get(at..));
        let before = line.get(..line.len() - path.map_or(0, <[u8]>::len))?;
        let mut words = std::str::from_utf8(before).ok()?.split(' ');
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let (start, end) = words.next()?.split_once('-')?;
        let rights = words.next()?;
        Some(Self {
            start: hex(start)?,
            end: hex(end)?,
            readable: rights.contains('r'),
            writable: rights.contains('w'),
            executable: rights.contains('x'),
            offset: hex(words.next()?)?,
            path,
        })
    }

    /// Whether an address is in it.
    pub fn holds(&self, address: u64) -> bool {
        (self.start..self.end).contains(&address)
    }
}

/// The mappings of a task, by address.
pub fn mappings(bytes: &[u8]) -> impl Iterator<Item = Mapping<'_>> {
    bytes
        .split(|&byte| byte == b'\n')
        .filter_map(Mapping::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_files_and_of_nothing() {
        let line =
            b"7f00-7fff r-xp 00001000 08:01 1234                       /usr/lib/a b/\xffc.so";
        let mapping = Mapping::parse(line).expect("parses");
        assert_eq!((mapping.start, mapping.end), (0x7f00, 0x7fff));
        assert!(mapping.readable && !mapping.writable && mapping.executable);
        assert_eq!(mapping.offset, 0x1000);
        assert_eq!(mapping.path, Some(&b"/usr/lib/a b/\xffc.so"[..]));
        assert!(mapping.holds(0x7f00) && mapping.holds(0x7ffe) && !mapping.holds(0x7fff));
        let heap = b"1000-2000 rw-p 0 00:00 0                [heap]";
        let mapping = Mapping::parse(heap).expect("parses");
        assert!(mapping.writable && mapping.path.is_none());
        for line in [
            &b""[..],
            b"nonsense",
            b"1000-2000 r",
            b"/",
            b"x-y r-xp 0 0:0 0 /z",
        ] {
            assert_eq!(Mapping::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn this_program_is_mapped() {
        let maps = std::fs::read("/proc/self/maps").expect("/proc");
        let here = this_program_is_mapped as fn() as usize as u64;
        let code = mappings(&maps).find(|mapping| mapping.holds(here));
        assert!(code.is_some_and(|code| code.executable && code.path.is_some()));
    }
}
