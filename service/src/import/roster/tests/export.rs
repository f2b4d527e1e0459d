//! A small export, for changing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;

use planledger_core::domain::Command;
use planledger_core::domain::team::TeamCommand;
use planledger_core::ids::{PersonId, RosterSourceId};
use planledger_core::text::SourceName;

use super::super::{ImportFault, ImportFaults, ImportedCommand, Origin, Roster, Terms};
use super::TODAY;
use crate::import::fault::FaultCode;
use crate::import::names;

/// A small export as text, for changing.
#[derive(Clone)]
pub(super) struct Export(pub(super) BTreeMap<&'static str, Vec<u8>>);

pub(super) fn export() -> Export {
    let files = [
        (
            "manifest.csv",
            "propertyName,value\noneroster.version,1.1\nfile.users,bulk\n",
        ),
        (
            "orgs.csv",
            "sourcedId,status,name,type,identifier\n\
             kom,active,Eksempel Kommune,district,101\n\
             sk1,active,Åskolen,school,101001\n\
             sk2,tobedeleted,Lukket Skole,school,\n",
        ),
        (
            "academicSessions.csv",
            "sourcedId,status,title,type,startDate,endDate,parentSourcedId\n\
             t1,active,1. halvår,term,2026-08-10,2027-01-29,y1\n\
             y1,active,2026/27,schoolYear,2026-08-10,2027-06-25,\n",
        ),
        (
            "courses.csv",
            "sourcedId,status,schoolYearSourcedId,courseCode,subjects\n\
             dan,active,y1,DAN,Dansk\n\
             tom,active,y1,,\n",
        ),
        (
            "classes.csv",
            "sourcedId,status,title,courseSourcedId,classCode,schoolSourcedId,termSourcedIds,subjects\n\
             7b,active,7.b dansk,dan,,sk1,t1,\n\
             9x,tobedeleted,9.x,tom,9X,sk1,,\"Historie,Samfundsfag\"\n",
        ),
        (
            "users.csv",
            "sourcedId,status,enabledUser,orgSourcedIds,role,givenName,familyName,agentSourcedIds,grades\n\
             e1,active,true,sk1,student,Åse,Ærø,\"f1,l1\",07\n\
             e2,,false,sk1,student,Bo,,,07\n\
             e3,tobedeleted,true,sk1,student,Ida,Dam,,07\n\
             f1,active,true,\"sk1,sk2\",parent,Carl,Ærø,,\n\
             l1,active,true,sk1,teacher,Nora,Bach,,\n\
             l2,tobedeleted,true,sk1,teacher,Emil,Gram,,\n\
             p1,active,true,sk1,aide,Rosa,Kjær,,\n\
             d1,active,true,kom,administrator,Ella,Dam,,\n\
             x1,active,true,sk1,proctor,Noah,Dam,,\n",
        ),
        (
            "enrollments.csv",
            "sourcedId,status,classSourcedId,userSourcedId,role,primary,endDate\n\
             n1,active,7b,e1,student,false,\n\
             n2,tobedeleted,7b,e2,student,false,\n\
             n3,active,7b,e3,student,,\n\
             n4,active,7b,l2,teacher,true,\n\
             n5,active,7b,l1,teacher,true,2026-11-24\n\
             n6,active,7b,p1,aide,true,\n\
             n7,active,7b,d1,administrator,false,\n\
             n8,active,9x,e1,student,false,2026-11-23\n\
             n9,active,9x,l1,aide,false,\n\
             n10,active,9x,l1,teacher,false,\n",
        ),
    ];
    Export(
        files
            .map(|(name, text)| (name, text.as_bytes().to_vec()))
            .into(),
    )
}

impl Export {
    /// With every `from` in a file replaced.
    pub(super) fn replace(mut self, file: &'static str, from: &str, to: &str) -> Self {
        let text = String::from_utf8(self.0[file].clone()).unwrap();
        assert!(text.contains(from), "{file} does not hold {from}");
        self.0.insert(file, text.replace(from, to).into_bytes());
        self
    }

    /// With every file changed.
    pub(super) fn map(mut self, change: impl Fn(&str) -> Vec<u8>) -> Self {
        for bytes in self.0.values_mut() {
            *bytes = change(std::str::from_utf8(bytes).unwrap());
        }
        self
    }

    pub(super) fn open(&self) -> Result<Roster, ImportFaults> {
        self.open_on(TODAY.into())
    }

    /// Opens it so that one bad row is too many.
    pub(super) fn strict(&self) -> Result<Roster, ImportFaults> {
        self.open_on(Terms {
            bad_rows: 0,
            ..TODAY.into()
        })
    }

    pub(super) fn open_on(&self, terms: Terms) -> Result<Roster, ImportFaults> {
        let files = self
            .0
            .iter()
            .map(|(name, bytes)| (*name, Cow::Owned(bytes.clone())));
        Roster::from_files(files, terms)
    }

    pub(super) fn commands(&self) -> Vec<ImportedCommand> {
        all(&mut self.open().unwrap())
    }

    pub(super) fn bodies(&self) -> Vec<Command> {
        self.commands()
            .into_iter()
            .map(|imported| imported.command)
            .collect()
    }

    /// What is wrong, as `code file:row field`.
    pub(super) fn faults(&self) -> Vec<String> {
        let faults = self.strict().err().expect("the export has no faults");
        let faults = faults.faults().iter();
        let faults = faults.filter(|fault| fault.code != FaultCode::RowsBad);
        faults.map(describe).collect()
    }

    /// What is passed over, as `kind code file:row field`.
    pub(super) fn passed_over(&self) -> Vec<String> {
        let roster = self.open().unwrap();
        let passed = roster.passed_over().iter();
        passed
            .map(|passed| format!("{} {}", passed.kind.as_str(), describe(&passed.fault)))
            .collect()
    }

    pub(super) fn zip(&self, prefix: &str) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in &self.0 {
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(format!("{prefix}{name}"), options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }
}

/// The export as the roster of a source, so that it also says what is known of accounts.
pub(super) fn opened(export: &Export) -> Roster {
    let mut roster = export.open().unwrap();
    roster.set_origin(Origin {
        name: SourceName::new("Kommune A").unwrap(),
        id: RosterSourceId::FIRST,
    });
    roster
}

pub(super) fn describe(fault: &ImportFault) -> String {
    let row = fault.row.map(|row| format!(":{row}")).unwrap_or_default();
    let field = fault
        .field
        .as_deref()
        .map(|field| format!(" {field}"))
        .unwrap_or_default();
    format!("{} {}{row}{field}", fault.code, fault.file)
}

pub(super) fn all(roster: &mut Roster) -> Vec<ImportedCommand> {
    roster.commands().map(Result::unwrap).collect()
}

pub(super) fn person(id: &str) -> PersonId {
    PersonId::from_uuid(names::derive("oneroster", "user", id))
}

pub(super) fn team<'c>(commands: &'c [ImportedCommand], title: &str) -> &'c TeamCommand {
    let mut found = commands
        .iter()
        .filter_map(|imported| match &imported.command {
            Command::Team(_, put @ TeamCommand::Put { details, .. }) => {
                (details.title.as_str() == title).then_some(put)
            }
            _ => None,
        });
    found.next().unwrap()
}
