//! What an executable file is: its machine, how it is linked, its build id.
//!
//! The file belongs to the traced program and may say anything. So nothing is believed about
//! offsets and sizes, no piece is larger than [`PIECE`], few pieces are read however large the file
//! is, and what cannot be read is "not known", never an error.

mod machines;

use goblin::container::Ctx;
use goblin::elf::dynamic::{DF_1_PIE, DT_DEBUG, DT_FLAGS_1, Dynamic};
use goblin::elf::header::{ELFMAG, ET_DYN, ET_EXEC, Header};
use goblin::elf::note::{NT_GNU_BUILD_ID, NoteDataIterator};
use goblin::elf::program_header::{PT_DYNAMIC, PT_INTERP, PT_NOTE, ProgramHeader};
use goblin::elf::section_header::{SHT_NOTE, SHT_SYMTAB, SectionHeader};

use crate::event::Linkage;

use self::machines::machine;

/// The largest piece of a file that is read at once, in bytes: room for 16,000 section headers.
pub const PIECE: u64 = 1 << 20;
/// What is read first. Headers, interpreter and notes of nearly every program lie in it.
const FIRST: usize = 4096;
/// Segments or sections of notes that are looked at; a program has two or three.
const NOTES: usize = 16;
/// Bytes of a build id. Linkers write 8 to 20; a longer one is taken for garbage.
const BUILD_ID: usize = 64;
/// The longest interpreter's path that the kernel takes, in bytes (PATH_MAX).
const PATH: u64 = 4096;

/// Facts of an ELF file, with absence as in [`crate::event::Exec`]: outer `None`, not known; inner
/// `None`, known to be none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The machine that it is built for, in the words of `uname -m` without the model (`arm` for
    /// every ARM of 32 bits); `x32` for that ABI of x86_64; `EM 123` for one without a name.
    pub machine: String,
    /// How it is linked.
    pub linkage: Option<Linkage>,
    /// The interpreter that it names.
    pub interpreter: Option<Option<String>>,
    /// The GNU build id, in hex.
    pub build_id: Option<Option<String>>,
    /// It has no symbol table (`.symtab`).
    pub stripped: Option<bool>,
}

/// Reads facts through a function that fills a buffer from an offset and returns how many bytes it
/// had, 0 at the end or on an error. `None`: not an ELF file.
pub fn facts(read: &mut dyn FnMut(u64, &mut [u8]) -> usize) -> Option<Facts> {
    let mut file = File::open(read)?;
    let segments = file.segments();
    let sections = file.sections();
    let interpreter = segments.as_deref().and_then(|all| file.interpreter(all));
    Some(Facts {
        machine: machine(file.header.e_machine, file.ctx),
        linkage: segments.as_deref().and_then(|all| file.linkage(all)),
        interpreter,
        build_id: file.build_id(segments.as_deref(), sections.as_deref()),
        stripped: sections.map(|all| all.iter().all(|section| section.sh_type != SHT_SYMTAB)),
    })
}

/// The build id alone, from the segments: works on a mapped image's first pages too. `None`: none,
/// or not known.
pub fn build_id(read: &mut dyn FnMut(u64, &mut [u8]) -> usize) -> Option<String> {
    let mut file = File::open(read)?;
    let segments = file.segments()?;
    file.build_id(Some(&segments), None).flatten()
}

struct File<'a> {
    read: &'a mut dyn FnMut(u64, &mut [u8]) -> usize,
    first: Vec<u8>,
    header: Header,
    ctx: Ctx,
}

