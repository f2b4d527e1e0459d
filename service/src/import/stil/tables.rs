//! The tables that an export becomes: those of OneRoster 1.2, in which a person may have several roles.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;

use jiff::civil::Date;

use super::member::Who;
use super::spots::{Rows, Spot, Spots};
use crate::import::fault::ImportFault;
use crate::import::rest;

/// A table that was written, with its name.
pub(super) type Written = (&'static str, File);

/// A group that becomes a team.
pub(super) struct Team<'t> {
    pub(super) id: &'t str,
    pub(super) title: &'t str,
    pub(super) institution: &'t str,
    /// The id of its school year.
    pub(super) year: &'t str,
    pub(super) spot: Spot,
}

/// A person at one institution.
pub(super) struct Person<'t> {
    pub(super) id: &'t str,
    pub(super) given: &'t str,
    pub(super) family: &'t str,
    pub(super) level: &'t str,
    pub(super) institution: &'t str,
    /// In OneRoster's words, the one that the person is counted under first.
    pub(super) roles: &'t [&'static str],
    pub(super) spot: Spot,
}

/// A place in a team.
pub(super) struct Place<'t> {
    pub(super) team: &'t str,
    pub(super) person: &'t str,
    pub(super) role: &'static str,
    pub(super) first_day: &'t str,
    pub(super) last_day: &'t str,
    pub(super) spot: Spot,
}

/// Somebody who guards students.
struct Guardian {
    given: String,
    family: String,
    /// The institutions of the students.
    institutions: BTreeSet<String>,
    /// Where the guardian is named first.
    spot: Spot,
}

/// A table that is being written, and where its rows come from.
struct Table {
    file: &'static str,
    out: rest::Table,
    rows: Rows,
}

/// All tables of an import. Several exports may be written into the same tables.
pub(super) struct Tables {
    manifest: Table,
    orgs: Table,
    sessions: Table,
    classes: Table,
    users: Table,
    roles: Table,
    enrollments: Table,
    years: HashSet<String>,
    /// Somebody may be at several institutions, and is one person.
    persons: HashSet<String>,
    /// By id. They are written last, when it is known who is at an institution in a role of their own.
    guardians: BTreeMap<String, Guardian>,
    /// How many rows have numbers for ids.
    numbered: u64,
    spots: Spots,
}

fn table(file: &'static str, header: &[&str]) -> Result<Table, ImportFault> {
    let out = rest::Table::of(file)?;
    let rows = Rows::default();
    let mut table = Table { file, out, rows };
    row(&mut table, header, None)?;
    Ok(table)
}

fn row(table: &mut Table, cells: &[&str], spot: Option<Spot>) -> Result<(), ImportFault> {
    table.rows.write(cells, spot);
    let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
    table.out.push(&cells)
}

impl Tables {
    pub(super) fn new() -> Result<Self, ImportFault> {
        Ok(Self {
            manifest: table("manifest.csv", &["propertyName", "value"])?,
            orgs: table(
                "orgs.csv",
                &["sourcedId", "status", "name", "type", "identifier"],
            )?,
            sessions: table(
                "academicSessions.csv",
                &[
                    "sourcedId",
                    "status",
                    "title",
                    "type",
                    "startDate",
                    "endDate",
                    "parentSourcedId",
                ],
            )?,
            classes: table(
                "classes.csv",
                &[
                    "sourcedId",
                    "status",
                    "title",
                    "courseSourcedId",
                    "classCode",
                    "schoolSourcedId",
                    "termSourcedIds",
                    "subjects",
                ],
            )?,
            users: table(
                "users.csv",
                &[
                    "sourcedId",
                    "status",
                    "enabledUser",
                    "userIds",
                    "givenName",
                    "familyName",
                    "agentSourcedIds",
                    "grades",
                ],
            )?,
            roles: table(
                "roles.csv",
                &[
                    "sourcedId",
                    "status",
                    "userSourcedId",
                    "roleType",
                    "role",
                    "orgSourcedId",
                    "endDate",
                ],
            )?,
            enrollments: table(
                "enrollments.csv",
                &[
                    "sourcedId",
                    "status",
                    "classSourcedId",
                    "userSourcedId",
                    "role",
                    "primary",
                    "beginDate",
                    "endDate",
                ],
            )?,
            years: HashSet::new(),
            persons: HashSet::new(),
            guardians: BTreeMap::new(),
            numbered: 0,
            spots: Spots::default(),
        })
    }

    /// Another file of the export begins.
    pub(super) fn begin(&mut self, file: &str) {
        self.spots.begin(file);
    }

    /// A line of the file that began last.
    pub(super) fn at(&self, line: u64) -> Spot {
        self.spots.at(line)
    }

