//! What a program was expected to create, and what deserves attention in what it did.

pub mod lints;
