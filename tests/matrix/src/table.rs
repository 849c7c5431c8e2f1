//! The tables of `docs/hosts.md`.

use anyhow::{Context as _, Result};

use crate::{
    release::Release,
    report::{self, Row},
};

/// The versions of packages.
pub type Versions = [(String, String)];

/// One line per row.
pub fn markdown(rows: &[(Row, String)]) -> String {
    let mut text = "| host | version | key | result |\n|---|---|---|---|\n".to_owned();
    for (row, version) in rows {
        let result = match &row.result {
            report::Result::Passed(checks) => format!("passed: {checks}"),
            report::Result::Impossible(reason) => format!("does not work: {reason}"),
            report::Result::Failed(_) => "NOT PASSED".to_owned(),
        };
        let host = &row.host;
        let way = row.way.to_lowercase().replace("pkcs#8", "PKCS#8");
        text.push_str(&format!("| [{host}](recipes/{host}.md) | {version} | {way} | {result} |\n"));
    }
    text
}

/// Replaces the rows of the hosts in `new`, a table, in the part of a release in a page. Other hosts
/// keep theirs; the order is by name.
///
/// # Errors
/// The page has no such part.
pub fn replace(page: &str, release: Release, new: &str, facts: &str) -> Result<String> {
    let name = release.name();
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->\n"));
    let (before, rest) = page.split_once(&begin).with_context(|| format!("no {begin:?}"))?;
    let (old, after) = rest.split_once(&end).with_context(|| format!("no {end:?}"))?;
    let mut new_lines = new.lines();
    let head: Vec<&str> = new_lines.by_ref().take(2).collect();
    let new_rows: Vec<&str> = new_lines.collect();
    let host = |row: &str| row.split('|').nth(1).map(|cell| cell.trim().to_owned());
    let replaced: Vec<_> = new_rows.iter().map(|row| host(row)).collect();
    let old_rows = old.lines().filter(|line| line.starts_with("| ["));
    let kept = old_rows.filter(|row| !replaced.contains(&host(row)));
    let mut rows: Vec<&str> = kept.chain(new_rows.iter().copied()).collect();
    rows.sort_by_key(|row| host(row));
    let table = [&head[..], &rows[..]].concat().join("\n");
    Ok(format!("{before}{begin}{facts}\n\n{table}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(host: &str, result: report::Result) -> (Row, String) {
        let row = Row { host: host.into(), way: "Key file in PKCS#8".into(), result };
        (row, "1.2".into())
    }

    #[test]
    fn rows_of_hosts_are_replaced_and_others_kept() -> Result<()> {
        let passed = || report::Result::Passed("TLS".into());
        let page = "a\n<!-- begin Debian 13 -->\n<!-- end Debian 13 -->\nb\n";
        let first = markdown(&[row("nginx", passed()), row("apache", passed())]);
        let page = replace(page, Release::Debian13, &first, "OpenSSL 3.5.")?;
        let failed = markdown(&[row("nginx", report::Result::Failed("long".into()))]);
        let page = replace(&page, Release::Debian13, &failed, "OpenSSL 3.6.")?;
        let expected = "a\n<!-- begin Debian 13 -->\nOpenSSL 3.6.\n\n\
             | host | version | key | result |\n|---|---|---|---|\n\
             | [apache](recipes/apache.md) | 1.2 | key file in PKCS#8 | passed: TLS |\n\
             | [nginx](recipes/nginx.md) | 1.2 | key file in PKCS#8 | NOT PASSED |\n\
             <!-- end Debian 13 -->\nb\n";
        assert_eq!(page, expected);
        assert!(replace(&page, Release::Sid, &failed, "").is_err());
        Ok(())
    }
}
