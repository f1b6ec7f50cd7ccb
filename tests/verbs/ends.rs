//! The end of a process: all that it does to others is one event, whichever of it they see first.

use crate::support::Test;

/// How many processes end, one after the other.
const ENDS: usize = 12;

/// Something that the end of `q[i]` does: an object that it needs, what `q` does before, and how `p` waits for it and finds it
/// there.
struct Effect {
    object: &'static str,
    before: &'static str,
    wait: &'static str,
    look: &'static str,
}

const EFFECTS: &[Effect] = &[
    Effect {
        object: "in = { kind = \"pipe\", count = COUNT }",
        before: "{ if = \"index < 0\", then = [ { send = \"in[index].w\", value = 1 } ] },",
        wait: "{ recv = \"in[i].r\", expect = \"closed\" }",
        look: "{ recv = \"in[i].r\", timeout = \"0s\", expect = \"closed\" }",
    },
    Effect {
        object: "seen = { kind = \"pipe\", count = COUNT }",
        before: "{ if = \"index < 0\", then = [ { send = \"seen[index].w\", value = 1 } ] },",
        wait: "{ poll = \"seen[i].r\" }",
        look: "{ poll = \"seen[i].r\", timeout = \"0s\" }",
    },
    Effect {
        object: "out = { kind = \"pipe\", capacity = 1, count = COUNT }",
        before: "{ if = \"index < 0\", then = [ { recv = \"out[index].r\" } ] },",
        wait: "{ forever = [ { send = \"out[i].w\", value = 1, on = { broken = [ \"break\" ] } } ] }",
        look: "{ send = \"out[i].w\", value = 1, timeout = \"0s\", expect = \"broken\" }",
    },
    Effect {
        object: "m = { kind = \"mutex\", robust = true, count = COUNT }",
        before: "{ lock = \"m[index]\" },",
        wait: "{ lock = \"m[i]\", expect = \"owner_died\" }",
        look: "{ lock = \"m[i]\", timeout = \"0s\", expect = \"owner_died\" }",
    },
    Effect { object: "", before: "", wait: "{ join = \"q[i]\" }", look: "{ join = \"q[i]\", timeout = \"0s\" }" },
    Effect {
        object: "",
        before: "",
        wait: "{ wait_any = true, into = \"any\" }",
        look: "{ wait_any = true, timeout = \"0s\", into = \"any\" }",
    },
    Effect {
        object: "",
        before: "",
        wait: "{ forever = [ { status = \"q[i]\", into = \"s\" }, { if = \"s.code != null\", then = [ \"break\" ] } ] }",
        look: "{ status = \"q[i]\", into = \"s\" }, { assert = \"s.code == 0\" }",
    },
    Effect {
        object: "",
        before: "",
        wait: "{ sigwait = [\"CHLD\"] }",
        look: "{ sigwait = [\"CHLD\"], timeout = \"0s\" }",
    },
];

/// Every effect is there once another was seen, in a run and in the model.
#[test]
fn every_effect_of_an_end_is_there_once_one_is_seen() {
    for (first, one) in EFFECTS.iter().enumerate() {
        for (second, other) in EFFECTS.iter().enumerate() {
            let either = |words: &str| [one, other].iter().any(|effect| effect.wait.contains(words));
            let signals = either("CHLD");
            // A process is joined once; where a process handles signals, it may wait for no lock.
            if first == second || either("join") && either("wait_any") || signals && either("lock") {
                continue;
            }
            let text = |count: usize| {
                let masks = if signals { "{ mask = [\"CHLD\"] }, { on_signal = \"CHLD\", do = [] }," } else { "" };
                format!(
                    "[objects]\ngo = {{ kind = \"semaphore\", value = 0 }}\n{}\n{}\n\
                     [processes.q]\ncount = {count}\nstart = \"manual\"\nsteps = [ {} {} {{ release = \"go\" }} ]\n\
                     [processes.p]\nsteps = [ {masks} {{ for = \"i\", in = \"{{range({count})}}\", do = [\n\
                     {{ start = \"q[i]\" }}, {{ acquire = \"go\" }},\n{},\n{},\n] }} ]\n",
                    one.object, other.object, one.before, other.before, one.wait, other.look
                )
                .replace("COUNT", &count.to_string())
            };
            Test::scenario(&text(ENDS)).run().status(0).nothing_left();
            if !one.wait.contains("forever") {
                Test::new().file("a.toml", text(1)).args(["explore", "a.toml"]).run().status(0);
            }
        }
    }
}
