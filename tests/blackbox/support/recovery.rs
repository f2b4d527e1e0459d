//! Recoveries: what is wanted, in few words, and how they run.

use planledger_proto::v1::recovery_wish::Wish;
use planledger_proto::v1::transfer::{Rule, What};
use planledger_proto::v1::*;
use prost::Name;
use tokio::time::timeout;
use tonic::Streaming;

use super::commands::new_id;
use super::refused::Refused;
use super::voice::{PATIENCE, Voice, next};

/// Everything of somebody's goes to whomever the rule says.
pub(crate) fn transfer_of(person: &str, rule: Rule) -> RecoveryWish {
    let everything = TransferEverything {
        person_id: person.to_owned(),
        institution_id: None,
    };
    transfer(What::EverythingOf(everything), rule)
}

/// These things go to somebody.
pub(crate) fn give(streams: &[&str], to: &str) -> RecoveryWish {
    let streams = streams.iter().map(|stream| (*stream).to_owned()).collect();
    let rule = Rule::ToPersonId(to.to_owned());
    transfer(What::Items(TransferItems { streams }), rule)
}

fn transfer(what: What, rule: Rule) -> RecoveryWish {
    let transfer = Transfer {
        what: Some(what),
        rule: Some(rule),
        fallback: None,
        reason: Some("Fratrådt".to_owned()),
    };
    RecoveryWish {
        wish: Some(Wish::Transfer(transfer)),
    }
}

/// A team comes back, with what hung on it.
pub(crate) fn bring_back(team: &str) -> RecoveryWish {
    let item = restore_item::Item::Team(RestoreTeam {
        team_id: team.to_owned(),
        with_contents: true,
    });
    let restore = Restore {
        items: vec![RestoreItem { item: Some(item) }],
        ..Restore::default()
    };
    RecoveryWish {
        wish: Some(Wish::Restore(restore)),
    }
}

impl Voice {
    /// The dry run of a wish.
    pub(crate) async fn propose(
        &self,
        wish: &RecoveryWish,
    ) -> Result<ProposeRecoveryResponse, Refused> {
        let request = ProposeRecoveryRequest {
            wish: Some(wish.clone()),
            page_size: 1_000,
            ..ProposeRecoveryRequest::default()
        };
        let proposal = self.ask(request).await?;
        assert_eq!(proposal.next_page_token, "");
        Ok(proposal)
    }

    /// Has a wish fulfilled as it would be now; gives the summary.
    pub(crate) async fn fulfil(&self, wish: RecoveryWish) -> Recovery {
        let digest = self.propose(&wish).await.unwrap().digest;
        self.run(&new_id(), wish, &digest).await.unwrap()
    }

    /// Begins to run a recovery.
    pub(crate) async fn begin(
        &self,
        id: &str,
        wish: RecoveryWish,
        digest: &str,
    ) -> Result<Streaming<RunRecoveryResponse>, Refused> {
        let request = RunRecoveryRequest {
            recovery_id: id.to_owned(),
            wish: Some(wish),
            digest: digest.to_owned(),
            on_behalf_of: None,
        };
        let mut call = self.client.ownership();
        let answer = timeout(PATIENCE, call.run_recovery(request)).await;
        let refused = |status| Refused::new(&status, &RunRecoveryRequest::full_name());
        let answer = answer.expect("an answer in time").map_err(refused)?;
        Ok(answer.into_inner())
    }

    /// Runs a recovery to its end.
    pub(crate) async fn run(
        &self,
        id: &str,
        wish: RecoveryWish,
        digest: &str,
    ) -> Result<Recovery, Refused> {
        use run_recovery_response::Update;
        let mut updates = self.begin(id, wish, digest).await?;
        let refused = |status| Refused::new(&status, &RunRecoveryRequest::full_name());
        let mut tried = 0;
        while let Some(message) = next(&mut updates).await.map_err(refused)? {
            match message.update.unwrap() {
                Update::Progress(progress) => {
                    assert!(progress.tried >= tried && progress.tried <= progress.steps);
                    assert!(progress.left_out <= progress.tried);
                    tried = progress.tried;
                }
                Update::Summary(summary) => {
                    assert_eq!(next(&mut updates).await.unwrap(), None);
                    return Ok(summary);
                }
            }
        }
        panic!("no summary");
    }

    /// Takes back what a recovery did.
    pub(crate) async fn undo(&self, id: &str) -> Result<Recovery, Refused> {
        use undo_recovery_response::Update;
        let request = UndoRecoveryRequest {
            recovery_id: id.to_owned(),
            ..UndoRecoveryRequest::default()
        };
        let mut call = self.client.ownership();
        let answer = timeout(PATIENCE, call.undo_recovery(request)).await;
        let refused = |status| Refused::new(&status, &UndoRecoveryRequest::full_name());
        let answer = answer.expect("an answer in time").map_err(refused)?;
        let mut updates = answer.into_inner();
        while let Some(message) = next(&mut updates).await.map_err(refused)? {
            if let Update::Summary(summary) = message.update.unwrap() {
                return Ok(summary);
            }
        }
        panic!("no summary");
    }

    /// What a person owns.
    pub(crate) async fn owned(&self, person: &str) -> Vec<OwnedItem> {
        let request = ListOwnedRequest {
            person_id: person.to_owned(),
            page_size: 1_000,
            ..ListOwnedRequest::default()
        };
        self.ask(request).await.unwrap().items
    }

    /// What has no owner at an institution.
    pub(crate) async fn ownerless(&self, institution: &str) -> Vec<String> {
        let request = ListOwnerlessRequest {
            institution_id: institution.to_owned(),
            page_size: 1_000,
            ..ListOwnerlessRequest::default()
        };
        let items = self.ask(request).await.unwrap().items;
        assert!(items.iter().all(|item| item.ownerless));
        items.into_iter().map(|item| item.stream).collect()
    }
}
