//! What operators watch with rests on the program: metrics on the page, in the alert rules and on the
//! dashboard are those that the program has, and the unit has options that systemd knows.

use std::collections::{BTreeMap, BTreeSet};

use planledger::metrics::definitions::{ALL, Kind};
use serde_json::Value as Json;
use yaml_rust2::{Yaml, YamlLoader};

use crate::pages::{page, quoted, table};

const PAGE: &str = "service/OPERATING.md";

/// The metrics that an expression of Prometheus names, without the endings of histograms.
fn metrics_in(expression: &str) -> BTreeSet<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = expression.split(|c: char| !is_word(c));
    let ours = words.filter(|word| word.starts_with("planledger_") || word.starts_with("process_"));
    let histograms = || ALL.iter().filter(|of| of.kind == Kind::Histogram);
    ours.map(|word| {
        let ends = ["_bucket", "_sum", "_count"];
        let base = ends.iter().find_map(|end| word.strip_suffix(end));
        let base = base.filter(|base| histograms().any(|of| of.name == *base));
        base.unwrap_or(word)
    })
    .collect()
}

fn known() -> BTreeSet<&'static str> {
    ALL.iter().map(|of| of.name).collect()
}

#[test]
fn an_expression_names_its_metrics() {
    let text = "histogram_quantile(0.9, rate(planledger_journal_sync_seconds_bucket{a=\"b\"}[5m])) \
                / process_cpu_seconds_total > up";
    let expected = BTreeSet::from([
        "planledger_journal_sync_seconds",
        "process_cpu_seconds_total",
    ]);
    assert_eq!(metrics_in(text), expected);
}

#[test]
fn the_page_of_operators_lists_every_metric() {
    let rows = table(&page(PAGE), "| Metric | Labels | Means | Alert |");
    let listed: Vec<_> = rows
        .iter()
        .map(|row| (quoted(&row[0])[0], quoted(&row[1])))
        .collect();
    let there: Vec<_> = ALL.iter().map(|of| (of.name, of.labels.to_vec())).collect();
    assert_eq!(listed, there, "{PAGE}, \"Watching\"");
}

/// The rules: the name of each alert, and its expression.
fn rules() -> BTreeMap<String, String> {
    let documents = YamlLoader::load_from_str(&page("service/deploy/alerts.yaml")).unwrap();
    assert_eq!(documents.len(), 1);
    let mut found = BTreeMap::new();
    for group in documents[0]["groups"].as_vec().unwrap() {
        for rule in group["rules"].as_vec().unwrap() {
            let text = |field: &Yaml| field.as_str().unwrap().to_owned();
            assert!(["page", "ticket"].contains(&text(&rule["labels"]["severity"]).as_str()));
            assert!(!text(&rule["annotations"]["summary"]).is_empty());
            let before = found.insert(text(&rule["alert"]), text(&rule["expr"]));
            assert_eq!(before, None);
        }
    }
    found
}

#[test]
fn alerts_rest_on_metrics_that_there_are_and_the_page_says_what_to_do_about_each() {
    let rules = rules();
    let page = page(PAGE);
    let mut of_metric: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (alert, expression) in &rules {
        for metric in metrics_in(expression) {
            assert!(known().contains(metric), "{alert}: {metric}");
            of_metric.entry(metric).or_default().insert(alert);
        }
    }
    for row in table(&page, "| Metric | Labels | Means | Alert |") {
        let metric = quoted(&row[0])[0].to_owned();
        let named: BTreeSet<_> = quoted(&row[3]).into_iter().collect();
        let expected = of_metric.remove(metric.as_str()).unwrap_or_default();
        assert_eq!(named, expected, "{PAGE}: {metric}");
    }
    let told = table(&page, "| Alert | What to do |");
    let told: Vec<_> = told.iter().flat_map(|row| quoted(&row[0])).collect();
    let distinct: BTreeSet<_> = told.iter().copied().collect();
    assert_eq!(told.len(), distinct.len(), "{told:?}");
    assert_eq!(distinct, rules.keys().map(String::as_str).collect());
}

