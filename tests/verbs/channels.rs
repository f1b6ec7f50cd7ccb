//! Pipes and queues.

use super::{alone, holds, refused};

/// Values of every type, one of each being sent and received as it was.
const VALUES: &str = r#"[true, 1, -9223372036854775808, 1.5, "text 文本", { bytes = [0, 255] }, [], [1, [2, { a = 3 }]], { k = "v", n = [1] }]"#;

#[test]
fn any_value_goes_through_any_pipe() {
    for (kind, w, r) in [("", "w", "r"), (", duplex = true", "a", "b"), (", duplex = true", "b", "a")] {
        holds(&format!(
            r#"
[objects]
link = {{ kind = "pipe"{kind} }}
[processes.one]
steps = [{{ for = "v", in = {VALUES}, do = [{{ send = "link.{w}", value = "{{v}}" }}] }}]
[processes.two]
steps = [
  {{ let = {{ all = [] }} }},
  {{ forever = [
    {{ recv = "link.{r}", into = "v", on = {{ closed = ["break"] }} }},
    {{ let = {{ all = "{{all + [v]}}" }} }},
  ] }},
  {{ mark = "all", value = "{{all}}" }},
]
[[expect]]
values = "two mark all"
equals = [{VALUES}]
[[expect]]
fifo = "link"
"#
        ));
    }
}

#[test]
fn long_messages_stay_whole() {
    for kind in ["", ", duplex = true", ", capacity = 2"] {
        let (w, r) = if kind.contains("duplex") { ("a", "b") } else { ("w", "r") };
        holds(&format!(
            r#"
[objects]
link = {{ kind = "pipe"{kind} }}
[processes.one]
count = 3
steps = [{{ repeat = 3, do = [{{ send = "link.{w}", value = {{ bytes = "x", repeat = 300000 }} }}] }}]
[processes.two]
steps = [{{ repeat = 9, do = [{{ recv = "link.{r}", into = "v" }}, {{ assert = "size(v) == 300000" }}] }}]
[[expect]]
fifo = "link"
"#
        ));
    }
}

#[test]
fn every_outcome_of_a_pipe() {
    alone(
        "link = { kind = \"pipe\" }",
        r#"
  { recv = "link.r", timeout = "0s", expect = "would_block" },
  { recv = "link.r", timeout = "5ms", expect = "timeout" },
  { poll = "link.r", timeout = "0s", expect = "would_block" },
  { poll = "link.r", timeout = "5ms", expect = "timeout" },
  { send = "link.w", value = 7 },
  { poll = "link.r" },
  { poll = "link.r", timeout = "0s" },
  { recv = "link.r", into = "x", expect = 7 },
  { send = "link.r", value = 1, expect = "wrong_end" },
  { recv = "link.w", expect = "wrong_end" },
  { close = "link.w" },
  { send = "link.w", value = 1, expect = "invalid" },
  { close = "link.w", expect = "invalid" },
  { poll = "link.r", timeout = "0s" },
  { recv = "link.r", expect = "closed" },
  { recv = "link.r", timeout = "0s", expect = "closed" },
"#,
    );
    // EPIPE: nobody holds the reading end any more; SIGPIPE ends nobody.
    alone(
        "link = { kind = \"pipe\" }",
        r#"{ close = "link.r" }, { send = "link.w", value = 1, outcome = "r" }, { assert = "r == 'broken'" }"#,
    );
    alone(
        "link = { kind = \"pipe\", duplex = true }",
        r#"
  { send = "link.a", value = 1 },
  { close = "link.a" },
  { recv = "link.b", expect = 1 },
  { recv = "link.b", expect = "closed" },
  { send = "link.b", value = 1, expect = "broken" },
"#,
    );
}

