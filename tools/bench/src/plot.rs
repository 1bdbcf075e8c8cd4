//! A line chart as SVG.

use std::fmt::Write as _;

/// A line of a chart.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 700.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 210.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
const COLOURS: [&str; 5] = ["#555555", "#0072b2", "#56b4e9", "#d55e00", "#e69f00"];

/// Draws `lines` over axes that begin at zero, or at the least x.
pub(crate) fn svg(title: &str, x_name: &str, y_name: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| &line.points);
    let least_x = all().map(|point| point.0).fold(f64::INFINITY, f64::min);
    let most_x = all().map(|point| point.0).fold(least_x, f64::max);
    let most_y = all().map(|point| point.1).fold(0.0, f64::max).max(1e-9) * 1.1;
    let width = WIDTH - LEFT - RIGHT;
    let height = HEIGHT - TOP - BOTTOM;
    let x = |value: f64| LEFT + (value - least_x) / (most_x - least_x).max(1e-9) * width;
    let y = |value: f64| TOP + height - value / most_y * height;

    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{title}</text>\n"
    );
    for step in 0..=4 {
        let value = most_y * f64::from(step) / 4.0;
        let at = y(value);
        let _ = writeln!(
            text,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\" stroke=\"#dddddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.1}</text>",
            LEFT + width,
            LEFT - 6.0,
            at + 4.0
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{x_name}</text>\
         <text x=\"14\" y=\"{:.1}\">{y_name}</text>",
        LEFT + width / 2.0,
        HEIGHT - 12.0,
        TOP - 6.0
    );
    for (at, line) in lines.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let points: Vec<String> = line
            .points
            .iter()
            .map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1)))
            .collect();
        let _ = writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        for point in &line.points {
            let _ = writeln!(
                text,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                x(point.0),
                y(point.1)
            );
        }
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
            LEFT + width + 12.0,
            TOP + 18.0 * at as f64 + 10.0,
            line.name
        );
    }
    text.push_str("</svg>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_within_the_axes() {
        let line = Line {
            name: "a".to_owned(),
            points: vec![(0.0, 0.0), (10.0, 5.0)],
        };
        let text = svg("t", "x", "y", &[line]);
        assert!(text.contains("points=\"60.0,310.0 490.0,64.5\""), "{text}");
        assert!(text.ends_with("</svg>\n"));
    }
}
