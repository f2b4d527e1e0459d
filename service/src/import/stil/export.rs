//! What the elements of an export mean.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::date;

use super::contacts::{Contact, Contacts};
use super::element::{Element, Field, Part};
use super::member::Member;
use super::tables::{Person, Place, Tables, Team};
use super::told::Told;
use super::walk::Visitor;
use crate::import::fault::{FaultCode, ImportFault, Problem};

/// A group.
#[derive(Default)]
struct Group {
    id: String,
    name: String,
    kind: String,
    first_day: String,
    last_day: String,
    /// The line on which it begins.
    line: u64,
}

/// An institution whose end was not reached yet.
#[derive(Default)]
struct Institution {
    number: String,
    name: String,
    groups: Vec<Group>,
    /// Group, person and role, and the line of the person. Groups may stand below persons.
    places: Vec<(String, String, &'static str, u64)>,
    /// The line on which it begins.
    line: u64,
}

/// Writes one export into the tables.
pub(super) struct Export<'t> {
    tables: &'t mut Tables,
    told: &'t mut Told,
    contacts: &'t mut Contacts,
    /// The name of the file.
    file: &'t str,
    /// The line that was read to.
    line: u64,
    /// The first year of each school year that a source names, with the line of that source.
    years: BTreeMap<i16, u64>,
    institution: Institution,
    group: Group,
    member: Member,
    contact: Contact,
    /// The fault that a table met, which knows its own place.
    pub(super) failed: Option<ImportFault>,
}

impl<'t> Export<'t> {
    pub(super) fn new(
        file: &'t str,
        tables: &'t mut Tables,
        told: &'t mut Told,
        contacts: &'t mut Contacts,
    ) -> Self {
        Self {
            tables,
            told,
            contacts,
            file,
            line: 0,
            years: BTreeMap::new(),
            institution: Institution::default(),
            group: Group::default(),
            member: Member::default(),
            contact: Contact::default(),
            failed: None,
        }
    }

    /// A table that cannot be written ends the walk.
    fn written(&mut self, result: Result<(), ImportFault>) -> Result<(), Problem> {
        result.map_err(|fault| {
            let code = fault.code;
            self.failed = Some(fault);
            code.into()
        })
    }

    fn end_person(&mut self) -> Result<(), Problem> {
        let member = std::mem::take(&mut self.member);
        let number = self.number()?;
        let roles = member.roles();
        let (given, family) = member.who.names();
        let spot = self.tables.at(member.line);
        let person = Person {
            id: &member.who.user,
            given,
            family,
            level: &member.level,
            institution: &number,
            roles: &roles,
            spot,
        };
        let written = self.tables.person(&person);
        self.written(written)?;
        if member.parts.contains(&Part::Student) {
            let (contacts, tables) = (&mut *self.contacts, &mut *self.tables);
            contacts.take(&member, &number, self.file, tables);
        }
        for (part, group) in &member.groups {
            let role = member.role_in(*part);
            let place = (group.clone(), member.who.user.clone(), role, member.line);
            self.institution.places.push(place);
        }
        Ok(())
    }

    /// The number of the institution, which stands before all that belongs to it.
    fn number(&self) -> Result<String, Problem> {
        match self.institution.number.as_str() {
            "" => Err(Problem::new(
                FaultCode::ValueMissing,
                "the institution has no InstitutionNumber before its groups and persons; export it \
                 again",
            )),
            number => Ok(number.to_owned()),
        }
    }

    fn end_institution(&mut self) -> Result<(), Problem> {
        let number = self.number()?;
        let written = self.write_institution(&number);
        self.written(written)?;
        self.told.institutions.push(number);
        self.institution = Institution::default();
        Ok(())
    }

    fn write_institution(&mut self, number: &str) -> Result<(), ImportFault> {
        let Institution {
            name,
            groups,
            places,
            line,
            ..
        } = &self.institution;
        let name = if name.is_empty() { number } else { name };
        let spot = self.tables.at(*line);
        self.tables.institution(number, name, spot)?;
        self.told.several_years |= self.years.len() > 1;
        self.told.no_year |= self.years.is_empty();
        let mut year = String::new();
        if let Some((first, line)) = self.years.last_key_value() {
            let next = first.saturating_add(1);
            year = format!("{first}-{next}");
            let days = (date(*first, 8, 1), date(next, 7, 31));
            let spot = self.tables.at(*line);
            self.tables.year(&year, days, spot)?;
        }
        let mut known = HashMap::new();
        for group in groups {
            let passed = not_a_team(&group.kind);
            known.insert(group.id.as_str(), passed.is_none().then_some(group));
            if let Some(kind) = passed {
                *self.told.groups.entry(kind).or_default() += 1;
                continue;
            }
            let id = team_id(number, &group.id);
            let (title, year) = (group.name.as_str(), year.as_str());
            let team = Team {
                id: &id,
                title,
                institution: number,
                year,
                spot: self.tables.at(group.line),
            };
            self.tables.team(&team)?;
        }
        let mut written = BTreeSet::new();
        for (group, person, role, line) in places {
            let days = match known.get(group.as_str()) {
                Some(Some(group)) => (group.first_day.as_str(), group.last_day.as_str()),
                // The place of somebody in what is no team.
                Some(None) => continue,
                // The table says that nothing has this id.
                None => ("", ""),
            };
            if !written.insert((group, person, role)) {
                continue;
            }
            let place = Place {
                team: &team_id(number, group),
                person,
                role,
                first_day: days.0,
                last_day: days.1,
                spot: self.tables.at(*line),
            };
            self.tables.place(&place)?;
        }
        Ok(())
    }
}

