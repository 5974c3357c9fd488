//! Reads `src` as the compiler does: from the roots through `mod` declarations. What comes out is, by
//! module, what it defines, what it imports and what it mentions; nothing is looked up yet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A path as it stands in the source, such as `super`, `b`, `C`.
pub type Names = Vec<String>;

/// Something that the source says and that may lead to another file.
pub struct Mention {
    pub path: Names,
    pub line: usize,
    /// The name that a `use` gives it here.
    pub import: Option<String>,
    /// The type whose `impl` block this stands in.
    pub of: Option<Names>,
    /// It is there in tests alone.
    pub test: bool,
}

/// `.name()` on something.
pub struct MethodCall {
    pub name: String,
    pub line: usize,
    /// The type whose `impl` block this stands in, where it is called on `self`.
    pub on: Option<Names>,
    pub test: bool,
}

/// A function of an `impl` block of a type itself, not of a trait.
pub struct Method {
    pub of: Names,
    pub name: String,
}

#[derive(Default)]
pub struct Module {
    /// Its file, relative to `src`.
    pub file: PathBuf,
    pub parent: Option<usize>,
    /// It is there in tests alone.
    pub test: bool,
    /// By name. There are two where `#[cfg]` chooses between two files.
    pub children: BTreeMap<String, Vec<usize>>,
    pub items: BTreeSet<String>,
    /// Words in macros that stand where items do: one of them may be the name of an item.
    pub perhaps: BTreeSet<String>,
    pub globs: Vec<Mention>,
    pub mentions: Vec<Mention>,
    pub calls: Vec<MethodCall>,
    pub methods: Vec<Method>,
    /// The types of its `impl` blocks, of traits too.
    pub implements: Vec<Names>,
    /// Every word that the module says outside imports.
    pub words: BTreeSet<String>,
}

pub struct Sources {
    pub modules: Vec<Module>,
    /// The module of `lib.rs`.
    pub library: usize,
}

impl Sources {
    /// Reads a crate: `lib.rs` and, where there is one, `main.rs` in that folder.
    pub fn read(src: &Path) -> Sources {
        let mut sources = Sources {
            modules: Vec::new(),
            library: 0,
        };
        for root in ["lib.rs", "main.rs"] {
            if src.join(root).exists() {
                sources.file(src, Path::new(root), None, false, false);
            }
        }
        sources
    }

    fn file(
        &mut self,
        src: &Path,
        file: &Path,
        parent: Option<usize>,
        test: bool,
        named: bool,
    ) -> usize {
        let path = src.join(file);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let parsed =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // Where its children lie: beside it, if it is a folder's own file or has a `#[path]`.
        let beside = named
            || ["mod.rs", "lib.rs", "main.rs"]
                .iter()
                .any(|own| file.ends_with(own));
        let inside = if beside {
            file.parent().expect("a folder").to_owned()
        } else {
            file.with_extension("")
        };
        let place = Module {
            file: file.to_owned(),
            parent,
            test,
            ..Module::default()
        };
        self.module(src, &inside, place, &parsed.items)
    }

    /// `place` says where the module stands; `inside` is the folder where its children lie.
    fn module(&mut self, src: &Path, inside: &Path, place: Module, items: &[syn::Item]) -> usize {
        let id = self.modules.len();
        let (file, test) = (place.file.clone(), place.test);
        let mut reader = Reader {
            test,
            module: place,
            ..Reader::default()
        };
        items.iter().for_each(|item| reader.item(item, true));
        self.modules.push(reader.module);
        for (item, test) in reader.declared {
            let name = item.ident.to_string();
            let child = match (&item.content, path_attribute(&item.attrs)) {
                (Some((_, items)), _) => {
                    let place = Module {
                        file: file.clone(),
                        parent: Some(id),
                        test,
                        ..Module::default()
                    };
                    self.module(src, &inside.join(&name), place, items)
                }
                (None, Some(path)) => {
                    let folder = file.parent().expect("a folder");
                    self.file(src, &folder.join(path), Some(id), test, true)
                }
                (None, None) => {
                    let flat = inside.join(format!("{name}.rs"));
                    let deep = inside.join(&name).join("mod.rs");
                    let path = if src.join(&flat).exists() { flat } else { deep };
                    self.file(src, &path, Some(id), test, false)
                }
            };
            let children = &mut self.modules[id].children;
            children.entry(name).or_default().push(child);
        }
        id
    }
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        let syn::Expr::Lit(literal) = &pair.value else {
            return None;
        };
        match &literal.lit {
            syn::Lit::Str(text) if pair.path.is_ident("path") => Some(text.value()),
            _ => None,
        }
    })
}

