//! A school: who is there, and the events that made it what it is.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use planledger_core::domain::Actor;
use planledger_core::domain::catalogue::{CatalogueDetails, CatalogueEvent, CatalogueItem};
use planledger_core::domain::institution::{InstitutionDetails, InstitutionEvent};
use planledger_core::domain::person::{Affiliation, PersonEvent, Role};
use planledger_core::domain::plan::{Assessment, PlanEvent, TalkDetails, TalkKind, UnitRef};
use planledger_core::domain::school_year::{SchoolYear, SchoolYearEvent};
use planledger_core::domain::team::{StaffRole, TeamDetails, TeamEvent};
use planledger_core::domain::year_plan::{
    GoalArea, GoalDetails, GoalKind, Scale, UnitDetails, Wording, WordingChoice, YearPlanDetails,
    YearPlanEvent, YearPlanKind,
};
use planledger_core::ids::{
    CatalogueId, CatalogueItemId, EvaluationId, GoalId, InstitutionId, PersonId, PlanId,
    SchoolYearId, SystemId, TalkId, TeamId, UnitId, YearPlanId,
};
use planledger_core::text::{Code, Name, Reason, Text, Title};

use super::Fact;

pub(crate) const SYSTEM: Actor = Actor::System(SystemId::from_bytes([0xAA; 16]));

pub(crate) const SCHOOL: InstitutionId = InstitutionId::from_bytes([0x11; 16]);
pub(crate) const OTHER_SCHOOL: InstitutionId = InstitutionId::from_bytes([0x12; 16]);
pub(crate) const YEAR: SchoolYearId = SchoolYearId::from_bytes([0x21; 16]);

pub(crate) const STUDENT: PersonId = PersonId::from_bytes([0x31; 16]);
pub(crate) const CLASSMATE: PersonId = PersonId::from_bytes([0x32; 16]);
pub(crate) const GUARDIAN: PersonId = PersonId::from_bytes([0x33; 16]);
pub(crate) const TEACHER: PersonId = PersonId::from_bytes([0x34; 16]);
pub(crate) const PEDAGOGUE: PersonId = PersonId::from_bytes([0x35; 16]);
pub(crate) const LEADER: PersonId = PersonId::from_bytes([0x36; 16]);
/// Works there, and is none of the above.
pub(crate) const CLERK: PersonId = PersonId::from_bytes([0x37; 16]);
pub(crate) const NOBODY: PersonId = PersonId::from_bytes([0x3F; 16]);

pub(crate) const TEAM: TeamId = TeamId::from_bytes([0x41; 16]);
pub(crate) const YEAR_PLAN: YearPlanId = YearPlanId::from_bytes([0x51; 16]);
pub(crate) const OTHER_YEAR_PLAN: YearPlanId = YearPlanId::from_bytes([0x52; 16]);
pub(crate) const COMBINED: YearPlanId = YearPlanId::from_bytes([0x53; 16]);
pub(crate) const UNIT: UnitId = UnitId::from_bytes([0x61; 16]);
pub(crate) const OTHER_UNIT: UnitId = UnitId::from_bytes([0x62; 16]);
pub(crate) const SUBJECT_GOAL: GoalId = GoalId::from_bytes([0x71; 16]);
pub(crate) const REFLECTION_GOAL: GoalId = GoalId::from_bytes([0x72; 16]);
pub(crate) const OTHER_GOAL: GoalId = GoalId::from_bytes([0x73; 16]);
pub(crate) const PLAN: PlanId = PlanId::from_bytes([0x81; 16]);
pub(crate) const OTHER_PLAN: PlanId = PlanId::from_bytes([0x82; 16]);
pub(crate) const EVALUATION: EvaluationId = EvaluationId::from_bytes([0x91; 16]);
pub(crate) const LATER: EvaluationId = EvaluationId::from_bytes([0x92; 16]);
pub(crate) const TALK: TalkId = TalkId::from_bytes([0xA1; 16]);
pub(crate) const CATALOGUE: CatalogueId = CatalogueId::from_bytes([0xB1; 16]);
pub(crate) const ITEM: CatalogueItemId = CatalogueItemId::from_bytes([0xC1; 16]);
pub(crate) const OTHER_ITEM: CatalogueItemId = CatalogueItemId::from_bytes([0xC2; 16]);

