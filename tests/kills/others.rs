//! The clients that do other things than send commands: recoveries, checkpoints, exports, redactions,
//! imports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use planledger_core::domain::Command as CoreCommand;
use planledger_proto::v1::recovery_wish::Wish;
use planledger_proto::v1::transfer::{Rule, What};
use planledger_proto::v1::{command::Command as Aggregate, erasure_command::Operation, *};

use crate::Fault;
use crate::ask::{No, ask, later};
use crate::clients::Working;
use crate::server::Program;
use crate::witness::{KeptRecovery, Redaction};

/// How long a client waits when it has nothing to do.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(15);

/// Two rosters of the same people under other names, and the program that imports them.
#[derive(Debug, Clone)]
pub(crate) struct Rosters {
    program: Program,
    folders: Arc<tempfile::TempDir>,
}

impl Rosters {
    pub(crate) fn new(program: &Program) -> Result<Self, Fault> {
        let folders = tempfile::tempdir()?;
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../service/samples/roster");
        for (name, family) in ["first", "second"].iter().zip([None, Some(",Nyborg,")]) {
            let to = folders.path().join(name);
            std::fs::create_dir(&to)?;
            for file in std::fs::read_dir(&sample)? {
                let file = file?;
                let mut text = std::fs::read_to_string(file.path())?;
                if let Some(family) = family {
                    text = text.replace(",Olsen,", family);
                }
                std::fs::write(to.join(file.file_name()), text)?;
            }
        }
        Ok(Self {
            program: program.clone(),
            folders: Arc::new(folders),
        })
    }

    fn folder(&self, number: usize) -> PathBuf {
        let name = match number {
            0 => "first",
            _ => "second",
        };
        self.folders.path().join(name)
    }

    /// The names of people in a roster.
    pub(crate) fn names(&self, number: usize) -> Result<Vec<String>, Fault> {
        let text = std::fs::read_to_string(self.folder(number).join("users.csv"))?;
        let rows = text.lines().skip(1).filter_map(|line| {
            // No cell before the names has a comma in it.
            let mut cells = line.split(',').skip(8);
            Some(format!("{} {}", cells.next()?, cells.next()?))
        });
        Ok(rows.collect())
    }

    /// Imports a roster; whether it was done.
    pub(crate) fn import(&self, number: usize, url: &str) -> Result<bool, Fault> {
        let mut command = self.program.command();
        command.args(["--log", "error", "import", "roster", "--accept-names"]);
        command.args(["--server", url]).arg(self.folder(number));
        Ok(command.output()?.status.success())
    }
}

/// Imports a roster: the other one each time.
pub(crate) async fn import(working: Working, url: String, rosters: Rosters) -> Result<(), Fault> {
    let number = {
        let mut witness = working.witness();
        witness.importing = true;
        witness.roster.map_or(0, |last| 1 - last)
    };
    let done = tokio::task::spawn_blocking(move || rosters.import(number, &url)).await;
    if done.map_err(|error| Fault::Own(error.to_string()))?? {
        let mut witness = working.witness();
        (witness.roster, witness.importing) = (Some(number), false);
        witness.imports += 1;
    }
    Ok(())
}