/// Whether it is there in tests alone: `#[cfg(test)]`, `#[cfg(all(test, …))]`.
fn for_tests(attributes: &[syn::Attribute]) -> bool {
    fn asks_for_test(meta: &syn::Meta) -> bool {
        match meta {
            syn::Meta::Path(path) => path.is_ident("test"),
            syn::Meta::List(list) if list.path.is_ident("all") => list
                .parse_args_with(
                    syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated,
                )
                .is_ok_and(|all| all.iter().any(asks_for_test)),
            _ => false,
        }
    }
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Meta>()
                .is_ok_and(|meta| asks_for_test(&meta))
    })
}

/// Walks the items of one module.
#[derive(Default)]
struct Reader<'a> {
    module: Module,
    declared: Vec<(&'a syn::ItemMod, bool)>,
    test: bool,
    /// The type of the `impl` block that is being read.
    of: Option<Names>,
}

impl<'a> Reader<'a> {
    fn item(&mut self, item: &'a syn::Item, top: bool) {
        let outer = self.test;
        self.test |= for_tests(attributes(item));
        self.read(item, top);
        self.test = outer;
    }

    fn read(&mut self, item: &'a syn::Item, top: bool) {
        if let Some(name) = name(item) {
            self.module.items.insert(name);
        }
        match item {
            syn::Item::Mod(declared) => self.declared.push((declared, self.test)),
            syn::Item::Use(import) => {
                self.import(
                    &import.tree,
                    &mut Vec::new(),
                    import.use_token.span.start().line,
                );
            }
            syn::Item::Impl(block) => self.block(block),
            syn::Item::Macro(call) if call.ident.is_some() => self.tokens(&call.mac.tokens),
            syn::Item::Macro(call) => {
                if top {
                    let words = &mut self.module.perhaps;
                    collect_words(&call.mac.tokens, words);
                }
                self.visit_macro(&call.mac);
            }
            _ => visit::visit_item(self, item),
        }
    }

    fn block(&mut self, block: &'a syn::ItemImpl) {
        let of = match &*block.self_ty {
            syn::Type::Path(path) => Some(names(&path.path)),
            _ => None,
        };
        if let (Some(of), None) = (&of, &block.trait_) {
            for item in &block.items {
                if let syn::ImplItem::Fn(method) = item
                    && !for_tests(&method.attrs)
                {
                    self.module.methods.push(Method {
                        of: of.clone(),
                        name: method.sig.ident.to_string(),
                    });
                }
            }
        }
        if !self.test {
            self.module.implements.extend(of.clone());
        }
        let outer = std::mem::replace(&mut self.of, of);
        visit::visit_item_impl(self, block);
        self.of = outer;
    }

