//! Reads metrics as strictly as the format of Prometheus is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{PATIENCE, Serving};

/// A server with metrics on a free port.
pub(crate) struct Measured {
    pub(crate) serving: Serving,
    /// Where they are: `127.0.0.1:9464`.
    pub(super) address: String,
}

impl Measured {
    pub(crate) fn start(dir: &std::path::Path, more: &[&str]) -> Self {
        let with = [&["--metrics", "127.0.0.1:0"], more].concat();
        Self::of(Serving::start_with(dir, &with))
    }

    /// A server that was started with metrics on a free port.
    pub(crate) fn of(serving: Serving) -> Self {
        let said = serving.said.clone();
        // A line of its own, or a text in JSON.
        let (_, url) = said.split_once("metrics on http://").unwrap();
        let (address, _) = url.split_once("/metrics").unwrap();
        Self {
            address: address.to_owned(),
            serving,
        }
    }

    /// What the server answers to a request, as text.
    pub(super) fn ask(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        // The server may close before it has read everything.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    /// The metrics of now, as they are sent.
    pub(crate) fn text(&self) -> String {
        // The same answer is given for a moment.
        std::thread::sleep(Duration::from_millis(250));
        let answer = self.ask(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let media = "content-type: text/plain; version=0.0.4";
        assert!(head.to_lowercase().contains(media), "{head}");
        body.to_owned()
    }

    pub(crate) fn read(&self) -> Metrics {
        Metrics::of(&self.text())
    }
}

/// Metrics as they were read.
pub(crate) struct Metrics {
    /// The kinds of all metrics.
    pub(super) kinds: BTreeMap<String, String>,
    /// The values, by everything that stands before them: `name{label="value"}`.
    pub(super) values: BTreeMap<String, f64>,
}

impl Metrics {
    pub(super) fn of(text: &str) -> Self {
        let mut kinds = BTreeMap::new();
        let mut values = BTreeMap::new();
        let mut described = BTreeSet::new();
        let mut current = String::new();
        assert!(text.ends_with('\n'));
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(!help.is_empty());
                assert!(described.insert(name.to_owned()), "{name} twice");
                continue;
            }
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(described.contains(name));
                kinds.insert(name.to_owned(), kind.to_owned());
                name.clone_into(&mut current);
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let of = match kinds[&current].as_str() {
                "histogram" => ["_bucket", "_sum", "_count"]
                    .map(|end| format!("{current}{end}"))
                    .to_vec(),
                _ => vec![current.clone()],
            };
            assert!(
                of.contains(&name.to_owned()),
                "{line} stands under {current}"
            );
            let before = values.insert(series.to_owned(), value.parse().unwrap());
            assert!(before.is_none(), "{series} twice");
        }
        Self { kinds, values }
    }

    #[track_caller]
    pub(crate) fn value(&self, series: &str) -> f64 {
        let value = self.values.get(series);
        *value.unwrap_or_else(|| panic!("no {series}"))
    }
}