#[test]
fn a_full_pipe_takes_no_more_and_waits() {
    for kind in ["", ", capacity = 2", ", duplex = true"] {
        let (w, r) = if kind.contains("duplex") { ("a", "b") } else { ("w", "r") };
        alone(
            &format!("link = {{ kind = \"pipe\"{kind} }}"),
            &format!(
                r#"
  {{ let = {{ n = 0, r = "ok" }} }},
  {{ while = "r == 'ok'", do = [
    {{ send = "link.{w}", value = "{{n}}", timeout = "0s", outcome = "r" }},
    {{ if = "r == 'ok'", then = [{{ let = {{ n = "{{n + 1}}" }} }}] }},
  ] }},
  {{ assert = "r == 'would_block' && n > 1" }},
  {{ send = "link.{w}", value = 0, timeout = "5ms", expect = "timeout" }},
  {{ repeat = "{{n}}", as = "i", do = [{{ recv = "link.{r}", into = "x", timeout = "0s" }}, {{ assert = "x == i" }}] }},
  {{ recv = "link.{r}", timeout = "0s", expect = "would_block" }},
"#
            ),
        );
    }
    alone(
        "link = { kind = \"pipe\", capacity = 2 }",
        r#"{ send = "link.w", value = 1 }, { send = "link.w", value = 2 }, { send = "link.w", value = 3, timeout = "0s", expect = "would_block" }, { recv = "link.r", into = "x", expect = 1 }"#,
    );
}

#[test]
fn bytes_have_no_borders() {
    for kind in ["", ", duplex = true"] {
        let (w, r) = if kind.contains("duplex") { ("a", "b") } else { ("w", "r") };
        alone(
            &format!("link = {{ kind = \"pipe\", framing = \"bytes\"{kind} }}"),
            &format!(
                r#"
  {{ send = "link.{w}", value = "hel" }},
  {{ send = "link.{w}", value = {{ bytes = "lo wor" }}, into = "n" }},
  {{ assert = "n == 6" }},
  {{ recv = "link.{r}", max = 5, into = "x" }},
  {{ assert = "x == b'hello'" }},
  {{ recv = "link.{r}", into = "x" }},
  {{ assert = "string(x) == ' wor'" }},
  {{ recv = "link.{r}", timeout = "0s", expect = "would_block" }},
  {{ let = {{ v = [1] }} }},
  {{ send = "link.{w}", value = "{{v}}", expect = "invalid" }},
  {{ close = "link.{w}" }},
  {{ recv = "link.{r}", expect = "closed" }},
"#
            ),
        );
    }
    // More than fits is sent in parts, or as far as one write(2) goes.
    holds(
        r#"
[objects]
link = { kind = "pipe", framing = "bytes", capacity = "4KiB" }
[processes.writer]
steps = [
  { send = "link.w", value = { bytes = "x", repeat = 50000 } },
  { mark = "sent" },
]
[processes.reader]
vars = { n = 0 }
steps = [
  { forever = [
    { recv = "link.r", into = "x", max = 1000, on = { closed = ["break"] } },
    { let = { n = "{n + size(x)}" } },
  ] },
  { assert = "n == 50000" },
]
"#,
    );
    alone(
        "link = { kind = \"pipe\", framing = \"bytes\", capacity = 4096 }",
        r#"
  { send = "link.w", value = { bytes = "x", repeat = 50000 }, timeout = "0s", into = "n" },
  { assert = "n == 4096" },
  { send = "link.w", value = "y", timeout = "0s", into = "n", expect = "would_block" },
  { recv = "link.r", into = "x" },
  { assert = "size(x) == 4096" },
"#,
    );
}

