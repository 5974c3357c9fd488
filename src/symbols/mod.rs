//! What program files hold: goblin lives here and nowhere else.

pub mod elf;
