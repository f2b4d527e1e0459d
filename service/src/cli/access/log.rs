//! `access log`.

use clap::Args;
use jiff::civil::Date;
use planledger_core::ids::PersonId;
use planledger_core::time::Timestamp;
use planledger_proto::v1::{
    ListReadersRequest, ListReadersResponse, PlanRead, PlanReadKind, Viewer,
};

use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::super::remote::Remote;
use super::names::{actor_name, heads, purpose_name};
use crate::settings::File;
use crate::wire;

/// Most reads that are printed, if no other number is given.
const DEFAULT_LIMIT: usize = 1_000;

#[derive(Debug, Args)]
pub(in crate::cli) struct Log {
    /// The student
    #[arg(long, value_name = "UUID", value_parser = id::<PersonId>())]
    student: PersonId,
    /// Only reads on this day or later
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<Date>,
    /// Only reads on this day or earlier
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<Date>,
    /// Most reads to print, newest first
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT_LIMIT)]
    limit: usize,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Log {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let end = |day: Date| Timestamp::last_of_day_in_denmark(day).plus(1);
        let start = |day: Date| day.yesterday().map_or(Timestamp::default(), end);
        let mut request = ListReadersRequest {
            student_id: self.student.to_string(),
            since: self.since.map(|day| wire::timestamp(start(day))),
            until: self.until.map(|day| wire::timestamp(end(day))),
            ..Default::default()
        };
        let mut answer = ListReadersResponse::default();
        loop {
            let page = client.access().list_readers(request.clone()).await?;
            let page = page.into_inner();
            answer.position = page.position;
            answer.complete_since = page.complete_since;
            answer.reads.extend(page.reads);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() || answer.reads.len() >= self.limit {
                break;
            }
        }
        let more = answer.reads.len() > self.limit || !request.page_token.is_empty();
        answer.reads.truncate(self.limit);
        if self.json {
            return output::json(&answer);
        }
        let mut rows = vec![heads(&[
            "when", "who", "name", "for", "what", "seen as", "through", "plan", "purpose",
        ])];
        rows.extend(answer.reads.iter().map(row));
        output::table(&rows);
        if let Some(since) = &answer.complete_since {
            let since = output::instant(Some(since));
            output::note(format!("the access log is complete since {since}"));
        }
        if more {
            output::note("there are earlier reads; see --limit and --until");
        }
        Ok(())
    }
}

fn row(read: &PlanRead) -> Vec<String> {
    let dash = || "-".to_owned();
    let behalf = match (&read.on_behalf_of_name, &read.on_behalf_of) {
        (Some(name), _) => name.clone(),
        (None, who) => actor_name(who.as_ref()),
    };
    vec![
        output::instant(read.read_at.as_ref()),
        actor_name(read.actor.as_ref()),
        read.actor_name.clone().unwrap_or_else(dash),
        behalf,
        what(read),
        viewer_name(read.viewer()).to_owned(),
        match read.method.is_empty() {
            true => dash(),
            false => read.method.clone(),
        },
        read.plan_id.clone().unwrap_or_else(dash),
        read.purpose
            .map_or_else(dash, |_| purpose_name(read.purpose())),
    ]
}

fn what(read: &PlanRead) -> String {
    let kind = match read.kind() {
        PlanReadKind::Unspecified => "erased",
        PlanReadKind::Plan => "plan",
        PlanReadKind::Comparison => "differences",
        PlanReadKind::CollectedView => "all plans",
        PlanReadKind::History => "history",
        PlanReadKind::Events => "events",
        PlanReadKind::Evidence => "evidence",
        PlanReadKind::AccessLog => "access log",
    };
    match read.events {
        0 => kind.to_owned(),
        events => format!("{events} {kind}"),
    }
}

const fn viewer_name(viewer: Viewer) -> &'static str {
    match viewer {
        Viewer::Unspecified => "-",
        Viewer::Staff => "staff",
        Viewer::Student => "student",
        Viewer::Guardians => "guardians",
        Viewer::Others => "others",
    }
}