/// Every expression on the dashboard.
fn expressions(board: &Json) -> Vec<&str> {
    let panels = board["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array());
    let targets = targets.flatten();
    targets
        .map(|target| target["expr"].as_str().unwrap())
        .collect()
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    let board: Json = serde_json::from_str(&page("service/deploy/grafana.json")).unwrap();
    let shown: BTreeSet<_> = expressions(&board)
        .into_iter()
        .flat_map(metrics_in)
        .collect();
    assert_eq!(shown, known());
    // No two panels have the same number or place.
    let panels = board["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels
        .iter()
        .map(|panel| panel["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids.len(), panels.len());
    let places: BTreeSet<_> = panels
        .iter()
        .map(|panel| panel["gridPos"].to_string())
        .collect();
    assert_eq!(places.len(), panels.len());
}

/// The options of each section of a unit that systemd 247 knows, of those that one for a server may
/// need. An option that systemd does not know is passed over with a warning that nobody reads.
const OPTIONS: [(&str, &[&str]); 3] = [
    (
        "Unit",
        &["Description", "Documentation", "After", "Wants", "Requires"],
    ),
    (
        "Service",
        &[
            "Type",
            "NotifyAccess",
            "TimeoutStartSec",
            "TimeoutStopSec",
            "WatchdogSec",
            "User",
            "Group",
            "SupplementaryGroups",
            "ExecStart",
            "ExecReload",
            "LoadCredential",
            "StateDirectory",
            "StateDirectoryMode",
            "RuntimeDirectory",
            "RuntimeDirectoryMode",
            "UMask",
            "Restart",
            "RestartSec",
            "RestartPreventExitStatus",
            "LimitCORE",
            "LimitNOFILE",
            "NoNewPrivileges",
            "CapabilityBoundingSet",
            "AmbientCapabilities",
            "ProtectSystem",
            "ProtectHome",
            "ProtectClock",
            "ProtectControlGroups",
            "ProtectHostname",
            "ProtectKernelLogs",
            "ProtectKernelModules",
            "ProtectKernelTunables",
            "ProtectProc",
            "ProcSubset",
            "PrivateTmp",
            "PrivateDevices",
            "DevicePolicy",
            "RemoveIPC",
            "RestrictAddressFamilies",
            "RestrictNamespaces",
            "RestrictRealtime",
            "RestrictSUIDSGID",
            "LockPersonality",
            "MemoryDenyWriteExecute",
            "SystemCallArchitectures",
            "SystemCallFilter",
            "SystemCallErrorNumber",
        ],
    ),
    ("Install", &["WantedBy"]),
];

#[test]
fn the_unit_has_options_that_systemd_knows() {
    let text = page("service/deploy/planledger.service");
    let mut section = "";
    let mut set: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            section = name.strip_suffix(']').unwrap();
            continue;
        }
        let (option, value) = line.split_once('=').unwrap();
        let (_, options) = OPTIONS.iter().find(|(name, _)| *name == section).unwrap();
        assert!(options.contains(&option), "[{section}] {option}");
        let before = set.insert((section, option), value);
        assert_eq!(before, None, "{option} stands there twice");
    }
    // What the page promises of it.
    for (option, value) in [
        ("Type", "notify"),
        ("TimeoutStartSec", "infinity"),
        ("LimitCORE", "0"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("CapabilityBoundingSet", ""),
    ] {
        assert_eq!(set.get(&("Service", option)), Some(&value), "{option}");
    }
    let program = set[&("Service", "ExecStart")];
    assert!(program.contains(" serve --config "), "{program}");
}

/// No engine for containers runs where the tests run, so this is what can be said of the file: it builds
/// this program from the source that is here, and runs it as somebody who is not root.
#[test]
fn the_container_file_builds_this_program_and_runs_it_as_nobody_special() {
    let text = page("service/deploy/Containerfile");
    assert!(text.contains("cargo build --release --locked --package planledger"));
    let version = page("Cargo.toml");
    let version = version
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let image = format!("rust:{}-", version.unwrap().trim_matches('"'));
    assert!(text.contains(&image), "{image}");
    let mut users = text.lines().filter_map(|line| line.strip_prefix("USER "));
    assert!(
        users
            .next_back()
            .is_some_and(|user| !user.starts_with("root") && !user.starts_with('0'))
    );
    for secret in ["MASTER_KEY", "ENV PLANLEDGER_TOKEN"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let left_out = page(".dockerignore");
    assert!(left_out.lines().any(|line| line == "target"));
}
