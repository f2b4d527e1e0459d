//! Queries about catalogues.

use std::collections::BTreeSet;
use std::sync::Arc;

use planledger_core::derived::Term;
use planledger_core::domain::catalogue::{Catalogue, CatalogueItem};
use planledger_core::domain::year_plan::{Scale, YearPlan};
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::{CatalogueId, CatalogueItemId, Revision, StreamKind, YearPlanId};
use planledger_core::ledger::Reading;
use uuid::Uuid;

use super::auth::Access;
use super::gate::Gate;
use super::pages::{self, Items, Wanted};
use super::roster::as_staff;
use crate::wire::Failure;
use crate::wire::page::Page;
use crate::wire::request::{ListCatalogueGoals, ListCatalogueItems, ListCatalogueScales};

/// Reads one catalogue.
pub(super) fn catalogue<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    id: CatalogueId,
    show: impl FnOnce(CatalogueId, Revision, &Catalogue) -> T,
) -> Result<T, Failure> {
    with_catalogue(reading, gate, id, |revision, catalogue| {
        Ok(show(id, revision, catalogue))
    })
}

/// Reads a page of all catalogues.
pub(super) fn catalogues<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    page: &Page<Uuid>,
    show: impl Fn(CatalogueId, Revision, &Catalogue) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ListCatalogues)?;
    let kind = StreamKind::Catalogue;
    let all = reading.find(Term::All(kind))?;
    let access = |id| Access::ReadCatalogue(CatalogueId::from_uuid(id));
    let wanted = Wanted { gate, kind, access };
    pages::list(reading, &wanted, &all, page, |id, revision, state| {
        let Aggregate::Catalogue(catalogue) = state else {
            return None;
        };
        Some(show(CatalogueId::from_uuid(id), revision, catalogue))
    })
}

/// Reads one item of a catalogue, and whether it is retired.
pub(super) fn item<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    id: CatalogueId,
    item: CatalogueItemId,
    show: impl FnOnce(CatalogueItemId, &CatalogueItem) -> T,
) -> Result<(T, bool), Failure> {
    with_catalogue(reading, gate, id, |_, catalogue| {
        let in_use = catalogue.items.get(&item).map(|found| (found, false));
        let retired = || catalogue.retired.get(&item).map(|found| (found, true));
        let (found, retired) = in_use.or_else(retired).ok_or_else(|| {
            let reason = Reason::CatalogueItemNotFound;
            Failure::not_found(
                reason,
                "item_id",
                format!("catalogue {id} has no item {item}"),
            )
        })?;
        Ok((show(item, found), retired))
    })
}

/// Reads a page of a catalogue's items that are not retired.
pub(super) fn items<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    list: &ListCatalogueItems,
    show: impl Fn(CatalogueItemId, &CatalogueItem) -> T,
) -> Result<Items<T>, Failure> {
    with_catalogue(reading, gate, list.catalogue, |_, catalogue| {
        let page = &list.page;
        let items = catalogue.listed(list.parent, page.after, page.size + 1);
        let items = items.into_iter();
        let items = items.map(|(place, item)| (place, show(place.id(), item)));
        Ok(pages::cut(items.collect(), page))
    })
}

/// Reads a page of a catalogue's scales that a goal can have.
pub(super) fn scales<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    list: &ListCatalogueScales,
    show: impl Fn(CatalogueItemId, &Scale, &BTreeSet<CatalogueItemId>) -> T,
) -> Result<Items<T>, Failure> {
    with_catalogue(reading, gate, list.catalogue, |_, catalogue| {
        let page = &list.page;
        let scales = catalogue.scales();
        let ids = scales
            .ids()
            .filter(|id| page.after.is_none_or(|after| id.uuid() > after));
        let found = ids.filter_map(|id| {
            let assessed = scales.assessed_by(id);
            let wanted = list.assessed.is_none_or(|item| assessed.contains(&item));
            let scale = scales.scale(id).filter(Scale::is_sound);
            let scale = scale.filter(|_| wanted)?;
            Some((id.uuid(), show(id, &scale, &assessed)))
        });
        // One more than the page holds, to learn whether there is a next page.
        Ok(pages::cut(found.take(page.size + 1).collect(), page))
    })
}

/// Reads a page of the year plans of an institution that `show` lets through: those with goals of the
/// catalogue.
pub(super) fn goals<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    list: &ListCatalogueGoals,
    show: impl Fn(YearPlanId, &YearPlan) -> Option<T>,
) -> Result<Items<T>, Failure> {
    let (catalogue, institution) = (list.catalogue, list.institution);
    gate.require(&Access::ListCatalogueGoals {
        catalogue,
        institution,
    })?;
    with_catalogue(reading, gate, list.catalogue, |_, _| Ok(()))?;
    if reading.stream(list.institution)?.is_none() {
        return Err(Failure::no_stream(
            Reason::InstitutionNotFound,
            "institution_id",
            list.institution,
        ));
    }
    let show = |id, _, state: &Aggregate| match state {
        Aggregate::YearPlan(plan) => show(YearPlanId::from_uuid(id), plan),
        _ => None,
    };
    let wanted = Wanted {
        gate,
        kind: StreamKind::YearPlan,
        access: as_staff,
    };
    pages::list_in_institution(reading, &wanted, institution, &list.page, show)
}

fn with_catalogue<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    id: CatalogueId,
    show: impl FnOnce(Revision, &Catalogue) -> Result<T, Failure>,
) -> Result<T, Failure> {
    gate.require(&Access::ReadCatalogue(id))?;
    let found: Option<(Arc<Aggregate>, Revision)> = reading.stream(id)?;
    let found = found.as_ref();
    match found.map(|(state, revision)| (&**state, *revision)) {
        Some((Aggregate::Catalogue(catalogue), revision)) => show(revision, catalogue),
        _ => Err(Failure::no_stream(
            Reason::CatalogueNotFound,
            "catalogue_id",
            id,
        )),
    }
}
