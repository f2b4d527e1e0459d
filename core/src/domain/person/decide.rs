use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{
    Affiliation, Guardianship, Person, PersonCommand, PersonEvent, PersonFact, Role, RosterRecord,
    suggestion,
};
use crate::domain::grants::administrators::keep_one_without;
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::roster::{Decided, Import, not_in_roster};
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::{InstitutionId, PersonId};
use crate::text::{Name, SourceName};

const ID: &str = "person_id";

impl Person {
    /// Whether the person is a student somewhere.
    pub fn is_student(&self) -> bool {
        self.affiliations.iter().any(|at| at.role == Role::Student)
    }

    /// Whether the person is a teacher, pedagogue or leader somewhere.
    pub fn is_staff(&self) -> bool {
        self.affiliations.iter().any(|at| at.role.is_staff())
    }

    /// Whether the person is a teacher, pedagogue or leader at an institution.
    pub fn works_at(&self, institution: InstitutionId) -> bool {
        let mut places = self.affiliations.iter();
        places.any(|at| at.institution == institution && at.role.is_staff())
    }

    /// Whether the sources of rosters say that the person may not log in: at least one has said
    /// something of the account, and none lets the person in. Rights of staff that follow from the
    /// roster rest until one does.
    pub fn is_curtailed(&self) -> bool {
        let mut records = self.records.values();
        !self.records.is_empty() && records.all(|record| !record.enabled)
    }

    /// Whether the newest roster of some source does not have the person, although an earlier one
    /// had.
    pub fn is_absent(&self) -> bool {
        !self.absent.is_empty()
    }

    /// Whether a roster of the source may have brought the person. Whoever came before sources had
    /// names has no record of any.
    fn may_come_from(&self, source: &SourceName) -> bool {
        self.records.is_empty() || self.records.contains_key(source)
    }

    /// Whether the roster or a person has recorded somebody as the child's guardian on a day. The
    /// guardian may have left: ask [`guards`](crate::domain::view::guards) who may see and do what a
    /// guardian may.
    pub fn guardian_on(&self, guardian: PersonId, day: Date) -> bool {
        self.guardians
            .get(&guardian)
            .is_some_and(|last| last.is_none_or(|last| day <= last))
    }
}

