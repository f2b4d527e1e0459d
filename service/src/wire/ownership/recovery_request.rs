//! Reads what a recovery should do.

use planledger_core::ids::StreamId;
use planledger_core::recovery::{
    Fallback, Merge, Rebuild, RecoveryRequest, Restore, RestoreItem, Rule, Transfer, What,
};

use super::{OWNABLE, read_stream};
use crate::wire::fields::{Fields, ViolationReason};
use crate::wire::proto;

/// Most items that a request may name one by one: as many as a recovery may have steps.
const MOST_ITEMS: usize = 10_000;
/// Most teams with a new owner each, and most items to restore.
const MOST_NAMED: usize = 1_000;
/// Most subjects with a new owner each.
const MOST_SUBJECTS: usize = 100;

pub(in crate::wire) fn read_recovery_request(
    fields: &mut Fields,
    wish: proto::RecoveryWish,
) -> Option<RecoveryRequest> {
    use proto::recovery_wish::Wish as Asked;
    match wish.wish {
        Some(Asked::Transfer(transfer)) => fields.within("transfer", |fields| {
            read_transfer(fields, transfer).map(RecoveryRequest::Transfer)
        }),
        Some(Asked::Restore(restore)) => fields.within("restore", |fields| {
            read_restore(fields, restore).map(RecoveryRequest::Restore)
        }),
        Some(Asked::Merge(merge)) => fields.within("merge", |fields| {
            read_merge(fields, merge).map(RecoveryRequest::Merge)
        }),
        None => fields.missing("wish"),
    }
}

fn read_transfer(fields: &mut Fields, transfer: proto::Transfer) -> Option<Transfer> {
    let what = read_what(fields, transfer.what);
    let rule = read_rule(fields, transfer.rule);
    let fallback = read_fallback(fields, transfer.fallback);
    let reason = fields.optional_text("reason", transfer.reason.as_deref());
    let (rule, fallback) = (rule?, fallback?);
    // If one person should get everything, no other person silently takes that person's place.
    if matches!(rule, Rule::To(_)) && fallback != Fallback::Nobody {
        let description = "cannot be combined with to_person_id";
        fields.violate("fallback", ViolationReason::OutOfRange, description);
        return None;
    }
    Some(Transfer {
        what: what?,
        rule,
        fallback,
        reason: reason?,
    })
}

fn read_what(fields: &mut Fields, what: Option<proto::transfer::What>) -> Option<What> {
    use proto::transfer::What as Asked;
    match what {
        Some(Asked::EverythingOf(all)) => fields.within("everything_of", |fields| {
            let of = fields.id("person_id", &all.person_id);
            let institution = fields.optional_id("institution_id", all.institution_id.as_deref());
            Some(What::Everything {
                of: of?,
                institution: institution?,
            })
        }),
        Some(Asked::Items(items)) => fields.within("items", |fields| {
            check_count(fields, "streams", items.streams.len(), MOST_ITEMS)?;
            let read = |fields: &mut Fields, stream: String| -> Option<StreamId> {
                read_stream(fields, "", &stream, OWNABLE)
            };
            fields.set("streams", items.streams, read).map(What::Items)
        }),
        None => fields.missing("what"),
    }
}

fn read_rule(fields: &mut Fields, rule: Option<proto::transfer::Rule>) -> Option<Rule> {
    use proto::transfer::Rule as Asked;
    match rule {
        Some(Asked::ToPersonId(person)) => fields.id("to_person_id", &person).map(Rule::To),
        Some(Asked::ToTeam(proto::TransferToTeam {})) => Some(Rule::Team),
        Some(Asked::PerTeam(heirs)) => fields.within("per_team", |fields| {
            check_count(fields, "heirs", heirs.heirs.len(), MOST_NAMED)?;
            let heirs = fields.map("heirs", heirs.heirs, |fields, heir| {
                let team = fields.id("team_id", &heir.team_id);
                let person = fields.id("person_id", &heir.person_id);
                Some((team?, person?))
            });
            heirs.map(Rule::PerTeam)
        }),
        Some(Asked::PerSubject(heirs)) => fields.within("per_subject", |fields| {
            check_count(fields, "heirs", heirs.heirs.len(), MOST_SUBJECTS)?;
            let heirs = fields.map("heirs", heirs.heirs, |fields, heir| {
                let subject = fields.text("subject", &heir.subject);
                let person = fields.id("person_id", &heir.person_id);
                Some((subject?, person?))
            });
            heirs.map(Rule::PerSubject)
        }),
        None => fields.missing("rule"),
    }
}

fn read_fallback(
    fields: &mut Fields,
    fallback: Option<proto::transfer::Fallback>,
) -> Option<Fallback> {
    use proto::transfer::Fallback as Asked;
    match fallback {
        Some(Asked::FallbackPersonId(person)) => {
            fields.id("fallback_person_id", &person).map(Fallback::To)
        }
        Some(Asked::FallbackLeader(proto::TransferToLeader {})) => Some(Fallback::Leader),
        None => Some(Fallback::Nobody),
    }
}

