//! Which file of a crate uses which other one, by the paths in its code. Methods called on a value name no file and are
//! not seen.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Attribute, Item, UseTree, Visibility};

use crate::repo::RepoFile;

/// A re-export of a re-export, and so on: deeper than anybody writes.
const REEXPORTS_MAX: usize = 8;

/// A place in a crate: the names of the modules from its root down.
type Place = Vec<String>;

/// One module of a crate, in a file of its own or in its parent's.
#[derive(Debug, Default)]
struct Module {
    file: String,
    /// What it defines itself.
    items: BTreeSet<String>,
    /// What it imports or re-exports, by the name that it gives it.
    names: BTreeMap<String, Path>,
    /// What it imports whole.
    globs: Vec<Path>,
}

/// A path as it is written, and the module in which it is.
#[derive(Clone, Debug)]
struct Path {
    from: Place,
    parts: Vec<String>,
}

/// The files that each file uses, for every product crate (`crates/*/src`, `bins/*/src`).
///
/// # Panics
///
/// When a file is no Rust.
pub fn uses(files: &[RepoFile]) -> BTreeMap<String, BTreeSet<String>> {
    let mut crates: BTreeMap<&str, Crate> = BTreeMap::new();
    for file in files.iter().filter(|file| file.has_extension("rs")) {
        let Some((folder, inside)) = file.path.split_once("/src/") else {
            continue;
        };
        if !inside.starts_with("bin/") && !file.is_test() {
            crates.entry(folder).or_default().read(file, inside);
        }
    }
    let mut all = BTreeMap::new();
    for of_crate in crates.values() {
        for (file, path) in &of_crate.paths {
            let used = of_crate.file_of(path, 0);
            if let Some(used) = used.filter(|used| *used != file) {
                let known: &mut BTreeSet<String> = all.entry(file.clone()).or_default();
                known.insert(used.to_owned());
            }
        }
    }
    all
}

/// Groups of files that use each other, directly or by way of others in the group.
pub fn circles(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = uses
        .keys()
        .map(|file| (file.as_str(), reached_from(uses, file)))
        .collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, from_here) in &reached {
        let back = |other: &&&str| reached.get(**other).is_some_and(|back| back.contains(file));
        let circle: Vec<String> = from_here
            .iter()
            .filter(back)
            .map(|other| (*other).to_owned())
            .collect();
        if !circle.is_empty() {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn reached_from<'a>(uses: &'a BTreeMap<String, BTreeSet<String>>, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = uses
        .get(file)
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(uses.get(next).into_iter().flatten().map(String::as_str));
        }
    }
    reached
}

#[derive(Debug, Default)]
struct Crate {
    modules: BTreeMap<Place, Module>,
    /// What each file names, but for what it only re-exports.
    paths: Vec<(String, Path)>,
}

impl Crate {
    fn read(&mut self, file: &RepoFile, inside: &str) {
        let parsed = match syn::parse_file(&file.text) {
            Ok(parsed) => parsed,
            Err(error) => panic!("{}: {error}", file.path),
        };
        let place = place_of(inside);
        let module = Module {
            file: file.path.clone(),
            ..Module::default()
        };
        self.modules.insert(place.clone(), module);
        let mut reader = Reader {
            into: self,
            file: &file.path,
            place,
        };
        reader.visit_file(&parsed);
    }

    /// The file that has what `path` names; none for what is of another crate.
    fn file_of(&self, path: &Path, depth: usize) -> Option<&str> {
        let (mut place, parts) = self.start_of(path)?;
        for (number, part) in parts.iter().enumerate() {
            let mut child = place.clone();
            child.push(part.clone());
            if self.modules.contains_key(&child) {
                place = child;
                continue;
            }
            let module = self.modules.get(&place)?;
            if module.items.contains(part) || depth == REEXPORTS_MAX {
                return Some(&module.file);
            }
            if let Some(named) = module.names.get(part) {
                let mut further = named.clone();
                further.parts.extend_from_slice(&parts[number + 1..]);
                return self.file_of(&further, depth + 1);
            }
            let by_glob = module.globs.iter().find_map(|glob| {
                let mut inside = glob.clone();
                inside.parts.extend_from_slice(&parts[number..]);
                self.file_of(&inside, depth + 1)
            });
            return by_glob.or(Some(&module.file));
        }
        Some(&self.modules.get(&place)?.file)
    }

