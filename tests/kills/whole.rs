//! Everything in a ledger, held against what was receipted: every event, the plans, checkpoints,
//! recoveries, redactions and the roster.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use planledger::client::Client;
use planledger_proto::v1::event::Content;
use planledger_proto::v1::*;

use crate::Fault;
use crate::ask::{No, ask};
use crate::check;
use crate::clients::{Working, teacher};
use crate::dice::Dice;
use crate::others::{Rosters, run};
use crate::server::Server;
use crate::witness::{Findings, Witness};

/// How often it is looked whether a redaction has been carried out.
const LOOKS: u32 = 500;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);
const PAGE: i32 = 1_000;

struct Looking<'a> {
    working: Working,
    found: &'a mut Findings,
}

/// Looks at everything.
pub(crate) async fn check(
    server: &Server,
    witness: &Arc<Mutex<Witness>>,
    rosters: &Rosters,
    found: &mut Findings,
) -> Result<(), Fault> {
    let actor = teacher(witness);
    let client = Client::connect(&server.url, &actor).await?;
    check::checkpoints(&client, witness, usize::MAX, found).await?;
    let working = Working {
        client,
        witness: witness.clone(),
        dice: Dice::new(0),
    };
    let mut looking = Looking { working, found };
    looking.recoveries().await?;
    looking.events().await?;
    looking.statuses().await?;
    looking.roster(server, rosters).await
}