/// Makes checkpoints, and keeps what they say.
pub(crate) async fn checkpoints(working: Working) -> Result<(), Fault> {
    loop {
        let request = GetCheckpointRequest {
            min_size: 0,
            create: true,
        };
        let answer = ask(|| {
            let mut call = working.client.audit();
            async move { call.get_checkpoint(request).await }
        });
        match answer.await {
            Ok(answer) => {
                if let Some(shown) = answer.checkpoint {
                    working.witness().checkpoints.insert(shown.size, shown.root);
                }
            }
            Err(No::Gone(_)) => return Ok(()),
            Err(No::Refused(_)) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Exports everything, once.
pub(crate) async fn exports(working: Working) -> Result<(), Fault> {
    let key = ask(|| {
        let mut call = working.client.audit();
        async move { call.get_verifier_keys(GetVerifierKeysRequest {}).await }
    });
    let Ok(key) = key.await else {
        return Ok(());
    };
    let range = PositionRange { from: 1, to: 0 };
    let request = ExportBundleRequest {
        scope: Some(export_bundle_request::Scope::Range(range)),
        disclosure: BundleDisclosure::Integrity.into(),
        ..ExportBundleRequest::default()
    };
    let mut call = working.client.audit();
    let Ok(parts) = call.export_bundle(request).await else {
        return Ok(());
    };
    let (mut parts, mut bundle) = (parts.into_inner(), String::new());
    while let Ok(part) = parts.message().await {
        match part {
            Some(part) => bundle.push_str(&part.lines),
            None => {
                let mut witness = working.witness();
                witness.bundle = Some((bundle, key.current));
                witness.exports += 1;
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Gives a year plan to the other teacher, again and again.
pub(crate) async fn recoveries(mut working: Working) -> Result<(), Fault> {
    loop {
        let Some((year_plan, teachers)) = courses(&working)? else {
            return Ok(());
        };
        let to = usize::from(working.dice.below(2) == 0);
        let transfer = Transfer {
            what: Some(What::Items(TransferItems {
                streams: vec![year_plan],
            })),
            rule: teachers.into_iter().nth(to).map(Rule::ToPersonId),
            fallback: None,
            reason: None,
        };
        let wish = RecoveryWish {
            wish: Some(Wish::Transfer(transfer)),
        };
        let request = ProposeRecoveryRequest {
            wish: Some(wish.clone()),
            ..ProposeRecoveryRequest::default()
        };
        let proposal = ask(|| {
            let (mut call, request) = (working.client.ownership(), request.clone());
            async move { call.propose_recovery(request).await }
        });
        let proposal = match proposal.await {
            Ok(proposal) if proposal.steps > 0 => proposal,
            Err(No::Gone(_)) => return Ok(()),
            Ok(_) | Err(No::Refused(_)) => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let id = {
            let mut bytes = [0; 16];
            let halves = [working.dice.roll(), working.dice.roll()].map(u64::to_be_bytes);
            bytes.copy_from_slice(halves.as_flattened());
            let id = planledger_benches::school::random_like(bytes);
            planledger_core::ids::RecoveryId::from_bytes(id).to_string()
        };
        let recovery = KeptRecovery {
            id,
            wish,
            digest: proposal.digest,
            summary: None,
        };
        working.witness().recoveries.push(recovery.clone());
        match run(&working, &recovery).await {
            Ok(summary) => {
                let mut witness = working.witness();
                let mut all = witness.recoveries.iter_mut();
                if let Some(kept) = all.find(|kept| kept.id == recovery.id) {
                    kept.summary = summary;
                }
            }
            Err(No::Gone(_)) => return Ok(()),
            Err(No::Refused(_)) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The year plan of the first class, and the teachers of both.
fn courses(working: &Working) -> Result<Option<(String, Vec<String>)>, Fault> {
    let school = working.witness().school;
    let mut teachers = Vec::new();
    for class in 0..2 {
        if let Some(CoreCommand::Person(teacher, _)) = school.roster(class)?.first() {
            teachers.push(teacher.to_string());
        }
    }
    Ok(match school.course_of(0)?.first() {
        Some(CoreCommand::YearPlan(id, _)) => Some((format!("year_plan/{id}"), teachers)),
        _ => None,
    })
}

/// Runs a recovery to its end; `None` if it ended without a summary.
pub(crate) async fn run(working: &Working, kept: &KeptRecovery) -> Result<Option<Recovery>, No> {
    use run_recovery_response::Update;
    let request = RunRecoveryRequest {
        recovery_id: kept.id.clone(),
        wish: Some(kept.wish.clone()),
        digest: kept.digest.clone(),
        on_behalf_of: None,
    };
    let mut updates = loop {
        let mut call = working.client.ownership();
        match call.run_recovery(request.clone()).await {
            Ok(updates) => break updates.into_inner(),
            Err(status) => later(&status).await?,
        }
    };
    loop {
        match updates.message().await {
            Ok(Some(message)) => {
                if let Some(Update::Summary(summary)) = message.update {
                    return Ok(Some(summary));
                }
            }
            Ok(None) => return Ok(None),
            Err(status) => later(&status).await?,
        }
    }
}

fn erasure(working: &Working, target: &ErasureTarget, operation: Operation) -> Command {
    let command = ErasureCommand {
        target: Some(target.clone()),
        operation: Some(operation),
    };
    let mut witness = working.witness();
    let number = witness.number();
    // Only its id is used.
    let id = witness.school.status(number).map(|it| witness.message(it));
    Command {
        command_id: id.map(|it| it.command_id).unwrap_or_default(),
        command: Some(Aggregate::Erasure(command)),
        ..Command::default()
    }
}

/// Has texts redacted, as two people do it.
pub(crate) async fn redactions(mut working: Working, actor: String) -> Result<(), Fault> {
    let Some((_, teachers)) = courses(&working)? else {
        return Ok(());
    };
    let other = teachers.last().map(|it| format!("person/{it}"));
    let other = other.unwrap_or_default();
    let approving = working.acting_as(&other)?;
    loop {
        tokio::time::sleep(4 * PAUSE).await;
        let chosen = working.dice.roll();
        let target = {
            let witness = working.witness();
            let redacted = |position| witness.redactions.iter().any(|it| it.position == position);
            let statuses = witness.sent.iter().filter_map(|sent| {
                let receipt = sent.receipt.as_ref()?;
                let written = sent.status.is_some() && receipt.event_count == 1;
                (written && !redacted(receipt.position)).then_some(receipt)
            });
            let statuses: Vec<_> = statuses.collect();
            let at = chosen % statuses.len().max(1) as u64;
            statuses.get(at as usize).map(|receipt| EventPlace {
                position: receipt.position,
                stream: receipt.stream.clone(),
                revision: receipt.revision,
            })
        };
        let Some(place) = target else {
            continue;
        };
        let position = place.position;
        let target = ErasureTarget {
            target: Some(erasure_target::Target::Event(place)),
        };
        let request = Operation::RequestErasure(RequestErasure {
            basis: "Artikel 17".to_owned(),
            reason: "Bedt om".to_owned(),
            retention: None,
        });
        let request = erasure(&working, &target, request);
        if !working.single(&actor, &request).await {
            return Ok(());
        }
        let approve = Operation::ApproveErasure(ApproveErasure { reason: None });
        let approve = erasure(&working, &target, approve);
        let redaction = Redaction {
            position,
            approval: approve.command_id.clone(),
        };
        // From here on nobody can say that the text has to be readable.
        working.witness().redactions.push(redaction);
        if !approving.single(&other, &approve).await {
            return Ok(());
        }
    }
}
