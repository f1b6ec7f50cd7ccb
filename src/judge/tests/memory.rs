//! Races and lost updates.

use crate::judge::Status::{Fail, Pass};
use crate::judge::testing::{CELL, PERMITS, Scene, check, objects};
use crate::scenario::expectation::Argument::Integer;
use crate::value::Value;

/// Two processes each load and store; the loads come first.
fn lost() -> Scene {
    let mut scene = Scene::new(&[("money", &CELL, 0), ("m", &PERMITS, 1)], &[("man", None), ("girl", None)]);
    scene.on(0, "load", "money", (10, 11), 1);
    scene.on(1, "load", "money", (12, 13), 2);
    scene.on(0, "store", "money", (14, 15), 3).value = Value::Int(1);
    scene.on(1, "store", "money", (16, 17), 4).value = Value::Int(-1);
    scene
}

/// The same, each under a lock.
fn locked() -> Scene {
    let mut scene = Scene::new(&[("money", &CELL, 0), ("m", &PERMITS, 1)], &[("man", None), ("girl", None)]);
    for process in 0..2u32 {
        let (at, ticket) = (u64::from(process) * 100, u64::from(process) * 2);
        scene.on(process, "lock", "m", (at, at + 1), ticket + 1);
        scene.on(process, "load", "money", (at + 1, at + 2), ticket + 1);
        scene.on(process, "store", "money", (at + 2, at + 3), ticket + 2);
        scene.on(process, "unlock", "m", (at + 3, at + 4), ticket + 2);
    }
    scene
}

#[test]
fn accesses_without_a_cause_race() {
    let run = &mut lost().finish();
    let arguments = vec![("race_free", objects(&run.0, &["money"]))];
    let finding = check(run, "race_free", arguments, Fail);
    assert!(finding.measured.starts_with("3 pairs without an order among 4 accesses"), "{}", finding.measured);
    assert_eq!(finding.notes, ["neither process held a lock"]);
    let verbs: Vec<&str> = finding.witnesses.iter().map(|place| run.1.events[*place].verb).collect();
    assert_eq!(verbs, ["load", "store"]);
}

#[test]
fn a_lock_puts_them_into_an_order() {
    let run = &mut locked().finish();
    let arguments = vec![("race_free", objects(&run.0, &["money"]))];
    check(run, "race_free", arguments, Pass);
    let arguments = vec![("lost_updates", objects(&run.0, &["money"])), ("equals", Integer(0))];
    check(run, "lost_updates", arguments, Pass);
}

#[test]
fn a_race_names_the_lock_that_only_one_held() {
    let mut scene = locked();
    scene.lanes[1].retain(|event| !matches!(event.verb, "lock" | "unlock"));
    let run = &mut scene.finish();
    let arguments = vec![("race_free", objects(&run.0, &["money"]))];
    let finding = check(run, "race_free", arguments, Fail);
    assert!(finding.notes.iter().any(|note| note.starts_with("man held m at")), "{:?}", finding.notes);
    assert!(finding.notes.iter().any(|note| note.starts_with("girl held nothing at")), "{:?}", finding.notes);
}

#[test]
fn atomic_accesses_and_reads_do_not_race() {
    let mut scene = Scene::new(&[("x", &CELL, 0)], &[("p", Some(3))]);
    for process in 0..3u32 {
        scene.on(process, "add", "x", (1, 2 + u64::from(process)), u64::from(process) + 1);
    }
    let run = &mut scene.finish();
    let arguments = vec![("race_free", objects(&run.0, &["x"]))];
    check(run, "race_free", arguments, Pass);
}

#[test]
fn a_store_that_comes_from_an_old_load_loses_an_update() {
    let run = &mut lost().finish();
    let arguments = vec![("lost_updates", objects(&run.0, &["money"])), ("at_least", Integer(1))];
    let finding = check(run, "lost_updates", arguments, Pass);
    assert!(finding.measured.starts_with("1 lost update (1 write overwritten unseen)"), "{}", finding.measured);
    let verbs: Vec<&str> = finding.witnesses.iter().map(|place| run.1.events[*place].verb).collect();
    assert_eq!(verbs, ["load", "store", "store"]);
    let arguments = vec![("lost_updates", objects(&run.0, &["money"])), ("equals", Integer(0))];
    check(run, "lost_updates", arguments, Fail);
}
