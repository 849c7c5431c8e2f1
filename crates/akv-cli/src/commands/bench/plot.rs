//! Plots the steps: signatures per second above, latencies below.

use std::time::Duration;

use plotters::{
    coord::Shift,
    prelude::{
        ChartBuilder, Circle, DrawingArea, IntoDrawingArea as _, LineSeries, PathElement,
        SVGBackend, SeriesLabelPosition,
    },
    style::{BLACK, BLUE, Color as _, RED, RGBColor, WHITE},
};

use super::{internal, load::Step};
use crate::exit::Result;

const SIZE: (u32, u32) = (800, 640);
const GREEN: RGBColor = RGBColor(0, 128, 64);
const FONT: &str = "sans-serif";

/// A line of a panel.
struct Line<'a> {
    name: &'a str,
    color: RGBColor,
    values: Vec<f64>,
}

/// The SVG.
pub(super) fn draw(title: &str, steps: &[Step]) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(|error| internal(&error))?;
        let (above, below) = area.split_vertically(SIZE.1 / 2);
        let line = |name, color, value: &dyn Fn(&Step) -> f64| Line {
            name,
            color,
            values: steps.iter().map(value).collect(),
        };
        let ms = |took: Duration| took.as_secs_f64() * 1e3;
        let rate = line("signatures/s", BLUE, &Step::per_second);
        panel(&above, title, "signatures per second", &[rate], steps)?;
        let latencies =
            [line("p50", GREEN, &|step| ms(step.p50)), line("p99", BLACK, &|step| ms(step.p99))];
        panel(&below, "", "milliseconds", &latencies, steps)?;
        area.present().map_err(|error| internal(&error))?;
    }
    Ok(svg)
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    unit: &str,
    lines: &[Line<'_>],
    steps: &[Step],
) -> Result<()> {
    let most =
        lines.iter().flat_map(|line| &line.values).fold(0.0, |most: f64, &one| most.max(one));
    let last = steps.len().saturating_sub(1).max(1);
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(0..last, 0.0..(most * 1.1).max(1.0))
        .map_err(|error| internal(&error))?;
    let number = |step: &usize| steps.get(*step).map(|step| step.at_once.to_string());
    chart
        .configure_mesh()
        .max_light_lines(1)
        .x_labels(steps.len())
        .x_label_formatter(&|step| number(step).unwrap_or_default())
        .x_desc("signatures at once; red: throttled")
        .y_desc(unit)
        .label_style((FONT, 13))
        .draw()
        .map_err(|error| internal(&error))?;
    for line in lines {
        let points = || line.values.iter().copied().enumerate();
        let color = line.color;
        chart
            .draw_series(LineSeries::new(points(), color.stroke_width(2)))
            .map_err(|error| internal(&error))?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
        let dots = points().zip(steps).map(|(point, step)| {
            let color = if step.throttled > 0 { RED } else { color };
            Circle::new(point, 4, color.filled())
        });
        chart.draw_series(dots).map_err(|error| internal(&error))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font((FONT, 13))
        .border_style(BLACK.mix(0.3))
        .background_style(WHITE.mix(0.8))
        .draw()
        .map_err(|error| internal(&error))
}