pub(crate) const THE_UNIT: UnitRef = UnitRef {
    year_plan: YEAR_PLAN,
    unit: UNIT,
};

pub(crate) fn name(value: &str) -> Name {
    Name::new(value).unwrap()
}

pub(crate) fn title(value: &str) -> Title {
    Title::new(value).unwrap()
}

pub(crate) fn text(value: &str) -> Text {
    Text::new(value).unwrap()
}

pub(crate) fn code(value: &str) -> Code {
    Code::new(value).unwrap()
}

pub(crate) fn why(value: &str) -> Option<Reason> {
    Some(Reason::new(value).unwrap())
}

pub(crate) fn day(month: i8, day: i8) -> Date {
    date(2026, month, day)
}

pub(crate) fn institution_details(value: &str) -> InstitutionDetails {
    InstitutionDetails {
        name: name(value),
        code: None,
    }
}

pub(crate) fn school_year() -> SchoolYear {
    SchoolYear {
        title: title("2026/27"),
        first_day: date(2026, 8, 1),
        last_day: date(2027, 7, 31),
    }
}

pub(crate) fn affiliation(institution: InstitutionId, role: Role) -> Affiliation {
    Affiliation {
        institution,
        role,
        grade: None,
    }
}

pub(crate) fn team_details() -> TeamDetails {
    TeamDetails {
        institution: SCHOOL,
        school_year: Some(YEAR),
        title: title("7.b dansk"),
        subject: Some(name("Dansk")),
        code: None,
    }
}

pub(crate) fn subject_year_plan() -> YearPlanDetails {
    YearPlanDetails {
        kind: YearPlanKind::Subject,
        institution: SCHOOL,
        team: TEAM,
        school_year: YEAR,
        title: title("Dansk i 7.b"),
        subjects: BTreeSet::from([name("Dansk")]),
    }
}

pub(crate) fn combined_year_plan() -> YearPlanDetails {
    YearPlanDetails {
        kind: YearPlanKind::Combined,
        title: title("7.b"),
        subjects: BTreeSet::from([name("Dansk"), name("Matematik")]),
        ..subject_year_plan()
    }
}

pub(crate) fn unit_details(value: &str) -> UnitDetails {
    UnitDetails {
        title: title(value),
        subject: Some(name("Dansk")),
        description: None,
    }
}

pub(crate) fn scale() -> Scale {
    Scale {
        title: title("Fire trin"),
        levels: ["Endnu ikke", "På vej", "Sikkert", "Meget sikkert"]
            .map(title)
            .into(),
    }
}

pub(crate) fn goal(kind: GoalKind, words: &str) -> GoalDetails {
    GoalDetails {
        kind,
        area: GoalArea::Academic,
        wording: Wording::Own { text: text(words) },
        scale: scale(),
    }
}

/// The same goal, as it is asked for.
pub(crate) fn chosen_goal(kind: GoalKind, words: &str) -> GoalDetails<WordingChoice> {
    GoalDetails {
        kind,
        area: GoalArea::Academic,
        wording: WordingChoice::Own { text: text(words) },
        scale: scale(),
    }
}

pub(crate) fn level(level: u8) -> Assessment {
    Assessment {
        level: Some(level),
        comment: None,
    }
}

pub(crate) fn talk(notes: &str) -> TalkDetails {
    TalkDetails {
        kind: TalkKind::StudentTalk,
        held_on: day(11, 20),
        notes: text(notes),
    }
}

fn person(id: PersonId, called: &str, role: Option<Role>) -> Vec<Fact> {
    let registered = PersonEvent::Registered { name: name(called) };
    let place = role.map(|role| PersonEvent::AffiliationSet(affiliation(SCHOOL, role)));
    [registered]
        .into_iter()
        .chain(place)
        .map(|event| (id, event).into())
        .collect()
}

