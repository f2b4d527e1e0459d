//! A small export that tests change row by row, and what a ledger holds of it.

use std::collections::BTreeMap;
use std::fs;

use planledger_proto::v1::*;

use crate::support::*;

const TABLES: [(&str, &str, &[&str]); 7] = [
    (
        "manifest.csv",
        "propertyName,value",
        &[
            "manifest.version,1.0",
            "oneroster.version,1.1",
            "file.orgs,bulk",
            "file.academicSessions,bulk",
            "file.courses,bulk",
            "file.classes,bulk",
            "file.users,bulk",
            "file.enrollments,bulk",
        ],
    ),
    (
        "orgs.csv",
        "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
        &[
            "k,,,Øby Kommune,district,700,",
            "s,,,Ærøskolen,school,700001,k",
        ],
    ),
    (
        "academicSessions.csv",
        "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
        &[
            "y,,,Skoleåret,schoolYear,2026-08-10,2099-06-25,,2099",
            "kv,,,1. kvartal,term,2026-08-10,2026-10-09,y,2099",
        ],
    ),
    (
        "courses.csv",
        "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes",
        &["dan,,,y,Dansk,DAN,,s,Dansk,"],
    ),
    (
        "classes.csv",
        "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
        &[
            "c1,,,4.x dansk,,dan,C1,scheduled,,s,y,Dansk,,",
            "c2,,,4.y dansk,,dan,C2,scheduled,,s,y,Dansk,,",
        ],
    ),
    (
        "users.csv",
        "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
        &[
            "ta,,,true,s,teacher,ta,,Tove,Ask,,,,,,,,",
            "tb,,,true,s,teacher,tb,,Troels,Bøg,,,,,,,,",
            "l,,,true,s,administrator,l,,Lone,Elm,,,,,,,,",
            "ga,,,true,s,guardian,ga,,Gry,Rønn,,,,,,,,",
            "gb,,,true,s,guardian,gb,,Gorm,Rønn,,,,,,,,",
            "ea,,,true,s,student,ea,,Ebbe,Rønn,,,,,,\"ga,gb\",04,",
            "eb,,,true,s,student,eb,,Esther,Bøg,,,,,,,04,",
        ],
    ),
    (
        "enrollments.csv",
        "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
        &[
            "n1,,,c1,s,ta,teacher,true,2026-08-10,",
            "n2,,,c1,s,ea,student,false,2026-08-10,",
            "n3,,,c1,s,eb,student,false,2026-08-10,",
            "n4,,,c2,s,tb,teacher,true,2026-08-10,",
            "n5,,,c2,s,eb,student,false,2026-08-10,",
        ],
    ),
];

/// The table of OneRoster 1.2 that says what users are.
const ROLES: (&str, &str) = (
    "roles.csv",
    "sourcedId,status,dateLastModified,userSourcedId,roleType,role,orgSourcedId,beginDate,endDate",
);