impl PersonCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: PersonId,
    ) -> Result<Decided<PersonEvent, PersonFact>, Stop> {
        let decided = self.decide_alone(ask, id)?;
        // Whoever says it: the person, a leader, a confirmed suggestion or a roster.
        let mut events = decided.events.iter();
        if events.any(|event| matches!(event, PersonEvent::Departed { .. })) {
            keep_one_without(ask, id)?;
        }
        Ok(decided)
    }

    /// Decides without a look at what the person is to the ledger as a whole.
    fn decide_alone(
        &self,
        ask: &RuleContext<'_>,
        id: PersonId,
    ) -> Result<Decided<PersonEvent, PersonFact>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::Person(now)) => Some(now),
            _ => None,
        };
        let there = || {
            now.ok_or_else(|| not_found(Reason::PersonNotFound, "person", ID, id, Field::Target))
        };
        let events = match self {
            Self::Register { name } => match now {
                None => {
                    let (name, record) = (name.clone(), None);
                    Ok(vec![PersonEvent::Registered { name, record }])
                }
                Some(_) => exists("person", ID, id, Field::Target),
            },
            Self::Rename { name } if there()?.name == *name => Ok(Vec::new()),
            Self::Rename { name } => Ok(vec![PersonEvent::Renamed { name: name.clone() }]),
            Self::SetAffiliation(set) if there()?.affiliations.contains(set) => Ok(Vec::new()),
            Self::SetAffiliation(set) => {
                ask.institution(set.institution, Field::AffiliationInstitution)?;
                Ok(vec![PersonEvent::AffiliationSet(set.clone())])
            }
            Self::EndAffiliation { institution, role } => {
                let mut places = there()?.affiliations.iter();
                match places.any(|at| (at.institution, at.role) == (*institution, *role)) {
                    true => Ok(vec![PersonEvent::AffiliationEnded {
                        institution: *institution,
                        role: *role,
                    }]),
                    false => Err(not_found(
                        Reason::AffiliationNotFound,
                        "affiliation of the person with this role at institution",
                        "institution_id",
                        institution,
                        Field::Institution,
                    )),
                }
            }
            Self::SetGuardianship(set) => {
                let now = there()?;
                guardian(ask, id, set.guardian, Field::GuardianshipGuardian)?;
                Ok(match now.guardians.get(&set.guardian) {
                    Some(last_day) if *last_day == set.last_day => Vec::new(),
                    Some(_) | None => vec![PersonEvent::GuardianshipSet(set.clone())],
                })
            }
            Self::EndGuardianship { guardian, last_day } => {
                match there()?.guardians.get(guardian) {
                    Some(Some(ended)) if ended == last_day => Ok(Vec::new()),
                    Some(_) => Ok(vec![PersonEvent::GuardianshipEnded {
                        guardian: *guardian,
                        last_day: *last_day,
                    }]),
                    None => Err(not_found(
                        Reason::GuardianshipNotFound,
                        "guardianship of this student by person",
                        "guardian_id",
                        guardian,
                        Field::Guardian,
                    )),
                }
            }
            Self::Depart { on, reason } => match &there()?.departed {
                None => Ok(vec![PersonEvent::Departed {
                    last_day: *on,
                    reason: reason.clone(),
                }]),
                Some(departure) => {
                    let message = match departure.is_over_on(ask.day) {
                        true => format!("person {id} has already left"),
                        false => format!(
                            "the departure of person {id} is noted already; take it back first to \
                            note another day"
                        ),
                    };
                    refuse(Refusal::new(Reason::AlreadyDeparted, message).with(ID, id))
                }
            },
            Self::Return => match there()?.departed {
                Some(_) => Ok(vec![PersonEvent::Returned {}]),
                None => {
                    let message = format!("person {id} has not left");
                    refuse(Refusal::new(Reason::NotDeparted, message).with(ID, id))
                }
            },
            Self::Put {
                name,
                affiliations,
                departed,
                record,
            } => return put(ask, now, name, affiliations, *departed, record.as_ref()),
            Self::PutGuardians {
                guardians,
                last_day_of_others,
            } => {
                let now = there()?;
                let last_day = *last_day_of_others;
                return put_guardians(ask, id, now, guardians, |_| false, last_day);
            }
            Self::PutSomeGuardians {
                guardians,
                unsaid,
                others_unsaid,
                ended,
                last_day_of_others,
            } => {
                let now = there()?;
                // A guardian's row names a child that the export does not hold. It may be another adult.
                if *others_unsaid && unsaid.is_empty() && ended.is_empty() && is_no_student(now) {
                    return Ok(Vec::new().into());
                }
                let is_unsaid = |other| {
                    let is_left = *others_unsaid && !ended.contains(&other);
                    is_left || unsaid.contains(&other)
                };
                return put_guardians(ask, id, now, guardians, is_unsaid, *last_day_of_others);
            }
            Self::PutSomeProfiles {
                source,
                profiles,
                gone,
            } => {
                let now = there()?;
                let Some(known) = now.records.get(source) else {
                    return not_in_roster("person", ID, id);
                };
                let record = known.with_profiles(profiles, gone);
                let is_new = match now.absent.contains_key(source) {
                    true => !profiles.is_empty(),
                    false => record != **known,
                };
                let event = is_new.then_some(PersonEvent::RecordedInRoster(record));
                Ok(event.into_iter().collect())
            }
            Self::PutGone { source } => {
                let mut import = Import::new(ask);
                if let Some(now) = now.filter(|now| now.may_come_from(source)) {
                    put_departed(ask, Some(now), (true, false), &mut import);
                }
                return Ok(import.finish(|facts| PersonEvent::LeftToRoster { facts }));
            }
            Self::NoteAbsence { source, last_seen } => {
                let now = there()?;
                if !now.records.contains_key(source) {
                    return not_in_roster("person", ID, id);
                }
                Ok(note_absence(now, source, *last_seen))
            }
            Self::DecideSuggestion {
                evidence,
                confirmed,
                last_day,
                reason,
            } => {
                let (now, reason) = (there()?, reason.as_ref());
                suggestion::decide(ask, id, now, evidence, *confirmed, *last_day, reason)
            }
        };
        Ok(events?.into())
    }
}

