//! Which file uses which: every path that [`super::sources`] has read is followed through imports
//! and re-exports to the file that defines what it names.
//!
//! A function called on a type is looked for where that type's `impl` blocks lie: a type that is
//! spread over files ties them together though no `use` says so. Where `.name()` is called on something
//! whose type is not written down, it counts if only one type of the crate has a function of that
//! name, in the same part of the crate: elsewhere it is more likely another crate's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::sources::{Mention, Module, Sources};

/// One place where a file uses another.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    pub line: usize,
    /// What it uses, as defined: without the modules it is reached by.
    pub name: String,
    /// Only its tests do.
    pub test: bool,
}

/// From file to file, relative to `src`, with the uses in the order of the source.
pub type Uses = BTreeMap<PathBuf, BTreeMap<PathBuf, Vec<Use>>>;

/// Every file with the files it uses; a file that uses none is there too. What is there in tests
/// alone is left out unless `tests` wants it.
pub fn uses(sources: &Sources, tests: bool) -> Uses {
    let finder = Finder::new(sources);
    let mut uses = Uses::new();
    for (id, module) in sources.modules.iter().enumerate() {
        if module.test && !tests {
            continue;
        }
        let entry = uses.entry(module.file.clone()).or_default();
        for (file, used) in finder.used_by(id, module) {
            if file != module.file && (tests || !used.test) {
                entry.entry(file).or_default().push(used);
            }
        }
    }
    for used in uses.values_mut().flat_map(BTreeMap::values_mut) {
        used.sort_by_key(|used| used.line);
    }
    uses
}

/// The files with an `impl` block, of a trait too, of a type that is defined in the crate.
pub fn implementing(sources: &Sources, file: &Path, name: &str) -> BTreeSet<PathBuf> {
    let finder = Finder::new(sources);
    let is_it = |target| match target {
        Target::Item(owner, item) => item == name && finder.file(owner) == file,
        Target::Module(_) => false,
    };
    let modules = sources.modules.iter().enumerate();
    modules
        .filter(|(id, module)| {
            let mut types = module.implements.iter();
            types.any(|of| {
                finder
                    .path(*id, of, &mut Seen::new())
                    .into_iter()
                    .any(is_it)
            })
        })
        .map(|(_, module)| module.file.clone())
        .collect()
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Module(usize),
    /// The module that defines it, and its name there.
    Item(usize, String),
}

type Found = BTreeSet<Target>;

/// The names that are being looked up, and where: imports may go in circles.
type Seen = BTreeSet<(usize, String)>;

fn at(file: PathBuf, name: String, line: usize, test: bool) -> (PathBuf, Use) {
    (file, Use { line, name, test })
}

struct Finder<'a> {
    sources: &'a Sources,
    /// By the type's module and name, and the function's name: the files of the `impl` blocks.
    methods: BTreeMap<(Target, &'a str), BTreeSet<&'a Path>>,
    /// By the function's name alone: the types that have it.
    owners: BTreeMap<&'a str, BTreeSet<Target>>,
}

impl<'a> Finder<'a> {
    fn new(sources: &'a Sources) -> Self {
        let mut finder = Finder {
            sources,
            methods: BTreeMap::new(),
            owners: BTreeMap::new(),
        };
        for (id, module) in sources.modules.iter().enumerate() {
            for method in &module.methods {
                for owner in finder.path(id, &method.of, &mut Seen::new()) {
                    finder
                        .methods
                        .entry((owner.clone(), &method.name))
                        .or_default()
                        .insert(&module.file);
                    finder.owners.entry(&method.name).or_default().insert(owner);
                }
            }
        }
        finder
    }

    fn used_by(&self, id: usize, module: &Module) -> Vec<(PathBuf, Use)> {
        let mut used = Vec::new();
        for mention in &module.mentions {
            self.mentioned(id, module, mention, &mut used);
        }
        for call in &module.calls {
            let owners = match &call.on {
                Some(of) => self.path(id, of, &mut Seen::new()),
                None => match self.owners.get(call.name.as_str()) {
                    Some(owners) if owners.len() == 1 => owners.clone(),
                    _ => continue,
                },
            };
            for owner in owners {
                for (file, name) in self.method(&owner, &call.name) {
                    if call.on.is_none() && file.iter().next() != module.file.iter().next() {
                        continue;
                    }
                    used.push(at(file, name, call.line, call.test));
                }
            }
        }
        for glob in &module.globs {
            for (file, name) in self.glob(id, module, glob) {
                used.push(at(file, name, glob.line, glob.test));
            }
        }
        used
    }

    fn mentioned(
        &self,
        id: usize,
        module: &Module,
        mention: &Mention,
        used: &mut Vec<(PathBuf, Use)>,
    ) {
        // A word alone leads elsewhere by an import or a glob, which counts itself.
        if mention.import.is_none() && mention.path.len() == 1 {
            return;
        }
        let path = match (&mention.of, mention.path.first().map(String::as_str)) {
            (Some(of), Some("Self")) => of.iter().chain(&mention.path[1..]).cloned().collect(),
            _ => mention.path.clone(),
        };
        let found = self.path(id, &path, &mut Seen::new());
        // `use a::b` where b is a module and a function: the function only if it is called.
        let is_module = found.iter().any(|one| matches!(one, Target::Module(_)));
        let called = |name| module.words.contains(name);
        if is_module && !mention.import.as_ref().is_none_or(called) {
            return;
        }
        for target in found {
            let Target::Item(owner, name) = &target else {
                continue;
            };
            let (line, test) = (mention.line, mention.test);
            used.push(at(self.file(*owner), name.clone(), line, test));
            for (file, name) in path
                .last()
                .into_iter()
                .flat_map(|last| self.method(&target, last))
            {
                used.push(at(file, name, line, test));
            }
        }
    }