/// An export: the rows of each table, by the id in their first cell.
#[derive(Clone)]
pub(super) struct Export(BTreeMap<&'static str, Vec<String>>);

impl Export {
    /// One school with two teachers, a leader, two students, the parents of one of them, and a team
    /// for each teacher.
    pub(super) fn new() -> Self {
        let rows = |rows: &[&str]| rows.iter().map(|row| (*row).to_owned()).collect();
        Self(
            TABLES
                .iter()
                .map(|(file, _, all)| (*file, rows(all)))
                .collect(),
        )
    }

    fn table(&mut self, file: &str) -> &mut Vec<String> {
        self.0.get_mut(file).unwrap()
    }

    pub(super) fn with(mut self, file: &str, row: &str) -> Self {
        self.table(file).push(row.to_owned());
        self
    }

    pub(super) fn without(mut self, file: &str, id: &str) -> Self {
        let rows = self.table(file);
        let before = rows.len();
        rows.retain(|row| row.split(',').next() != Some(id));
        assert_eq!(rows.len() + 1, before, "{file} has no {id}");
        self
    }

    /// The row with this id.
    pub(super) fn row(&self, file: &str, id: &str) -> String {
        let mut rows = self.0[file].iter();
        rows.find(|row| row.split(',').next() == Some(id))
            .unwrap()
            .clone()
    }

    /// Replaces a row by one with the same id.
    pub(super) fn but(self, file: &str, row: &str) -> Self {
        let id = row.split(',').next().unwrap();
        self.without(file, id).with(file, row)
    }

    /// The same in OneRoster 1.2: what a user is stands in a table of its own, under the id `r-USER`.
    pub(super) fn in_1_2(mut self) -> Self {
        let roles = self.0["users.csv"].iter().map(|row| {
            let cells: Vec<_> = row.splitn(7, ',').collect();
            let role = match cells[5] {
                "administrator" => "principal",
                role => role,
            };
            let (id, org) = (cells[0], cells[4]);
            format!("r-{id},,,{id},primary,{role},{org},,")
        });
        let roles = roles.collect();
        self.0.insert(ROLES.0, roles);
        self.but("manifest.csv", "oneroster.version,1.2")
            .with("manifest.csv", "file.roles,bulk")
    }

    /// Replaces some text in every row of a table.
    pub(super) fn replaced(mut self, file: &str, from: &str, to: &str) -> Self {
        for row in self.table(file) {
            assert!(row.contains(from), "{file}: {row}");
            *row = row.replace(from, to);
        }
        self
    }

    /// Leaves a table with its header only.
    pub(super) fn emptied(mut self, file: &str) -> Self {
        self.table(file).clear();
        self
    }

    /// Imports it. `actor` runs the import; a system of its own if it is empty.
    pub(super) fn import(&self, server: &Running, actor: &str) -> Ran {
        match actor {
            "" => self.import_with(server, &[]),
            actor => self.import_with(server, &["--as", actor]),
        }
    }

    /// Imports it as the roster of a source.
    pub(super) fn import_of(&self, server: &Running, source: &str) -> Ran {
        self.import_with(server, &["--source", source])
    }

    /// Imports it with these flags.
    pub(super) fn import_with(&self, server: &Running, flags: &[&str]) -> Ran {
        import_files(&self.files(), server, flags)
    }

    /// Its files, by name.
    pub(super) fn files(&self) -> BTreeMap<&'static str, String> {
        let file = |(file, header): (&'static str, &str)| {
            let text = format!("{header}\n{}\n", self.0[file].join("\n"));
            (file, text)
        };
        let tables = TABLES.map(|(file, header, _)| (file, header));
        let tables = tables.into_iter().chain([ROLES]);
        tables
            .filter(|(file, _)| self.0.contains_key(file))
            .map(file)
            .collect()
    }
}

/// Imports the files of an export with these flags.
pub(super) fn import_files(
    files: &BTreeMap<&'static str, String>,
    server: &Running,
    flags: &[&str],
) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let mut arguments = vec!["import", "roster", path, "--server", &server.url];
    arguments.extend(flags);
    run(arguments)
}

/// The school's people and teams, by the names that people call them.
pub(super) struct Seen {
    pub(super) persons: Vec<Person>,
    pub(super) teams: Vec<Team>,
}

impl Seen {
    pub(super) async fn of(voice: &Voice) -> Self {
        let found = voice.ask(ListInstitutionsRequest::default()).await.unwrap();
        let mut seen = Self {
            persons: Vec::new(),
            teams: Vec::new(),
        };
        for institution in found.institutions {
            let id = institution.institution_id;
            let request = ListPersonsRequest {
                institution_id: id.clone(),
                ..ListPersonsRequest::default()
            };
            seen.persons
                .extend(voice.ask(request).await.unwrap().persons);
            let request = ListTeamsRequest {
                filter: Some(list_teams_request::Filter::InstitutionId(id)),
                ..ListTeamsRequest::default()
            };
            seen.teams.extend(voice.ask(request).await.unwrap().teams);
        }
        seen
    }

    pub(super) fn person(&self, given_name: &str) -> &Person {
        let mut persons = self.persons.iter();
        let named = |person: &&Person| person.name.split(' ').next() == Some(given_name);
        persons
            .find(named)
            .unwrap_or_else(|| panic!("no {given_name}"))
    }

    pub(super) fn id(&self, given_name: &str) -> String {
        self.person(given_name).person_id.clone()
    }

    pub(super) fn is_there(&self, given_name: &str) -> bool {
        self.person(given_name).departure.is_none()
    }

    /// Who guards a child without end.
    pub(super) fn guardians(&self, child: &str) -> Vec<String> {
        let guardians = self.person(child).guardians.iter();
        let holding = guardians.filter(|guardian| guardian.last_day.is_none());
        let mut ids: Vec<_> = holding.map(|it| it.guardian_id.clone()).collect();
        ids.sort();
        ids
    }

    pub(super) fn team(&self, title: &str) -> &Team {
        let mut teams = self.teams.iter();
        let titled = |team: &&Team| team.details.as_ref().unwrap().title.starts_with(title);
        teams.find(titled).unwrap_or_else(|| panic!("no {title}"))
    }

    pub(super) fn has_member(&self, title: &str, given_name: &str) -> bool {
        self.team(title).member_ids.contains(&self.id(given_name))
    }

    pub(super) fn has_staff(&self, title: &str, given_name: &str) -> bool {
        let id = self.id(given_name);
        self.team(title)
            .staff
            .iter()
            .any(|staff| staff.person_id == id)
    }
}
