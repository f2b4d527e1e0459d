//! `planledger plan diff`: shows what differs in a plan between two moments.

use clap::Args;
use planledger_core::ids::PlanId;
use planledger_proto::v1::{DiffPlanRequest, PlanChange, PlanItem, Viewer, as_of};

use super::super::error::CliError;
use super::super::moment::{self, as_of, moment};
use super::super::names::Names;
use super::super::output;
use super::super::remote::Remote;
use super::super::shown::Lines;
use super::item::{Aspect, Titles, aspects, learn_names, title};
use super::read::{Eyes, view_at};
use crate::settings::File;

#[derive(Debug, Args)]
pub(in super::super) struct Diff {
    /// The plan
    plan: PlanId,
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    #[arg(help = format!("The first moment: {}", moment::HELP))]
    from: as_of::Moment,
    /// The second moment; now if not given
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    to: Option<as_of::Moment>,
    /// Who looks at the plan
    #[arg(long, value_enum, default_value_t = Eyes::Staff)]
    viewer: Eyes,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Diff {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let viewer = Viewer::from(self.viewer);
        let request = DiffPlanRequest {
            plan_id: self.plan.to_string(),
            viewer: viewer.into(),
            min_position: 0,
            from: Some(as_of(self.from)),
            to: self.to.map(as_of),
        };
        let found = client.plans().diff_plan(request).await?.into_inner();
        if self.json {
            return output::json(&found);
        }
        let (from, to) = (found.from_position, found.to_position);
        output::line(format!(
            "plan {}, from position {from} to position {to}",
            self.plan
        ));
        if found.changes.is_empty() {
            output::line("no differences");
            return Ok(());
        }
        let mut titles = Titles::default();
        for position in [from, to] {
            let at = Some(position);
            if let Some(view) = view_at(&client, self.plan, viewer, at).await? {
                titles.learn(&view);
            }
        }
        let mut names = Names::default();
        for change in &found.changes {
            for item in [&change.was, &change.is].into_iter().flatten() {
                learn_names(&client, item, &mut names).await?;
            }
        }
        for change in &found.changes {
            output::lines(&text(change, &titles, &names));
        }
        Ok(())
    }
}

/// A change in text for people: `+` is new, `-` is gone, `~` is changed.
fn text(change: &PlanChange, titles: &Titles, names: &Names) -> Lines {
    let said = |item: &PlanItem| aspects(item, titles, names);
    match (&change.was, &change.is) {
        (None, Some(item)) => whole('+', &title(item, titles), &said(item)),
        (Some(item), None) => whole('-', &title(item, titles), &said(item)),
        (Some(was), Some(is)) => compared(&title(is, titles), &said(was), &said(is)),
        (None, None) => Lines::default(),
    }
}

fn whole(mark: char, title: &str, aspects: &[Aspect]) -> Lines {
    let mut text = Lines::default();
    text.push(format_args!("{mark} {title}"));
    for (name, value) in aspects.iter().filter(|(_, value)| !value.is_empty()) {
        say(&mut text, name, value);
    }
    text
}

/// The text for an item that changed: each aspect with its old and new value.
pub(super) fn compared(title: &str, was: &[Aspect], is: &[Aspect]) -> Lines {
    let mut text = Lines::default();
    text.push(format_args!("~ {title}"));
    let of = |aspects: &[Aspect], name: &str| {
        let found = aspects.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut named = Vec::new();
    for (name, _) in is.iter().chain(was) {
        let (before, now) = (of(was, name), of(is, name));
        if before == now || named.contains(name) {
            continue;
        }
        named.push(*name);
        let plain = |value: &str| {
            !value.is_empty() && !value.contains('\n') && value.chars().count() <= SHORT
        };
        match plain(&before) && plain(&now) {
            true => say(&mut text, name, &format!("{before} → {now}")),
            false => {
                for (mark, value) in [('-', before), ('+', now)] {
                    if !value.is_empty() {
                        say(&mut text, &format!("{mark} {name}"), &value);
                    }
                }
            }
        }
    }
    text
}

/// The most characters of a value for the old and the new value to share one line.
const SHORT: usize = 40;

/// Adds a value with its name to the text. A value of several lines goes below its name.
fn say(text: &mut Lines, name: &str, value: &str) {
    match value.contains('\n') {
        false => text.push(format_args!("    {name}: {value}")),
        true => {
            text.push(format_args!("    {name}:"));
            text.quote("      ", value);
        }
    }
}
