//! The languages of explanations.

use super::chinese;

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Lang {
    /// All, by the names that `--lang` takes.
    pub const ALL: [(&'static str, Lang); 2] = [("en", Lang::English), ("zh", Lang::Chinese)];

    /// The language of a locale such as `zh_CN.UTF-8` (locale(7)).
    pub fn of_locale(locale: &str) -> Lang {
        let language = locale.split(['_', '.', '@']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("zh") {
            Lang::Chinese
        } else {
            Lang::English
        }
    }

    /// The one of two texts that is in this language.
    pub(crate) fn pick<T>(self, english: T, chinese: T) -> T {
        match self {
            Lang::English => english,
            Lang::Chinese => chinese,
        }
    }

    /// A text of the tables that stand in English alone, in this language.
    pub(crate) fn phrase(self, english: &'static str) -> &'static str {
        match self {
            Lang::English => english,
            Lang::Chinese => chinese::phrase(english),
        }
    }
}

/// `say!(look, "in English {x}", "用中文 {x}")`: a formatted text in the language of a look. Each sentence
/// stands in the code once, in all languages side by side, so that none can be forgotten.
macro_rules! say {
    ($look:expr, $english:literal, $chinese:literal) => {
        match $look.lang() {
            $crate::abi::Lang::English => format!($english),
            $crate::abi::Lang::Chinese => format!($chinese),
        }
    };
}
pub(crate) use say;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_its_language() {
        for (locale, lang) in [
            ("zh_CN.UTF-8", Lang::Chinese),
            ("zh", Lang::Chinese),
            ("ZH.utf8", Lang::Chinese),
            ("zhx_YY", Lang::English),
            ("de_DE.UTF-8", Lang::English),
            ("C", Lang::English),
            ("", Lang::English),
        ] {
            assert_eq!(Lang::of_locale(locale), lang, "{locale}");
        }
    }
}
