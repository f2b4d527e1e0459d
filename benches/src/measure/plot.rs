//! Figures over time as an SVG picture: panels one below the other, with axes, units and a legend.

use std::fmt::Write;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 80.0;
/// Right of it stands the legend.
const RIGHT: f64 = 780.0;
const TOP: f64 = 84.0;
/// From the top of a panel to the top of the next.
const STEP: f64 = 270.0;
const HEIGHT: f64 = 200.0;
/// Colours that people who see some colours alike can tell apart on white.
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a67c00", "#56b4e9", "#000000", "#7f3c8d",
];
/// A text and its grid are grey, so that the lines are seen first.
const STYLE: &str = "text{font:13px sans-serif;fill:#333}.title{font-size:17px;fill:#000}\
                     .panel{font-size:14px;fill:#000}.grid{stroke:#e2e2e2}.axis{stroke:#666}\
                     .line{fill:none;stroke-width:1.5;stroke-linejoin:round}";

/// One line.
#[derive(Debug, Clone)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// Where it goes: what the x axis shows, and the figure.
    pub points: Vec<(f64, f64)>,
}

/// How a panel's figures stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From nothing to the largest.
    Linear,
    /// Each power of ten takes as much room as the next. Figures that are not above zero are left out.
    Log,
}

/// A part of the picture with axes of its own.
#[derive(Debug, Clone)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// The unit of its figures.
    pub unit: &'static str,
    /// How they stand.
    pub scale: Scale,
    /// Its lines, at most as many as there are colours.
    pub series: Vec<Series>,
}

/// What an axis shows, from the lowest to the highest.
struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    ticks: Vec<f64>,
}

impl Axis {
    /// An axis that shows all of these.
    fn of(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let values = values.filter(|value| value.is_finite());
        match scale {
            Scale::Linear => Self::linear(values.fold(0.0, f64::max)),
            Scale::Log => {
                let above = values.filter(|value| *value > 0.0);
                let (low, high) = above.fold((f64::MAX, 0.0), |(low, high): (f64, f64), value| {
                    (low.min(value), high.max(value))
                });
                match low <= high {
                    true => Self::log(low, high),
                    false => Self::log(1.0, 1.0),
                }
            }
        }
    }

    fn linear(most: f64) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        // Steps of 1, 2 or 5 times a power of ten, at most six of them.
        let power = 10_f64.powf((most / 6.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
        let step = steps.into_iter().find(|step| most / step <= 6.0);
        let step = step.unwrap_or(power * 10.0);
        let count = (most / step).ceil().max(1.0) as u32;
        Self {
            scale: Scale::Linear,
            low: 0.0,
            high: f64::from(count) * step,
            ticks: (0..=count).map(|nth| f64::from(nth) * step).collect(),
        }
    }

    fn log(least: f64, most: f64) -> Self {
        let low = least.log10().floor() as i32;
        let high = (most.log10().ceil() as i32).max(low + 1);
        Self {
            scale: Scale::Log,
            low: 10_f64.powi(low),
            high: 10_f64.powi(high),
            ticks: (low..=high).map(|power| 10_f64.powi(power)).collect(),
        }
    }

    /// Where a figure stands: 0 is the beginning, 1 the end. `None` if it has no place.
    fn place(&self, value: f64) -> Option<f64> {
        let place = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log if value <= 0.0 => return None,
            Scale::Log => (value / self.low).log10() / (self.high / self.low).log10(),
        };
        place.is_finite().then_some(place)
    }
}

/// The picture as the text of an SVG file. `notes` say how it came about; `across` is what the x axis of all
/// panels shows.
pub fn svg(title: &str, notes: &str, across: &str, panels: &[Panel]) -> String {
    let mut drawing = Drawing::default();
    let height = TOP + STEP * panels.len() as f64;
    drawing.line(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\"><style>{STYLE}</style>\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
    ));
    drawing.text("title", "start", (20.0, 28.0), title);
    drawing.text("note", "start", (20.0, 50.0), notes);
    let points = |panel: &Panel| -> Vec<f64> {
        let lines = panel.series.iter().flat_map(|series| &series.points);
        lines.map(|(at, _)| *at).collect()
    };
    let mut time = Axis::of(Scale::Linear, panels.iter().flat_map(points));
    // To where the figures end, not to the next tick.
    if let Some(last) = panels.iter().flat_map(points).max_by(f64::total_cmp)
        && last > 0.0
    {
        time.high = last;
        time.ticks.retain(|tick| *tick <= last);
    }
    for (nth, panel) in panels.iter().enumerate() {
        drawing.panel(TOP + STEP * nth as f64, &time, across, panel);
    }
    drawing.line(format_args!("</svg>"));
    drawing.text
}

#[derive(Default)]
struct Drawing {
    text: String,
}

