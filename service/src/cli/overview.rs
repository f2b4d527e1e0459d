//! `planledger overview`: shows leaders how far the plans have come.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use planledger_core::ids::{InstitutionId, SchoolYearId};
use planledger_proto::v1::overview_count::Count;
use planledger_proto::v1::{
    self as proto, DueRules, GetOverviewRequest, GetOverviewResponse, OverviewCount, OverviewRow,
    TalkKind,
};

use super::error::CliError;
use super::id::id;
use super::output;
use super::remote::{Remote, block_on};
use crate::settings::File;
use crate::wire;

const PAGE: i32 = 1_000;
/// Number of characters in a full bar.
const BAR: u64 = 10;

/// Show how far plans have come: students with a plan, visible plans, evaluations, talks, and what
/// is due
#[derive(Debug, Args)]
pub(super) struct Overview {
    /// School year of the plans [default: the school year of the day]
    #[arg(long, value_name = "SCHOOL_YEAR", value_parser = id::<SchoolYearId>())]
    school_year: Option<SchoolYearId>,
    /// Only this institution; may be given more than once [default: all]
    #[arg(long, value_name = "INSTITUTION", value_parser = id::<InstitutionId>())]
    institution: Vec<InstitutionId>,
    /// What each row stands for
    #[arg(long, value_enum, default_value_t = By::Institution)]
    by: By,
    /// Count as of the end of this day (2026-02-22) [default: today, or the end of the school year]
    #[arg(long, value_name = "DAY")]
    as_of: Option<Date>,
    /// Also count plans that nobody has worked on for this many months
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u32).range(1..=120))]
    untouched: Option<u32>,
    /// Also count what is due and missing: a file of rules as JSON, like
    /// service/samples/due-rules-*.json
    #[arg(long, value_name = "FILE")]
    due: Option<PathBuf>,
    /// Hide counts below this number, and other counts from which they could be worked out
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(3..=100))]
    mask_below: Option<u32>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Institution,
    Grade,
    Team,
}

impl Overview {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        let rules = self.due.as_deref().map(read_rules).transpose()?;
        block_on(self.ask(file, rules))
    }

    async fn ask(self, file: &File, rules: Option<DueRules>) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let by = match self.by {
            By::Institution => proto::OverviewBy::Institution,
            By::Grade => proto::OverviewBy::Grade,
            By::Team => proto::OverviewBy::Team,
        };
        let mut request = GetOverviewRequest {
            institution_ids: self.institution.iter().map(ToString::to_string).collect(),
            school_year_id: self.school_year.map(|id| id.to_string()),
            by: by.into(),
            as_of: self.as_of.map(|day| day.to_string()),
            untouched_months: self.untouched.unwrap_or(0),
            due_rules: rules.clone(),
            mask_below: self.mask_below.unwrap_or(0),
            min_position: 0,
            page_size: PAGE,
            page_token: String::new(),
        };
        let mut service = client.overview();
        let mut found = service.get_overview(request.clone()).await?.into_inner();
        while !found.next_page_token.is_empty() {
            request.page_token = std::mem::take(&mut found.next_page_token);
            let next = service.get_overview(request.clone()).await?.into_inner();
            found.rows.extend(next.rows);
            found.next_page_token = next.next_page_token;
        }
        if self.json {
            return output::json(&found);
        }
        show(&found, rules.as_ref());
        Ok(())
    }
}

fn read_rules(path: &Path) -> Result<DueRules, CliError> {
    let usage =
        |error: &dyn std::fmt::Display| CliError::Usage(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| usage(&error))?;
    wire::due_rules_of_json(&text).map_err(|error| usage(&error))
}

