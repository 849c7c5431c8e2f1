//! The servers with one thread side by side, where waiting costs most.

use crate::{
    contender::{ASYNC, BLOCKING, LOCAL},
    model::{Report, Row, Table, Unit},
};

/// A row for each server, at the longest latency and with the number of clients that all measured;
/// `None` if there is no such measurement.
pub(super) fn table(report: &Report) -> Option<Table> {
    let servers: Vec<_> = report
        .sections
        .iter()
        .filter(|section| section.id.starts_with("epoll") || section.id.starts_with("haproxy"))
        .filter(|section| !section.tables.is_empty())
        .collect();
    let slowest = &servers.first()?.tables.last()?.id;
    let common = |label: &&str| {
        let has = |table: Option<&Table>| table.is_some_and(|table| table.row(label).is_some());
        servers.iter().all(|server| has(server.table(slowest)))
    };
    let labels = servers.first()?.table(slowest)?.rows.iter().map(|row| row.label.as_str());
    // With one client there is nothing to do meanwhile.
    let label = labels.filter(|label| *label != "1 client").find(common)?;
    let rows = servers.iter().filter_map(|server| {
        let row = server.table(slowest)?.row(label)?;
        let cells = [LOCAL, BLOCKING, ASYNC]
            .into_iter()
            .filter_map(|name| Some((name, row.cell(name)?.rounds.clone())));
        Some(Row::new(&server.title, cells, &[(ASYNC, BLOCKING), (ASYNC, LOCAL)]))
    });
    Some(Table {
        id: "overview".to_owned(),
        caption: format!("{}, {label}", servers.first()?.tables.last()?.caption),
        unit: Unit::HandshakesPerSecond,
        rows: rows.collect(),
    })
}
