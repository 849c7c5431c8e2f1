//! A small report, and what its renderings contain.

use roxmltree::{Document, Node, ParsingOptions};

use super::*;
use crate::{
    contender::{ASYNC, BLOCKING, LOCAL},
    model::{Goal, Machine, Row, Run, Section, Table},
};

fn report() -> Report {
    let row = |label: &str, shift: f64| {
        let rounds = |from: f64| vec![from + shift, from + shift + 1.0, from + shift + 5.0];
        let cells = [(LOCAL, rounds(1500.0)), (BLOCKING, rounds(33.0)), (ASYNC, rounds(1200.0))];
        Row::new(label, cells, &[(ASYNC, BLOCKING), (ASYNC, LOCAL)])
    };
    let table = |latency: u64, shift: f64| Table {
        id: format!("{latency}-ms"),
        caption: format!("the vault takes {latency} ms"),
        unit: Unit::HandshakesPerSecond,
        rows: vec![row("1 client", shift), row("64 clients", shift + 200.0)],
    };
    let section = |id: &str, tables| Section {
        id: id.to_owned(),
        title: format!("Server <{id}> & \"friends\""),
        text: vec!["It ends when 1 < 2 & 3 > 2.".to_owned()],
        tables,
        missing: None,
    };
    let mut report = Report {
        format: FORMAT,
        machine: Machine { processor: "Example <CPU>".to_owned(), cores: 2, ..Machine::default() },
        run: Run {
            commit: "0123abcd".to_owned(),
            started: "2026-11-30 12:00 UTC".to_owned(),
            minutes: 24.0,
            rounds: 3,
            seconds: 2.0,
            caveats: vec!["quick & dirty".to_owned()],
        },
        goals: Vec::new(),
        sections: vec![
            section("epoll", vec![table(5, 3000.0), table(30, 0.0)]),
            section("haproxy-debian13", vec![table(5, 40.0), table(30, 7.0)]),
            Section {
                missing: Some("it is <not> installed".to_owned()),
                ..section("nginx", vec![])
            },
        ],
    };
    report.goals = Goal::of(&report);
    report
}

/// All values and ratios, as readers see them.
fn figures(report: &Report) -> Vec<String> {
    let tables = report.sections.iter().flat_map(|section| &section.tables);
    tables
        .flat_map(|table| {
            table.rows.iter().flat_map(|row| {
                let values = row.cells.iter().map(|cell| value(table.unit, &cell.summary));
                values.chain(row.ratios.iter().map(|ratio| ratio_with_range(&ratio.summary)))
            })
        })
        .collect()
}

fn parse(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).expect("well-formed XML")
}

fn texts<'a>(document: &'a Document<'_>, tag: &'a str) -> Vec<String> {
    let nodes = document.descendants().filter(move |node| node.has_tag_name(tag));
    nodes.map(|node| node.descendants().filter_map(|node| node.text_of()).collect()).collect()
}

trait TextOf<'a> {
    fn text_of(&self) -> Option<&'a str>;
}

impl<'a> TextOf<'a> for Node<'a, '_> {
    fn text_of(&self) -> Option<&'a str> {
        self.is_text().then(|| self.text()).flatten()
    }
}

#[test]
fn the_page_has_every_figure_in_its_tables() {
    let report = report();
    let page = html(&report);
    let document = parse(&page);
    let cells = texts(&document, "td");
    let figures = figures(&report);
    assert_eq!(figures.len(), 2 * 2 * 2 * 5);
    let (mut left, goals) = (cells, report.goals.len() * 4);
    assert_eq!(left.len(), figures.len() + goals);
    for figure in figures {
        let at = left.iter().position(|cell| *cell == figure);
        left.remove(at.unwrap_or_else(|| panic!("no cell with {figure}")));
    }
}