/// The id of a team. The id of a group is one at its institution only.
fn team_id(number: &str, group: &str) -> String {
    match group {
        "" => String::new(),
        group => format!("{number}:group:{group}"),
    }
}

/// Why a group is no team: the name of its type. Classes (Hovedgruppe) and courses (Hold) are teams.
/// The others would show the plans of a class to everybody who works with its whole year.
fn not_a_team(kind: &str) -> Option<&'static str> {
    const OTHERS: [&str; 5] = ["Årgang", "Retning", "SFO", "Team", "Andet"];
    let kind = kind.to_lowercase();
    if kind == "hovedgruppe" || kind == "hold" {
        return None;
    }
    let known = OTHERS.iter().find(|other| other.to_lowercase() == kind);
    Some(known.copied().unwrap_or("that is not known"))
}

/// What an employee is, in OneRoster's words.
fn job(role: &str) -> Option<&'static str> {
    match role.to_lowercase().as_str() {
        "lærer" | "vikar" => Some("teacher"),
        "pædagog" => Some("aide"),
        "leder" | "ledelse" => Some("administrator"),
        "tap" | "konsulent" => Some("other"),
        _ => None,
    }
}

/// The first year of a school year that is written 2026-2027.
fn school_year(text: &str) -> Option<i16> {
    let (first, next) = text.trim().split_once(['-', '/'])?;
    let year = |text: &str| match text.len() == 4 {
        true => text.parse::<i16>().ok().filter(|year| *year >= 1900),
        false => None,
    };
    let (first, next) = (year(first)?, year(next)?);
    (first.checked_add(1) == Some(next)).then_some(first)
}

/// A day. XML allows a time zone after it, which does not move it.
fn day(text: &str) -> &str {
    let is_zone = |rest: &str| rest.starts_with(['Z', '+', '-']);
    match text.split_at_checked(10) {
        Some((day, rest)) if is_zone(rest) => day,
        _ => text,
    }
}

impl Visitor for Export<'_> {
    fn reach(&mut self, line: u64) {
        self.line = line;
    }

    fn open(&mut self, element: Element, attributes: &[(String, String)]) -> Result<(), Problem> {
        let attribute = |name: &str| {
            let found = attributes
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_str())
        };
        match element {
            Element::Export => {
                let level = attribute("accessLevel");
                self.told.is_larger |= level.is_some_and(|it| !it.eq_ignore_ascii_case("small"));
            }
            Element::ImportSource => {
                if let Some(text) = attribute("schoolYear").filter(|text| !text.trim().is_empty()) {
                    let year = school_year(text).ok_or_else(|| {
                        Problem::new(
                            FaultCode::ValueUnknown,
                            "the schoolYear of this ImportSource is not two years that follow each \
                             other; write it as in 2026-2027",
                        )
                    })?;
                    self.years.entry(year).or_insert(self.line);
                }
            }
            Element::Institution => {
                self.institution = Institution {
                    line: self.line,
                    ..Institution::default()
                };
            }
            Element::Group => {
                self.group = Group {
                    line: self.line,
                    ..Group::default()
                };
            }
            Element::InstitutionPerson => self.member = Member::on(self.line),
            Element::Role(part) => self.member.parts.push(part),
            Element::ContactPerson => {
                self.contact = Contact::new(attribute("childCustody"), self.line);
            }
            Element::Outside
            | Element::UniLogin
            | Element::Person
            | Element::ContactLogin
            | Element::ContactName
            | Element::Value(_)
            | Element::Passed => {}
        }
        Ok(())
    }

    fn value(&mut self, field: Field, text: &str) -> Result<(), Problem> {
        let Self {
            institution,
            group,
            member,
            contact,
            ..
        } = self;
        let place = match field {
            Field::InstitutionNumber => &mut institution.number,
            Field::InstitutionName => &mut institution.name,
            Field::GroupId => &mut group.id,
            Field::GroupName => &mut group.name,
            Field::GroupType => &mut group.kind,
            Field::FromDate => &mut group.first_day,
            Field::ToDate => &mut group.last_day,
            Field::Person(name) => {
                member.who.set(name, text);
                return Ok(());
            }
            Field::Contact(name) => {
                contact.who.set(name, text);
                return Ok(());
            }
            Field::Level => &mut member.level,
            Field::EmployeeRole => {
                let found = job(text);
                self.told.unknown_roles += u64::from(found.is_none());
                member.jobs.push(found.unwrap_or("other"));
                return Ok(());
            }
            Field::In(part) => {
                if !text.is_empty() {
                    member.groups.push((part, text.to_owned()));
                }
                return Ok(());
            }
        };
        let text = match field {
            Field::FromDate | Field::ToDate => day(text),
            _ => text,
        };
        text.clone_into(place);
        Ok(())
    }

    fn close(&mut self, element: Element) -> Result<(), Problem> {
        match element {
            Element::Institution => self.end_institution(),
            Element::Group => {
                self.number()?;
                self.institution
                    .groups
                    .push(std::mem::take(&mut self.group));
                Ok(())
            }
            Element::InstitutionPerson => self.end_person(),
            Element::ContactPerson => {
                self.member.contacts.push(std::mem::take(&mut self.contact));
                Ok(())
            }
            Element::Export => {
                self.contacts.end_file();
                Ok(())
            }
            Element::Outside
            | Element::ImportSource
            | Element::UniLogin
            | Element::Person
            | Element::Role(_)
            | Element::ContactLogin
            | Element::ContactName
            | Element::Value(_)
            | Element::Passed => Ok(()),
        }
    }
}
