//! Long lists, page by page.

use std::collections::BTreeSet;

use planledger_proto::v1::*;

use crate::support::*;

/// How many there are of everything.
const MANY: usize = 23;

/// What is on a page, by what it is in order of, and the token of the next page.
type Page = (Vec<String>, String);

macro_rules! lists {
    ($($name:ident: $request:ident, $items:ident by $key:expr;)*) => {
        /// A list: a method and its filter.
        #[derive(Clone, Debug)]
        enum List {
            $($name($request),)*
        }

        impl List {
            async fn page(&self, voice: &Voice, size: i32, token: &str) -> Result<Page, Refused> {
                match self {
                    $(Self::$name(request) => {
                        let mut request = request.clone();
                        request.page_size = size;
                        request.page_token = token.to_owned();
                        let answer = voice.ask(request).await?;
                        assert!(answer.position > 0);
                        let items = answer.$items.iter().map($key);
                        Ok((items.collect(), answer.next_page_token))
                    })*
                }
            }
        }
    };
}

lists! {
    Institutions: ListInstitutionsRequest, institutions by |item| item.institution_id.clone();
    SchoolYears: ListSchoolYearsRequest, school_years by |item| item.school_year_id.clone();
    Persons: ListPersonsRequest, persons by |item| item.person_id.clone();
    Teams: ListTeamsRequest, teams by |item| item.team_id.clone();
    YearPlans: ListYearPlansRequest, year_plans by |item| item.year_plan_id.clone();
    Plans: ListPlansRequest, plans by |item| item.plan_id.clone();
    History: GetPlanHistoryRequest, events by |item| format!("{:09}", item.position);
    Catalogues: ListCataloguesRequest, catalogues by |item| item.catalogue_id.clone();
    CatalogueItems: ListCatalogueItemsRequest, items by |item| item.item_id.clone();
    Grants: ListGrantsRequest, grants by |item| grantee(item.grantee.as_ref());
    Reviews: ReviewAccessRequest, reviewed by |item| {
        grantee(item.grants.as_ref().and_then(|grants| grants.grantee.as_ref()))
    };
    Systems: ListSystemsRequest, systems by |item| item.system_id.clone();
    Scales: ListCatalogueScalesRequest, scales by |item| item.item_id.clone();
}

/// The id of whoever has grants.
fn grantee(actor: Option<&Actor>) -> String {
    match actor.and_then(|actor| actor.actor.clone()).unwrap() {
        actor::Actor::PersonId(id) | actor::Actor::SystemId(id) => id,
    }
}

impl List {
    /// Reads it to its end.
    async fn walk(&self, voice: &Voice, size: i32) -> Vec<String> {
        let (mut items, mut token) = (Vec::new(), String::new());
        loop {
            let (page, next) = self.page(voice, size, &token).await.unwrap();
            assert!(page.len() <= usize::try_from(size).unwrap());
            items.extend(page);
            if next.is_empty() {
                return items;
            }
            token = next;
        }
    }

    /// The token of its second page.
    async fn token(&self, voice: &Voice) -> String {
        let (_, token) = self.page(voice, 5, "").await.unwrap();
        assert!(!token.is_empty());
        token
    }
}

/// Many of everything.
struct Lists {
    voice: Voice,
    school: School,
    course: Course,
    plan: String,
    catalogue: String,
    root: String,
    /// A catalogue of scales.
    rubrics: String,
}

impl Lists {
    async fn new(voice: &Voice) -> Self {
        let school = School::found(voice).await;
        let lists = Self {
            voice: voice.clone(),
            course: school.course(voice, YearPlanKind::Subject).await,
            school,
            plan: new_id(),
            catalogue: new_id(),
            root: new_id(),
            rubrics: new_id(),
        };
        for _ in 1..MANY {
            lists.one_more().await;
        }
        lists.fill_plan().await;
        let put = (2..MANY).map(|_| catalogue(&new_id(), lists.put_catalogue(0)));
        voice.all(put).await;
        voice
            .execute(catalogue(&lists.catalogue, lists.put_catalogue(MANY)))
            .await;
        voice
            .execute(catalogue(&lists.rubrics, put_rubrics()))
            .await;
        lists
    }