    fn file(&self, module: usize) -> PathBuf {
        self.sources.modules[module].file.clone()
    }

    /// The files where a type has a function, unless one of them is the type's own.
    fn method(&self, owner: &Target, name: &str) -> Vec<(PathBuf, String)> {
        let Target::Item(home, of) = owner else {
            return Vec::new();
        };
        let home = &self.sources.modules[*home].file;
        match self.methods.get(&(owner.clone(), name)) {
            Some(files) if !files.contains(home.as_path()) => files
                .iter()
                .map(|file| (file.to_path_buf(), format!("{of}::{name}")))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// What of a glob import the module says.
    fn glob(&self, id: usize, module: &Module, glob: &Mention) -> Vec<(PathBuf, String)> {
        let mut used = Vec::new();
        for target in self.path(id, &glob.path, &mut Seen::new()) {
            let from = match target {
                // The variants of an enum.
                Target::Item(owner, name) => {
                    used.push((self.file(owner), name));
                    continue;
                }
                Target::Module(from) => from,
            };
            for word in module.words.iter().filter(|word| self.alone(id, word)) {
                for found in self.name(from, word, &mut Seen::new()) {
                    if let Target::Item(owner, name) = found {
                        used.push((self.file(owner), name));
                    }
                }
            }
        }
        used
    }

    /// Whether a word can only come by a glob: nothing nearer has that name.
    fn alone(&self, id: usize, word: &str) -> bool {
        let module = &self.sources.modules[id];
        !module.items.contains(word)
            && !module.children.contains_key(word)
            && !module
                .mentions
                .iter()
                .any(|mention| mention.import.as_deref() == Some(word))
    }

    /// Follows a path from a module; as far as an item, what comes after it are its parts.
    fn path(&self, from: usize, path: &[String], seen: &mut Seen) -> Found {
        let Some((first, mut rest)) = path.split_first() else {
            return Found::new();
        };
        let mut found = match first.as_str() {
            "crate" => self.root(from),
            "clonespy" if self.root_of(from) != self.sources.library => {
                [Target::Module(self.sources.library)].into()
            }
            "self" => [Target::Module(from)].into(),
            "super" => {
                let mut at = self.parent(from);
                while let Some(("super", after)) = rest
                    .split_first()
                    .map(|(word, after)| (word.as_str(), after))
                {
                    (at, rest) = (self.parent(at), after);
                }
                [Target::Module(at)].into()
            }
            name => self.name(from, name, seen),
        };
        for name in rest {
            found = found
                .into_iter()
                .flat_map(|target| match target {
                    Target::Module(id) => self.name(id, name, seen),
                    item => [item].into(),
                })
                .collect();
        }
        found
    }

    /// What a name means in a module.
    fn name(&self, id: usize, name: &str, seen: &mut Seen) -> Found {
        if !seen.insert((id, name.to_owned())) {
            return Found::new();
        }
        let module = &self.sources.modules[id];
        let mut found = Found::new();
        if module.items.contains(name) {
            found.insert(Target::Item(id, name.to_owned()));
        }
        for child in module.children.get(name).into_iter().flatten() {
            found.insert(Target::Module(*child));
        }
        for mention in &module.mentions {
            if mention.import.as_deref() == Some(name) {
                found.extend(self.path(id, &mention.path, seen));
            }
        }
        if found.is_empty() {
            for glob in &module.globs {
                for target in self.path(id, &glob.path, &mut seen.clone()) {
                    if let Target::Module(from) = target {
                        found.extend(self.name(from, name, seen));
                    }
                }
            }
        }
        if found.is_empty() && module.perhaps.contains(name) {
            found.insert(Target::Item(id, name.to_owned()));
        }
        seen.remove(&(id, name.to_owned()));
        found
    }

    fn parent(&self, id: usize) -> usize {
        self.sources.modules[id].parent.unwrap_or(id)
    }

    fn root_of(&self, mut id: usize) -> usize {
        while let Some(parent) = self.sources.modules[id].parent {
            id = parent;
        }
        id
    }

    fn root(&self, id: usize) -> Found {
        [Target::Module(self.root_of(id))].into()
    }
}

/// The strongly connected components of more than one file: in each, every file uses every other,
/// directly or through others.
pub fn rings(uses: &Uses) -> Vec<Vec<PathBuf>> {
    let reach: BTreeMap<&Path, BTreeSet<&Path>> = uses
        .keys()
        .map(|file| (file.as_path(), reached(uses, file)))
        .collect();
    let mut rings = Vec::new();
    let mut done = BTreeSet::new();
    for (file, reached) in &reach {
        if !reached.contains(file) || done.contains(file) {
            continue;
        }
        let ring: Vec<&Path> = reached
            .iter()
            .filter(|other| reach.get(**other).is_some_and(|back| back.contains(file)))
            .copied()
            .collect();
        done.extend(ring.iter().copied());
        rings.push(ring.into_iter().map(Path::to_owned).collect());
    }
    rings
}

/// The files that a file uses, directly or through others; itself, if it lies in a ring.
fn reached<'a>(uses: &'a Uses, file: &Path) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut todo = vec![file];
    while let Some(file) = todo.pop() {
        for used in uses.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(used.as_path()) {
                todo.push(used);
            }
        }
    }
    reached
}

/// The uses among some files, a line for each pair.
pub fn describe(uses: &Uses, among: &[PathBuf]) -> String {
    let mut out = String::new();
    for from in among {
        for (to, places) in &uses[from] {
            if among.contains(to)
                && let Some(Use { line, name, .. }) = places.first()
            {
                out.push_str(&format!(
                    "  src/{}:{line} uses {name} of src/{}\n",
                    from.display(),
                    to.display()
                ));
            }
        }
    }
    out
}
