//! What a new edition of a catalogue changes, and which goals in use it touches, as a user sees it.

mod asked;

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::catalogue::{Catalogue as Present, EditionDiff, ItemChange};
use planledger_core::ids::CatalogueItemId;
use serde_json::{Value, json};

use self::asked::Goal;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::client::Client;
use crate::import::Catalogue;
use crate::wire;

/// How many items of each sort of change, and how many goals, a table shows. JSON holds all.
const LISTED: usize = 20;
/// Most characters of an item's words in a table.
const WORDS: usize = 80;

/// The catalogue as the server has it; `None` if it has none.
pub(super) async fn present(
    client: &Client,
    catalogue: &Catalogue,
) -> Result<Option<Present>, CliError> {
    let found = asked::catalogue(client, &catalogue.id().to_string()).await?;
    let found = found.map(|(details, items)| wire::catalogue_of_messages(details, items));
    found.transpose().map_err(CliError::refused)
}

/// A goal whose item an edition rewords or retires.
struct TouchedGoal {
    goal: Goal,
    item: CatalogueItemId,
}

/// What an edition changes.
pub(super) struct Edition {
    diff: EditionDiff,
    /// The words of each item that changes: the present ones, and those of the edition.
    words: BTreeMap<CatalogueItemId, [Option<String>; 2]>,
    goals: Vec<TouchedGoal>,
}

impl Edition {
    /// Compares an edition with the catalogue that the server has.
    pub(super) async fn compare(
        client: &Client,
        catalogue: &Catalogue,
        present: Option<&Present>,
    ) -> Result<Self, CliError> {
        let diff = catalogue.changes(present);
        let words = diff.items.keys().map(|id| {
            let before = present.and_then(|present| present.items.get(id));
            let told = [before, catalogue.item(*id)];
            (*id, told.map(|item| item.map(|item| item.text.to_string())))
        });
        let words = words.collect();
        let touching: BTreeSet<_> = diff.touching_goals().collect();
        let goals = match touching.is_empty() {
            true => Vec::new(),
            false => goals(client, catalogue, &touching).await?,
        };
        Ok(Self { diff, words, goals })
    }

    /// The edition as JSON.
    pub(super) fn json(&self) -> Value {
        let mut changes = serde_json::Map::new();
        for change in ItemChange::ALL {
            let items = self.diff.items_of(change).map(|id| {
                let [before, after] = self.words_of(id);
                json!({"item_id": id.to_string(), "before": before, "after": after})
            });
            changes.insert(name(change).to_owned(), items.collect());
        }
        let goals = self.goals.iter().map(|goal| {
            json!({
                "institution_id": goal.goal.institution,
                "year_plan_id": goal.goal.year_plan,
                "goal_id": goal.goal.goal,
                "item_id": goal.item.to_string(),
                "text": goal.goal.words,
                "changes": self.ways(goal.item),
            })
        });
        json!({
            "new": self.diff.new,
            "details_changed": self.diff.details,
            "unchanged": self.diff.unchanged,
            "changes": changes,
            "goals_touched": goals.collect::<Vec<_>>(),
        })
    }

    /// Prints the edition as tables. A catalogue that is new changes nothing that somebody knows.
    pub(super) fn print(&self) {
        if self.diff.new || self.diff.is_empty() {
            return;
        }
        output::heading("What changes");
        let mut rows = vec![vec!["stays".to_owned(), self.diff.unchanged.to_string()]];
        for change in ItemChange::ALL {
            let number = self.diff.items_of(change).count();
            rows.push(vec![name(change).to_owned(), number.to_string()]);
        }
        rows.push(vec![
            "goals touched".to_owned(),
            self.goals.len().to_string(),
        ]);
        output::table(&rows);
        for change in ItemChange::ALL {
            self.print_items(change);
        }
        self.print_goals();
    }

    fn print_items(&self, change: ItemChange) {
        let all = self.diff.items_of(change).count();
        if all == 0 {
            return;
        }
        output::heading(name(change));
        for id in self.diff.items_of(change).take(LISTED) {
            let [before, after] = self.words_of(id);
            match (before, after) {
                (Some(before), Some(after)) if before != after => {
                    output::line(format!("{id}  {}", short(before)));
                    output::line(format!("  now: {}", short(after)));
                }
                (before, after) => {
                    let words = after.or(before).unwrap_or_default();
                    output::line(format!("{id}  {}", short(words)));
                }
            }
        }
        more(all);
    }

    fn print_goals(&self) {
        if self.goals.is_empty() {
            return;
        }
        output::heading("Goals in use whose item changes; they keep their words");
        for goal in self.goals.iter().take(LISTED) {
            output::line(format!(
                "year plan {}  goal {}  {}: {}",
                goal.goal.year_plan,
                goal.goal.goal,
                self.ways(goal.item).join(", "),
                short(&goal.goal.words)
            ));
        }
        more(self.goals.len());
    }

    fn words_of(&self, id: CatalogueItemId) -> [Option<&str>; 2] {
        match self.words.get(&id) {
            Some([before, after]) => [before.as_deref(), after.as_deref()],
            None => [None, None],
        }
    }

    fn ways(&self, item: CatalogueItemId) -> Vec<&'static str> {
        let ways = self.diff.items.get(&item).into_iter().flatten();
        ways.map(|way| name(*way)).collect()
    }
}

/// The goals in use, in all institutions, that come from these items.
async fn goals(
    client: &Client,
    catalogue: &Catalogue,
    touching: &BTreeSet<CatalogueItemId>,
) -> Result<Vec<TouchedGoal>, CliError> {
    let mut touched = Vec::new();
    for goal in asked::goals(client, &catalogue.id().to_string()).await? {
        let item: CatalogueItemId = goal.item.parse().map_err(CliError::refused)?;
        if touching.contains(&item) {
            touched.push(TouchedGoal { goal, item });
        }
    }
    Ok(touched)
}

const fn name(change: ItemChange) -> &'static str {
    match change {
        ItemChange::Added => "added",
        ItemChange::Reworded => "reworded",
        ItemChange::Retired => "retired",
        ItemChange::Moved => "moved",
        ItemChange::Described => "described anew",
    }
}

/// The first words of a text, on one line.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

fn more(all: usize) {
    if all > LISTED {
        output::line(format!("and {} more", all - LISTED));
    }
}