#[test]
fn a_pipe_has_the_room_that_is_asked_for() {
    alone(
        "link = { kind = \"pipe\", framing = \"bytes\" }",
        r#"
  { size = "link.r", into = "n" },
  { assert = "n == 65536" },
  { resize = "link.w", value = 5000, into = "n" },
  { assert = "n == 8192" },
  { send = "link.w", value = { bytes = "x", repeat = 5000 } },
  { resize = "link.r", value = 0, expect = "busy" },
  { size = "link.w", expect = 8192 },
  { recv = "link.r", max = 4096 },
  { resize = "link.r", value = 0, expect = 4096 },
  { send = "link.w", value = { bytes = "x", repeat = 4096 }, timeout = "0s", expect = "would_block" },
  { close = "link.r" },
  { size = "link.r", expect = "invalid" },
"#,
    );
    alone(
        "link = { kind = \"pipe\", capacity = 2 }",
        r#"
  { repeat = 2, do = [{ send = "link.w", value = 1 }] },
  { resize = "link.w", value = 4096, expect = "busy" },
  { resize = "link.w", value = 16384, expect = 16384 },
  { repeat = 2, do = [{ send = "link.w", value = 1, timeout = "0s" }] },
  { send = "link.w", value = 1, timeout = "0s", expect = "would_block" },
  { resize = "link.w", value = "{0 - 1}", expect = "out_of_range" },
  { size = "link.r", expect = 16384 },
"#,
    );
    refused("link = { kind = \"pipe\", duplex = true }", "{ size = \"link.a\" }", "a pair of sockets has no such size");
}

#[test]
fn a_pipe_ends_when_its_last_writer_does_however_it_does() {
    for end in ["{ exit = 0 }", "{ close = \"link.w\" }", "{ kill = \"writer[0]\" }"] {
        holds(&format!(
            r#"
[objects]
link = {{ kind = "pipe" }}
[processes.writer]
count = 2
steps = [{{ send = "link.w", value = 1 }}, {{ if = "index == 1", then = [{{ sleep = "5ms" }}] }}, {end}]
[processes.reader]
steps = [{{ repeat = 2, do = [{{ recv = "link.r" }}] }}, {{ recv = "link.r", expect = "closed" }}]
[[expect]]
exits = "writer"
[[expect]]
exits = "reader"
code = 0
"#
        ));
    }
}

#[test]
fn an_array_of_pipes_has_as_many() {
    holds(
        r#"
[objects]
links = { kind = "pipe", count = 3 }
[processes.p]
count = 3
steps = [
  { send = "links[index].w", value = "{index}" },
  { recv = "links[(index + 1) % 3].r", into = "x" },
  { assert = "x == (index + 1) % 3" },
]
"#,
    );
}

#[test]
fn the_wrong_end_is_an_error_where_no_step_takes_it() {
    refused("link = { kind = \"pipe\" }", "{ send = \"link.r\", value = 1 }", "a.toml:5:");
    refused("link = { kind = \"pipe\" }", "{ recv = \"link.w\" }", "a.toml:5:");
    refused("link = { kind = \"pipe\" }", "{ recv = \"link.a\" }", "it has `link.r` and `link.w`");
    refused("link = { kind = \"pipe\" }", "{ recv = \"link\" }", "a.toml:5:");
    refused("link = { kind = \"pipe\", duplex = true }", "{ recv = \"link.r\" }", "a.toml:5:");
}

/// The three queues, each with what makes it one of `capacity` messages.
const QUEUES: [&str; 3] = ["posix", "sysv", "memory"];

#[test]
fn any_value_goes_through_any_queue() {
    for via in QUEUES {
        holds(&format!(
            r#"
[objects]
q = {{ kind = "queue", via = "{via}", capacity = 3 }}
[processes.one]
steps = [{{ for = "v", in = {VALUES}, do = [{{ put = "q", value = "{{v}}" }}] }}, {{ put = "q", value = "end" }}]
[processes.two]
steps = [
  {{ let = {{ all = [] }} }},
  {{ forever = [
    {{ get = "q", into = "v" }},
    {{ if = "v == 'end'", then = ["break"] }},
    {{ let = {{ all = "{{all + [v]}}" }} }},
  ] }},
  {{ mark = "all", value = "{{all}}" }},
]
[[expect]]
values = "two mark all"
equals = [{VALUES}]
[[expect]]
fifo = "q"
"#
        ));
    }
}

