//! Scenarios that are put together by chance: steps of every kind in every order, mostly nonsense.

use std::fmt::Write as _;

/// Numbers that look random and are always the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn one<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }
}

const OBJECTS: &str = r#"
[objects]
x = { kind = "value", value = 1 }
f = { kind = "value", value = false }
a = { kind = "array", type = "i8", value = [0, 1, 100] }
s = { kind = "semaphore", count = 2, value = [1, 0], bound = true }
m = { kind = "mutex", type = "errorcheck" }
k = { kind = "mutex", type = "recursive" }
c = { kind = "condition", mutex = "m" }
d = { kind = "condition", mutex = "k" }
b = { kind = "barrier", parties = 2 }
e = { kind = "event" }
q = { kind = "queue", capacity = 2 }
p = { kind = "pipe", capacity = 1 }
"#;

/// Steps; `@` stands for what is added to one that may wait.
const STEPS: &[&str] = &[
    "{ load = 'x', into = 'n' }",
    "{ store = 'x', value = '{n}', on = { any = [] } }",
    "{ add = 'x', value = -1, into = 'n' }",
    "{ swap = 'x', value = '{n}', into = 'n', on = { any = [] } }",
    "{ compare_swap = 'x', old = 1, value = 2, into = 'n' }",
    "{ update = 'x', value = '{it > 1 ? it - 2 : it + n}', outcome = 'r' }",
    "{ swap = 'f', value = true, into = 'g' }",
    "{ store = 'f', value = false }",
    "{ add = 'a[n]', value = 50, outcome = 'r' }",
    "{ load = 'a[index]', into = 'n' }",
    "{ acquire = 's[0]'@ }",
    "{ acquire = 's[n]'@ }",
    "{ release = 's[0]', on = { overflow = ['yield'] } }",
    "{ release = 's[1]', outcome = 'r' }",
    "{ size = 's[1]', into = 'n' }",
    "{ lock = 'm'@ }",
    "{ unlock = 'm', outcome = 'r' }",
    "{ lock = 'm'@ }, { wait = 'c'@ }, { unlock = 'm', on = { any = [] } }",
    "{ lock = 'k'@ }",
    "{ unlock = 'k', on = { not_owner = [] } }",
    "{ lock = 'k'@ }, { lock = 'k'@ }, { wait = 'd'@ }, { unlock = 'k', outcome = 'r' }",
    "{ notify = 'c' }",
    "{ notify = 'd', n = 2, into = 'n' }",
    "{ notify_all = 'c', into = 'n' }",
    "{ wait = 'b'@ }",
    "{ wait = 'b', into = 'n'@ }",
    "{ size = 'b', into = 'n' }",
    "{ abort = 'b' }",
    "{ reset = 'b' }",
    "{ set = 'e' }",
    "{ clear = 'e' }",
    "{ wait = 'e'@ }",
    "{ put = 'q', value = 3@ }",
    "{ put = 'q', value = '{n}', on = { any = [] } }",
    "{ get = 'q', into = 'n'@ }",
    "{ size = 'q', into = 'n' }",
    "{ send = 'p.w', value = 4@ }",
    "{ recv = 'p.r', into = 'n'@ }",
    "{ poll = 'p.r'@ }",
    "{ close = 'p.w', on = { any = [] } }",
    "'yield'",
    "{ sleep = '1s' }",
    "{ let = { n = '{n + 1}' }, on = { any = [{ let = { n = 0 } }] } }",
    "{ let = { n = '{4 / (n - 1)}' }, outcome = 'r' }",
    "{ if = 'n == 1', then = [{ let = { h = '{n + 1}' } }] }, 'yield', { if = 'h == null || h > 2', then = ['yield'] }",
    "{ assert = 'n < 3' }",
    "{ start = 'late', on = { any = [] } }",
    "{ join = 'late'@ }",
    "{ join = 'late', into = 'n', timeout = '0s', on = { would_block = [] } }",
    "{ exit = 2 }",
];

/// The scenario of that number.
pub(super) fn scenario(number: u64) -> String {
    let mut chance = Chance(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    chance.below(2);
    let mut text = OBJECTS.to_owned();
    let mut programs = vec![("first", 1 + chance.below(2)), ("second", 1)];
    if chance.below(2) == 0 {
        programs.push(("late", 1));
    }
    let late = programs.len() == 3;
    for (name, count) in programs {
        let manual = if name == "late" { "start = 'manual'\n" } else { "" };
        let _ = write!(
            text,
            "\n[processes.{name}]\ncount = {count}\n{manual}vars = {{ n = 0, g = false, r = 'no' }}\nsteps = ["
        );
        let most = 2 + chance.below(3);
        steps(&mut chance, most, late && name != "late", &mut text);
        text.push_str("]\n");
    }
    text
}

fn steps(chance: &mut Chance, most: usize, late: bool, text: &mut String) {
    const ENDS: &[&str] = &[
        "",
        "",
        ", timeout = '0s', outcome = 'r'",
        ", timeout = '1s', outcome = 'r'",
        ", timeout = '0s', on = { would_block = ['yield'], any = [{ exit = 1 }] }",
        ", on = { any = [] }",
    ];
    for _ in 0..most {
        match chance.below(8) {
            0 => {
                let rounds = 1 + chance.below(3);
                let _ = write!(text, "{{ repeat = {rounds}, as = 'i', do = [");
                steps(chance, 1, late, text);
                text.push_str("] }, ");
            }
            1 => {
                let condition = chance.one(&["n == 0", "n > 0", "index == 1", "!g", "g || n == 2", "r == 'ok'"]);
                let _ = write!(text, "{{ if = \"{condition}\", then = [");
                steps(chance, 1, late, text);
                text.push_str("], else = [");
                steps(chance, 1, late, text);
                text.push_str("] }, ");
            }
            _ => {
                let mut step = chance.one(STEPS);
                while !late && step.contains("late") {
                    step = chance.one(STEPS);
                }
                let mut first = true;
                for part in step.split('@') {
                    if !std::mem::take(&mut first) {
                        text.push_str(chance.one(ENDS));
                    }
                    text.push_str(part);
                }
                text.push_str(", ");
            }
        }
    }
}
