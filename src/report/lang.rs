//! Texts in the language of a look. Each sentence stands in the code once, in all languages side by
//! side, so that none can be forgotten.

pub use crate::abi::Lang;

/// `say!(look, "in English {x}", "用中文 {x}")`: a formatted text in the language of a look.
macro_rules! say {
    ($look:expr, $english:literal, $chinese:literal) => {
        match $look.lang {
            $crate::report::Lang::English => format!($english),
            $crate::report::Lang::Chinese => format!($chinese),
        }
    };
}
pub(super) use say;
