use std::collections::BTreeMap;

use super::{TASTES, Taste, is_accepted, scenario};
use crate::judge::FORMS;
use crate::objects::CATALOGUE;
use crate::scenario::steps::STEPS;

#[test]
fn the_same_seed_gives_the_same_text_and_check_takes_it() {
    for taste in TASTES {
        for seed in 0..6 {
            let one = scenario(seed, *taste);
            assert_eq!(one.text(), scenario(seed, *taste).text());
            assert!(is_accepted(&one.text()), "{}", one.text());
            assert!(is_accepted(&one.delayed(seed + 1)), "{}", one.delayed(seed + 1));
            let asked = one.expectations(4);
            assert_eq!(asked, scenario(seed, *taste).expectations(4));
            let all = one.text() + &asked.concat();
            assert!(is_accepted(&all), "{all}");
            for process in one.processes() {
                let killed = one.text() + &super::Scenario::killer(&process);
                assert!(is_accepted(&killed), "{killed}");
            }
        }
    }
}

#[test]
fn every_kind_verb_attribute_step_and_form_is_drawn() {
    let all = Taste { stops: true, loops: true, random: true, own: true, ..super::EVERYTHING };
    let mut text = String::new();
    let mut forms = String::new();
    for seed in 0..400 {
        let one = scenario(seed, if seed % 2 == 0 { super::EVERYTHING } else { all });
        text.push_str(&one.text());
        if seed % 3 == 0 {
            forms.push_str(&one.expectations(6).concat());
        }
    }
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut needs = |of, name: &'static str, there: bool| {
        if !there {
            missing.entry(of).or_default().push(name);
        }
    };
    for kind in CATALOGUE {
        for attribute in kind.attributes {
            let mut given = text.lines().filter(|line| line.contains(&format!("kind = \"{}\"", kind.name)));
            needs(kind.name, attribute.name, given.any(|line| line.contains(&format!(" {} = ", attribute.name))));
        }
        for verb in kind.verbs {
            needs(kind.name, verb.name, text.contains(&format!("{{ {} = \"{}", verb.name, kind.name)));
        }
    }
    for step in STEPS {
        let there = text.contains(&format!("{{ {} = ", step.name)) || text.contains(&format!("\"{}\"", step.name));
        needs("steps", step.name, there);
    }
    for form in FORMS.iter().filter(|form| form.description.arguments[0].required) {
        needs("forms", form.description.name, forms.contains(&format!("\n{} = ", form.description.name)));
    }
    assert!(missing.is_empty(), "{missing:?}");
}
