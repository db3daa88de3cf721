//! Registration means inspection: every study of the catalogue passes the shared checks.

use std::collections::BTreeSet;

use chiasm_studies::{SYSTEMS, catalogue, systems};

#[test]
fn every_study_keeps_to_the_rules() {
    let mut report = Vec::new();
    for entry in catalogue() {
        for violation in chiasm_lab::conformance::violations(&entry) {
            report.push(format!("{}: {violation}", entry.info().name));
        }
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}

#[test]
fn every_study_is_one_of_the_systems() {
    let mut names = BTreeSet::new();
    for entry in catalogue() {
        let info = entry.info();
        let system = systems::find(info.name).expect("a system of that name");
        assert_eq!(
            (system.card, system.area),
            (info.paper.card, info.area),
            "{}",
            info.name
        );
        assert!(names.insert(info.name), "{} is registered twice", info.name);
    }
}

#[test]
fn the_systems_are_56_each_once() {
    let cards: Vec<u8> = SYSTEMS.iter().map(|s| s.card).collect();
    assert_eq!(cards, (1..=56).collect::<Vec<u8>>());
    let names: BTreeSet<&str> = SYSTEMS.iter().map(|s| s.name).collect();
    assert_eq!(names.len(), 56);
}