impl Looking<'_> {
    fn witness(&self) -> MutexGuard<'_, Witness> {
        self.working.witness()
    }

    async fn read(&self) -> Result<Vec<Event>, Fault> {
        let gone = |status: tonic::Status| Fault::Gone(status.to_string());
        let mut call = self.working.client.events();
        let answers = call.read_events(ReadEventsRequest::default()).await;
        let mut answers = answers.map_err(gone)?.into_inner();
        let mut events = Vec::new();
        while let Some(answer) = answers.message().await.map_err(gone)? {
            events.extend(answer.events);
        }
        Ok(events)
    }

    /// What a redaction left of events is there only once it is carried out, which goes on after the
    /// receipt. Waits for that.
    async fn read_when_redacted(&mut self) -> Result<Vec<Event>, Fault> {
        let mut looks = 0;
        loop {
            let events = self.read().await?;
            let open = {
                let witness = self.witness();
                let approved = witness.redactions.iter().filter(|redaction| {
                    let approval = witness.by_id(&redaction.approval);
                    approval.is_some_and(|sent| sent.receipt.is_some())
                });
                let open = approved.filter(|redaction| {
                    let event = events.get(redaction.position as usize - 1);
                    event.is_some_and(|event| !is_redacted(event))
                });
                open.count()
            };
            looks += 1;
            if open == 0 {
                return Ok(events);
            }
            if looks > LOOKS {
                self.found
                    .wrong(format!("{open} approved redactions were not carried out"));
                return Ok(events);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn events(&mut self) -> Result<(), Fault> {
        let events = self.read_when_redacted().await?;
        self.found.events(events.len());
        let mut wrong = Vec::new();
        let mut missing = Vec::new();
        {
            let witness = self.witness();
            follow_on(&events, &mut wrong);
            let redacted = |position| witness.redactions.iter().any(|it| it.position == position);
            let mut counts: HashMap<&str, u32> = HashMap::new();
            for event in &events {
                *counts.entry(&event.command_id).or_default() += 1;
            }
            for sent in &witness.sent {
                let id = sent.command.command_id.as_str();
                let there = counts.get(id).copied().unwrap_or_default();
                let Some(receipt) = &sent.receipt else {
                    if there > 0 {
                        wrong.push(format!("{id} was refused, and has {there} events"));
                    }
                    continue;
                };
                if there != receipt.event_count {
                    let count = receipt.event_count;
                    missing.push(format!("{id} has {there} events, and had {count}"));
                    continue;
                }
                for back in 0..u64::from(receipt.event_count) {
                    let place = (receipt.position - back).checked_sub(1);
                    let event = place.and_then(|place| events.get(place as usize));
                    let same = event.is_some_and(|event| {
                        event.command_id == id
                            && event.stream == receipt.stream
                            && event.revision + back == receipt.revision
                            && event.actor == sent.actor
                    });
                    if !same {
                        missing.push(format!("{id} is not where its receipt says"));
                    }
                }
                if let Some((_, text)) = &sent.status
                    && let Some(event) = events.get(receipt.position as usize - 1)
                    && !redacted(event.position)
                    && written(event).as_ref() != Some(text)
                {
                    missing.push(format!("the text of {id} is not what was sent"));
                }
            }
        }
        wrong.into_iter().for_each(|what| self.found.wrong(what));
        missing
            .into_iter()
            .for_each(|what| self.found.missing(what));
        Ok(())
    }

    /// Each plan shows the status that was written last.
    async fn statuses(&mut self) -> Result<(), Fault> {
        let mut last: BTreeMap<String, (u64, String)> = BTreeMap::new();
        {
            let witness = self.witness();
            for sent in &witness.sent {
                if let (Some((plan, text)), Some(receipt)) = (&sent.status, &sent.receipt) {
                    let newest = last.entry(plan.clone()).or_default();
                    if receipt.position >= newest.0 {
                        *newest = (receipt.position, text.clone());
                    }
                }
            }
        }
        for (plan_id, (position, text)) in last {
            let redacted = {
                let witness = self.witness();
                witness.redactions.iter().any(|it| it.position == position)
            };
            let request = GetPlanRequest {
                plan_id: plan_id.clone(),
                viewer: Viewer::Staff.into(),
                ..GetPlanRequest::default()
            };
            let shown = ask(|| {
                let (mut call, request) = (self.working.client.plans(), request.clone());
                async move { call.get_plan(request).await }
            });
            let shown = match shown.await {
                Ok(shown) => shown.plan.and_then(|plan| plan.status),
                Err(No::Gone(what)) => return Err(Fault::Gone(what)),
                Err(No::Refused(reason)) => {
                    self.found.wrong(format!("plan {plan_id}: {reason}"));
                    continue;
                }
            };
            if !redacted && shown.map(|status| status.text) != Some(text) {
                self.found.wrong(format!(
                    "plan {plan_id} does not show what was written last"
                ));
            }
        }
        Ok(())
    }

    /// Every recovery that ended has ended so; one that was interrupted goes on to its end.
    async fn recoveries(&mut self) -> Result<(), Fault> {
        let kept = self.witness().recoveries.clone();
        for recovery in kept {
            let again = match run(&self.working, &recovery).await {
                Ok(again) => again,
                Err(No::Gone(what)) => return Err(Fault::Gone(what)),
                Err(No::Refused(reason)) => {
                    if recovery.summary.is_some() {
                        let id = &recovery.id;
                        self.found
                            .missing(format!("recovery {id} had ended: {reason}"));
                    }
                    continue;
                }
            };
            match recovery.summary {
                Some(_) if again != recovery.summary => {
                    self.found
                        .missing(format!("recovery {} ended otherwise", recovery.id));
                }
                None if again.is_none() => {
                    self.found
                        .wrong(format!("recovery {} does not end", recovery.id));
                }
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// The roster that was imported last is there, as a whole. One that was interrupted is imported to
    /// its end first.
    async fn roster(&mut self, server: &Server, rosters: &Rosters) -> Result<(), Fault> {
        let (last, importing) = {
            let witness = self.witness();
            (witness.roster, witness.importing)
        };
        let number = match (last, importing) {
            (None, false) => return Ok(()),
            (Some(last), false) => last,
            (last, true) => {
                let number = last.map_or(0, |last| 1 - last);
                if !rosters.import(number, &server.url)? {
                    let what = "an import that was interrupted cannot be done again";
                    self.found.wrong(what.to_owned());
                    return Ok(());
                }
                number
            }
        };
        let listed = self.people().await?;
        let names = rosters.names(number)?;
        let absent = names.iter().filter(|name| !listed.contains(name)).count();
        if absent > 0 {
            let all = names.len();
            self.found.missing(format!(
                "of {all} people of an imported roster {absent} are missing"
            ));
        }
        Ok(())
    }

    async fn people(&self) -> Result<Vec<String>, Fault> {
        let gone = |no: No| match no {
            No::Gone(what) | No::Refused(what) => Fault::Gone(what),
        };
        let request = ListInstitutionsRequest::default();
        let institutions = ask(|| {
            let (mut call, request) = (self.working.client.roster(), request.clone());
            async move { call.list_institutions(request).await }
        });
        let mut names = Vec::new();
        for institution in institutions.await.map_err(gone)?.institutions {
            let mut request = ListPersonsRequest {
                institution_id: institution.institution_id,
                page_size: PAGE,
                ..ListPersonsRequest::default()
            };
            loop {
                let page = ask(|| {
                    let (mut call, request) = (self.working.client.roster(), request.clone());
                    async move { call.list_persons(request).await }
                });
                let page = page.await.map_err(gone)?;
                names.extend(page.persons.into_iter().map(|person| person.name));
                request.page_token = page.next_page_token;
                if request.page_token.is_empty() {
                    break;
                }
            }
        }
        Ok(names)
    }
}

/// Positions, and revisions of each stream, go on without a gap, and no command is carried out in two
/// places.
fn follow_on(events: &[Event], wrong: &mut Vec<String>) {
    let mut revisions: HashMap<&str, u64> = HashMap::new();
    let mut commands: HashMap<&str, u64> = HashMap::new();
    for (place, event) in (1_u64..).zip(events) {
        if event.position != place {
            wrong.push(format!("position {} follows {}", event.position, place - 1));
        }
        let revision = revisions.entry(&event.stream).or_default();
        if event.revision != *revision + 1 {
            wrong.push(format!("{} goes on with {}", event.stream, event.revision));
        }
        *revision = event.revision;
        let last = commands.insert(&event.command_id, place);
        if last.is_some_and(|last| last + 1 != place) {
            wrong.push(format!("{} has events in two places", event.command_id));
        }
    }
}

fn is_redacted(event: &Event) -> bool {
    event.redacted || matches!(event.content, Some(Content::Unreadable(_)))
}

/// The text that an event wrote as a plan's status.
fn written(event: &Event) -> Option<String> {
    let Some(Content::Payload(json)) = &event.content else {
        return None;
    };
    let json: serde_json::Value = serde_json::from_slice(json.as_ref()).ok()?;
    let text = json.get("status_written")?.get("text")?.as_str()?;
    Some(text.to_owned())
}
