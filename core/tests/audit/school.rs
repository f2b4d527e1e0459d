//! A ledger with two students' plans, and a notary.

use planledger_fixtures::commands;
use std::path::Path;
use std::sync::Arc;

use planledger_core::audit::{ExportRequest, Scope};
use planledger_core::domain::person::Role;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{PlanId, YearPlanId};
use planledger_core::ledger::{Envelope, Ledger, Receipt};
use planledger_core::notary::Notary;
use planledger_core::tlog::{Algorithm, Policy, SignedCheckpoint, Signer};
use planledger_fixtures::evidence::{self, readable};
use planledger_fixtures::founding;
use planledger_fixtures::place::{TempLedger, command_id};
use planledger_fixtures::school::{OTHER_YEAR_PLAN, SYSTEM, YEAR_PLAN};

pub(crate) use planledger_fixtures::school::{
    CLASSMATE, OTHER_PLAN as SECOND, PLAN, STUDENT, TEACHER,
};

pub(crate) const ORIGIN: &str = "planledger.example/test";
pub(crate) const OTHERS: PlanId = PlanId::from_bytes([0x83; 16]);
const YEAR_PLANS: [YearPlanId; 2] = [YEAR_PLAN, OTHER_YEAR_PLAN];

pub(crate) fn signer() -> Signer {
    Signer::new(ORIGIN, Algorithm::Ed25519, [0x5E; 32]).unwrap()
}

pub(crate) fn policy() -> Policy {
    Policy::of_logs(vec![signer().verifier()])
}

pub(crate) struct NotarisedSchool {
    pub(crate) place: TempLedger,
    pub(crate) ledger: Ledger,
    pub(crate) notary: Arc<Notary>,
    pub(crate) commands: u64,
}

impl NotarisedSchool {
    /// Two plans of one student and one of another, each with a few events.
    pub(crate) fn new() -> Self {
        let place = TempLedger::new();
        let ledger = place.open();
        let notary = Arc::new(Notary::open(ledger.clone(), place.path(), signer()).unwrap());
        let mut school = Self {
            place,
            ledger,
            notary,
            commands: 0,
        };
        school.found();
        school
    }

    /// A ledger that is there already.
    pub(crate) fn around(place: TempLedger, ledger: Ledger, notary: Notary) -> Self {
        Self {
            place,
            ledger,
            notary: Arc::new(notary),
            commands: 0,
        }
    }

    /// The same ledger, opened again from a directory.
    pub(crate) fn reopen(dir: &Path) -> (Ledger, Arc<Notary>) {
        let ledger = TempLedger::open_in(dir);
        let notary = Notary::open(ledger.clone(), dir, signer()).unwrap();
        (ledger, Arc::new(notary))
    }

    /// Stops it, and gives the directory.
    pub(crate) fn close(self) -> TempLedger {
        drop((self.ledger, self.notary));
        self.place
    }

    fn found(&mut self) {
        let people = [
            (STUDENT, "Ida Kjær", Role::Student),
            (CLASSMATE, "Søren Dam", Role::Student),
            (TEACHER, "Åse Bach", Role::Teacher),
        ];
        let mut commands = founding::school("Åskolen");
        commands.extend(founding::people(&people));
        commands.push(founding::team("7.b dansk", TEACHER));
        commands.extend(YEAR_PLANS.map(|id| founding::year_plan(id, "Dansk", TEACHER)));
        // The system brings all of it, as an import does.
        for (_, command) in commands {
            self.act(SYSTEM, command);
        }
        for (plan, student, year_plan) in [
            (PLAN, STUDENT, YEAR_PLANS[0]),
            (SECOND, STUDENT, YEAR_PLANS[1]),
            (OTHERS, CLASSMATE, YEAR_PLANS[0]),
        ] {
            let open = commands::open_plan(student, year_plan, None);
            self.plan(plan, open);
            self.write(plan, "begynder at læse");
        }
        self.write(PLAN, "læser med lyst");
        self.write(OTHERS, "skriver gerne");
        self.plan(PLAN, PlanCommand::Share);
    }

    fn act(&mut self, actor: Actor, command: Command) -> Receipt {
        self.commands += 1;
        let envelope = Envelope::new(command_id(self.commands), command);
        self.ledger.execute(actor, envelope).unwrap()
    }

    pub(crate) fn plan(&mut self, plan: PlanId, command: PlanCommand) -> Receipt {
        self.act(Actor::Person(TEACHER), Command::Plan(plan, command))
    }

    pub(crate) fn write(&mut self, plan: PlanId, text: &str) -> Receipt {
        let text = text.parse().unwrap();
        self.plan(plan, PlanCommand::WriteStatus { text })
    }

    pub(crate) fn export(&self, scope: Scope) -> String {
        self.export_as(readable(scope))
    }

    pub(crate) fn export_as(&self, request: ExportRequest) -> String {
        evidence::export(&self.ledger, &self.notary, request)
    }

    pub(crate) fn checkpoint(&self) -> SignedCheckpoint {
        self.notary.checkpoint().unwrap()
    }
}