fn read_merge(fields: &mut Fields, merge: proto::Merge) -> Option<Merge> {
    use proto::merge::Fallback as Asked;
    let from = fields.id("from_institution_id", &merge.from_institution_id);
    let to = fields.id("to_institution_id", &merge.to_institution_id);
    let teams = at_most(fields, "teams", merge.teams.len(), MOST_NAMED).and_then(|()| {
        fields.map("teams", merge.teams, |fields, team| {
            let from = fields.id("from_team_id", &team.from_team_id);
            let to = fields.id("to_team_id", &team.to_team_id);
            Some((from?, to?))
        })
    });
    let fallback = match merge.fallback {
        Some(Asked::FallbackPersonId(person)) => {
            fields.id("fallback_person_id", &person).map(Fallback::To)
        }
        Some(Asked::FallbackLeader(proto::TransferToLeader {})) => Some(Fallback::Leader),
        None => Some(Fallback::Nobody),
    };
    let reason = fields.optional_text("reason", merge.reason.as_deref());
    Some(Merge {
        from: from?,
        to: to?,
        teams: teams?,
        fallback: fallback?,
        reason: reason?,
    })
}

fn read_restore(fields: &mut Fields, restore: proto::Restore) -> Option<Restore> {
    let what = check_count(fields, "items", restore.items.len(), MOST_NAMED)
        .and_then(|()| fields.list("items", restore.items, read_item));
    let give_to = fields.optional_id("give_to_person_id", restore.give_to_person_id.as_deref());
    let reason = fields.optional_text("reason", restore.reason.as_deref());
    Some(Restore {
        what: what?,
        give_to: give_to?,
        reason: reason?,
    })
}

fn read_item(fields: &mut Fields, item: proto::RestoreItem) -> Option<RestoreItem> {
    use proto::restore_item::Item;
    match item.item {
        Some(Item::Team(item)) => fields.within("team", |fields| {
            let team = fields.id("team_id", &item.team_id)?;
            let with_contents = item.with_contents;
            Some(RestoreItem::Team {
                team,
                with_contents,
            })
        }),
        Some(Item::YearPlan(item)) => fields.within("year_plan", |fields| {
            let year_plan = fields.id("year_plan_id", &item.year_plan_id)?;
            let with_contents = item.with_contents;
            Some(RestoreItem::YearPlan {
                year_plan,
                with_contents,
            })
        }),
        Some(Item::Unit(item)) => fields.within("unit", |fields| {
            let year_plan = fields.id("year_plan_id", &item.year_plan_id);
            let unit = fields.id("unit_id", &item.unit_id);
            let (year_plan, unit) = (year_plan?, unit?);
            Some(RestoreItem::Unit { year_plan, unit })
        }),
        Some(Item::PlanId(plan)) => {
            let plan = fields.id("plan_id", &plan)?;
            Some(RestoreItem::Plan { plan })
        }
        Some(Item::Move(item)) => fields.within("move", |fields| {
            let plan = fields.id("plan_id", &item.plan_id);
            let to = fields.id("year_plan_id", &item.year_plan_id);
            let (plan, to) = (plan?, to?);
            Some(RestoreItem::Move { plan, to })
        }),
        Some(Item::Rebuild(item)) => fields.within("rebuild", |fields| {
            let from = fields.id("from_year_plan_id", &item.from_year_plan_id);
            let year_plan = fields.id("year_plan_id", &item.year_plan_id);
            let title = fields.optional_text("title", item.title.as_deref());
            let team = fields.optional_id("team_id", item.team_id.as_deref());
            let owner = fields.optional_id("owner_id", item.owner_id.as_deref());
            let institution = fields.optional_id("institution_id", item.institution_id.as_deref());
            Some(RestoreItem::Rebuild(Rebuild {
                from: from?,
                year_plan: year_plan?,
                title: title?,
                team: team?,
                owner: owner?,
                institution: institution?,
            }))
        }),
        None => fields.missing("item"),
    }
}

/// Checks that a count is between 1 and `most`.
fn check_count(fields: &mut Fields, name: &str, count: usize, most: usize) -> Option<()> {
    match count {
        0 => fields.missing(name),
        _ => at_most(fields, name, count, most),
    }
}

/// Checks that a count is at most `most`.
fn at_most(fields: &mut Fields, name: &str, count: usize, most: usize) -> Option<()> {
    match count {
        _ if count <= most => Some(()),
        _ => {
            let description =
                format!("has {count} items, but at most {most} are allowed in one request");
            fields.violate(name, ViolationReason::OutOfRange, description);
            None
        }
    }
}
