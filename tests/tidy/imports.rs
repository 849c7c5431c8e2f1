//! One order of imports: the standard library, other crates, this crate. rustfmt checks it only with
//! an unstable option (`group_imports`).

use akv_tests::modules;
use anyhow::{Context as _, Result};
use syn::{
    Item, ItemUse, UseTree, Visibility,
    visit::{self, Visit},
};

use crate::sources::sources;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Std,
    External,
    Crate,
}

impl Group {
    /// The group of a private import; re-exports are in no group.
    fn of(item: &ItemUse) -> Option<Self> {
        let (Visibility::Inherited, UseTree::Path(path)) = (&item.vis, &item.tree) else {
            return None;
        };
        Some(match path.ident.to_string().as_str() {
            "std" | "core" | "alloc" => Self::Std,
            "crate" | "self" | "super" => Self::Crate,
            _ => Self::External,
        })
    }
}

/// Whether imports that follow each other are in order, in a file and its inline modules.
struct InOrder(bool);

impl InOrder {
    fn check(&mut self, items: &[Item]) {
        let groups = items.iter().map(|item| match item {
            Item::Use(item) => Group::of(item),
            _ => None,
        });
        let groups: Vec<_> = groups.collect();
        let mut pairs = groups.windows(2);
        self.0 &= pairs.all(|pair| !matches!(pair, [Some(first), Some(next)] if first > next));
    }
}

impl<'a> Visit<'a> for InOrder {
    fn visit_file(&mut self, file: &'a syn::File) {
        self.check(&file.items);
        visit::visit_file(self, file);
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if let Some((_, items)) = &item.content {
            self.check(items);
        }
        visit::visit_item_mod(self, item);
    }
}

fn is_in_order(text: &str) -> syn::Result<bool> {
    let mut order = InOrder(true);
    order.visit_file(&syn::parse_file(text)?);
    Ok(order.0)
}

#[test]
fn imports_are_in_one_order() -> Result<()> {
    let folders = ["crates", "engine-shim", "ffi", "provider-shim", "tests", "xtask"];
    let mut wrong = Vec::new();
    for (path, text) in sources(&folders)? {
        let place = path.strip_prefix(modules::workspace())?.display().to_string();
        if !is_in_order(&text).with_context(|| place.clone())? {
            wrong.push(place);
        }
    }
    assert!(wrong.is_empty(), "imports of std, of crates and of crate:: in this order: {wrong:#?}");
    Ok(())
}

#[test]
fn imports_of_std_come_first() -> Result<()> {
    assert!(is_in_order("use std::fmt; use anyhow::Result; use super::a; pub use std::io;")?);
    for text in ["use crate::a; use std::fmt;", "mod b { use anyhow::Result; use std::fmt; }"] {
        assert!(!is_in_order(text)?, "{text}");
    }
    Ok(())
}