impl<'a> File<'a> {
    fn open(read: &'a mut dyn FnMut(u64, &mut [u8]) -> usize) -> Option<File<'a>> {
        let first = fill(read, 0, FIRST);
        if !first.starts_with(ELFMAG) {
            return None;
        }
        let header = goblin::elf::Elf::parse_header(&first).ok()?;
        let ctx = Ctx::new(header.container().ok()?, header.endianness().ok()?);
        Some(File {
            read,
            first,
            header,
            ctx,
        })
    }

    /// A whole range, or nothing.
    fn range(&mut self, offset: u64, size: u64) -> Option<Vec<u8>> {
        if size > PIECE {
            return None;
        }
        let length = usize::try_from(size).ok()?;
        let end = offset.checked_add(size)?;
        if let (Ok(from), Ok(to)) = (usize::try_from(offset), usize::try_from(end))
            && let Some(bytes) = self.first.get(from..to)
        {
            return Some(bytes.to_vec());
        }
        let bytes = fill(self.read, offset, length);
        (bytes.len() == length).then_some(bytes)
    }

    /// The program headers; without them the kernel would not run the file.
    fn segments(&mut self) -> Option<Vec<ProgramHeader>> {
        let size = ProgramHeader::size(self.ctx);
        if usize::from(self.header.e_phentsize) != size {
            return None;
        }
        let count = usize::from(self.header.e_phnum);
        let bytes = self.range(self.header.e_phoff, (size * count) as u64)?;
        ProgramHeader::parse(&bytes, 0, count, self.ctx).ok()
    }

    /// The section headers, none where the file has none; the kernel does not look at them.
    fn sections(&mut self) -> Option<Vec<SectionHeader>> {
        let size = SectionHeader::size(self.ctx);
        if self.header.e_shoff == 0 {
            return Some(Vec::new());
        }
        if usize::from(self.header.e_shentsize) != size {
            return None;
        }
        let mut count = u64::from(self.header.e_shnum);
        if count == 0 {
            // More than 65,279 of them: the number stands in the first one (elf(5), e_shnum).
            let first = self.range(self.header.e_shoff, size as u64)?;
            count = SectionHeader::parse_from(&first, 0, 1, self.ctx)
                .ok()?
                .first()?
                .sh_size;
        }
        if count == 0 {
            return Some(Vec::new());
        }
        let bytes = self.range(self.header.e_shoff, count.checked_mul(size as u64)?)?;
        SectionHeader::parse_from(&bytes, 0, usize::try_from(count).ok()?, self.ctx).ok()
    }

    fn interpreter(&mut self, segments: &[ProgramHeader]) -> Option<Option<String>> {
        let Some(segment) = segments.iter().find(|segment| segment.p_type == PT_INTERP) else {
            return Some(None);
        };
        if segment.p_filesz > PATH {
            return None;
        }
        let bytes = self.range(segment.p_offset, segment.p_filesz)?;
        // The kernel takes the bytes up to the first NUL, and demands one (fs/binfmt_elf.c).
        let path = bytes.split(|byte| *byte == 0).next()?;
        (bytes.last() == Some(&0)).then(|| Some(String::from_utf8_lossy(path).into_owned()))
    }

    /// A file that names no interpreter is run by the kernel as it is. If its addresses are fixed it
    /// is static. If not, it is a static-pie when the linker marked it as a program: by DF_1_PIE,
    /// or, as older ones did, by a DT_DEBUG entry, which only programs get; or when it has no dynamic
    /// section at all, so nothing to load. What remains is a shared object that is run by its
    /// name: the dynamic linker itself, or musl, which is one. A process made so loads libraries as a
    /// dynamic program does, and that is what is said of it.
    fn linkage(&mut self, segments: &[ProgramHeader]) -> Option<Linkage> {
        let find = |wanted| segments.iter().find(|segment| segment.p_type == wanted);
        match (self.header.e_type, find(PT_INTERP), find(PT_DYNAMIC)) {
            (ET_EXEC | ET_DYN, Some(_), _) => Some(Linkage::Dynamic),
            (ET_EXEC, None, _) => Some(Linkage::Static),
            (ET_DYN, None, None) => Some(Linkage::StaticPie),
            (ET_DYN, None, Some(segment)) => {
                let bytes = self.range(segment.p_offset, segment.p_filesz)?;
                // The table alone is at hand: say that it lies at its beginning.
                let here = ProgramHeader {
                    p_type: PT_DYNAMIC,
                    p_offset: 0,
                    p_filesz: bytes.len() as u64,
                    ..ProgramHeader::default()
                };
                let table = Dynamic::parse(&bytes, &[here], self.ctx).ok()??;
                let program = table.dyns.iter().any(|entry| {
                    entry.d_tag == DT_DEBUG
                        || (entry.d_tag == DT_FLAGS_1 && entry.d_val & DF_1_PIE != 0)
                });
                Some(if program {
                    Linkage::StaticPie
                } else {
                    Linkage::Dynamic
                })
            }
            // An object file or a core: not something that runs.
            _ => None,
        }
    }

    /// From the segments of notes, and if there is none in them, from the sections.
    fn build_id(
        &mut self,
        segments: Option<&[ProgramHeader]>,
        sections: Option<&[SectionHeader]>,
    ) -> Option<Option<String>> {
        let known = segments.is_some() || sections.is_some();
        let of_segments = segments
            .unwrap_or_default()
            .iter()
            .filter(|segment| segment.p_type == PT_NOTE)
            .map(|segment| (segment.p_offset, segment.p_filesz, segment.p_align));
        let of_sections = sections
            .unwrap_or_default()
            .iter()
            .filter(|section| section.sh_type == SHT_NOTE)
            .map(|section| (section.sh_offset, section.sh_size, section.sh_addralign));
        let mut all_read = true;
        for (index, (offset, size, align)) in of_segments.chain(of_sections).enumerate() {
            let Some(bytes) = (index < NOTES).then(|| self.range(offset, size)).flatten() else {
                all_read = false;
                if index >= NOTES {
                    break;
                }
                continue;
            };
            match self.build_id_in(&bytes, align) {
                Some(id) if (1..=BUILD_ID).contains(&id.len()) => {
                    return Some(Some(crate::event::hex(&id)));
                }
                Some(_) => all_read = false,
                None => {}
            }
        }
        (known && all_read).then_some(None)
    }

    fn build_id_in(&self, data: &[u8], align: u64) -> Option<Vec<u8>> {
        // Notes are padded to 4 bytes, or to 8 in segments that say so; goblin knows no other.
        let align = if align == 8 { 8 } else { 4 };
        let mut notes = NoteDataIterator {
            data,
            size: data.len(),
            offset: 0,
            ctx: (align, self.ctx),
        };
        notes
            .find_map(|note| {
                note.ok()
                    .filter(|n| n.n_type == NT_GNU_BUILD_ID && n.name == "GNU")
            })
            .map(|note| note.desc.to_vec())
    }
}

/// Up to `length` bytes from `offset`: fewer where the file ends or cannot be read.
fn fill(read: &mut dyn FnMut(u64, &mut [u8]) -> usize, offset: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut have = 0;
    while let Some(rest) = bytes.get_mut(have..).filter(|rest| !rest.is_empty()) {
        let Some(at) = offset.checked_add(have as u64) else {
            break;
        };
        let room = rest.len();
        match read(at, rest).min(room) {
            0 => break,
            got => have += got,
        }
    }
    bytes.truncate(have);
    bytes
}

#[cfg(test)]
mod tests;
