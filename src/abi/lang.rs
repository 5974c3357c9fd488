//! The languages of explanations.

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
}

/// A text in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    english: &'static str,
    chinese: &'static str,
}

impl Text {
    /// Nothing to say.
    pub const EMPTY: Text = Text::same("");

    /// A text in both languages.
    pub const fn new(english: &'static str, chinese: &'static str) -> Text {
        Text { english, chinese }
    }

    /// Names, numbers and paths: the same in every language.
    pub const fn same(text: &'static str) -> Text {
        Text::new(text, text)
    }

    /// It in this language.
    pub const fn pick(self, lang: Lang) -> &'static str {
        match lang {
            Lang::English => self.english,
            Lang::Chinese => self.chinese,
        }
    }

    /// Whether there is nothing to say.
    pub const fn is_empty(self) -> bool {
        self.english.is_empty()
    }
}

/// [`Text::new`] for tables, which have many.
pub(crate) const fn text(english: &'static str, chinese: &'static str) -> Text {
    Text::new(english, chinese)
}

/// [`Text::same`] likewise.
pub(crate) const fn same(text: &'static str) -> Text {
    Text::same(text)
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
