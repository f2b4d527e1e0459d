//! Files of derived state are removed, cut or changed, while the server is stopped and while it runs.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::story::*;
use super::told::{Row, Told, complaints};

#[derive(Clone, Copy, Debug)]
enum Damage {
    Removed,
    Cut,
    Flipped,
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

impl Damage {
    /// Does it to every file below a folder that has anything in it.
    fn to(self, folder: &Path) {
        if let Self::Removed = self {
            // The server may make a file at the same moment.
            while folder.exists() {
                let _ = fs::remove_dir_all(folder);
            }
            return;
        }
        for path in files(folder) {
            // It may be gone by now: the server goes on working.
            let Ok(file) = File::options().read(true).write(true).open(&path) else {
                continue;
            };
            let len = file.metadata().unwrap().len();
            match self {
                Self::Removed => {}
                Self::Cut => file.set_len(len / 2).unwrap(),
                Self::Flipped => {
                    // A byte of every sector: wherever the server looks, it meets one.
                    for at in (0..len).step_by(512) {
                        let mut byte = [0];
                        file.read_exact_at(&mut byte, at).unwrap();
                        file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
                    }
                }
            }
        }
    }
}

fn while_stopped(damage: Damage, (number, fault): (u32, &'static str)) {
    let story = Story::begin_on(u64::from(number), "journal/");
    damage.to(&story.home.path().join("derived"));
    let server = story.start_watched();
    let said = server.serving.said.clone();
    Told::well(&server);
    story.work(&server.serving);
    server.serving.stop_within(STOP).unwrap();
    let says = match complaints(&said).as_str() {
        "" => "nothing: it is made at every first start".to_owned(),
        said => said.to_owned(),
    };
    let row = Row {
        number,
        fault,
        says,
        goes_on: "yes",
    };
    row.holds(&story.check().unwrap());
}

fn while_running(damage: Damage, (number, fault): (u32, &'static str)) {
    let story = Story::begin_on(u64::from(number), "journal/");
    let server = story.start_watched();
    story.work(&server.serving);
    damage.to(&story.home.path().join("derived"));
    story.load(&server.serving);
    // What was changed is noticed when it is read: at the latest at the next start.
    Told::well(&server);
    story.work(&server.serving);
    let rebuilds = Told::by(&server).metric("derived_rebuilds_total");
    let (_, log) = server.serving.stop_within(STOP).unwrap();
    let says = match complaints(&log).as_str() {
        "" => format!("nothing until the next start; metric: derived_rebuilds_total {rebuilds}"),
        said => format!("metric: derived_rebuilds_total {rebuilds}; {said}"),
    };
    let row = Row {
        number,
        fault,
        says,
        goes_on: "yes",
    };
    row.holds(&story.check().unwrap());
}

#[test]
fn derived_state_that_was_removed_cut_or_changed_is_made_again_at_the_start() {
    while_stopped(Damage::Removed, (70, "derived state removed, stopped"));
    while_stopped(Damage::Cut, (71, "its files cut to half, stopped"));
    while_stopped(
        Damage::Flipped,
        (72, "bits flipped in every sector of it, stopped"),
    );
}

#[test]
fn derived_state_that_is_removed_cut_or_changed_under_the_server_changes_no_answer() {
    while_running(Damage::Removed, (73, "derived state removed, running"));
    while_running(Damage::Cut, (74, "its files cut to half, running"));
    while_running(
        Damage::Flipped,
        (75, "bits flipped in every sector of it, running"),
    );
}
