//! The documentation can be read as a whole: no link is broken, and the index lists every page.

use std::fs;

use akv_tests::{docs::Book, modules};
use anyhow::Result;

#[test]
fn links_lead_somewhere_and_the_index_is_complete() -> Result<()> {
    let book = Book::read(modules::workspace())?;
    assert!(book.pages.len() > 20, "{:?}", book.pages.keys());
    let problems = book.problems();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    Ok(())
}

/// The check itself finds each kind of mistake.
#[test]
fn broken_links_and_missing_pages_are_found() -> Result<()> {
    let root = tempfile::tempdir()?;
    fs::create_dir_all(root.path().join("docs/more"))?;
    for (file, text) in [
        (
            "README.md",
            "# Front\n\n[docs](docs/README.md) [out](../x.md) [web](https://example.org/x)",
        ),
        ("docs/README.md", "# Index\n\n## Use\n\n| a |\n|---|\n| [one](one.md) |\n"),
        (
            "docs/one.md",
            "# One\n\n## The `code` (7)\n\n## Twice\n\n## Twice\n\n[a](#the-code-7) [b](#twice-1)\n\
             [c](#none)\n[d](none.md) [e](more/two.md)\n\n```sh\n[f](none.md)\n```\n",
        ),
        ("docs/more/two.md", "# Two\n\n[up](../one.md#twice)\n"),
        ("docs/lost.md", "# Lost\n"),
    ] {
        fs::write(root.path().join(file), text)?;
    }
    let book = Book::read(root.path())?;
    let expected = [
        "README.md:3: ../x.md: leads out of the repository",
        "docs/one.md:10: #none: there is no such heading",
        "docs/one.md:11: none.md: there is no such file",
        "docs/README.md does not list docs/lost.md",
    ];
    assert_eq!(book.problems(), expected);
    let pages = vec!["docs/one.md".into(), "docs/more/two.md".into()];
    assert_eq!(book.sections(), [("Use".to_owned(), pages)]);
    Ok(())
}