impl Drawing {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a text does not fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn text(&mut self, class: &str, anchor: &str, (x, y): (f64, f64), text: &str) {
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        self.line(format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    fn rule(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.line(format_args!(
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    fn panel(&mut self, top: f64, time: &Axis, across: &str, panel: &Panel) {
        let bottom = top + HEIGHT;
        let lines = panel.series.iter().flat_map(|series| &series.points);
        let axis = Axis::of(panel.scale, lines.map(|(_, value)| *value));
        let x = |at: f64| Some(LEFT + time.place(at)? * (RIGHT - LEFT));
        let y = |value: f64| Some(bottom - axis.place(value)? * HEIGHT);
        let title = format!("{}, {}", panel.title, panel.unit);
        self.text("panel", "start", (LEFT, top - 10.0), &title);
        for tick in &axis.ticks {
            if let Some(y) = y(*tick) {
                self.rule("grid", (LEFT, y), (RIGHT, y));
                self.text("tick", "end", (LEFT - 8.0, y + 4.0), &number(*tick));
            }
        }
        for tick in &time.ticks {
            if let Some(x) = x(*tick) {
                self.rule("grid", (x, top), (x, bottom));
                self.text("tick", "middle", (x, bottom + 18.0), &number(*tick));
            }
        }
        self.rule("axis", (LEFT, bottom), (RIGHT, bottom));
        self.rule("axis", (LEFT, top), (LEFT, bottom));
        let middle = (LEFT + RIGHT) / 2.0;
        self.text("axis-name", "middle", (middle, bottom + 36.0), across);
        for (nth, (series, colour)) in panel.series.iter().zip(COLOURS).enumerate() {
            let mut path = String::new();
            for (at, value) in &series.points {
                if let (Some(x), Some(y)) = (x(*at), y(*value)) {
                    let _ = write!(path, "{x:.1},{y:.1} ");
                }
            }
            self.line(format_args!(
                "<polyline class=\"line\" stroke=\"{colour}\" points=\"{}\"/>",
                path.trim_end()
            ));
            let y = top + 10.0 + 20.0 * nth as f64;
            let (from, to) = (RIGHT + 16.0, RIGHT + 40.0);
            self.line(format_args!(
                "<line x1=\"{from}\" y1=\"{y}\" x2=\"{to}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"3\"/>"
            ));
            self.text("legend", "start", (to + 8.0, y + 4.0), &series.name);
        }
    }
}

/// A figure at an axis, as short as it can be.
fn number(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    match rounded >= 10_000.0 {
        true => format!("{}k", rounded / 1_000.0),
        false => rounded.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, Panel, Scale, Series, number, svg};

    fn panel(scale: Scale, points: &[(f64, f64)]) -> Panel {
        Panel {
            title: "memory".to_owned(),
            unit: "MiB",
            scale,
            series: vec![Series {
                name: "a < b".to_owned(),
                points: points.to_vec(),
            }],
        }
    }

    #[test]
    fn ticks_are_round_and_hold_all_figures() {
        let ticks = |most| Axis::of(Scale::Linear, [most].into_iter()).ticks;
        assert_eq!(ticks(60.0), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
        assert_eq!(ticks(61.0), [0.0, 20.0, 40.0, 60.0, 80.0]);
        assert_eq!(ticks(287.0), [0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0]);
        let log = Axis::of(Scale::Log, [0.0, 0.3, 42.0].into_iter());
        assert_eq!(log.ticks, [0.1, 1.0, 10.0, 100.0]);
        assert_eq!(log.place(0.0), None);
        assert!((log.place(10.0).unwrap() - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_picture_has_axes_units_a_legend_and_a_line_within_the_panel() {
        let points = [(0.0, 100.0), (30.0, 200.0), (60.0, 200.0)];
        let picture = svg(
            "title",
            "notes",
            "minutes",
            &[panel(Scale::Linear, &points)],
        );
        assert!(picture.starts_with("<svg xmlns"));
        assert!(picture.trim_end().ends_with("</svg>"));
        for text in ["title", "notes", "minutes", "memory, MiB", "a &lt; b"] {
            assert!(picture.contains(&format!(">{text}</text>")), "{text}");
        }
        // The first at the left in the middle, the last at the right on top.
        assert!(
            picture.contains("points=\"80.0,184.0 430.0,84.0 780.0,84.0\""),
            "{picture}"
        );
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        for scale in [Scale::Linear, Scale::Log] {
            let picture = svg("", "", "minutes", &[panel(scale, &[])]);
            assert!(picture.contains("points=\"\""));
            assert!(!picture.contains("NaN") && !picture.contains("inf"));
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(0.1), "0.1");
        assert_eq!(number(1.0), "1");
        assert_eq!(number(20_000.0), "20k");
    }
}
