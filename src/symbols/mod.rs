//! Addresses to names, files to facts: goblin lives here and nowhere else.

pub mod elf;