#[test]
fn the_charts_have_a_bar_with_a_value_for_every_measurement() {
    let report = report();
    let page = html(&report);
    let document = parse(&page);
    let bars = document.descendants().filter(|node| node.attribute("class") == Some("bar"));
    let widths: Vec<f64> = bars
        .map(|bar| bar.attribute("width").and_then(|width| width.parse().ok()).expect("a width"))
        .collect();
    // Two rows of three bars in each table, and the overview's.
    assert_eq!(widths.len(), 4 * 6 + 2 * 3);
    assert!(widths.iter().all(|width| (0.0..=380.0).contains(width)), "{widths:?}");
    let labels = texts(&document, "text");
    for table in report.sections.iter().flat_map(|section| &section.tables) {
        for cell in table.rows.iter().flat_map(|row| &row.cells) {
            let value = table.unit.format(cell.summary.median);
            let starts = |label: &String| label.split(" · ").next() == Some(&value);
            assert!(labels.iter().any(starts), "no bar is labelled {value}");
        }
    }
}

#[test]
fn bars_are_as_long_as_their_values() {
    let report = report();
    let page = html(&report);
    let document = parse(&page);
    let first = document.descendants().find(|node| node.has_tag_name("svg")).expect("a chart");
    let bars = first.descendants().filter(|node| node.attribute("class") == Some("bar"));
    let widths: Vec<f64> =
        bars.take(3).filter_map(|bar| bar.attribute("width")?.parse().ok()).collect();
    // The overview: 64 clients, 30 ms.
    let [local, blocking, asynchronous] = widths[..] else { panic!("{widths:?}") };
    assert!((asynchronous / local - 1401.0 / 1701.0).abs() < 0.01, "{widths:?}");
    assert!((blocking / local - 234.0 / 1701.0).abs() < 0.01, "{widths:?}");
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_escapes_text() {
    let page = html(&report());
    let document = parse(&page);
    for node in document.descendants().filter(Node::is_element) {
        assert!(!["script", "link", "img", "iframe"].contains(&node.tag_name().name()), "{node:?}");
        assert_eq!(node.attribute("src"), None);
        assert!(node.attribute("href").is_none_or(|href| href.starts_with('#')), "{node:?}");
    }
    assert!(!page.contains("url(") && !page.contains("@import"), "the style loads something");
    assert!(texts(&document, "h2").contains(&"Server <epoll> & \"friends\"".to_owned()));
    assert!(texts(&document, "p").contains(&"Not measured: it is <not> installed".to_owned()));
    assert!(texts(&document, "dd").iter().any(|text| text.contains("Example <CPU>, 2 cores")));
}

#[test]
fn goals_have_the_figures_of_the_sections() {
    let report = report();
    let page = html(&report);
    let verdicts = |class: &str| {
        let document = parse(&page);
        document.descendants().filter(|node| node.attribute("class") == Some(class)).count()
    };
    // With 1401 and 234 handshakes a second, async is 6 times as fast.
    let over_blocking = report.goals[0].measured.expect("measured").median;
    assert!((over_blocking - 1401.0 / 234.0).abs() < 0.01, "{over_blocking}");
    let reached = |wanted| report.goals.iter().filter(|goal| goal.is_reached() == wanted).count();
    assert_eq!(reached(Some(true)), 2, "over a local key, on both servers");
    assert_eq!((verdicts("yes"), verdicts("no")), (2, reached(Some(false))));
}

#[test]
fn markdown_has_every_figure() {
    let report = report();
    let text = markdown(&report);
    for figure in figures(&report) {
        assert!(text.contains(&format!("| {figure} |")), "no {figure} in {text}");
    }
    assert!(text.contains("Not measured: it is <not> installed"));
}

#[test]
fn a_report_can_be_read_again() {
    let (report, folder) = (report(), tempfile::tempdir().expect("a folder"));
    let [json, page] = write(&report, folder.path()).expect("written");
    let again = read(&json).expect("read");
    assert_eq!(again, report);
    assert_eq!(fs::read_to_string(page).expect("a page"), html(&again));
    let other = Report { format: FORMAT + 1, ..report };
    fs::write(&json, serde_json::to_string(&other).expect("JSON")).expect("written");
    assert!(read(&json).expect_err("another format").to_string().contains("format 2"));
}
