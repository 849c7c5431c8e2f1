//! No cycles: the top-level modules of a crate depend on each other in one direction.

use std::collections::{BTreeMap, BTreeSet};

use akv_tests::modules;
use anyhow::{Context as _, Result};
use syn::{
    Attribute, ItemMod, ItemUse, UseTree,
    visit::{self, Visit},
};

use crate::sources::sources;

/// The rooms that each room uses, with one location for each dependency.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// The paths in a file that begin with `crate`, without tests.
#[derive(Default)]
struct Paths(Vec<Vec<String>>);

impl Paths {
    fn of(file: &syn::File) -> Vec<Vec<String>> {
        let mut paths = Self::default();
        paths.visit_file(file);
        let own = |path: Vec<String>| match path.split_first() {
            Some((first, rest)) if first == "crate" && !rest.is_empty() => Some(rest.to_vec()),
            _ => None,
        };
        paths.0.into_iter().filter_map(own).collect()
    }
}

impl<'a> Visit<'a> for Paths {
    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        if !item.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        if !item.attrs.iter().any(is_for_tests) {
            self.0.extend(flattened(&item.tree));
        }
    }

    /// The arguments of a macro, such as the body of an `entry!`, are unparsed tokens.
    fn visit_macro(&mut self, item: &'a syn::Macro) {
        let tokens = item.tokens.to_string();
        let mut words = tokens.split_whitespace().peekable();
        let mut before = "";
        while let Some(word) = words.next() {
            if word == "crate" && before != "$" {
                let mut path = vec![word.to_owned()];
                while words.next_if_eq(&"::").is_some() {
                    path.extend(words.next().map(str::to_owned));
                }
                self.0.push(path);
            }
            before = word;
        }
        visit::visit_macro(self, item);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
}

/// The single paths of a `use`.
fn flattened(tree: &UseTree) -> Vec<Vec<String>> {
    match tree {
        UseTree::Path(path) => {
            let begin = |rest: Vec<String>| [vec![path.ident.to_string()], rest].concat();
            flattened(&path.tree).into_iter().map(begin).collect()
        }
        UseTree::Name(name) => vec![vec![name.ident.to_string()]],
        UseTree::Rename(rename) => vec![vec![rename.ident.to_string()]],
        UseTree::Glob(_) => vec![vec!["*".to_owned()]],
        UseTree::Group(group) => group.items.iter().flat_map(flattened).collect(),
    }
}

/// The names that a crate's root re-exports, with their rooms.
fn exports(root: &syn::File) -> BTreeMap<String, String> {
    let uses = root.items.iter().filter_map(|item| match item {
        syn::Item::Use(item) => Some(flattened(&item.tree)),
        _ => None,
    });
    let named = |path: Vec<String>| {
        let path: Vec<_> = path.into_iter().filter(|part| part != "self").collect();
        Some((path.last()?.clone(), path.first()?.clone()))
    };
    uses.flatten().filter_map(named).collect()
}

fn arrows(folder: &str) -> Result<Arrows> {
    let folder = folder.trim_end_matches('/');
    let base = modules::workspace().join(folder);
    let root = syn::parse_file(&std::fs::read_to_string(base.join("lib.rs"))?)?;
    let exports = exports(&root);
    let mut arrows = Arrows::new();
    for (path, text) in sources(&[folder])? {
        let inside = path.strip_prefix(&base)?;
        let first = inside.iter().next().context("a file has a name")?.to_string_lossy();
        let room = first.trim_end_matches(".rs");
        let is_test = inside.iter().any(|part| part.to_string_lossy().starts_with("tests"));
        if room == "lib" || is_test {
            continue;
        }
        let file = syn::parse_file(&text).with_context(|| format!("{}", path.display()))?;
        for used in Paths::of(&file) {
            let to = exports.get(&used[0]).unwrap_or(&used[0]);
            if to != room {
                let place = format!("{} uses {}", inside.display(), used.join("::"));
                arrows.entry(room.to_owned()).or_default().entry(to.clone()).or_insert(place);
            }
        }
    }
    Ok(arrows)
}

/// The dependencies of a cycle through `room`, if there is one.
fn circle(arrows: &Arrows, room: &str) -> Option<Vec<String>> {
    fn follow(
        arrows: &Arrows,
        (from, to): (&str, &str),
        seen: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        for (next, place) in arrows.get(from)? {
            if next == to {
                return Some(vec![place.clone()]);
            }
            if seen.insert(next.clone())
                && let Some(mut rest) = follow(arrows, (next, to), seen)
            {
                rest.insert(0, place.clone());
                return Some(rest);
            }
        }
        None
    }
    follow(arrows, (room, room), &mut BTreeSet::new())
}

#[test]
fn folders_depend_on_each_other_in_one_direction() -> Result<()> {
    for folder in ["crates/akv-core/src", "crates/akv-emulator/src", "provider-shim/src"] {
        let arrows = arrows(folder)?;
        assert!(arrows.len() > 5, "{folder}: {arrows:?}");
        for room in arrows.keys() {
            assert_eq!(circle(&arrows, room), None, "{folder}");
        }
    }
    Ok(())
}

#[test]
fn cycles_are_found() {
    let arrow = |from: &str, to: &str| {
        let place = format!("{from} uses {to}");
        (from.to_owned(), BTreeMap::from([(to.to_owned(), place)]))
    };
    let arrows = Arrows::from([arrow("a", "b"), arrow("b", "c"), arrow("c", "b")]);
    assert_eq!(circle(&arrows, "a"), None);
    let found = Some(vec!["b uses c".to_owned(), "c uses b".to_owned()]);
    assert_eq!(circle(&arrows, "b"), found);
}
