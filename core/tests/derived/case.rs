//! One case: a seed, and what follows from it.

use std::fs::File;
use std::sync::Arc;

use crate::derived::damage::{Kind, Times};
use crate::derived::documents::Documents;
use crate::derived::files::{self, Files};
use crate::derived::place::ClockedDir;
use crate::derived::reference::{Point, Reference, Version};
use crate::derived::running::Running;
use crate::derived::session::{Session, Stop};
use crate::derived::tally::Report;
use planledger_fixtures::dice::Dice;

/// What is damaged, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// While nothing is open.
    Closed(Kind),
    /// In the documents that it holds, while nothing is open.
    Documents(Documents),
    /// Under an open ledger.
    Open(Running),
    /// Nothing; but the process runs out of descriptors for a while.
    Starved,
}

impl What {
    pub(crate) fn all() -> Vec<Self> {
        let closed = Kind::ALL.iter().copied().map(Self::Closed);
        closed
            .chain(Documents::ALL.into_iter().map(Self::Documents))
            .chain(Running::ALL.into_iter().map(Self::Open))
            .collect()
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Closed(kind) => kind.name(),
            Self::Documents(documents) => documents.name(),
            Self::Open(running) => running.name(),
            Self::Starved => "no descriptors",
        }
    }
}

/// How thoroughly a case is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Care {
    /// One in so many is verified at the end.
    pub(crate) verify_one_in: usize,
    /// How many earlier points are read at the end.
    pub(crate) past: usize,
    /// How many points further the history is carried out at most.
    pub(crate) points_on: usize,
    /// One in so many steps is sent again.
    pub(crate) again_one_in: usize,
    /// One in so many questions is asked each time.
    pub(crate) asked_one_in: usize,
}

pub(crate) fn run(reference: &Reference, what: What, seed: u64, care: Care) -> Report {
    let mut dice = Dice::new(seed);
    let versions = &reference.versions;
    let mut chosen = dice.below(versions.len());
    if matches!(what, What::Closed(Kind::Rebuilding)) {
        let rebuilt = |number: &usize| !versions[*number].rebuilding.is_empty();
        let rebuilt: Vec<_> = (0..versions.len()).filter(rebuilt).collect();
        chosen = *dice.of(&rebuilt);
    }
    let version = &versions[chosen];
    // Of a write that was torn off it is only known once it is sent whether it is there.
    let least = usize::from(matches!(what, What::Closed(Kind::PowerCut) | What::Starved));
    let further = dice.between(least, care.points_on);
    let end = (version.point + further).min(reference.points.len() - 1);
    let mut case = Case {
        end: &reference.points[end],
        reference,
        what,
        version,
        care,
        older: &versions[dice.below(chosen + 1)].derived,
        session: Session::new(reference, care),
        dice,
    };
    let files = case.directory(chosen);
    case.session.place = ClockedDir::with(&files);
    case.rewrite(chosen);
    let stopped = case.goes_through().is_err();
    let damaged = !matches!(what, What::Closed(Kind::Nothing) | What::Starved);
    let mut session = case.session;
    if stopped {
        // What became of the journal, if it was opened at all.
        if !session.report.lost_end {
            session.verify(damaged);
        }
    } else if case.dice.once_in(care.verify_one_in) {
        session.verify(damaged);
    }
    session.close();
    session.report
}

struct Case<'a> {
    reference: &'a Reference,
    what: What,
    version: &'a Version,
    care: Care,
    older: &'a Files,
    /// Until where the history is carried out.
    end: &'a Point,
    session: Session<'a>,
    dice: Dice,
}

