//! Selects the cases and targets.

use akv_core::VaultKind;
use anyhow::{Result, bail};

use crate::{arguments::Arguments, case::Case, cases, target::Target};

/// The selected real vaults.
///
/// # Errors
/// No vault is selected.
pub(crate) fn real(arguments: &Arguments) -> Result<Vec<Target>> {
    let named = [(VaultKind::Vault, &arguments.vault), (VaultKind::ManagedHsm, &arguments.hsm)];
    let targets: Vec<Target> = named
        .into_iter()
        .filter_map(|(kind, name)| Some(Target::real(kind, name.as_deref()?)))
        .collect();
    if targets.is_empty() {
        bail!(
            "say where to run: `cargo xtask e2e --vault NAME`, `--hsm NAME` or both, or \
             `--emulator`"
        );
    }
    Ok(targets)
}

/// The selected cases for such a vault, and those that create their keys.
pub(crate) fn cases(kind: VaultKind, label: &str, only: &[String]) -> Vec<Case> {
    let mut cases = cases::all(kind);
    let asked = |case: &Case| {
        let line = line(label, case);
        only.is_empty() || only.iter().any(|text| line.contains(text.as_str()))
    };
    if cases.iter().any(asked) {
        cases.retain(|case| case.makes_keys || asked(case));
    } else {
        cases.clear();
    }
    cases
}

/// A case in one line, as `--list` prints it and `--only` searches it.
pub(crate) fn line(label: &str, case: &Case) -> String {
    format!("{label} {} {}", case.front, case.name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn case_names_are_unique() {
        for (kind, least) in [(VaultKind::Vault, 70), (VaultKind::ManagedHsm, 75)] {
            let cases = cases(kind, "x", &[]);
            let lines: HashSet<String> = cases.iter().map(|case| line("x", case)).collect();
            assert_eq!(lines.len(), cases.len());
            assert!(cases.len() >= least, "{}", cases.len());
        }
    }

    #[test]
    fn a_selection_includes_the_cases_that_create_its_keys() {
        let some = cases(VaultKind::Vault, "vault", &["vault nginx".to_owned()]);
        let chosen = some.iter().filter(|case| !case.makes_keys).count();
        assert_eq!((chosen, some.len()), (2, 7));
        assert!(cases(VaultKind::Vault, "vault", &["no such case".to_owned()]).is_empty());
    }
}
