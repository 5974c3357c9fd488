//! A task that answers from what a test put in.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::event::Tid;
use crate::peek::{Errno, Peek};

const EFAULT: Errno = Errno(14);
const ENOENT: Errno = Errno(2);

#[derive(Default)]
pub struct Fake {
    pub files: BTreeMap<&'static str, Vec<u8>>,
    pub links: BTreeMap<&'static str, Vec<u8>>,
    /// Memory by its start.
    pub memory: BTreeMap<u64, Vec<u8>>,
    /// The names of the files that were read, in order.
    pub asked: RefCell<Vec<String>>,
}

impl Fake {
    pub fn times_asked(&self, name: &str) -> usize {
        self.asked
            .borrow()
            .iter()
            .filter(|asked| *asked == name)
            .count()
    }
}

impl Peek for Fake {
    fn tid(&self) -> Tid {
        100
    }

    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), Errno> {
        let (start, bytes) = self.memory.range(..=addr).next_back().ok_or(EFAULT)?;
        let from = (addr - start) as usize;
        let part = bytes
            .get(from..)
            .and_then(|rest| rest.get(..buf.len()))
            .ok_or(EFAULT)?;
        buf.copy_from_slice(part);
        Ok(())
    }

    fn proc_file(&self, name: &str) -> Result<Vec<u8>, Errno> {
        self.asked.borrow_mut().push(name.to_owned());
        self.files.get(name).cloned().ok_or(ENOENT)
    }

    fn proc_link(&self, name: &str) -> Result<Vec<u8>, Errno> {
        self.links.get(name).cloned().ok_or(ENOENT)
    }
}
