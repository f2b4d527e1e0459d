//! Two schools that have nothing to do with each other, and a server that asks what is granted.

use std::sync::Arc;
use std::time::Duration;

use planledger::server::Limits;
use planledger::server::granted::Granted;
use planledger_core::access::Purpose;
use planledger_core::domain::grants::{GrantDetails, GrantsCommand, Role as Granting, Scope};
use planledger_core::domain::{Actor, Command as Inner};
use planledger_core::ids::{CommandId, GrantId, GrantsId, LedgerId, PersonId, SystemId};
use planledger_core::ledger::{Envelope, Ledger};
use planledger_proto::v1::*;

use crate::support::*;

/// A school with a course and a plan, whose student's plan says something that nobody else's says.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) school: School,
    pub(super) course: Course,
    pub(super) plan: String,
    pub(super) marker: String,
}

impl Place {
    async fn found(voice: &Voice, marker: &str) -> Self {
        let (school, course, plan) = School::with_plan(voice).await;
        let text = format!("Status {marker}");
        voice.execute(write_status(&plan, &text)).await;
        Self {
            school,
            course,
            plan,
            marker: marker.to_owned(),
        }
    }
}

/// The name of the student of the first school, which nobody else has.
pub(super) const STUDENT_HERE: &str = "Kanariefuglen Ærø";
/// The roster that knows that student, and the id in it.
pub(super) const SOURCE: &str = "skolen";
pub(super) const ROSTER_ID: &str = "kf12";

/// The two schools, and whoever watches over them.
pub(super) struct World {
    pub(super) home: Home,
    pub(super) here: Place,
    pub(super) there: Place,
    pub(super) administrator: String,
    pub(super) auditor: String,
    pub(super) officer: String,
    /// A recovery that changed something of the first school.
    pub(super) recovery: String,
}

impl World {
    /// Founds both, while everybody may do everything.
    pub(super) async fn found() -> Self {
        let home = Home::new();
        let server = home.start();
        let voice = server.voice().await;
        let here = Place::found(&voice, "MARKERHERE").await;
        let there = Place::found(&voice, "MARKERTHERE").await;
        let (administrator, auditor, officer) = (new_id(), new_id(), new_id());
        let office = new_id();
        let role = Role::Other;
        let put = PutPerson {
            name: STUDENT_HERE.to_owned(),
            affiliations: vec![Affiliation {
                institution_id: here.school.institution.clone(),
                role: Role::Student.into(),
                grade: None,
            }],
            departed: false,
            record: Some(RosterRecord {
                source: SOURCE.to_owned(),
                sourced_id: ROSTER_ID.to_owned(),
                enabled: true,
                ..RosterRecord::default()
            }),
        };
        voice
            .all([
                person(&here.school.student, OnPerson::PutPerson(put)),
                register_institution(&office, "Forvaltningen"),
                put_person(&administrator, "Inge Administrator", &office, role),
                put_person(&auditor, "Ole Revisor", &office, role),
                put_person(&officer, "Else Arkivar", &office, role),
            ])
            .await;
        let plan = format!("plan/{}", here.plan);
        let wish = give(&[&plan], &here.school.pedagogue);
        let digest = voice.propose(&wish).await.unwrap().digest;
        let recovery = new_id();
        voice.run(&recovery, wish, &digest).await.unwrap();
        let wish = give(&[&plan], &here.school.teacher);
        voice.fulfil(wish).await;
        drop(voice);
        server.stop();
        let world = Self {
            home,
            here,
            there,
            administrator,
            auditor,
            officer,
            recovery,
        };
        world.appoint();
        world
    }

    /// Grants what cannot follow from the roster.
    fn appoint(&self) {
        let ledger = Ledger::open(self.home.options()).unwrap();
        let bootstrap = GrantsCommand::Bootstrap {
            grant: GrantId::from_uuid(uuid::Uuid::new_v4()),
            grantee: person_actor(&self.administrator),
            instead_of: None,
        };
        let of_ledger = LedgerId::from_uuid(ledger.status().ledger.uuid());
        let itself = Actor::System(SystemId::from_uuid(of_ledger.uuid()));
        carry_out(&ledger, itself, &self.administrator, bootstrap);
        self.make_auditor(&ledger, &self.auditor, None);
        self.grant(&ledger, &self.officer, Granting::RecordsOfficer, None);
    }

    /// Makes somebody an auditor, for one purpose only if there is one. No server runs meanwhile.
    pub(super) fn make_auditor(&self, ledger: &Ledger, person: &str, purpose: Option<Purpose>) {
        self.grant(ledger, person, Granting::Auditor, purpose);
    }

    fn grant(&self, ledger: &Ledger, person: &str, role: Granting, purpose: Option<Purpose>) {
        let details = GrantDetails {
            role,
            scope: Scope::Municipality,
            first_day: None,
            last_day: None,
            purpose,
            reason: None,
        };
        let grant = GrantsCommand::Grant {
            grant: GrantId::from_uuid(uuid::Uuid::new_v4()),
            grantee: person_actor(person),
            details,
        };
        let by = person_actor(&self.administrator);
        carry_out(ledger, by, person, grant);
    }

    /// Starts a server that asks what is granted.
    pub(super) fn serve(&self) -> Running {
        let limits = Limits {
            grace: Duration::from_secs(5),
            heartbeat: Duration::from_millis(200),
            ..Limits::default()
        };
        let setup = Setup {
            authorizer: Arc::new(Granted),
            limits,
            ..Setup::notarised()
        };
        setup.start(&self.home)
    }
}

fn carry_out(ledger: &Ledger, by: Actor, grantee: &str, command: GrantsCommand) {
    let id = CommandId::from_uuid(uuid::Uuid::new_v4());
    let stream = GrantsId::of(person_actor(grantee));
    let envelope = Envelope::new(id, Inner::Grants(stream, command));
    ledger.execute(by, envelope).unwrap();
}

pub(super) fn person_actor(id: &str) -> Actor {
    let id: PersonId = id.parse().unwrap();
    Actor::Person(id)
}

/// Ends a guardianship yesterday.
pub(super) fn end_custody(student: &str, guardian: &str) -> Command {
    let yesterday = planledger::system::today().yesterday().unwrap();
    let end = EndGuardianship {
        guardian_id: guardian.to_owned(),
        last_day: yesterday.to_string(),
    };
    person(student, OnPerson::EndGuardianship(end))
}

/// Takes somebody off the staff of a team.
pub(super) fn leave_staff(team_id: &str, person_id: &str) -> Command {
    let person_id = person_id.to_owned();
    team(
        team_id,
        OnTeam::RemoveTeamStaff(RemoveTeamStaff { person_id }),
    )
}
