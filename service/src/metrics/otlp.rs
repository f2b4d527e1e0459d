//! Sends metrics to a collector of OpenTelemetry: OTLP over HTTP, as JSON (the protobuf JSON of
//! `ExportMetricsServiceRequest`). A collector takes that on port 4318, at `/v1/metrics`.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::Duration;

use planledger_core::tally::Tallied;
use planledger_core::time::{Clock, Timestamp};
use serde_json::{Value as Json, json};

use super::definitions::Kind;
use super::{Family, Metrics, Value};
use crate::system::SystemClock;

/// How often metrics are sent.
pub const EVERY: Duration = Duration::from_secs(15);
/// How long a collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where a collector takes metrics.
const PATH: &str = "/v1/metrics";
/// The counts go on from the start of the process (`AGGREGATION_TEMPORALITY_CUMULATIVE`).
const CUMULATIVE: u8 = 2;

/// Sends metrics until it is dropped.
pub struct Sending {
    _stop: mpsc::Sender<()>,
}

/// Sends the metrics to a collector again and again, from a thread of its own. `collector` is its address,
/// such as `http://127.0.0.1:4318`.
///
/// # Errors
/// When the operating system gives no thread.
pub fn start(metrics: &Arc<Metrics>, collector: &str, every: Duration) -> std::io::Result<Sending> {
    // A collector that does not answer must not keep the ledger open.
    let metrics = Arc::downgrade(metrics);
    let (stop, stopped) = mpsc::channel();
    let url = format!("{}{PATH}", collector.trim_end_matches('/'));
    let thread = std::thread::Builder::new().name("otlp".to_owned());
    thread.spawn(move || {
        let mut fails = false;
        while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            let sent = send(&metrics, &url);
            // It is told once, and once more when it works again.
            match &sent {
                Ok(()) if fails => tracing::info!("metrics reach the collector again"),
                Err(error) if !fails => {
                    tracing::warn!(%error, "metrics do not reach the collector")
                }
                Ok(()) | Err(_) => {}
            }
            fails = sent.is_err();
        }
    })?;
    Ok(Sending { _stop: stop })
}

fn send(metrics: &Weak<Metrics>, url: &str) -> Result<(), ureq::Error> {
    let Some(gathered) = metrics.upgrade() else {
        return Ok(());
    };
    let start = gathered.started_at();
    let families = gathered.gather();
    drop(gathered);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let body = request(&families, start, SystemClock.now()).to_string();
    let post = agent.post(url).header("content-type", "application/json");
    post.send(body).map(drop)
}

/// What is sent: the values of `now`, counted since `start`.
pub fn request(families: &[Family], start: Timestamp, now: Timestamp) -> Json {
    let times = Times {
        start: start.nanos().to_string(),
        now: now.nanos().to_string(),
    };
    let shown = families.iter().filter(|family| !family.samples.is_empty());
    let metrics: Vec<_> = shown.map(|family| metric(family, &times)).collect();
    let version = env!("CARGO_PKG_VERSION");
    json!({"resourceMetrics": [{
        "resource": {"attributes": [
            attribute("service.name", "planledger"),
            attribute("service.version", version),
        ]},
        "scopeMetrics": [{"scope": {"name": "planledger", "version": version}, "metrics": metrics}],
    }]})
}

/// Numbers of 64 bits are texts in the JSON of protobuf.
struct Times {
    start: String,
    now: String,
}

fn metric(family: &Family, times: &Times) -> Json {
    let of = &family.of;
    let samples = family.samples.iter();
    let points: Vec<_> = samples
        .map(|(values, value)| {
            let labels = of.labels.iter().zip(values);
            let attributes: Vec<_> = labels.map(|(name, value)| attribute(name, value)).collect();
            let mut point = point(value);
            if let Json::Object(fields) = &mut point {
                fields.insert("attributes".to_owned(), attributes.into());
                fields.insert("timeUnixNano".to_owned(), times.now.clone().into());
                if of.kind != Kind::Gauge {
                    let start = times.start.clone().into();
                    fields.insert("startTimeUnixNano".to_owned(), start);
                }
            }
            point
        })
        .collect();
    let (kind, data) = match of.kind {
        Kind::Gauge => ("gauge", json!({"dataPoints": points})),
        Kind::Counter => (
            "sum",
            json!({
                "dataPoints": points,
                "aggregationTemporality": CUMULATIVE,
                "isMonotonic": true,
            }),
        ),
        Kind::Histogram => (
            "histogram",
            json!({"dataPoints": points, "aggregationTemporality": CUMULATIVE}),
        ),
    };
    let mut metric = json!({"name": of.name, "description": of.help});
    if let Json::Object(fields) = &mut metric {
        fields.insert(kind.to_owned(), data);
    }
    metric
}

fn point(value: &Value) -> Json {
    match value {
        Value::Whole(number) => json!({"asInt": number.to_string()}),
        Value::Real(number) => json!({"asDouble": number}),
        Value::Counts(tallied) => buckets(tallied, 1.0),
        Value::Nanos(tallied) => buckets(tallied, 1e9),
    }
}

fn buckets(of: &Tallied, unit: f64) -> Json {
    let bounds: Vec<_> = of.steps.iter().map(|step| *step as f64 / unit).collect();
    let counts: Vec<_> = of.counts.iter().map(u64::to_string).collect();
    json!({
        "count": of.count().to_string(),
        "sum": of.sum as f64 / unit,
        "bucketCounts": counts,
        "explicitBounds": bounds,
    })
}

fn attribute(key: &str, value: &str) -> Json {
    json!({"key": key, "value": {"stringValue": value}})
}

#[cfg(test)]
mod tests {
    use planledger_core::tally::Tally;

    use super::super::definitions::{CHECKPOINT_AGE, RECEIPTS, SYNC_SECONDS};
    use super::*;

    #[test]
    fn counts_gauges_and_histograms_have_the_forms_of_otlp() {
        let tally = Tally::new(&[500_000_000]);
        tally.note(250_000_000);
        tally.note(1_000_000_000);
        let families = [
            Family {
                of: RECEIPTS,
                samples: vec![(vec!["new".to_owned()], Value::Whole(7))],
            },
            Family {
                of: CHECKPOINT_AGE,
                samples: vec![(Vec::new(), Value::Real(1.5))],
            },
            Family {
                of: SYNC_SECONDS,
                samples: vec![(Vec::new(), Value::Nanos(tally.read()))],
            },
        ];
        let sent = request(
            &families,
            Timestamp::from_nanos(5),
            Timestamp::from_nanos(9),
        );
        let metrics = &sent["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
        let expected = json!({
            "asInt": "7",
            "attributes": [{"key": "kind", "value": {"stringValue": "new"}}],
            "startTimeUnixNano": "5",
            "timeUnixNano": "9",
        });
        assert_eq!(metrics[0]["sum"]["dataPoints"][0], expected);
        assert_eq!(metrics[0]["sum"]["isMonotonic"], true);
        assert_eq!(metrics[0]["sum"]["aggregationTemporality"], 2);
        let gauge = json!({"asDouble": 1.5, "attributes": [], "timeUnixNano": "9"});
        assert_eq!(metrics[1]["gauge"]["dataPoints"][0], gauge);
        let point = &metrics[2]["histogram"]["dataPoints"][0];
        assert_eq!(
            (&point["count"], &point["sum"]),
            (&json!("2"), &json!(1.25))
        );
        assert_eq!(point["bucketCounts"], json!(["1", "1"]));
        assert_eq!(point["explicitBounds"], json!([0.5]));
    }
}
