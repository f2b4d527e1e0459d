//! `erasure list` and `erasure show`.

use clap::Args;
use planledger_core::ids::ErasureId;
use planledger_proto::v1::erasure_target::Target;
use planledger_proto::v1::{self as proto, ErasureStep, ListErasuresRequest, ListErasuresResponse};

use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::super::remote::Remote;
use crate::client::Client;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let erasures = all(&client).await?;
        if self.json {
            return output::json(&ListErasuresResponse {
                erasures,
                ..Default::default()
            });
        }
        let heads = [
            "erasure",
            "target",
            "state",
            "asked by",
            "approved by",
            "carried out",
            "events",
        ];
        let mut rows = vec![heads.map(str::to_owned).to_vec()];
        rows.extend(erasures.iter().map(row));
        output::table(&rows);
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// Its id, as `erasure list` prints it; for the erasure of a person it is the id of the person
    #[arg(value_name = "ERASURE", value_parser = id::<ErasureId>())]
    erasure: ErasureId,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let wanted = self.erasure.to_string();
        let mut erasures = all(&client).await?.into_iter();
        let found = erasures.find(|one| one.erasure_id == wanted);
        let Some(one) = found else {
            let what = format!("nobody has asked for a redaction or erasure with the id {wanted}");
            return Err(CliError::Refused(what));
        };
        if self.json {
            return output::json(&one);
        }
        output::line(format!("{}: {}", target(&one), state(&one)));
        let steps = [
            ("asked for", one.requested.as_ref()),
            ("taken back", one.withdrawn.as_ref()),
            ("approved", one.approved.as_ref()),
        ];
        for (what, step) in steps {
            if let Some(step) = step {
                let at = output::instant(step.at.as_ref());
                output::line(format!("{what}: {at}, {}", by(Some(step))));
            }
        }
        if let Some(at) = &one.carried_out_at {
            output::line(format!("carried out: {}", output::instant(Some(at))));
        }
        match (one.read_count, &one.removed_until) {
            (Some(reads), Some(until)) => {
                let until = output::instant(Some(until));
                output::line(format!("removed: {reads} reads, the last of {until}"));
            }
            (Some(reads), None) if one.event_count.is_some() => {
                output::line(format!("would remove: {reads} reads"));
            }
            (Some(reads), None) => output::line(format!("removed: {reads} reads")),
            (None, _) => {}
        }
        if let (Some(events), Some(plans), None) = (one.event_count, one.plan_count, one.read_count)
        {
            output::line(format!(
                "would make unreadable: {events} events, {plans} plans"
            ));
        }
        output::line(format!("basis: {}", one.basis));
        output::line(format!("reason: {}", one.reason));
        Ok(())
    }
}

pub(super) async fn all(client: &Client) -> Result<Vec<proto::Erasure>, CliError> {
    let mut request = ListErasuresRequest::default();
    let mut erasures = Vec::new();
    loop {
        let page = client.access().list_erasures(request.clone()).await?;
        let page = page.into_inner();
        erasures.extend(page.erasures);
        if page.next_page_token.is_empty() {
            return Ok(erasures);
        }
        request.page_token = page.next_page_token;
    }
}

fn row(one: &proto::Erasure) -> Vec<String> {
    let dash = || "-".to_owned();
    vec![
        one.erasure_id.clone(),
        target(one),
        state(one),
        by(one.requested.as_ref()),
        by(one.approved.as_ref()),
        match &one.carried_out_at {
            Some(at) => output::instant(Some(at)),
            None => dash(),
        },
        match (one.event_count, one.read_count) {
            (_, Some(reads)) => format!("{reads} reads"),
            (Some(events), None) => events.to_string(),
            (None, None) => dash(),
        },
    ]
}

fn state(one: &proto::Erasure) -> String {
    let state = one.state().as_str_name();
    let state = state.strip_prefix("ERASURE_STATE_").unwrap_or(state);
    state.to_ascii_lowercase()
}

fn target(one: &proto::Erasure) -> String {
    match one.target.as_ref().and_then(|it| it.target.as_ref()) {
        Some(Target::PersonId(id)) => format!("person/{id}"),
        Some(Target::ReadsBefore(day)) => format!("reads before {day}"),
        Some(Target::Event(place)) => format!("event {} of {}", place.position, place.stream),
        None => "-".to_owned(),
    }
}

fn by(step: Option<&ErasureStep>) -> String {
    let name = |actor: Option<&proto::Actor>| match actor.and_then(|actor| actor.actor.as_ref()) {
        Some(proto::actor::Actor::PersonId(id)) => format!("person/{id}"),
        Some(proto::actor::Actor::SystemId(id)) => format!("system/{id}"),
        None => "-".to_owned(),
    };
    let actor = name(step.and_then(|step| step.actor.as_ref()));
    match step.and_then(|step| step.on_behalf_of.as_ref()) {
        Some(other) => format!("{actor} for {}", name(Some(other))),
        None => actor,
    }
}