    fn import(&mut self, tree: &syn::UseTree, before: &mut Names, line: usize) {
        let add = |reader: &mut Reader<'_>, before: &Names, last: String, name: String, line| {
            // `a::{self}` is `a`.
            let mut path = before.clone();
            let own = last == "self" && !path.is_empty();
            if !own {
                path.push(last);
            }
            let name = if own && name == "self" {
                path.last().cloned().unwrap_or_default()
            } else {
                name
            };
            reader.module.mentions.push(Mention {
                path,
                line,
                import: Some(name),
                of: None,
                test: reader.test,
            });
        };
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before, line);
                before.pop();
            }
            syn::UseTree::Name(name) => {
                let line = name.ident.span().start().line;
                add(
                    self,
                    before,
                    name.ident.to_string(),
                    name.ident.to_string(),
                    line,
                );
            }
            syn::UseTree::Rename(name) => {
                let line = name.ident.span().start().line;
                add(
                    self,
                    before,
                    name.ident.to_string(),
                    name.rename.to_string(),
                    line,
                );
            }
            syn::UseTree::Glob(_) => self.module.globs.push(Mention {
                path: before.clone(),
                line,
                import: None,
                of: None,
                test: self.test,
            }),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before, line);
                }
            }
        }
    }

    fn mention(&mut self, path: Names, line: usize) {
        self.module.words.extend(path.first().cloned());
        self.module.mentions.push(Mention {
            path,
            line,
            import: None,
            of: self.of.clone(),
            test: self.test,
        });
    }

    /// Paths and method calls in the tokens of a macro: what looks like them.
    fn tokens(&mut self, tokens: &TokenStream) {
        let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let is = |at: usize, c: char| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == c);
        let word = |at: usize| match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
            _ => None,
        };
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.tokens(&group.stream()),
                TokenTree::Ident(ident) => {
                    let line = ident.span().start().line;
                    let begin = at;
                    let mut path = vec![ident.to_string()];
                    while is(at + 1, ':') && is(at + 2, ':') {
                        let Some(next) = word(at + 3) else { break };
                        path.push(next);
                        at += 3;
                    }
                    let called = matches!(tokens.get(at + 1), Some(TokenTree::Group(group))
                        if group.delimiter() == Delimiter::Parenthesis);
                    let dot = begin > 0 && is(begin - 1, '.');
                    if dot && called && path.len() == 1 {
                        let on_self = begin > 1 && word(begin - 2).as_deref() == Some("self");
                        self.module.calls.push(MethodCall {
                            name: path.remove(0),
                            line,
                            on: self.of.clone().filter(|_| on_self),
                            test: self.test,
                        });
                    } else if !dot {
                        self.mention(path, line);
                    }
                }
                // Paths in strings of attributes, as `serde(with = "…")` has them, and words in
                // what is to be formatted.
                TokenTree::Literal(_) | TokenTree::Punct(_) => {}
            }
            at += 1;
        }
    }
}

impl<'a> Visit<'a> for Reader<'a> {
    fn visit_item(&mut self, item: &'a syn::Item) {
        self.item(item, false);
    }

    fn visit_impl_item(&mut self, item: &'a syn::ImplItem) {
        let attributes: &[syn::Attribute] = match item {
            syn::ImplItem::Fn(item) => &item.attrs,
            syn::ImplItem::Const(item) => &item.attrs,
            syn::ImplItem::Type(item) => &item.attrs,
            _ => &[],
        };
        let outer = self.test;
        self.test |= for_tests(attributes);
        visit::visit_impl_item(self, item);
        self.test = outer;
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.mention(names(path), line(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.mention(names(&call.path), line(&call.path));
        self.tokens(&call.tokens);
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        let on_self =
            matches!(&*call.receiver, syn::Expr::Path(path) if path.path.is_ident("self"));
        self.module.calls.push(MethodCall {
            name: call.method.to_string(),
            line: call.method.span().start().line,
            on: self.of.clone().filter(|_| on_self),
            test: self.test,
        });
        visit::visit_expr_method_call(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
        let syn::Meta::List(list) = &attribute.meta else {
            return;
        };
        // serde and schemars name functions and types in strings.
        for token in list.tokens.clone() {
            if let TokenTree::Literal(literal) = token
                && let Ok(syn::Lit::Str(text)) = syn::parse_str(&literal.to_string())
                && let Ok(path) = text.parse::<syn::Path>()
                && path.segments.len() > 1
            {
                self.mention(names(&path), literal.span().start().line);
            }
        }
    }

    /// `pub(in path)` uses nothing.
    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}
}

fn line(path: &syn::Path) -> usize {
    let first = path.segments.first();
    first.map_or(0, |part| part.ident.span().start().line)
}

fn names(path: &syn::Path) -> Names {
    let names = path.segments.iter().map(|part| part.ident.to_string());
    match path.leading_colon {
        // Another crate's, whatever has that name here.
        Some(_) => std::iter::once("::".to_owned()).chain(names).collect(),
        None => names.collect(),
    }
}

fn collect_words(tokens: &TokenStream, words: &mut BTreeSet<String>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(word) => drop(words.insert(word.to_string())),
            TokenTree::Group(group) => collect_words(&group.stream(), words),
            _ => {}
        }
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Union(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name(item: &syn::Item) -> Option<String> {
    let ident = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        syn::Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