impl Case<'_> {
    /// The whole journal and keys of a version, and derived state damaged.
    fn directory(&mut self, chosen: usize) -> Files {
        let mut files = self.version.truth.clone();
        let kind = match self.what {
            What::Closed(kind) => kind,
            What::Documents(_) | What::Open(_) | What::Starved => Kind::Nothing,
        };
        if kind.may_know_more() {
            self.session.may_have_lost_end();
        }
        let all = self.reference.versions.iter();
        let all: Vec<_> = all.map(|version| &version.derived).collect();
        let times = Times {
            so_far: all[..=chosen].to_vec(),
            later: all[chosen + 1..].to_vec(),
            rebuilding: self.version.rebuilding.iter().collect(),
        };
        files.extend(kind.apply(&mut self.dice, &times));
        if kind == Kind::PowerCut {
            self.tear(&mut files);
        }
        files
    }

    /// Leaves a part of the write that was on its way to the journal.
    fn tear(&mut self, files: &mut Files) {
        let reference = self.reference;
        let steps = reference.point(self.version).steps;
        let Some((step, path, mut bytes)) = reference.next_write(steps) else {
            return;
        };
        let before = files[&path].len();
        match self.dice.below(4) {
            0 => return,
            1 => bytes.truncate(self.dice.below(bytes.len())),
            2 => {
                // Blocks of the disk, so of the file and not of the write.
                let lost: Vec<_> = (0..=(before + bytes.len()) / 512)
                    .map(|_| self.dice.once_in(2))
                    .collect();
                for (at, byte) in bytes.iter_mut().enumerate() {
                    if lost[(before + at) / 512] {
                        *byte = 0;
                    }
                }
            }
            _ => bytes.fill(0),
        }
        // Its keys had been synced before it was begun.
        let later = reference.versions.iter();
        let later = later.filter(|version| reference.point(version).steps > steps);
        if let Some(version) = later.min_by_key(|version| version.point) {
            let (keys, _) = files::split(&version.truth, "keys");
            files.extend(keys);
        }
        // It may be whole.
        self.session.perhaps(step + 1);
        let before = &files[&path];
        let after = [before.as_slice(), &bytes].concat();
        files.insert(path, Arc::new(after));
    }

    /// Gives the stores another content.
    fn rewrite(&mut self, chosen: usize) {
        let What::Documents(documents) = self.what else {
            return;
        };
        if documents == Documents::SomeNewer {
            self.session.may_have_lost_end();
        }
        let all = self.reference.versions.iter();
        let all: Vec<_> = all.map(|version| &version.stores).collect();
        let (times, later) = all.split_at(chosen + 1);
        documents.apply(&mut self.dice, &self.session.place, times, later);
    }

    fn damage(&mut self) {
        if let What::Open(running) = self.what {
            let patches = running.apply(&mut self.dice, &self.session.place, self.older);
            self.session.put_back_when_closed(patches);
        }
    }

    fn goes_through(&mut self) -> Result<(), Stop> {
        let reference = self.reference;
        let now = reference.point(self.version);
        let next = reference.steps[now.steps - 1].at;
        self.session.place.set(next);
        self.session.open()?;
        let moment = match self.what {
            What::Starved => 2,
            What::Closed(_) | What::Documents(_) | What::Open(_) => self.dice.below(3),
        };
        if moment == 0 {
            self.damage();
        }
        // Whether anybody looks before the next is written, and whether anything is sent again first,
        // is chance: what is wrong must not show only to those who ask.
        let torn = matches!(self.what, What::Closed(Kind::PowerCut));
        if !torn && self.dice.once_in(3) {
            self.session.read_all(now, &mut self.dice)?;
        }
        let again = self.dice.below(3);
        if again > 0 {
            self.session.send_again(now.steps, &mut self.dice)?;
        }
        if moment == 1 {
            self.damage();
        }
        self.go_on(now.steps, moment == 2)?;
        if again == 0 {
            self.session.send_again(now.steps, &mut self.dice)?;
        }
        self.session.read_all(self.end, &mut self.dice)?;
        for _ in 0..self.care.past {
            let point = self.dice.of(&reference.points);
            if point.steps <= self.end.steps {
                self.session.read_past(point, &mut self.dice)?;
            }
        }
        let is_open_kind = matches!(self.what, What::Open(_) | What::Starved);
        if is_open_kind || self.dice.once_in(3) {
            self.session.reopen()?;
            self.session.send_again(self.end.steps, &mut self.dice)?;
            self.session.read_all(self.end, &mut self.dice)?;
        }
        Ok(())
    }

    /// The rest of the history, with other ends and beginnings than it had the first time.
    fn go_on(&mut self, from: usize, damage: bool) -> Result<(), Stop> {
        let reference = self.reference;
        let rest = self.end.steps - from;
        let damaged_at = from + self.dice.below(rest);
        let ends_at = match self.dice.once_in(3) {
            true => from + self.dice.below(rest),
            false => usize::MAX,
        };
        let mut hunger = Vec::new();
        let mut points = reference.points.iter().peekable();
        while points.next_if(|point| point.steps <= from).is_some() {}
        for number in from..self.end.steps {
            if damage && number == damaged_at {
                self.damage();
                if matches!(self.what, What::Starved) {
                    hunger = starve(&mut self.dice);
                }
            }
            if number == ends_at && hunger.is_empty() {
                match self.dice.once_in(2) {
                    true => self.session.reopen()?,
                    false => self.session.kill()?,
                }
            }
            if hunger.is_empty() {
                self.session.step(number)?;
            } else if !self.session.try_step(number)? || self.dice.once_in(6) {
                hunger.clear();
                if self.dice.once_in(2) {
                    self.session.reopen()?;
                }
                self.session.step_again(number)?;
            }
            if let Some(point) = points.next_if(|point| point.steps == number + 1)
                && hunger.is_empty()
                && self.dice.once_in(4)
            {
                self.session.read_all(point, &mut self.dice)?;
            }
        }
        Ok(())
    }
}

/// Takes every descriptor that the process can have, but for a few.
fn starve(dice: &mut Dice) -> Vec<File> {
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    files.truncate(files.len().saturating_sub(dice.below(3)));
    files
}
