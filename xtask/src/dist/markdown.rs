//! Markdown to man(7): headings, paragraphs, lists, code and tables, as the documentation uses them.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use roff::{Inline, Roff, bold, italic, roman};

/// A man page. The first heading is its title. If text follows it and no section, the page gets the
/// sections `NAME`, from the title, and `DESCRIPTION`.
pub(super) fn to_man(name: &str, section: u8, text: &str) -> String {
    let mut page = Page { out: Roff::new(), ..Page::default() };
    page.out.control("TH", [&name.to_uppercase(), &section.to_string(), "", "akv", ""]);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        page.add(event, name);
    }
    page.flush();
    // With apostrophes that stay apostrophes.
    page.out.render()
}

#[derive(Default)]
struct Page {
    out: Roff,
    /// The text of the current block.
    inlines: Vec<Inline>,
    heading: Option<HeadingLevel>,
    /// The title, as long as nothing has followed it.
    title: Option<String>,
    is_bold: bool,
    is_italic: bool,
    /// The code of the current block.
    code: Option<String>,
    /// For each list that is open, the number of its next item; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// The cells of the current row.
    row: Option<Vec<Vec<Inline>>>,
    header: Vec<String>,
}

impl Page {
    fn add(&mut self, event: Event<'_>, name: &str) {
        match event {
            Event::Start(tag) => self.start(tag, name),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.text(&text),
            },
            Event::Code(text) => self.inlines.push(bold(text.into_string())),
            Event::SoftBreak | Event::HardBreak => self.text(" "),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let text = text.to_owned();
        self.inlines.push(match (self.is_bold, self.is_italic) {
            (true, _) => bold(text),
            (false, true) => italic(text),
            (false, false) => roman(text),
        });
    }

    fn start(&mut self, tag: Tag<'_>, name: &str) {
        let is_heading = matches!(tag, Tag::Heading { .. });
        if let Some(title) = self.title.take_if(|_| !is_heading) {
            self.out.control("SH", ["NAME"]);
            self.out.text([roman(format!("{name} - {title}"))]);
            self.out.control("SH", ["DESCRIPTION"]);
        }
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(level);
            }
            Tag::Strong => self.is_bold = true,
            Tag::Emphasis => self.is_italic = true,
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}.", *number - 1)
                    }
                    _ => "\u{2022}".to_owned(),
                };
                self.out.control("IP", [mark.as_str(), "4"]);
            }
            Tag::TableHead | Tag::TableRow => self.row = Some(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => self.end_heading(),
            TagEnd::Strong => self.is_bold = false,
            TagEnd::Emphasis => self.is_italic = false,
            TagEnd::Paragraph => self.flush(),
            TagEnd::Item => self.flush(),
            TagEnd::List(_) => drop(self.lists.pop()),
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                self.out.control("PP", []).control("RS", ["4"]).control("nf", []);
                for line in code.lines() {
                    self.out.text([roman(line)]);
                }
                self.out.control("fi", []).control("RE", []);
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.inlines);
                self.row.get_or_insert_default().push(cell);
            }
            TagEnd::TableHead => {
                let cells = self.row.take().unwrap_or_default();
                self.header = cells.iter().map(|cell| plain(cell)).collect();
            }
            TagEnd::TableRow => self.end_row(),
            _ => {}
        }
    }

    fn end_heading(&mut self) {
        let text = plain(&std::mem::take(&mut self.inlines));
        match self.heading.take() {
            Some(HeadingLevel::H1) => self.title = Some(text),
            Some(HeadingLevel::H2) => {
                self.title = None;
                self.out.control("SH", [text.to_uppercase().as_str()]);
            }
            _ => drop(self.out.control("SS", [text.as_str()])),
        }
    }

    /// A row is a paragraph with its first cell as the tag. The other cells have the column's name if
    /// there are several.
    fn end_row(&mut self) {
        let mut cells = self.row.take().unwrap_or_default().into_iter();
        let first = cells.next().unwrap_or_default();
        self.out.control("TP", []).text(first);
        let mut text = Vec::new();
        let named = self.header.len() > 2;
        for (cell, name) in cells.zip(self.header.iter().skip(1)) {
            if !text.is_empty() {
                text.push(roman("; "));
            }
            if named && !name.is_empty() {
                text.push(italic(name.clone()));
                text.push(roman(": "));
            }
            text.extend(cell);
        }
        self.out.text(text);
    }

    /// Ends a paragraph.
    fn flush(&mut self) {
        if self.inlines.is_empty() {
            return;
        }
        if self.lists.is_empty() {
            self.out.control("PP", []);
        }
        self.out.text(std::mem::take(&mut self.inlines));
    }
}

fn plain(inlines: &[Inline]) -> String {
    inlines
        .iter()
        .map(|inline| match inline {
            Inline::Roman(text) | Inline::Italic(text) | Inline::Bold(text) => text.as_str(),
            Inline::LineBreak => " ",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# akv_provider(7)\n\n## NAME\n\nakv - keys\n\n## USE\n\nText with `code` and \
        [a link](x.md).\n\n```sh\n.dot\nrun 'it'\n```\n\n- one\n- two\n\n| a | b |\n|---|---|\n\
        | `x` | y |\n";

    #[test]
    fn every_kind_of_block_is_converted() {
        let page = to_man("akv_provider", 7, TEXT);
        for part in [
            ".TH AKV_PROVIDER 7",
            ".SH NAME\n.PP\nakv \\- keys",
            ".SH USE",
            "Text with \\fBcode\\fR and a link.",
            ".nf\n\\&.dot\nrun \\*(Aqit\\*(Aq\n.fi",
            "one",
            ".TP\n\\fBx\\fR\ny",
        ] {
            assert!(page.contains(part), "{part:?} is missing in\n{page}");
        }
    }

    #[test]
    fn a_page_without_a_name_gets_one() {
        let page = to_man("libakv", 3, "# The C library\n\nText.\n\n## Use\n\nMore.\n");
        let head = ".SH NAME\nlibakv \\- The C library\n.SH DESCRIPTION\n.PP\nText.\n.SH USE";
        assert!(page.contains(head), "{page}");
    }
}