/// Two institutions, a school year and everybody.
pub(crate) fn a_school() -> Vec<Fact> {
    let registered = |called| InstitutionEvent::Registered(institution_details(called));
    [
        vec![
            (SCHOOL, registered("Nordvestskolen")).into(),
            (OTHER_SCHOOL, registered("Sydhavnsskolen")).into(),
            (YEAR, SchoolYearEvent::Defined(school_year())).into(),
        ],
        person(STUDENT, "Eleven", Some(Role::Student)),
        person(CLASSMATE, "Kammeraten", Some(Role::Student)),
        person(GUARDIAN, "Forælderen", None),
        person(TEACHER, "Læreren", Some(Role::Teacher)),
        person(PEDAGOGUE, "Pædagogen", Some(Role::Pedagogue)),
        person(LEADER, "Lederen", Some(Role::Leader)),
        person(CLERK, "Sekretæren", Some(Role::Other)),
    ]
    .concat()
}

/// The school, and a team that the teacher owns.
pub(crate) fn a_team() -> Vec<Fact> {
    let mut facts = a_school();
    let created = TeamEvent::Created {
        details: team_details(),
        owner: Some(TEACHER),
    };
    let role = StaffRole::Teacher;
    facts.extend(
        [
            created,
            TeamEvent::MemberAdded { student: STUDENT },
            TeamEvent::StaffAdded {
                person: TEACHER,
                role,
            },
        ]
        .map(|event| Fact::from((TEAM, event))),
    );
    facts
}

/// The team, and a subject year plan with one unit that has a goal of each kind. The teacher owns
/// it.
pub(crate) fn a_year_plan() -> Vec<Fact> {
    let mut facts = a_team();
    let created = YearPlanEvent::Created {
        details: subject_year_plan(),
        owner: TEACHER,
    };
    let unit_added = YearPlanEvent::UnitAdded {
        unit: UNIT,
        details: unit_details("Noveller"),
    };
    let goal_added = |id, kind, words| YearPlanEvent::GoalAdded {
        unit: UNIT,
        goal: id,
        details: goal(kind, words),
    };
    facts.extend(
        [
            created,
            unit_added,
            goal_added(SUBJECT_GOAL, GoalKind::Subject, "Kan finde temaet"),
            goal_added(REFLECTION_GOAL, GoalKind::Reflection, "Siger sin mening"),
        ]
        .map(|event| Fact::from((YEAR_PLAN, event))),
    );
    facts
}

/// The year plan, and the student's plan for it, which includes its unit.
pub(crate) fn a_plan() -> Vec<Fact> {
    let mut facts = a_year_plan();
    let opened = PlanEvent::Opened {
        student: STUDENT,
        kind: YearPlanKind::Subject,
        year_plan: YEAR_PLAN,
        owner: TEACHER,
    };
    facts.extend([opened, PlanEvent::UnitIncluded(THE_UNIT)].map(|event| (PLAN, event).into()));
    facts
}

/// The evaluation that the teacher makes of a goal.
pub(crate) fn evaluated(id: EvaluationId, goal: GoalId, reached: u8) -> Fact {
    let event = PlanEvent::EvaluationRecorded {
        evaluation: id,
        unit: THE_UNIT,
        goal,
        goal_revision: 1,
        by: planledger_core::domain::plan::Evaluator::Staff,
        assessment: level(reached),
    };
    Fact::from((PLAN, event)).by(TEACHER)
}

pub(crate) fn catalogue_details() -> CatalogueDetails {
    CatalogueDetails {
        title: title("Fælles Mål"),
        publisher: None,
        version: None,
        language: Some(code("da")),
    }
}

pub(crate) fn catalogue_item(words: &str) -> CatalogueItem {
    CatalogueItem {
        text: text(words),
        kind: Some(title("Kompetencemål")),
        code: None,
        parents: BTreeSet::new(),
    }
}

/// A catalogue of one item.
pub(crate) fn a_catalogue() -> Vec<Fact> {
    let defined = CatalogueEvent::Defined(catalogue_details());
    let item = CatalogueEvent::ItemDefined {
        item: ITEM,
        details: catalogue_item("Eleven kan styre og regulere sin læseproces"),
    };
    vec![(CATALOGUE, defined).into(), (CATALOGUE, item).into()]
}