#[test]
fn every_outcome_of_every_queue() {
    for via in QUEUES {
        alone(
            &format!("q = {{ kind = \"queue\", via = \"{via}\", capacity = 2, message_size = 16 }}"),
            r#"
  { get = "q", timeout = "0s", expect = "would_block" },
  { get = "q", timeout = "5ms", expect = "timeout" },
  { size = "q", into = "n", expect = 0 },
  { put = "q", value = 1 },
  { put = "q", value = 2, timeout = "0s" },
  { size = "q", into = "n", expect = 2 },
  { put = "q", value = 3, timeout = "0s", expect = "would_block" },
  { put = "q", value = 3, timeout = "5ms", expect = "timeout" },
  { wait = "q", timeout = "0s", expect = "would_block" },
  { wait = "q", timeout = "5ms", expect = "timeout" },
  { get = "q", into = "x", timeout = "1s", expect = 1 },
  { get = "q", into = "x", expect = 2 },
  { put = "q", value = "more than sixteen bytes are too many", expect = "too_big" },
  { put = "q", value = "sixteen bytes ok" },
  { get = "q", into = "x", max = 3, expect = "too_big" },
  { size = "q", into = "n", expect = 1 },
  { get = "q", into = "x", max = 16, expect = "sixteen bytes ok" },
  { repeat = 3, do = [{ done = "q" }] },
  { done = "q", expect = "invalid" },
  { wait = "q" },
  { close = "q" },
  { put = "q", value = 1, expect = "invalid" },
  { get = "q", expect = "invalid" },
  { close = "q", expect = "invalid" },
"#,
        );
    }
}