fn show(found: &GetOverviewResponse, rules: Option<&DueRules>) {
    let rows: Vec<&OverviewRow> = found.rows.iter().chain(&found.total).collect();
    let untouched = rows.iter().any(|row| row.untouched.is_some());
    let mut heading = vec![
        "",
        "students",
        "with plan",
        "visible",
        "evaluated",
        "with talk",
        "plans",
        "without owner",
    ];
    if untouched {
        heading.push("untouched");
    }
    heading.extend(["student", "feedback", "learning", "school-home"]);
    let mut table = vec![heading.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for row in &rows {
        let students = row.students.as_ref();
        let mut cells = vec![name(row), count(students)];
        for part in [
            &row.with_plan,
            &row.visible_to_guardians,
            &row.evaluated,
            &row.with_talk,
        ] {
            cells.push(share(part.as_ref(), students));
        }
        cells.push(count(row.plans.as_ref()));
        cells.push(count(row.ownerless.as_ref()));
        if untouched {
            cells.push(count(row.untouched.as_ref()));
        }
        for kind in [
            TalkKind::StudentTalk,
            TalkKind::FeedbackTalk,
            TalkKind::LearningTalk,
            TalkKind::SchoolHomeTalk,
        ] {
            let talks = row.talks.iter().find(|talks| talks.kind() == kind);
            cells.push(count(talks.and_then(|talks| talks.count.as_ref())));
        }
        table.push(cells);
    }
    output::table(&table);
    if let Some(rules) = rules {
        show_due(&rows, rules, &found.due_from);
    }
    output::note(format!(
        "school year {}, at the end of {}; as of position {}",
        found.school_year_title, found.as_of, found.position
    ));
    output::note(
        "the talk column counts talks, not students; * hides a count, because it is small or a \
        small count follows from it",
    );
}

fn show_due(rows: &[&OverviewRow], rules: &DueRules, due_from: &[String]) {
    let heading = ["", "due", "subject", "students", "missing"].map(str::to_owned);
    let mut table = vec![heading.to_vec()];
    for row in rows {
        for due in &row.due {
            let rule = rules.rules.get(due.rule as usize);
            table.push(vec![
                name(row),
                rule.map(|rule| rule.title.clone()).unwrap_or_default(),
                due.subject.clone().unwrap_or_else(|| "any".to_owned()),
                count(due.due.as_ref()),
                share(due.missing.as_ref(), due.due.as_ref()),
            ]);
        }
    }
    output::line("");
    output::table(&table);
    let seen = rows.first().map(|row| &row.due);
    for (index, (rule, day)) in rules.rules.iter().zip(due_from).enumerate() {
        let is_due = seen.is_some_and(|due| due.iter().any(|due| due.rule as usize == index));
        if !is_due {
            output::note(format!("not due until {day}: {}", rule.title));
        }
    }
}

fn name(row: &OverviewRow) -> String {
    let institution = row
        .institution_name
        .as_ref()
        .or(row.institution_id.as_ref());
    let team = row.team_title.as_ref().or(row.team_id.as_ref());
    match (institution, team, &row.grade) {
        (Some(institution), Some(team), _) => format!("{institution}, {team}"),
        (Some(name), None, _) | (None, Some(name), _) => name.clone(),
        (None, None, Some(grade)) if grade.is_empty() => "no grade".to_owned(),
        (None, None, Some(grade)) => format!("grade {grade}"),
        (None, None, None) => "total".to_owned(),
    }
}

fn count(count: Option<&OverviewCount>) -> String {
    match count.and_then(|count| count.count) {
        Some(Count::Exact(count)) => count.to_string(),
        Some(Count::Below(limit)) => format!("<{limit}"),
        Some(Count::Withheld(_)) => "*".to_owned(),
        None => "-".to_owned(),
    }
}

fn exact(count: Option<&OverviewCount>) -> Option<u64> {
    match count?.count? {
        Count::Exact(count) => Some(count),
        Count::Below(_) | Count::Withheld(_) => None,
    }
}

/// A count with its share of a whole: a bar, the per cent and the count. Without a share, only the
/// count: that is so if one of the two is masked or the whole is 0.
fn share(part: Option<&OverviewCount>, whole: Option<&OverviewCount>) -> String {
    match (exact(part), exact(whole)) {
        (Some(part), Some(whole)) if whole > 0 => {
            let part_of = |scale: u64| (part * scale + whole / 2) / whole;
            // Only a complete count shows a full bar, and only a count of zero shows an empty bar.
            let filled = match part {
                0 => 0,
                _ if part >= whole => BAR,
                _ => part_of(BAR).clamp(1, BAR - 1),
            };
            let percent = match part {
                _ if part >= whole => 100,
                0 => 0,
                _ => part_of(100).clamp(1, 99),
            };
            let (filled, percent) = (filled as usize, percent);
            let bar = format!(
                "{}{}",
                "#".repeat(filled),
                ".".repeat(BAR as usize - filled)
            );
            format!("{bar} {percent:>3} % ({part})")
        }
        _ => count(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(part: u64, whole: u64) -> String {
        let count = |count| OverviewCount {
            count: Some(Count::Exact(count)),
        };
        share(Some(&count(part)), Some(&count(whole)))
    }

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        assert_eq!(of(0, 25), "..........   0 % (0)");
        assert_eq!(of(25, 25), "########## 100 % (25)");
        assert_eq!(of(999, 1_000), "#########.  99 % (999)");
        assert_eq!(of(1, 1_000), "#.........   1 % (1)");
        assert_eq!(of(1, 2), "#####.....  50 % (1)");
        assert_eq!(of(0, 0), "0");
    }

    #[test]
    fn the_examples_of_due_rules_can_be_applied() {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
        for name in ["due-rules-elevplan.json", "due-rules-meddelelsesbog.json"] {
            let rules = read_rules(&samples.join(name));
            assert!(
                matches!(rules, Ok(rules) if rules.rules.len() > 1),
                "{name}"
            );
        }
    }
}
