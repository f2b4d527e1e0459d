//! The text format of Prometheus, version 0.0.4.

use std::fmt::Write;

use planledger_core::tally::Tallied;

use super::definitions::Kind;
use super::{Family, Value};

/// The media type of the format.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How many nanoseconds a second has.
const SECOND: f64 = 1e9;

/// Writes families down, as Prometheus reads them. A metric without a value is only described.
pub fn write(families: &[Family]) -> String {
    let mut text = String::with_capacity(64 << 10);
    for family in families {
        family_to(&mut text, family);
    }
    text
}

/// Writing to a text cannot fail, so the results are of no use here and below.
fn family_to(text: &mut String, family: &Family) {
    let of = &family.of;
    let help = of.help.replace('\\', "\\\\").replace('\n', "\\n");
    let _ = writeln!(text, "# HELP {} {help}", of.name);
    let _ = writeln!(text, "# TYPE {} {}", of.name, of.kind.name());
    for (values, value) in &family.samples {
        let labels: Vec<_> = of
            .labels
            .iter()
            .copied()
            .zip(values.iter().map(String::as_str))
            .collect();
        match value {
            Value::Whole(number) => line(text, (of.name, ""), &labels, number),
            Value::Real(number) => line(text, (of.name, ""), &labels, number),
            Value::Counts(tallied) => histogram(text, of.name, &labels, tallied, 1.0),
            Value::Nanos(tallied) => histogram(text, of.name, &labels, tallied, SECOND),
        }
        debug_assert_eq!(
            of.kind == Kind::Histogram,
            matches!(value, Value::Counts(_) | Value::Nanos(_))
        );
    }
}

/// A histogram: for each step how many values were not larger, then the sum and how many there were.
fn histogram(text: &mut String, name: &str, labels: &[(&str, &str)], of: &Tallied, unit: f64) {
    let steps = of
        .steps
        .iter()
        .map(|step| (*step as f64 / unit).to_string());
    let steps = steps.chain(["+Inf".to_owned()]);
    let mut below = 0;
    for (step, count) in steps.zip(&of.counts) {
        below += count;
        let mut labels = labels.to_vec();
        labels.push(("le", step.as_str()));
        line(text, (name, "_bucket"), &labels, below);
    }
    line(text, (name, "_sum"), labels, of.sum as f64 / unit);
    line(text, (name, "_count"), labels, below);
}

fn line(
    text: &mut String,
    (name, suffix): (&str, &str),
    labels: &[(&str, &str)],
    value: impl std::fmt::Display,
) {
    text.push_str(name);
    text.push_str(suffix);
    for (index, (label, value)) in labels.iter().enumerate() {
        let open = if index == 0 { '{' } else { ',' };
        let _ = write!(text, "{open}{label}=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    if !labels.is_empty() {
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}

#[cfg(test)]
mod tests {
    use planledger_core::tally::Tally;

    use super::super::definitions::{CHECKPOINT_AGE, COSIGNED, RECEIPTS, REQUEST_SECONDS};
    use super::*;

    #[test]
    fn a_metric_is_described_and_its_labels_are_quoted() {
        let name = vec!["a \"b\" \\ c\nd".to_owned()];
        let families = [
            Family {
                of: RECEIPTS,
                samples: vec![(vec!["new".to_owned()], Value::Whole(u64::MAX))],
            },
            Family {
                of: COSIGNED,
                samples: vec![(name, Value::Whole(1))],
            },
            Family {
                of: CHECKPOINT_AGE,
                samples: vec![(Vec::new(), Value::Real(0.25))],
            },
        ];
        let text = write(&families);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("# HELP planledger_receipts_total Receipts"));
        assert_eq!(lines[1], "# TYPE planledger_receipts_total counter");
        assert_eq!(
            lines[2],
            "planledger_receipts_total{kind=\"new\"} 18446744073709551615"
        );
        assert_eq!(
            lines[5],
            "planledger_cosigned_total{name=\"a \\\"b\\\" \\\\ c\\nd\"} 1"
        );
        assert_eq!(lines[8], "planledger_checkpoint_age_seconds 0.25");
    }

    #[test]
    fn a_histogram_says_for_each_step_how_many_values_were_not_larger() {
        let tally = Tally::new(&[100_000, 2_500_000_000]);
        for value in [1, 2, 100_001, 9_000_000_000] {
            tally.note(value);
        }
        let families = [Family {
            of: REQUEST_SECONDS,
            samples: vec![(vec!["GetPlan".to_owned()], Value::Nanos(tally.read()))],
        }];
        let text = write(&families);
        let lines: Vec<_> = text.lines().skip(2).collect();
        let name = "planledger_request_seconds";
        let expected = [
            format!("{name}_bucket{{method=\"GetPlan\",le=\"0.0001\"}} 2"),
            format!("{name}_bucket{{method=\"GetPlan\",le=\"2.5\"}} 3"),
            format!("{name}_bucket{{method=\"GetPlan\",le=\"+Inf\"}} 4"),
            format!("{name}_sum{{method=\"GetPlan\"}} 9.000100004"),
            format!("{name}_count{{method=\"GetPlan\"}} 4"),
        ];
        assert_eq!(lines, expected);
    }
}
