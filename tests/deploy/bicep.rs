//! Templates in Bicep. Their compiler is in no registry of packages that the tests use; the grammar is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use akv_tests::modules;
use anyhow::{Context as _, Result, ensure};
use tree_sitter::{Node, Parser, Tree};

/// The functions and decorators of Bicep that the templates use.
const FUNCTIONS: [&str; 16] = [
    "allowed",
    "base64",
    "description",
    "empty",
    "guid",
    "join",
    "loadFileAsBase64",
    "loadTextContent",
    "maxLength",
    "minLength",
    "replace",
    "resourceGroup",
    "subscriptionResourceId",
    "take",
    "tenant",
    "uniqueString",
];

pub(crate) fn folder() -> PathBuf {
    modules::workspace().join("deploy/azure")
}

struct Template {
    text: String,
    tree: Tree,
}

impl Template {
    fn read(name: &str) -> Result<Self> {
        let text = fs::read_to_string(folder().join(name))?;
        Self::parse(text).with_context(|| format!("{name} is not Bicep"))
    }

    fn parse(text: String) -> Result<Self> {
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_bicep::LANGUAGE.into())?;
        let tree = parser.parse(&text, None).context("the parser was cancelled")?;
        ensure!(!tree.root_node().has_error(), "{}", tree.root_node().to_sexp());
        Ok(Self { text, tree })
    }

    fn text(&self, node: Node<'_>) -> &str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// All nodes of a kind.
    fn nodes(&self, kind: &str) -> Vec<Node<'_>> {
        let mut waiting = vec![self.tree.root_node()];
        let mut found = Vec::new();
        while let Some(node) = waiting.pop() {
            waiting.extend(children(node).into_iter().rev());
            if node.kind() == kind {
                found.push(node);
            }
        }
        found
    }

    /// What declarations of a kind declare.
    fn declared(&self, kind: &str) -> BTreeSet<String> {
        let names = self.nodes(kind).into_iter().filter_map(|node| node.named_child(0));
        names.map(|name| self.text(name).to_owned()).collect()
    }

    /// Parameters, with whether they have a default.
    fn parameters(&self) -> BTreeMap<String, bool> {
        let declarations = self.nodes("parameter_declaration").into_iter();
        declarations
            .filter_map(|node| {
                let name = self.text(node.named_child(0)?).to_owned();
                Some((name, self.text(node).contains('=')))
            })
            .collect()
    }

    /// Names that expressions use: neither names of properties nor what is being declared.
    fn used(&self) -> BTreeSet<String> {
        let names = self.nodes("identifier").into_iter().filter(|node| {
            let Some(parent) = node.parent() else { return false };
            let is_first = parent.named_child(0) == Some(*node);
            !(is_first
                && (parent.kind() == "object_property" || parent.kind().ends_with("_declaration")))
        });
        names.map(|name| self.text(name).to_owned()).collect()
    }
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}

const TEMPLATES: [&str; 3] = ["main.bicep", "hsm.bicep", "machine.bicep"];

#[test]
fn every_name_is_declared_and_used() -> Result<()> {
    for name in TEMPLATES {
        let template = Template::read(name)?;
        let used = template.used();
        let resources = template.declared("resource_declaration");
        let modules = template.declared("module_declaration");
        let values: BTreeSet<String> = ["parameter_declaration", "variable_declaration"]
            .into_iter()
            .flat_map(|kind| template.declared(kind))
            .collect();
        for value in &values {
            assert!(used.contains(value), "{name} does not use {value}");
        }
        let loops = template.nodes("for_statement").into_iter();
        let loops = loops.filter_map(|node| Some(template.text(node.named_child(0)?).to_owned()));
        let mut known: BTreeSet<String> = FUNCTIONS.map(str::to_owned).into();
        known.extend(resources.into_iter().chain(modules).chain(values).chain(loops));
        for used in used {
            assert!(known.contains(&used), "{name} does not declare {used}");
        }
    }
    Ok(())
}

#[test]
fn modules_get_the_parameters_that_they_need() -> Result<()> {
    let wanted = Template::read("machine.bicep")?.parameters();
    assert!(wanted.len() > 5, "{wanted:?}");
    for name in ["main.bicep", "hsm.bicep"] {
        let template = Template::read(name)?;
        let module = template.nodes("module_declaration");
        let [module] = module[..] else { anyhow::bail!("{name} has {} modules", module.len()) };
        let text = template.text(module);
        assert!(text.starts_with("module machine 'machine.bicep'"), "{text}");
        let given = text.split("params: {\n").nth(1).context("parameters")?;
        let given = given.split("\n  }").next().unwrap_or_default();
        let given: BTreeSet<&str> =
            given.lines().filter_map(|line| line.trim().split(':').next()).collect();
        for (parameter, has_default) in &wanted {
            assert!(*has_default || given.contains(parameter.as_str()), "{name}: {parameter}");
        }
        assert!(given.iter().all(|parameter| wanted.contains_key(*parameter)), "{name}: {given:?}");
    }
    Ok(())
}

/// The parser refuses what is not Bicep, or the test above would mean nothing.
#[test]
fn mistakes_are_found() -> Result<()> {
    for text in ["param x string =\n", "resource y {\n", "var a = [for b in c\n"] {
        assert!(Template::parse(text.to_owned()).is_err(), "{text}");
    }
    let template = Template::parse("param a string\nvar b = '${c}-${d.e}'\n".to_owned())?;
    assert_eq!(template.used(), ["c", "d"].map(str::to_owned).into());
    Ok(())
}

#[test]
fn every_file_and_placeholder_is_there() -> Result<()> {
    let text = fs::read_to_string(folder().join("machine.bicep"))?;
    for file in ["cloud-init.yaml", "setup.sh"] {
        assert!(text.contains(&format!("('{file}')")), "{file} is not loaded");
        assert!(folder().join(file).is_file(), "{file} is missing");
    }
    let yaml = fs::read_to_string(folder().join("cloud-init.yaml"))?;
    assert!(yaml.starts_with("#cloud-config\n"), "cloud-init requires this line");
    let placeholders: Vec<&str> =
        yaml.split("'@").skip(1).filter_map(|rest| rest.split('@').next()).collect();
    assert_eq!(placeholders, ["settings", "setup"]);
    for placeholder in placeholders {
        assert!(text.contains(&format!("'@{placeholder}@'")), "{placeholder} is not replaced");
    }
    // What setup.sh reads is what the template writes.
    for variable in ["SITE", "KEYS", "CLIENT_ID", "PACKAGES"] {
        assert!(text.contains(&format!("{variable}=\"")), "{variable} is not set");
        let setup = fs::read_to_string(folder().join("setup.sh"))?;
        assert!(setup.contains(&format!("${variable}")), "{variable} is not used");
    }
    Ok(())
}