    /// The module where a path begins, and what is left of the path.
    fn start_of<'a>(&self, path: &'a Path) -> Option<(Place, &'a [String])> {
        let (first, rest) = path.parts.split_first()?;
        let mut place = path.from.clone();
        match first.as_str() {
            "crate" => Some((Place::new(), rest)),
            "self" => Some((place, rest)),
            "super" => {
                let ups = path.parts.iter().take_while(|part| *part == "super");
                let ups = ups.count();
                place.truncate(place.len().checked_sub(ups)?);
                Some((place, &path.parts[ups..]))
            }
            name => {
                place.push(name.to_owned());
                let is_child = self.modules.contains_key(&place);
                place.pop();
                let is_named = self.modules.get(&place)?.names.contains_key(name);
                (is_child || is_named).then_some((place, &path.parts[..]))
            }
        }
    }
}

/// `a/b.rs` and `a/b/mod.rs` are the module `a::b`.
fn place_of(inside: &str) -> Place {
    let mut place: Place = inside
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    let last = place.last().map(String::as_str);
    if matches!(last, Some("mod")) || (place.len() == 1 && matches!(last, Some("lib" | "main"))) {
        place.pop();
    }
    place
}

/// Walks over one file.
struct Reader<'a> {
    into: &'a mut Crate,
    file: &'a str,
    place: Place,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        let file = self.file;
        let module = self.into.modules.entry(self.place.clone());
        module.or_insert_with(|| Module {
            file: file.to_owned(),
            ..Module::default()
        })
    }

    fn path(&self, parts: Vec<String>) -> Path {
        Path {
            from: self.place.clone(),
            parts,
        }
    }

    fn note(&mut self, parts: Vec<String>) {
        let path = self.path(parts);
        self.into.paths.push((self.file.to_owned(), path));
    }

    fn note_use(&mut self, tree: &UseTree, before: &[String], is_reexport: bool) {
        let with = |name: &syn::Ident| {
            let mut parts = before.to_vec();
            // `use a::{self}` is `use a`.
            if name != "self" || parts.is_empty() {
                parts.push(name.to_string());
            }
            parts
        };
        let (parts, name) = match tree {
            UseTree::Path(path) => {
                let before = with(&path.ident);
                return self.note_use(&path.tree, &before, is_reexport);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_use(tree, before, is_reexport);
                }
                return;
            }
            UseTree::Name(name) => (with(&name.ident), None),
            UseTree::Rename(rename) => (with(&rename.ident), Some(rename.rename.to_string())),
            UseTree::Glob(_) => {
                let path = self.path(before.to_vec());
                self.module().globs.push(path);
                if !is_reexport {
                    self.note(before.to_vec());
                }
                return;
            }
        };
        let path = self.path(parts.clone());
        if let Some(name) = name.or_else(|| parts.last().cloned()) {
            // `use x;` of another crate names itself.
            if path.parts != [name.clone()] {
                self.module().names.insert(name, path);
            }
        }
        if !is_reexport {
            self.note(parts);
        }
    }

    /// `crate::a::b` and the like among the tokens of a macro.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut parts: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 || parts.is_empty() {
                        self.note_parts(&mut parts);
                    }
                    parts.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.note_parts(&mut parts);
                    self.note_tokens(group.stream());
                    colons = 0;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.note_parts(&mut parts);
                    colons = 0;
                }
            }
        }
        self.note_parts(&mut parts);
    }

    fn note_parts(&mut self, parts: &mut Vec<String>) {
        let parts = std::mem::take(parts);
        if parts.len() > 1 {
            self.note(parts);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes(item)) {
            return;
        }
        if let Some(name) = name_of(item) {
            self.module().items.insert(name);
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_none() {
            return;
        }
        self.place.push(item.ident.to_string());
        self.module();
        syn::visit::visit_item_mod(self, item);
        self.place.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        self.note_use(&item.tree, &[], is_reexport);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts = path.segments.iter().map(|part| part.ident.to_string());
        let parts: Vec<String> = parts.collect();
        if parts.len() > 1 {
            self.note(parts);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, written: &'ast syn::Macro) {
        self.note_tokens(written.tokens.clone());
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// Whether an item is built for tests only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg");
        is_cfg
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|what| what == "test")
    })
}

/// The attributes of an item.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser adds kinds of items"
)]
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser adds kinds of items"
)]
fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