    /// One institution, school year, student, grant, system, team, year plan and two plans more.
    async fn one_more(&self) {
        let school = &self.school;
        let (student, year_plan_id) = (new_id(), new_id());
        let year = SchoolYearDetails {
            title: "2025/26".to_owned(),
            first_day: "2025-08-11".to_owned(),
            last_day: "2026-06-26".to_owned(),
        };
        let year = DefineSchoolYear {
            details: Some(year),
        };
        let put = PutTeam {
            details: Some(school.team_details("Hold")),
            member_ids: vec![school.student.clone()],
            staff: Vec::new(),
            owner_id: Some(school.teacher.clone()),
            closed: false,
            source: None,
        };
        let details = school.year_plan_details(YearPlanKind::Subject, "Årsplan");
        let create = CreateYearPlan {
            details: Some(details),
            owner_id: school.teacher.clone(),
        };
        let audits = grant_details(AccessRole::Auditor, municipality());
        let register = RegisterSystem {
            details: Some(system_details(&format!("{student}.example"))),
        };
        let commands = [
            register_institution(&new_id(), "Skole"),
            school_year(&new_id(), OnSchoolYear::DefineSchoolYear(year)),
            put_person(&student, "Elev", &school.institution, Role::Student),
            grant_role(&new_id(), actor_person(&student), audits),
            system(&new_id(), OnSystem::RegisterSystem(register)),
            team(&new_id(), OnTeam::PutTeam(put)),
            year_plan(&year_plan_id, OnYearPlan::CreateYearPlan(create)),
            open_plan(&new_id(), &school.student, &year_plan_id),
            open_plan(&new_id(), &student, &self.course.year_plan),
        ];
        self.voice.all(commands).await;
    }

    async fn fill_plan(&self) {
        let open = open_plan(&self.plan, &self.school.student, &self.course.year_plan);
        self.voice.execute(open).await;
        let write = (1..MANY).map(|n| write_status(&self.plan, &format!("Gang {n}")));
        self.voice.all(write).await;
    }

    fn put_catalogue(&self, items: usize) -> OnCatalogue {
        let inner = (0..items).map(|_| item(&new_id(), "Mål", vec![self.root.clone()]));
        put_items(inner.chain([item(&self.root, "Mål", Vec::new())]).collect())
    }
}

/// Many scales, each with two levels.
fn put_rubrics() -> OnCatalogue {
    let of_kind = |kind: &str, item| CatalogueItem {
        kind: Some(kind.to_owned()),
        ..item
    };
    let scales = (0..MANY).flat_map(|_| {
        let id = new_id();
        let level = |text| of_kind("Scale level", item(&new_id(), text, vec![id.clone()]));
        let levels = ["På vej", "Nået"].map(level);
        let scale = of_kind("Scale criterion", item(&id, "Fremlægger", Vec::new()));
        [scale].into_iter().chain(levels)
    });
    put_items(scales.collect())
}

fn put_items(items: Vec<CatalogueItem>) -> OnCatalogue {
    let details = CatalogueDetails {
        title: "Fælles Mål".to_owned(),
        publisher: None,
        version: None,
        language: None,
        licence: None,
        rights_holder: None,
    };
    OnCatalogue::PutCatalogue(PutCatalogue {
        details: Some(details),
        items,
    })
}

fn item(item_id: &str, text: &str, parent_ids: Vec<String>) -> CatalogueItem {
    CatalogueItem {
        item_id: item_id.to_owned(),
        text: text.to_owned(),
        kind: None,
        code: None,
        parent_ids,
        sequence_number: None,
        parent_orders: Vec::new(),
        licence: None,
    }
}