/// Whether somebody is something at an institution and nowhere a student.
fn is_no_student(now: &Person) -> bool {
    let mut roles = now.affiliations.iter().map(|at| at.role);
    !now.affiliations.is_empty() && !roles.any(|role| role == Role::Student)
}

fn guardian(
    ask: &RuleContext<'_>,
    child: PersonId,
    guardian: PersonId,
    field: Field,
) -> Result<(), Stop> {
    if child == guardian {
        let message = format!("person {child} cannot be their own guardian");
        return refuse(
            Refusal::new(Reason::SelfGuardianship, message)
                .field(field)
                .with(ID, child),
        );
    }
    ask.person(guardian, field, |_| Ok(()))
}

/// Each institution and role counts once, whatever grades the command gives for it. The last grade
/// counts.
fn places<'a>(
    set: impl IntoIterator<Item = &'a Affiliation>,
) -> BTreeMap<(InstitutionId, Role), &'a Affiliation> {
    set.into_iter()
        .map(|at| ((at.institution, at.role), at))
        .collect()
}

fn put(
    ask: &RuleContext<'_>,
    now: Option<&Person>,
    name: &Name,
    affiliations: &BTreeSet<Affiliation>,
    departed: bool,
    record: Option<&RosterRecord>,
) -> Result<Decided<PersonEvent, PersonFact>, Stop> {
    let mut import = Import::new(ask);
    match now {
        None => import.record(PersonEvent::Registered {
            name: name.clone(),
            record: record.map(|record| record.after(None)),
        }),
        Some(now) => {
            let said = now.roster_name.as_deref();
            let name = import.values(&now.name, said, name, |()| true, |()| PersonFact::Name);
            if let Some(name) = name {
                import.record(PersonEvent::Renamed { name });
            }
        }
    }
    let nothing = BTreeSet::new();
    let by_hand = now.map_or(&nothing, |now| &now.by_hand);
    let fact = |(institution, role)| PersonFact::Affiliation { institution, role };
    let wanted = places(affiliations);
    let present = now.map(|now| places(&now.affiliations)).unwrap_or_default();
    for place in present.keys().filter(|place| !wanted.contains_key(place)) {
        let (institution, role) = *place;
        let ended = PersonEvent::AffiliationEnded { institution, role };
        import.ends(fact(*place), by_hand, ended);
    }
    for (place, affiliation) in &wanted {
        if present.get(place) == Some(affiliation) {
            import.agrees(fact(*place), by_hand);
        } else {
            ask.institution(place.0, Field::AffiliationsInstitution)?;
            let set = PersonEvent::AffiliationSet((*affiliation).clone());
            import.differs(fact(*place), by_hand, set);
        }
    }
    for known in by_hand {
        match known {
            // Neither the roster nor the person who ended it names the place.
            PersonFact::Affiliation { institution, role } => {
                let place = (*institution, *role);
                if !present.contains_key(&place) && !wanted.contains_key(&place) {
                    import.agrees(*known, by_hand);
                }
            }
            PersonFact::Guardian(_) | PersonFact::Departure | PersonFact::Name => {}
        }
    }
    let is_anew = now.is_some_and(|now| now.is_named_anew(record, !wanted.is_empty()));
    put_departed(ask, now, (departed, is_anew), &mut import);
    if let (Some(now), Some(record)) = (now, record) {
        let known = now.records.get(&record.source);
        let is_absent = now.absent.contains_key(&record.source);
        let record = record.after(known.map(|known| &**known));
        if is_absent || known.is_none_or(|known| **known != record) {
            import.record(PersonEvent::RecordedInRoster(record));
        }
    }
    Ok(import.finish(|facts| PersonEvent::LeftToRoster { facts }))
}

