//! The pages' tables of commands and settings say what the command line takes.

use std::collections::BTreeSet;

use clap::{Arg, Command};

use crate::pages::{page, quoted, table};

/// The command line, with what clap adds when it is used.
fn definition() -> Command {
    let mut definition = planledger::cli::definition();
    definition.build();
    definition
}

/// Commands that do something themselves, by their words.
fn leaves(command: &Command, words: &[&str], found: &mut BTreeSet<String>) {
    let mut below = command.get_subcommands().filter(|c| c.get_name() != "help");
    match below.next() {
        None => {
            found.insert(words.join(" "));
        }
        Some(first) => {
            for command in [first].into_iter().chain(below) {
                leaves(command, &[words, &[command.get_name()]].concat(), found);
            }
        }
    }
}

/// What a line such as `plan diff PLAN --from MOMENT [--to MOMENT]` stands for.
struct Line<'a> {
    /// More than one if it has alternatives: `plan show|log`.
    commands: Vec<(String, &'a Command)>,
    rest: Vec<&'a str>,
}

fn read<'a>(top: &'a Command, line: &'a str) -> Line<'a> {
    let mut words = line.split_whitespace();
    let mut commands = vec![(String::new(), top)];
    while commands[0].1.has_subcommands() {
        let word = words
            .next()
            .unwrap_or_else(|| panic!("`{line}` breaks off"));
        let (so_far, above) = commands.remove(0);
        commands = word
            .split('|')
            .map(|name| {
                let found = above.find_subcommand(name);
                let found = found.unwrap_or_else(|| panic!("`{line}`: there is no `{name}`"));
                (format!("{so_far} {name}").trim().to_owned(), found)
            })
            .collect();
    }
    let rest = words.collect();
    Line { commands, rest }
}

fn flag<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    let mut arguments = command.get_arguments();
    arguments.find(|argument| argument.get_long() == name.strip_prefix("--"))
}

/// Flags and values that the line names are there, and no necessary one is left out.
fn faults(line: &str, Line { commands, rest }: &Line<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for (_, command) in commands {
        let mut named: Vec<&Arg> = Vec::new();
        let mut last: Option<&Arg> = None;
        let mut positionals = command.get_positionals();
        for word in rest {
            let word = word.trim_matches(['[', ']']);
            if word == "…" {
                last = None;
            } else if word.starts_with("--") {
                let flags = word.split('|').map(|name| (name, flag(command, name)));
                for (name, found) in flags {
                    match found {
                        Some(argument) => named.push(argument),
                        None => faults.push(format!("`{line}`: there is no `{name}`")),
                    }
                    last = found;
                }
            } else {
                let argument = last.take().or_else(|| positionals.next());
                named.extend(argument);
                if !argument.is_some_and(|argument| takes(argument, word)) {
                    faults.push(format!("`{line}`: `{word}` is not what is taken there"));
                }
            }
        }
        let whole = commands.len() == 1 && !rest.contains(&"…");
        let necessary = command.get_arguments().filter(|arg| arg.is_required_set());
        for missing in necessary.filter(|arg| whole && !named.contains(arg)) {
            faults.push(format!("`{line}` leaves out {missing}"));
        }
    }
    faults
}

/// Whether an argument takes such a value: `FILE` by its name, `grade|team` by its possible values.
fn takes(argument: &Arg, word: &str) -> bool {
    let values = argument.get_possible_values();
    let possible = |value| values.iter().any(|known| known.get_name() == value);
    match argument.get_value_names() {
        Some(names) if names.iter().any(|name| name.as_str() == word) => true,
        _ => word.split('|').all(possible),
    }
}

#[test]
fn the_first_page_lists_every_command_as_it_is() {
    let definition = definition();
    let first_page = page("README.md");
    let (_, section) = first_page.split_once("\n## Command line\n").unwrap();
    let rows = table(section, "| | |");
    let lines = rows.iter().flat_map(|row| quoted(&row[0]));
    let (mut listed, mut found) = (BTreeSet::new(), Vec::new());
    for text in lines {
        let line = read(&definition, text);
        found.extend(faults(text, &line));
        listed.extend(line.commands.into_iter().map(|(words, _)| words));
    }
    assert!(found.is_empty(), "README.md: {found:#?}");
    let mut there = BTreeSet::new();
    leaves(&definition, &[], &mut there);
    assert_eq!(listed, there, "README.md, \"Command line\"");
}

/// Every setting that the environment can give, with its flag if it has one.
fn settings(command: &Command, found: &mut BTreeSet<(String, String)>) {
    for argument in command.get_arguments() {
        if let Some(variable) = argument.get_env() {
            let flag = match argument.is_hide_set() {
                true => None,
                false => argument.get_long(),
            };
            let flag = flag.map_or_else(String::new, |flag| format!("--{flag}"));
            found.insert((flag, variable.to_str().unwrap().to_owned()));
        }
    }
    for below in command.get_subcommands() {
        settings(below, found);
    }
}

#[test]
fn the_page_of_operators_lists_every_setting() {
    let header = "| Flag | Environment | In the file | Default | |";
    let rows = table(&page("service/OPERATING.md"), header);
    let listed: BTreeSet<(String, String)> = rows
        .iter()
        .filter(|row| !row[1].is_empty())
        .map(|row| {
            // `--dir DIR` of `demo`: the flag is the first word.
            let flag = quoted(&row[0]).first().copied().unwrap_or_default();
            let flag = flag.split(' ').next().unwrap().to_owned();
            (flag, quoted(&row[1])[0].to_owned())
        })
        .collect();
    // A key is given in no flag, so this one is read from the environment without one.
    let key = planledger::settings::master::VARIABLE.to_owned();
    let mut there = BTreeSet::from([(String::new(), key)]);
    settings(&definition(), &mut there);
    assert_eq!(listed, there, "service/OPERATING.md, \"Settings\"");
}
