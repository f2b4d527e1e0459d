//! A roster of a municipality of any size, as OneRoster 1.1 CSV files: what an import reads. Every person is
//! invented. The same city has the same bytes each time.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use uuid::Uuid;

use crate::school::random_like;

const GRADES: u64 = 10;
/// Pupils of a class, about.
const CLASS: u64 = 24;
/// What every row was changed at last.
const STAMP: &str = "2026-08-01T06:00:00.000Z";
const BEGINS: &str = "2026-08-10";
const ENDS: &str = "2027-06-25";
/// Code and name of a subject, and the grades that have it.
const SUBJECTS: [(&str, &str, std::ops::Range<u64>); 6] = [
    ("DAN", "Dansk", 0..10),
    ("MAT", "Matematik", 0..10),
    ("ENG", "Engelsk", 1..10),
    ("NAT", "Natur/teknologi", 1..7),
    ("HIS", "Historie", 3..10),
    ("IDR", "Idræt", 1..10),
];
/// Subjects that the second teacher of a class has.
const SECOND: [&str; 3] = ["MAT", "NAT", "IDR"];
const GIVEN: [&str; 16] = [
    "Agnes", "August", "Bo", "Cilje", "Dagny", "Elin", "Frode", "Gry", "Helge", "Ingrid", "Jens",
    "Kaja", "Liv", "Mads", "Tove", "Ørn",
];
const FAMILY: [&str; 12] = [
    "Ager", "Bjerg", "Dal", "Eng", "Fjord", "Hede", "Kær", "Lund", "Mose", "Skov", "Strand", "Ås",
];
const TABLES: [(&str, &str); 6] = [
    (
        "orgs",
        "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    ),
    (
        "academicSessions",
        "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    ),
    (
        "courses",
        "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,\
         subjectCodes",
    ),
    (
        "classes",
        "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,\
         schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    ),
    (
        "users",
        "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,\
         middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
    ),
    (
        "enrollments",
        "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,\
         endDate",
    ),
];
/// What the format knows and this roster does not have.
const ABSENT: [&str; 7] = [
    "categories",
    "classResources",
    "courseResources",
    "demographics",
    "lineItems",
    "resources",
    "results",
];

/// A municipality.
#[derive(Clone, Copy, Debug)]
pub struct City {
    /// Its schools; each has a leader and ten grades.
    pub schools: u64,
    /// Its pupils, spread evenly; each has one or two guardians.
    pub pupils: u64,
}

/// How many rows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Pupils, guardians and staff.
    pub users: u64,
    /// Home classes, and one for each subject of each of them.
    pub classes: u64,
    /// Who is in which class.
    pub enrollments: u64,
}

/// The files while they are written.
struct Files {
    tables: Vec<(&'static str, BufWriter<File>)>,
    rows: Rows,
}

impl City {
    /// Writes the roster into a folder, which is made.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<Rows> {
        let mut files = Files::make(folder)?;
        let year = id("year", "");
        let district = id("district", "");
        files.row(
            "orgs",
            &[
                &district,
                "active",
                STAMP,
                "Prøve Kommune",
                "district",
                "101",
                "",
            ],
        )?;
        let session = |id: &str, title: &str, kind: &str, span: [&str; 2], parent: &str| {
            let [from, to] = span;
            [id, "active", STAMP, title, kind, from, to, parent, "2027"].map(str::to_owned)
        };
        let years = session(&year, "Skoleåret 2026/27", "schoolYear", [BEGINS, ENDS], "");
        files.row("academicSessions", &years.each_ref().map(String::as_str))?;
        let halves = [(1, BEGINS, "2027-01-29"), (2, "2027-02-01", ENDS)];
        let mut terms = Vec::new();
        for (number, from, to) in halves {
            let term = id("term", &number.to_string());
            let title = format!("{number}. halvår 2026/27");
            let row = session(&term, &title, "term", [from, to], &year);
            files.row("academicSessions", &row.each_ref().map(String::as_str))?;
            terms.push(term);
        }
        let terms = terms.join(",");
        let mut left = self.pupils;
        for number in 0..self.schools {
            let school = School {
                number,
                org: id("school", &number.to_string()),
            };
            school.write(&mut files, &district, &year)?;
            for grade in 0..GRADES {
                // What is left, spread over what is left.
                let grades = (self.schools - number) * GRADES - grade;
                let pupils = left.div_ceil(grades);
                left -= pupils;
                school.grade(&mut files, grade, pupils, &terms)?;
            }
        }
        files.finish(folder)
    }
}

struct School {
    number: u64,
    org: String,
}

impl School {
    /// The school, its leader and its courses.
    fn write(&self, files: &mut Files, district: &str, year: &str) -> io::Result<()> {
        let Self { number, org } = self;
        let name = format!("Prøveskole {}", number + 1);
        let code = (101_001 + number).to_string();
        files.row(
            "orgs",
            &[org, "active", STAMP, &name, "school", &code, district],
        )?;
        files.user(&format!("led{number:03}"), "administrator", org, "", "")?;
        let courses = SUBJECTS
            .iter()
            .map(|(code, title, _)| (*code, *title, *title, *code));
        for (code, title, subject, subject_code) in courses.chain([("STAM", "Stamklasse", "", "")])
        {
            let id = self.course(code);
            let row = [
                &id,
                "active",
                STAMP,
                year,
                title,
                code,
                "",
                org,
                subject,
                subject_code,
            ];
            files.row("courses", &row)?;
        }
        Ok(())
    }

    fn course(&self, code: &str) -> String {
        id("course", &format!("{}/{code}", self.number))
    }

    /// The pupils of a grade with their guardians, in home classes of about 24.
    fn grade(&self, files: &mut Files, grade: u64, pupils: u64, terms: &str) -> io::Result<()> {
        let groups = ((pupils + CLASS / 2) / CLASS).max(1);
        let mut members = vec![Vec::new(); groups as usize];
        for (nth, group) in (0..pupils).zip((0..members.len()).cycle()) {
            let key = format!("{:03}{grade}{nth:03}", self.number);
            // Two of three have two guardians.
            let mut guardians = Vec::new();
            for letter in ["a", "b"].into_iter().take(1 + usize::from(nth % 3 > 0)) {
                let key = format!("for{key}{letter}");
                guardians.push(files.user(&key, "guardian", &self.org, "", "")?);
            }
            let grade = format!("{grade:02}");
            let agents = guardians.join(",");
            let pupil = files.user(&format!("elev{key}"), "student", &self.org, &agents, &grade)?;
            if let Some(group) = members.get_mut(group) {
                group.push(pupil);
            }
        }
        for (group, members) in members.iter().enumerate() {
            self.class(files, grade, (b'A' + group as u8) as char, members, terms)?;
        }
        Ok(())
    }

    /// A home class, and one for each subject, with two teachers and a pedagogue.
    fn class(
        &self,
        files: &mut Files,
        grade: u64,
        letter: char,
        members: &[String],
        terms: &str,
    ) -> io::Result<()> {
        let Self { number, org } = self;
        let mut staff = |key: &str, role: &str| {
            let key = format!("{key}{number:03}{grade}{letter}");
            files.user(&key, role, org, "", "")
        };
        let first = staff("lærer-d", "teacher")?;
        let second = staff("lærer-m", "teacher")?;
        let pedagogue = staff("pæd", "aide")?;
        let taught = SUBJECTS
            .iter()
            .filter(|(_, _, grades)| grades.contains(&grade));
        let home = [("STAM", "", "homeroom")].into_iter();
        for (code, subject, kind) in
            home.chain(taught.map(|(code, subject, _)| (*code, *subject, "scheduled")))
        {
            let class = id("class", &format!("{number}/{grade}{letter}/{code}"));
            let title = match subject {
                "" => format!("{grade}.{letter}"),
                subject => format!("{grade}.{letter} {subject}"),
            };
            let (course, grades) = (self.course(code), format!("{grade:02}"));
            let class_code = format!("{grade}{letter}-{code}");
            let subject_code = if subject.is_empty() { "" } else { code };
            let row = [
                &class,
                "active",
                STAMP,
                &title,
                &grades,
                &course,
                &class_code,
                kind,
                "",
                org,
                terms,
                subject,
                subject_code,
                "",
            ];
            files.row("classes", &row)?;
            files.rows.classes += 1;
            let teacher = if SECOND.contains(&code) {
                &second
            } else {
                &first
            };
            files.enrol(&class, org, teacher, "teacher", "true")?;
            if matches!(code, "STAM" | "DAN") {
                files.enrol(&class, org, &pedagogue, "aide", "false")?;
            }
            for member in members {
                files.enrol(&class, org, member, "student", "false")?;
            }
        }
        Ok(())
    }
}

impl Files {
    fn make(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut tables = Vec::new();
        for (name, head) in TABLES {
            let mut file = BufWriter::new(File::create(folder.join(format!("{name}.csv")))?);
            writeln!(file, "{head}")?;
            tables.push((name, file));
        }
        Ok(Self {
            tables,
            rows: Rows::default(),
        })
    }

    fn row(&mut self, table: &str, cells: &[&str]) -> io::Result<()> {
        let file = self.tables.iter_mut().find(|(name, _)| *name == table);
        let (_, file) = file.ok_or(io::ErrorKind::NotFound)?;
        for (nth, cell) in cells.iter().enumerate() {
            if nth > 0 {
                file.write_all(b",")?;
            }
            // No cell holds a quote or a line's end.
            match cell.contains(',') {
                true => write!(file, "\"{cell}\"")?,
                false => file.write_all(cell.as_bytes())?,
            }
        }
        file.write_all(b"\n")
    }

    /// A person, whose id it gives.
    fn user(
        &mut self,
        key: &str,
        role: &str,
        org: &str,
        agents: &str,
        grades: &str,
    ) -> io::Result<String> {
        let id = id("user", key);
        let login = format!("{{UNI-Login:{key}}}");
        let nth = self.rows.users as usize;
        let given = GIVEN.get(nth % GIVEN.len()).unwrap_or(&"");
        let family = FAMILY.get(nth / GIVEN.len() % FAMILY.len());
        let family = family.unwrap_or(&"");
        let row = [
            &id, "active", STAMP, "true", org, role, key, &login, given, family, "", key, "", "",
            "", agents, grades, "",
        ];
        self.row("users", &row)?;
        self.rows.users += 1;
        Ok(id)
    }

    fn enrol(
        &mut self,
        class: &str,
        org: &str,
        user: &str,
        role: &str,
        primary: &str,
    ) -> io::Result<()> {
        let id = id("enrollment", &format!("{class}/{user}"));
        let row = [
            &id, "active", STAMP, class, org, user, role, primary, BEGINS, "",
        ];
        self.row("enrollments", &row)?;
        self.rows.enrollments += 1;
        Ok(())
    }

    /// What is in the folder, said as the format wants it.
    fn finish(mut self, folder: &Path) -> io::Result<Rows> {
        for (_, file) in &mut self.tables {
            file.flush()?;
        }
        let mut manifest = BufWriter::new(File::create(folder.join("manifest.csv"))?);
        writeln!(manifest, "propertyName,value")?;
        writeln!(manifest, "manifest.version,1.0\noneroster.version,1.1")?;
        let mut files: Vec<_> = TABLES.iter().map(|(name, _)| (*name, "bulk")).collect();
        files.extend(ABSENT.map(|name| (name, "absent")));
        files.sort_unstable();
        for (name, mode) in files {
            writeln!(manifest, "file.{name},{mode}")?;
        }
        writeln!(
            manifest,
            "source.systemName,city\nsource.systemCode,planledger-city"
        )?;
        manifest.flush()?;
        Ok(self.rows)
    }
}

/// The id of a thing of a sort: a UUID that looks random.
fn id(of: &str, which: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(of.as_bytes());
    hasher.update(b"/");
    hasher.update(which.as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    Uuid::from_bytes(random_like(bytes)).to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{City, Rows, TABLES};

    #[test]
    fn a_city_has_its_pupils_and_every_row_its_columns() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let city = City {
            schools: 2,
            pupils: 501,
        };
        let rows = city.write(dir.path())?;
        let read = |table: &str| fs::read_to_string(dir.path().join(format!("{table}.csv")));
        for (table, head) in TABLES {
            let columns = head.split(',').count();
            for line in read(table)?.lines() {
                // Commas within quotes are none.
                let mut quoted = false;
                let commas = line.chars().filter(|sign| {
                    quoted ^= *sign == '"';
                    *sign == ',' && !quoted
                });
                assert_eq!(commas.count() + 1, columns, "{line}");
            }
        }
        let users = read("users")?;
        let role = |role: &str| {
            users
                .lines()
                .filter(|line| line.contains(&format!(",{role},")))
                .count()
        };
        assert_eq!(role("student"), 501);
        assert_eq!(role("administrator"), 2);
        assert!(role("guardian") > 501 && role("guardian") < 2 * 501);
        assert_eq!(users.lines().count() as u64, rows.users + 1);
        assert_eq!(read("classes")?.lines().count() as u64, rows.classes + 1);
        assert_eq!(
            read("enrollments")?.lines().count() as u64,
            rows.enrollments + 1
        );
        Ok(())
    }

    #[test]
    fn the_same_city_is_the_same_each_time() -> std::io::Result<()> {
        let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let city = City {
            schools: 1,
            pupils: 30,
        };
        assert_eq!(city.write(one.path())?, city.write(other.path())?);
        assert_ne!(city.write(one.path())?, Rows::default());
        for name in ["users.csv", "enrollments.csv", "manifest.csv"] {
            let read = |dir: &tempfile::TempDir| fs::read(dir.path().join(name));
            assert!(read(&one)? == read(&other)?, "{name}");
        }
        Ok(())
    }
}