impl Lists {
    /// Every method with every filter, and how many it lists.
    fn all(&self) -> Vec<(List, usize)> {
        use list_plans_request::Filter as Plans;
        use list_teams_request::Filter as Teams;
        use list_year_plans_request::Filter as YearPlans;
        let (school, course) = (&self.school, &self.course);
        let (student, teacher) = (school.student.clone(), school.teacher.clone());
        let persons = |role: Option<Role>| {
            List::Persons(ListPersonsRequest {
                institution_id: school.institution.clone(),
                role: role.map(Into::into),
                ..ListPersonsRequest::default()
            })
        };
        let teams = |filter| {
            let filter = Some(filter);
            List::Teams(ListTeamsRequest {
                filter,
                ..ListTeamsRequest::default()
            })
        };
        let year_plans = |filter| {
            let filter = Some(filter);
            List::YearPlans(ListYearPlansRequest {
                filter,
                ..ListYearPlansRequest::default()
            })
        };
        let plans = |filter| {
            let filter = Some(filter);
            List::Plans(ListPlansRequest {
                filter,
                ..ListPlansRequest::default()
            })
        };
        let history = |newest_first| {
            List::History(GetPlanHistoryRequest {
                plan_id: self.plan.clone(),
                newest_first,
                ..GetPlanHistoryRequest::default()
            })
        };
        let items = |parent_id| {
            List::CatalogueItems(ListCatalogueItemsRequest {
                catalogue_id: self.catalogue.clone(),
                parent_id,
                ..ListCatalogueItemsRequest::default()
            })
        };
        let scales = ListCatalogueScalesRequest {
            catalogue_id: self.rubrics.clone(),
            ..ListCatalogueScalesRequest::default()
        };
        let institutions = ListInstitutionsRequest::default();
        let school_years = ListSchoolYearsRequest::default();
        let catalogues = ListCataloguesRequest::default();
        vec![
            (List::Institutions(institutions), MANY),
            (List::SchoolYears(school_years), MANY),
            // The school had six people, two of them students.
            (persons(None), MANY - 1 + 6),
            (persons(Some(Role::Student)), MANY - 1 + 2),
            (
                teams(Teams::InstitutionId(school.institution.clone())),
                MANY,
            ),
            (teams(Teams::PersonId(student.clone())), MANY),
            (teams(Teams::OwnerId(teacher.clone())), MANY),
            (year_plans(YearPlans::TeamId(school.team.clone())), MANY),
            (year_plans(YearPlans::OwnerId(teacher.clone())), MANY),
            (plans(Plans::StudentId(student)), MANY),
            (plans(Plans::YearPlanId(course.year_plan.clone())), MANY),
            (plans(Plans::TeamId(school.team.clone())), 2 * MANY - 1),
            (plans(Plans::OwnerId(teacher)), 2 * MANY - 1),
            (history(false), MANY),
            (history(true), MANY),
            (List::Catalogues(catalogues), MANY),
            (items(None), MANY + 1),
            (items(Some(self.root.clone())), MANY),
            (List::Scales(scales), MANY),
            (List::Grants(ListGrantsRequest::default()), MANY - 1),
            (List::Reviews(ReviewAccessRequest::default()), MANY - 1),
            (List::Systems(ListSystemsRequest::default()), MANY - 1),
        ]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_list_is_the_same_read_whole_or_page_by_page() {
    let (_server, voice) = Home::new().serve().await;
    let lists = Lists::new(&voice).await;
    for (list, length) in lists.all() {
        let whole = list.walk(&voice, 1_000).await;
        assert_eq!(whole.len(), length, "{list:?}");
        let mut ordered: Vec<_> = BTreeSet::from_iter(whole.clone()).into_iter().collect();
        if let List::History(GetPlanHistoryRequest {
            newest_first: true, ..
        }) = list
        {
            ordered.reverse();
        }
        assert_eq!(whole, ordered, "{list:?}");
        for size in [1, 5, length as i32 - 1, length as i32, length as i32 + 1] {
            assert_eq!(list.walk(&voice, size).await, whole, "{list:?} by {size}");
        }
        let (page, token) = list.page(&voice, 0, "").await.unwrap();
        assert_eq!((page, token), (whole, String::new()), "0 means 100");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_page_token_is_good_for_its_own_method_and_filter_only_and_not_if_it_was_changed() {
    let (_server, voice) = Home::new().serve().await;
    let lists = Lists::new(&voice).await;
    let all: Vec<_> = lists.all().into_iter().map(|(list, _)| list).collect();
    let position = voice.position().await;
    for (index, list) in all.iter().enumerate() {
        let token = list.token(&voice).await;
        for (other, asked) in all.iter().enumerate() {
            let answer = asked.page(&voice, 5, &token).await;
            if other == index {
                answer.unwrap();
                continue;
            }
            let refused = answer.unwrap_err();
            assert_eq!(refused.reason, "PAGE_TOKEN_MISMATCH", "{list:?} {asked:?}");
            assert_eq!(refused.paths(), ["page_token"]);
        }
    }
    let list = &all[0];
    let token = list.token(&voice).await;
    let mut wrong = vec![
        "x".to_owned(),
        "æøå".to_owned(),
        "../../etc/passwd".to_owned(),
        token[1..].to_owned(),
        format!("{token}A"),
        format!(" {token}"),
        token.repeat(2),
        "A".repeat(100_000),
    ];
    for at in 0..token.len() {
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        let mut changed = token.clone();
        changed.replace_range(at..=at, other);
        wrong.push(changed);
    }
    for token in wrong {
        let refused = list.page(&voice, 5, &token).await.unwrap_err();
        assert_eq!(refused.reason, "PAGE_TOKEN_INVALID", "{token}");
        assert_eq!(refused.paths(), ["page_token"]);
    }
    assert_eq!(voice.position().await, position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_says_nothing_of_what_it_stands_for() {
    let (_server, voice) = Home::new().serve().await;
    let lists = Lists::new(&voice).await;
    for (list, _) in lists.all() {
        let (page, token) = list.page(&voice, 5, "").await.unwrap();
        let hex = page.last().unwrap().replace('-', "");
        assert!(!token.contains(&hex), "{list:?}");
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        assert!(token.chars().all(plain), "{token} fits into a URL as it is");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_page_holds_a_hundred_unless_asked_and_never_more_than_a_thousand() {
    let (_server, voice) = Home::new().serve().await;
    let commands: Vec<_> = (0..1_001)
        .map(|_| register_institution(&new_id(), "Skole"))
        .collect();
    voice.stream(commands).await;
    let list = List::Institutions(ListInstitutionsRequest::default());
    for (size, expected) in [(0, 100), (999, 999), (1_000, 1_000), (i32::MAX, 1_000)] {
        let (page, token) = list.page(&voice, size, "").await.unwrap();
        assert_eq!(page.len(), expected);
        assert!(!token.is_empty());
    }
    for size in [-1, i32::MIN] {
        let refused = list.page(&voice, size, "").await.unwrap_err();
        let field = ("page_size".to_owned(), "OUT_OF_RANGE".to_owned());
        assert_eq!(refused.fields, [field]);
    }
    // The size may change on the way.
    let (first, token) = list.page(&voice, 1, "").await.unwrap();
    let (rest, token) = list.page(&voice, 1_000, &token).await.unwrap();
    assert_eq!((first.len(), rest.len(), token.as_str()), (1, 1_000, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_there_all_the_while_is_listed_once_though_more_comes_on_the_way() {
    let (_server, voice) = Home::new().serve().await;
    let lists = Lists::new(&voice).await;
    for (list, _) in lists.all() {
        let before = list.walk(&voice, 1_000).await;
        let (mut items, mut token) = list.page(&voice, 9, "").await.unwrap();
        while !token.is_empty() {
            lists.one_more().await;
            voice.execute(write_status(&lists.plan, &new_id())).await;
            let (page, next) = list.page(&voice, 9, &token).await.unwrap();
            items.extend(page);
            token = next;
            assert!(items.len() < 10 * before.len(), "{list:?} does not end");
        }
        let listed = BTreeSet::from_iter(items.clone());
        assert_eq!(listed.len(), items.len(), "{list:?} lists something twice");
        assert!(before.iter().all(|item| listed.contains(item)), "{list:?}");
    }
}
