//! How the program is run: `command`, `build`, `stdin`, `env`, `timeout`, `skip`.

use toml::de::DeValue;

use super::super::expect::Recipe;
use super::super::names::no_nul;
use super::super::values::Glob;
use super::reader::{Keys, Reader, Value};
use super::value::sort;

impl Reader<'_> {
    pub(super) fn recipe(&mut self, keys: &mut Keys) -> Recipe {
        let mut recipe = Recipe::default();
        if let Some(value) = keys.take("command") {
            recipe.command = match value.get_ref().as_array() {
                Some(_) => self.list("command", value, |word| no_nul("command", word)),
                None => {
                    let hint = "write [\"./program\", \"argument\"]";
                    self.mistake(value.span(), "`command` is a list".to_owned(), hint);
                    Vec::new()
                }
            };
            if recipe.command.first().is_some_and(String::is_empty) {
                let hint = "write [\"./program\", \"argument\"]";
                self.mistake(value.span(), "`command` names no program".to_owned(), hint);
            }
        }
        let text = |reader: &mut Self, value: Option<&Value>, name| {
            let value = value?;
            reader
                .word(name, value, |word| Ok(word.to_owned()))
                .map(|text| text.value)
        };
        let value = keys.take("build");
        recipe.build = text(self, value, "build");
        let value = keys.take("stdin");
        recipe.stdin = text(self, value, "stdin");
        if let Some(value) = keys.take("env") {
            self.env(value, &mut recipe);
        }
        if let Some(value) = keys.take("timeout") {
            recipe.timeout = self.timeout(value);
        }
        if let Some(value) = keys.take("skip") {
            let skip = self.word("skip", value, |word| {
                // A pattern that fits all output would skip the check for ever, unseen.
                if word
                    .trim_start_matches(['#', ' '])
                    .to_lowercase()
                    .starts_with("skip")
                {
                    return Ok(Glob(word.to_owned()));
                }
                let what = format!("`skip` begins with the word skip, and {word:?} does not");
                Err((what, "a line such as \"skipped: no cgroups\"".to_owned()))
            });
            recipe.skip = skip.map(|skip| skip.value);
        }
        recipe
    }

    fn env(&mut self, value: &Value, recipe: &mut Recipe) {
        let Some(table) = self.table("env", value) else {
            return;
        };
        for (key, value) in table {
            let name: &str = key.get_ref();
            if name.is_empty() || name.contains(['=', '\0']) {
                let what = format!("`env`: {name:?} cannot be a variable's name");
                self.mistake(key.span(), what, "");
            }
            match value.get_ref() {
                DeValue::String(text) if text.contains('\0') => {
                    self.mistake(value.span(), format!("`env.{name}` has a NUL in it"), "");
                }
                DeValue::String(text) => {
                    recipe
                        .env
                        .push((name.to_owned(), Some(text.clone().into_owned())));
                }
                DeValue::Boolean(false) => recipe.env.push((name.to_owned(), None)),
                other => {
                    let what = format!("`env.{name}` is {}", sort(other));
                    self.mistake(
                        value.span(),
                        what,
                        "a text, or false to remove the variable",
                    );
                }
            }
        }
    }
}
