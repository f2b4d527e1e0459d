//! Prepares the story: imports the samples, and finds the people and the goal that it is about.

use planledger_core::ids::{CatalogueId, CatalogueItemId, IdError, PersonId};
use planledger_core::text::TextError;
use planledger_proto::v1::list_teams_request::Filter as TeamFilter;
use planledger_proto::v1::{
    ListCatalogueItemsRequest, ListCataloguesRequest, ListInstitutionsRequest, ListPersonsRequest,
    ListTeamsRequest, Role, Team,
};

use super::super::error::CliError;
use super::super::names::Names;
use super::super::{import, output};
use super::actor::Acting;
use super::acts::Group;
use super::checks::Checks;
use crate::client::Client;
use crate::import::{Catalogue, Roster, sample};
use crate::system::today;

pub(super) const CLASS: &str = "7.A";
pub(super) const SUBJECT_TEAM: &str = "7.A Dansk";

impl From<TextError> for CliError {
    fn from(error: TextError) -> Self {
        Self::refused(error)
    }
}

impl From<IdError> for CliError {
    fn from(error: IdError) -> Self {
        Self::refused(error)
    }
}

/// The people and teams of the story.
pub(super) struct Cast {
    pub(super) teacher: Acting,
    pub(super) colleague: PersonId,
    pub(super) leader: Acting,
    pub(super) class: Team,
    pub(super) team: Team,
    pub(super) students: Vec<PersonId>,
    pub(super) names: Names,
}

/// Imports the samples twice, to show that the second import changes nothing.
pub(super) async fn bring_in(client: &Client, checks: &mut Checks) -> Result<(), CliError> {
    let roster = || Roster::from_files(sample::roster(), today()).map_err(CliError::refused);
    let found = roster()?.summary();
    let imported = import::send_roster(client, roster()?).await?;
    output::line(format!(
        "{} persons, {} teams and {} memberships make {} events.",
        found.persons(),
        found.teams,
        found.memberships,
        imported.events
    ));
    checks.check("nothing of the roster is refused", imported.refused == 0);
    let again = import::send_roster(client, roster()?).await?;
    checks.check(
        "the same roster again changes nothing",
        again.events == 0 && again.refused == 0,
    );
    let catalogue = Catalogue::from_slice("catalogue.case.json", sample::CATALOGUE)
        .map_err(CliError::refused)?;
    let imported = import::send_catalogue(client, &catalogue).await?;
    output::line(format!(
        "{} goals to choose from.",
        catalogue.summary().items
    ));
    checks.check("the catalogue is taken in", imported.recorded == 1);
    Ok(())
}

/// Finds the people of the story in the roster. It uses the API as any client would.
pub(super) async fn cast(client: &Client) -> Result<Cast, CliError> {
    let missing = |what: &str| CliError::Refused(format!("the sample has no {what}"));
    let mut roster = client.roster();
    let institutions = roster
        .list_institutions(ListInstitutionsRequest::default())
        .await?;
    for institution in institutions.into_inner().institutions {
        let request = ListTeamsRequest {
            filter: Some(TeamFilter::InstitutionId(
                institution.institution_id.clone(),
            )),
            page_size: 1_000,
            ..ListTeamsRequest::default()
        };
        let teams = roster.list_teams(request).await?.into_inner().teams;
        let titled = |title: &str| {
            let mut teams = teams.iter();
            let found = teams.find(|team| team.details.as_ref().is_some_and(|d| d.title == title));
            found.cloned()
        };
        let (Some(class), Some(team)) = (titled(CLASS), titled(SUBJECT_TEAM)) else {
            continue;
        };
        let owner = team
            .owner_id
            .clone()
            .ok_or_else(|| missing("owner of the team"))?;
        let colleague = team.staff.iter().find(|staff| staff.person_id != owner);
        let colleague = colleague.ok_or_else(|| missing("second member of staff"))?;
        let request = ListPersonsRequest {
            institution_id: institution.institution_id,
            role: Some(Role::Leader.into()),
            ..ListPersonsRequest::default()
        };
        let leaders = roster.list_persons(request).await?.into_inner().persons;
        let leader = leaders.first().ok_or_else(|| missing("leader"))?;
        let students = team.member_ids.iter().map(|id| id.parse());
        let mut cast = Cast {
            teacher: Acting::person(client, owner.parse()?)?,
            colleague: colleague.person_id.parse()?,
            leader: Acting::person(client, leader.person_id.parse()?)?,
            students: students.collect::<Result<_, _>>()?,
            class,
            team,
            names: Names::default(),
        };
        let everybody = [cast.teacher.id, cast.colleague, cast.leader.id];
        for person in everybody.into_iter().chain(cast.students.clone()) {
            cast.names.learn(client, &person.to_string()).await?;
        }
        return Ok(cast);
    }
    Err(missing("class 7.A"))
}

impl Cast {
    pub(super) fn name(&self, person: PersonId) -> String {
        self.names.person(&person.to_string())
    }
}

/// The ids of a team and of what its year plans name.
pub(super) fn group(team: &Team) -> Result<Group, CliError> {
    let details = team.details.clone().unwrap_or_default();
    let school_year = details.school_year_id.unwrap_or_default();
    Ok(Group {
        id: team.team_id.parse()?,
        institution: details.institution_id.parse()?,
        school_year: school_year.parse()?,
    })
}

/// Chooses a national goal for Danish from the catalogue.
pub(super) async fn national_goal(
    teacher: &Acting,
) -> Result<(CatalogueId, CatalogueItemId), CliError> {
    let missing = || CliError::Refused("the catalogue has no goal for Danish".to_owned());
    let mut catalogues = teacher.client.catalogues();
    let found = catalogues
        .list_catalogues(ListCataloguesRequest::default())
        .await?
        .into_inner();
    let catalogue = found.catalogues.into_iter().next().ok_or_else(missing)?;
    let request = ListCatalogueItemsRequest {
        catalogue_id: catalogue.catalogue_id.clone(),
        page_size: 1_000,
        ..ListCatalogueItemsRequest::default()
    };
    let items = catalogues
        .list_catalogue_items(request)
        .await?
        .into_inner()
        .items;
    let code = Some("dansk/9/fortolkning".to_owned());
    let chosen = items.iter().find(|item| item.code == code);
    let chosen = chosen.or_else(|| {
        items.iter().find(|item| {
            let code = item.code.as_deref().unwrap_or_default();
            code.starts_with("dansk/") && code.matches('/').count() == 2
        })
    });
    let chosen = chosen.ok_or_else(missing)?;
    Ok((catalogue.catalogue_id.parse()?, chosen.item_id.parse()?))
}