/// Says whether the person has left. `is_anew` says whether the roster ends what was confirmed as a
/// departure.
fn put_departed(
    ask: &RuleContext<'_>,
    now: Option<&Person>,
    (departed, is_anew): (bool, bool),
    import: &mut Import<PersonEvent, PersonFact>,
) {
    let nothing = BTreeSet::new();
    let by_hand = now.map_or(&nothing, |now| &now.by_hand);
    let departure = PersonFact::Departure;
    let noted = now.and_then(|now| now.departed.as_ref());
    let is_over = noted.map(|noted| noted.is_over_on(ask.day));
    match (is_over, departed) {
        // A roster that says that somebody has left before the last day that is noted makes the
        // departure take effect at once, unless a person decided the day.
        (None | Some(false), true) => import.differs(
            departure,
            by_hand,
            PersonEvent::Departed {
                last_day: None,
                reason: noted.and_then(|noted| noted.reason.clone()),
            },
        ),
        // It is no old news that the roster has the person: it did not, and that was why they left.
        (Some(_), false) if is_anew => {
            import.differs(departure, &nothing, PersonEvent::Returned {});
        }
        // Until the last day is over, a roster that has the person says nothing against it.
        (Some(false), false) => {}
        (Some(true), false) => import.differs(departure, by_hand, PersonEvent::Returned {}),
        (Some(true), true) | (None, false) => import.agrees(departure, by_hand),
    }
}

/// The first absence stands until the person is seen again. If a person has said already that they
/// leave, the last roster that drops them says the same, and one that names them anew decides.
fn note_absence(now: &Person, source: &SourceName, last_seen: Date) -> Vec<PersonEvent> {
    if now.absent.contains_key(source) {
        return Vec::new();
    }
    let mut events = vec![PersonEvent::AbsentFromRoster {
        source: source.clone(),
        last_seen,
    }];
    let is_by_hand = now.by_hand.contains(&PersonFact::Departure);
    if is_by_hand && now.departed.is_some() && now.is_only_in(source) {
        let facts = BTreeSet::from([PersonFact::Departure]);
        events.push(PersonEvent::LeftToRoster { facts });
    }
    events
}

fn put_guardians(
    ask: &RuleContext<'_>,
    id: PersonId,
    now: &Person,
    wanted: &BTreeSet<Guardianship>,
    is_unsaid: impl Fn(PersonId) -> bool,
    last_day_of_others: Date,
) -> Result<Decided<PersonEvent, PersonFact>, Stop> {
    let wanted: BTreeMap<_, _> = wanted
        .iter()
        .map(|set| (set.guardian, set.last_day))
        .collect();
    let mut import = Import::new(ask);
    for (other, last_day) in now
        .guardians
        .iter()
        .filter(|(other, _)| !wanted.contains_key(other) && !is_unsaid(**other))
    {
        let fact = PersonFact::Guardian(*other);
        // Whoever is missing in the roster cannot be named in it.
        if now.is_absent() || ask.is_absent(*other)? {
            continue;
        }
        match last_day.is_none_or(|last| last > last_day_of_others) {
            true => {
                let (guardian, last_day) = (*other, last_day_of_others);
                let ended = PersonEvent::GuardianshipEnded { guardian, last_day };
                import.ends(fact, &now.by_hand, ended);
            }
            false => import.agrees(fact, &now.by_hand),
        }
    }
    for (other, last_day) in &wanted {
        let fact = PersonFact::Guardian(*other);
        if now.guardians.get(other) == Some(last_day) {
            import.agrees(fact, &now.by_hand);
        } else {
            guardian(ask, id, *other, Field::GuardiansGuardian)?;
            let set = Guardianship {
                guardian: *other,
                last_day: *last_day,
            };
            import.differs(fact, &now.by_hand, PersonEvent::GuardianshipSet(set));
        }
    }
    Ok(import.finish(|facts| PersonEvent::LeftToRoster { facts }))
}