    pub(super) fn institution(
        &mut self,
        number: &str,
        name: &str,
        spot: Spot,
    ) -> Result<(), ImportFault> {
        let cells = [number, "", name, "school", number];
        row(&mut self.orgs, &cells, Some(spot))
    }

    /// A school year, unless it was written before.
    pub(super) fn year(
        &mut self,
        title: &str,
        (first, last): (Date, Date),
        spot: Spot,
    ) -> Result<(), ImportFault> {
        if !self.years.insert(title.to_owned()) {
            return Ok(());
        }
        let (first, last) = (first.to_string(), last.to_string());
        let cells = [title, "", title, "schoolYear", &first, &last, ""];
        row(&mut self.sessions, &cells, Some(spot))
    }

    pub(super) fn team(&mut self, team: &Team<'_>) -> Result<(), ImportFault> {
        let cells = [
            team.id,
            "",
            team.title,
            "",
            "",
            team.institution,
            team.year,
            "",
        ];
        row(&mut self.classes, &cells, Some(team.spot))
    }

    pub(super) fn person(&mut self, person: &Person<'_>) -> Result<(), ImportFault> {
        let is_new = person.id.is_empty() || self.persons.insert(person.id.to_owned());
        if is_new {
            // A list separates its entries by commas.
            let login = match person.id.is_empty() || person.id.contains([',', '{', '}']) {
                true => String::new(),
                false => format!("{{unilogin:{}}}", person.id),
            };
            let Person {
                id,
                given,
                family,
                level,
                ..
            } = person;
            row(
                &mut self.users,
                &[id, "", "true", &login, given, family, "", level],
                Some(person.spot),
            )?;
        }
        for (number, role) in person.roles.iter().enumerate() {
            let kind = if is_new && number == 0 {
                "primary"
            } else {
                "secondary"
            };
            let id = self.number();
            let cells = [&id, "", person.id, kind, role, person.institution, ""];
            // Without an id, nobody can tell whose role it is. The row of the person is bad anyway.
            if !person.id.is_empty() {
                row(&mut self.roles, &cells, Some(person.spot))?;
            }
        }
        Ok(())
    }

    /// A guardian of a student at an institution.
    pub(super) fn guardian(&mut self, who: &Who, institution: &str, line: u64) {
        let spot = self.at(line);
        let guardian = self.guardians.entry(who.user.clone()).or_insert_with(|| {
            let (given, family) = who.names();
            Guardian {
                given: given.to_owned(),
                family: family.to_owned(),
                institutions: BTreeSet::new(),
                spot,
            }
        });
        guardian.institutions.insert(institution.to_owned());
    }

    /// Somebody who is more than a guardian gets no role as guardian: a package that names no guardians
    /// would end it, although not what it says.
    fn write_guardians(&mut self) -> Result<(), ImportFault> {
        for (id, guardian) in std::mem::take(&mut self.guardians) {
            if self.persons.contains(&id) {
                continue;
            }
            for institution in &guardian.institutions {
                self.person(&Person {
                    id: &id,
                    given: &guardian.given,
                    family: &guardian.family,
                    level: "",
                    institution,
                    roles: &["guardian"],
                    spot: guardian.spot,
                })?;
            }
        }
        Ok(())
    }

    pub(super) fn place(&mut self, place: &Place<'_>) -> Result<(), ImportFault> {
        let id = self.number();
        let Place {
            team,
            person,
            role,
            first_day,
            last_day,
            spot,
        } = place;
        row(
            &mut self.enrollments,
            &[&id, "", team, person, role, "", first_day, last_day],
            Some(*spot),
        )
    }

    fn number(&mut self) -> String {
        self.numbered += 1;
        self.numbered.to_string()
    }

    /// Ends all tables, and says where their rows come from. `system` names the system that the export
    /// comes from.
    pub(super) fn finish(mut self, system: &str) -> Result<(Vec<Written>, Spots), ImportFault> {
        self.write_guardians()?;
        let properties = [
            ("manifest.version", "1.0"),
            ("oneroster.version", "1.2"),
            ("source.systemCode", system),
            ("file.orgs", "bulk"),
            ("file.academicSessions", "bulk"),
            ("file.courses", "absent"),
            ("file.classes", "bulk"),
            ("file.users", "bulk"),
            ("file.roles", "bulk"),
            ("file.enrollments", "bulk"),
        ];
        for (name, value) in properties {
            row(&mut self.manifest, &[name, value], None)?;
        }
        let tables = [
            self.manifest,
            self.orgs,
            self.sessions,
            self.classes,
            self.users,
            self.roles,
            self.enrollments,
        ];
        let mut spots = self.spots;
        let tables = tables.into_iter().map(|table| {
            spots.add(table.file, table.rows);
            table.out.finish()
        });
        let tables = tables.collect::<Result<_, _>>()?;
        Ok((tables, spots))
    }
}
