//! Rows whose last cells were left out, and rows that a line break cut in two.

use super::super::reader::layout::{
    CLASSES, COURSES, ENROLLMENTS, Layout, ROLES_1_2, ROLES_SDS, USERS, USERS_1_2, USERS_SDS,
};
use super::forms::read;

const USERS_1_2_HEADER: &str = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,\
    familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,\
    userMasterIdentifier,resourceSourcedIds,preferredGivenName,preferredMiddleName,\
    preferredFamilyName,primaryOrgSourcedId,pronouns";
const USERS_1_1_HEADER: &str = "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,\
    userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password";
const COURSES_HEADER: &str = "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,\
    grades,orgSourcedId,subjects,subjectCodes";
const CLASSES_HEADER: &str = "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,\
    classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods";
const ENROLLMENTS_HEADER: &str = "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,\
    userSourcedId,role,primary,beginDate,endDate";
const ROLES_1_2_HEADER: &str = "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,\
    endDate,orgSourcedId,userProfileSourcedId";
const ROLES_SDS_HEADER: &str =
    "userSourcedId,orgSourcedId,role,sessionSourcedId,grade,isPrimary,roleStartDate,roleEndDate";
const USERS_SDS_HEADER: &str =
    "sourcedId,username,givenName,familyName,password,activeDirectoryMatchId,email,phone,sms";

/// The lines of the rows that are read as halves. Two rows stand on lines 2 and 3.
fn halves(layout: &'static Layout, header: &str, rows: &str) -> Vec<String> {
    let (read, faults, _) = read(layout, format!("{header}\n{rows}\n").into_bytes());
    assert_eq!(read.len(), if faults.is_empty() { 2 } else { 0 }, "{rows}");
    faults
}

/// Each pair has as many cells as a row that is cut in two.
#[test]
fn two_rows_of_a_program_that_trims_each_row_are_two_rows() {
    for (layout, header, rows) in [
        (
            &USERS_1_2,
            USERS_1_2_HEADER,
            "e1,active,,true,aase,,Åse,Ærø,,,aase@x.dk\ne2,active,,true,bo,,Bo,Dam,,,bo@x.dk,,12345678",
        ),
        (
            &USERS_1_2,
            USERS_1_2_HEADER,
            "e1,,,true,aase,,Åse,Ærø,,,aase@x.dk\ne2,,,false,bo,,Bo,,,,bo@x.dk,,12345678",
        ),
        (
            &USERS,
            USERS_1_1_HEADER,
            "f1,,,true,sk1,parent,,,Bo\nf2,,,true,sk1,relative,,,Åse,Ærø",
        ),
        (
            &USERS,
            USERS_1_1_HEADER,
            "x1,tobedeleted\ne1,active,,1,sk1,student,,,Bo,Dam,,,,,,f1,07",
        ),
        (
            &COURSES,
            COURSES_HEADER,
            "dan,active,,y1,Dansk\nmat,active,,y1,Matematik,MAT",
        ),
        (
            &CLASSES,
            CLASSES_HEADER,
            "7b,inactive,,7.b\n7c,active,,7.c,,dan,,,,sk1,y1",
        ),
        (
            &ROLES_1_2,
            ROLES_1_2_HEADER,
            "r1,tobedeleted\nr2,active,,l1,primary,teacher,,,sk1",
        ),
        (
            &ROLES_SDS,
            ROLES_SDS_HEADER,
            "e1,sk1,student,y1\ne2,sk1,student,y1,7",
        ),
    ] {
        assert_eq!(halves(layout, header, rows), [""; 0], "{rows}");
    }
}

#[test]
fn the_two_halves_of_a_row_are_one_fault() {
    for (layout, header, rows) in [
        // A break in a name, an e-mail address, an id, a status and a list.
        (
            &USERS_1_2,
            USERS_1_2_HEADER,
            "e1,active,,true,aase,,Åse\nMarie,Ærø,,,aase@x.dk,,,f1,7,,m1,,,,,sk1,",
        ),
        (
            &USERS_1_2,
            USERS_1_2_HEADER,
            "e1,,,true,aase,,Åse,Ærø,,,aase@x\n.dk,,12345678,f1,7,,m1,,Åse,,Ærø,sk1,x",
        ),
        (
            &USERS,
            USERS_1_1_HEADER,
            "e\n1,active,,true,sk1,student,,,Åse,Ærø,,,,,,,07,",
        ),
        (
            &USERS,
            USERS_1_1_HEADER,
            "e1,act\nive,,true,sk1,student,,,Åse,Ærø,,,,,,,07,",
        ),
        (
            &USERS,
            USERS_1_1_HEADER,
            "e1,,,true,sk1,student,,,Åse,Ærø,,,,,,f1\n\"f2,l1\",07,",
        ),
        (
            &COURSES,
            COURSES_HEADER,
            "dan,active,,y1,Dansk\nog it,DAN,07,sk1,Dansk,",
        ),
        (
            &ENROLLMENTS,
            ENROLLMENTS_HEADER,
            "n1,active,,7b,sk1,e1,stu\ndent,false,2026-08-10,2027-06-25",
        ),
        (
            &ROLES_SDS,
            ROLES_SDS_HEADER,
            "e1,sk1,student,y\n1,7,TRUE,2026-08-10,2027-06-25",
        ),
        (
            &ROLES_SDS,
            ROLES_SDS_HEADER,
            "e1,sk\n1,student,y1,7,TRUE,2026-08-10,2027-06-25",
        ),
        // Nothing tells.
        (
            &USERS_SDS,
            USERS_SDS_HEADER,
            "e1,e1@x.dk,Åse,Ærø\ne2,e2@x.dk,Bo,Dam,,bo",
        ),
    ] {
        let told = format!("FIELD_COUNT_WRONG {}:2", layout.file);
        assert_eq!(halves(layout, header, rows), [told], "{rows}");
    }
}
