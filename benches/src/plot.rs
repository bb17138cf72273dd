// SPDX-License-Identifier: Apache-2.0
//! The time of a call over its size, a line for each way, as SVG.

use std::path::Path;

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::report::Latency;
use crate::ways::Kind;

/// In the order of `Kind::ALL`.
const COLOURS: [(u8, u8, u8); Kind::ALL.len()] = [
    (0, 0, 0),
    (0, 158, 115),
    (120, 200, 80),
    (0, 114, 178),
    (86, 180, 233),
    (117, 61, 166),
    (230, 159, 0),
    (213, 94, 0),
    (204, 121, 167),
    (130, 130, 130),
];
const SIZE: (u32, u32) = (1000, 560);

/// Draws one chart for each of the two pinned placements that were measured; the first has the legend for both.
pub fn draw(latencies: &[Latency], path: &Path) -> Result<()> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut placements: Vec<&str> =
        latencies.iter().map(|one| one.placement).filter(|&one| one != "unpinned").collect();
    placements.dedup();
    let areas = root.split_evenly((1, placements.len().max(1)));
    for (index, (area, placement)) in areas.iter().zip(placements).enumerate() {
        chart(area, placement, latencies, index == 0)?;
    }
    root.present()?;
    Ok(())
}

fn chart(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    placement: &str,
    latencies: &[Latency],
    legend: bool,
) -> Result<()> {
    let here: Vec<&Latency> = latencies.iter().filter(|one| one.placement == placement).collect();
    let sizes = here.iter().map(|one| one.bytes as f64);
    let times = here.iter().map(|one| one.nanoseconds / 1000.0);
    let (least, most) = (sizes.clone().fold(f64::MAX, f64::min), sizes.fold(0.0, f64::max));
    let (fastest, slowest) = (times.clone().fold(f64::MAX, f64::min), times.fold(0.0, f64::max));
    let mut chart = ChartBuilder::on(area)
        .caption(format!("µs a call, both ends on {placement}"), ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d((least..most).log_scale(), (fastest * 0.5..slowest * 1.4).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("bytes of request and of reply")
        .x_label_formatter(&|bytes| bytes_text(*bytes))
        .y_label_formatter(&|time| format!("{time}"))
        .light_line_style(WHITE)
        .draw()?;
    let measured = |kind: &Kind| latencies.iter().any(|one| one.what == kind.name());
    for (kind, (red, green, blue)) in Kind::ALL.iter().zip(COLOURS).filter(|(kind, _)| measured(kind)) {
        let width = if *kind == Kind::Library { 3 } else { 1 };
        let style = RGBColor(red, green, blue).stroke_width(width);
        let points = here.iter().filter(|one| one.what == kind.name());
        let points = points.map(|one| (one.bytes as f64, one.nanoseconds / 1000.0));
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(kind.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    if legend {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
    }
    Ok(())
}

fn bytes_text(bytes: f64) -> String {
    if bytes >= 1000.0 { format!("{:.0} k", bytes / 1000.0) } else { format!("{bytes:.0}") }
}