#[test]
fn priorities_go_before_and_first_in_first_out_within_one() {
    for via in ["posix", "sysv"] {
        alone(
            &format!("q = {{ kind = \"queue\", via = \"{via}\", capacity = 8 }}"),
            r#"
  { put = "q", value = "a", priority = 1 },
  { put = "q", value = "b" },
  { put = "q", value = "c", priority = 9 },
  { put = "q", value = "d", priority = 1 },
  { put = "q", value = "e", priority = 32767 },
  { let = { all = [] } },
  { repeat = 5, do = [
    { get = "q", into = "x", priority_into = "n" },
    { let = { all = "{all + [[x, n]]}" } },
  ] },
  { assert = "all == [['e', 32767], ['c', 9], ['a', 1], ['d', 1], ['b', 0]]" },
"#,
        );
    }
    let memory = "q = { kind = \"queue\" }";
    refused(memory, "{ put = \"q\", value = 1, priority = 3 }", "priorit");
    alone(memory, r#"{ put = "q", value = 1, priority = 3, expect = "invalid" }"#);
    refused("q = { kind = \"queue\", capacity = 2 }", "{ put = \"q\", value = 1, priority = 32768 }", "32767");
}

#[test]
fn a_queue_without_capacity_never_fills() {
    alone(
        "q = { kind = \"queue\" }",
        r#"
  { repeat = 5000, as = "i", do = [{ put = "q", value = "{i}", timeout = "0s" }] },
  { put = "q", value = { bytes = "x", repeat = 1000000 } },
  { size = "q", into = "n", expect = 5001 },
  { repeat = 5000, as = "i", do = [{ get = "q", into = "x" }, { assert = "x == i" }] },
  { get = "q", into = "x" },
  { assert = "size(x) == 1000000" },
"#,
    );
}

#[test]
fn many_producers_and_consumers_lose_nothing() {
    for via in QUEUES {
        holds(&format!(
            r#"
[objects]
q = {{ kind = "queue", via = "{via}", capacity = 4 }}
sum = {{ kind = "value", type = "i64" }}
[processes.producer]
count = 4
steps = [{{ repeat = 50, as = "i", do = [{{ put = "q", value = "{{index * 50 + i}}" }}] }}]
[processes.consumer]
count = 4
steps = [{{ repeat = 50, do = [{{ get = "q", into = "x" }}, {{ add = "sum", value = "{{x}}" }}] }}]
[[expect]]
fifo = "q"
[[expect]]
final = "sum == 19900 && size(q) == 0"
[[expect]]
always = "size(q) <= 4"
[[expect]]
count = "consumer get q"
equals = 200
"#
        ));
    }
}

#[test]
fn wait_ends_once_all_is_done() {
    for via in QUEUES {
        holds(&format!(
            r#"
[objects]
q = {{ kind = "queue", via = "{via}", capacity = 4 }}
[processes.producer]
steps = [{{ repeat = 6, do = [{{ put = "q", value = 1 }}] }}, {{ wait = "q" }}, {{ mark = "all done" }}]
[processes.consumer]
daemon = true
steps = [{{ forever = [{{ get = "q" }}, {{ sleep = "1ms" }}, {{ done = "q" }}] }}]
[[expect]]
all_before = ["consumer done q", "producer mark all done"]
[[expect]]
count = "consumer done q"
equals = 6
"#
        ));
    }
}

#[test]
fn a_process_killed_in_a_queue_leaves_it_usable() {
    for via in QUEUES {
        holds(&format!(
            r#"
[objects]
q = {{ kind = "queue", via = "{via}", capacity = 2 }}
[processes.victim]
count = 3
steps = [{{ forever = [{{ put = "q", value = 1 }}] }}]
[processes.consumer]
steps = [
  {{ repeat = 100, do = [{{ get = "q" }}] }},
  {{ kill = "victim" }}, {{ join = "victim" }},
  {{ let = {{ r = "ok" }} }},
  {{ while = "r == 'ok'", do = [{{ get = "q", timeout = "20ms", outcome = "r" }}] }},
  {{ put = "q", value = "a" }}, {{ get = "q", into = "x", expect = "a" }},
]
[[expect]]
exits = "victim"
signal = "KILL"
"#
        ));
    }
}

#[test]
fn arrays_of_queues_and_attributes_by_entry() {
    holds(
        r#"
[objects]
inbox = { kind = "queue", count = 3, capacity = [1, 2, 3] }
[processes.p]
count = 3
steps = [
  { repeat = "{index + 1}", do = [{ put = "inbox[index]", value = "{index}", timeout = "0s" }] },
  { put = "inbox[index]", value = 0, timeout = "0s", expect = "would_block" },
]
[[expect]]
final = "size(inbox[0]) == 1 && size(inbox[2]) == 3"
"#,
    );
}

#[test]
fn a_try_succeeds_where_there_is_enough_for_the_one_that_waits_too() {
    let queue = |via: &str| {
        (format!("q = {{ kind = \"queue\", via = \"{via}\", capacity = 4 }}"), "get = \"q\"", "put = \"q\"")
    };
    let pipe = ("q = { kind = \"pipe\" }".to_owned(), "recv = \"q.r\"", "send = \"q.w\"");
    for (object, take, give) in [queue("memory"), queue("posix"), queue("sysv"), pipe] {
        holds(&format!(
            r#"
[objects]
{object}
taken = {{ kind = "semaphore", value = 0 }}
next = {{ kind = "semaphore", value = 0 }}
[processes.waits]
steps = [{{ repeat = 300, do = [{{ {take} }}, {{ release = "taken" }}, {{ acquire = "next" }}] }}]
[processes.tries]
steps = [
  {{ repeat = 300, do = [
    {{ {give}, value = 1 }},
    {{ {give}, value = 2 }},
    {{ {take}, timeout = "0s" }},
    {{ acquire = "taken" }},
    {{ release = "next" }},
  ] }},
]
"#
        ));
    }
}

#[test]
fn a_try_succeeds_where_there_is_room_for_the_one_that_waits_too() {
    for via in ["memory", "posix", "sysv"] {
        holds(&format!(
            r#"
[objects]
q = {{ kind = "queue", via = "{via}", capacity = 2 }}
given = {{ kind = "semaphore", value = 0 }}
next = {{ kind = "semaphore", value = 0 }}
[processes.waits]
steps = [{{ repeat = 300, do = [{{ acquire = "next" }}, {{ put = "q", value = 1 }}, {{ release = "given" }}] }}]
[processes.tries]
steps = [
  {{ put = "q", value = 0 }},
  {{ put = "q", value = 0 }},
  {{ repeat = 300, do = [
    {{ release = "next" }},
    {{ get = "q" }},
    {{ get = "q" }},
    {{ put = "q", value = 2, timeout = "0s" }},
    {{ acquire = "given" }},
  ] }},
]
"#
        ));
    }
}
