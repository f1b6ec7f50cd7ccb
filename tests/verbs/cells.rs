//! Values and arrays in shared memory.

use super::{alone, holds, refused};

#[test]
fn every_type_holds_its_range_and_no_more() {
    for (name, least, most) in [
        ("i8", "-128", "127"),
        ("i16", "-32768", "32767"),
        ("i32", "-2147483648", "2147483647"),
        ("i64", "-9223372036854775808", "9223372036854775807"),
        ("u8", "0", "255"),
        ("u16", "0", "65535"),
        ("u32", "0", "4294967295"),
        ("u64", "0", "9223372036854775807"),
    ] {
        let mut steps = format!(
            r#"
  {{ load = "v", into = "x", expect = 0 }},
  {{ store = "v", value = {least} }},
  {{ load = "v", into = "x", expect = {least} }},
  {{ store = "v", value = {most} }},
  {{ load = "v", into = "x", expect = {most} }},
  {{ let = {{ one = 1 }} }},
  {{ add = "v", value = "{{one}}", outcome = "r" }},
  {{ assert = "r == 'overflow'" }},
  {{ load = "v", into = "x", expect = {most} }},
  {{ add = "v", value = -1, into = "before", expect = {most} }},
  {{ swap = "v", value = 7, into = "before" }},
  {{ compare_swap = "v", old = 8, value = 9, into = "x", expect = 7 }},
  {{ compare_swap = "v", old = 7, value = 9, into = "x", expect = 7 }},
  {{ update = "v", value = "{{it * 2}}", into = "x", expect = 18 }},
  {{ load = "v", into = "x", expect = 18 }},
"#
        );
        if !matches!(name, "i64" | "u64") {
            steps += &format!(
                "{{ let = {{ y = \"{{{most} + 1}}\", z = \"{{{least} - 1}}\" }} }}, \
                 {{ store = \"v\", value = \"{{y}}\", expect = \"out_of_range\" }}, \
                 {{ store = \"v\", value = \"{{z}}\", expect = \"out_of_range\" }}, \
                 {{ swap = \"v\", value = \"{{y}}\", expect = \"out_of_range\" }}, \
                 {{ load = \"v\", into = \"x\", expect = 18 }},"
            );
            refused(
                &format!("v = {{ kind = \"value\", type = \"{name}\" }}"),
                "{ store = \"v\", value = 9223372036854775807 }",
                name,
            );
        }
        alone(&format!("v = {{ kind = \"value\", type = \"{name}\" }}"), &steps);
    }
}

#[test]
fn floats_bools_and_chars() {
    for name in ["f32", "f64"] {
        alone(
            &format!("v = {{ kind = \"value\", type = \"{name}\", value = 0.5 }}"),
            r#"
  { add = "v", value = 1, into = "before", expect = 0.5 },
  { load = "v", into = "x", expect = 1.5 },
  { update = "v", value = "{it / 2.0}" },
  { load = "v", into = "x", expect = 0.75 },
  { store = "v", value = 3 },
  { load = "v", into = "x", expect = 3.0 },
"#,
        );
    }
    alone(
        "v = { kind = \"value\", type = \"bool\" }",
        r#"
  { load = "v", into = "x", expect = false },
  { swap = "v", value = true, into = "x", expect = false },
  { update = "v", value = "{!it}", into = "x", expect = false },
  { compare_swap = "v", old = false, value = true, into = "x", expect = false },
  { load = "v", into = "x", expect = true },
"#,
    );
    alone(
        "v = { kind = \"value\", type = \"char\", value = \"a\" }",
        r#"
  { load = "v", into = "x", expect = "a" },
  { store = "v", value = "文" },
  { load = "v", into = "x", expect = "文" },
  { let = { t = "two" } },
  { store = "v", value = "{t}", outcome = "r" },
  { assert = "r == 'out_of_range' || r == 'invalid'" },
"#,
    );
    refused("v = { kind = \"value\", type = \"bool\" }", "{ store = \"v\", value = 1 }", "a.toml:5:");
    refused("v = { kind = \"value\", type = \"i32\" }", "{ store = \"v\", value = \"x\" }", "a.toml:5:");
    refused("v = { kind = \"value\", type = \"i33\" }", "{ load = \"v\" }", "i32");
    refused("v = { kind = \"value\", type = \"u8\", value = 256 }", "{ load = \"v\" }", "a.toml:2:");
}

#[test]
fn a_type_is_taken_from_the_first_value() {
    alone(
        "v = { kind = \"value\", value = 1.5 }",
        r#"{ store = "v", value = 2.25 }, { load = "v", into = "x", expect = 2.25 }"#,
    );
    alone("v = { kind = \"value\", value = true }", r#"{ load = "v", into = "x", expect = true }"#);
    alone("v = { kind = \"value\" }", r#"{ load = "v", into = "x", expect = 0 }"#);
    alone("v = { kind = \"value\", value = \"z\" }", r#"{ load = "v", into = "x", expect = "z" }"#);
    alone("a = { kind = \"array\", value = [1.5, 2.5] }", r#"{ load = "a", into = "x", expect = [1.5, 2.5] }"#);
}

#[test]
fn an_array_as_a_whole_and_by_element() {
    alone(
        "a = { kind = \"array\", type = \"i16\", value = [1, 2, 3] }\nz = { kind = \"array\", type = \"f64\", len = 4 }",
        r#"
  { load = "a", into = "all", expect = [1, 2, 3] },
  { load = "a[2]", into = "x", expect = 3 },
  { store = "a", value = [4, 5, 6] },
  { add = "a[0]", value = 10, into = "x", expect = 4 },
  { swap = "a[1]", value = 50, into = "x", expect = 5 },
  { compare_swap = "a[2]", old = 6, value = 60, into = "x", expect = 6 },
  { update = "a[2]", value = "{it + 1}", into = "x", expect = 61 },
  { load = "a", into = "all", expect = [14, 50, 61] },
  { let = { i = 3, v = [1, 2], big = [1, 2, 40000] } },
  { load = "a[i]", expect = "out_of_range" },
  { load = "a[i - 4]", expect = "out_of_range" },
  { store = "a[i]", value = 1, expect = "out_of_range" },
  { add = "a[i]", value = 1, expect = "out_of_range" },
  { store = "a", value = "{v}", outcome = "r" },
  { assert = "r == 'out_of_range' || r == 'invalid'" },
  { store = "a", value = "{big}", expect = "out_of_range" },
  { load = "a", into = "all", expect = [14, 50, 61] },
  { load = "z", into = "all", expect = [0.0, 0.0, 0.0, 0.0] },
"#,
    );
    let array = "a = { kind = \"array\", type = \"i16\", value = [1, 2, 3] }";
    refused(array, "{ load = \"a[3]\" }", "a.toml:5:");
    refused(array, "{ load = \"a[-1]\" }", "a.toml:5:");
    refused(array, "{ add = \"a\", value = 1 }", "a.toml:5:");
    refused(array, "{ store = \"a\", value = [1, 2] }", "a.toml:5:");
    refused(array, "{ store = \"a\", value = [1, 2, 99999] }", "a.toml:5:");
    refused("a = { kind = \"array\", type = \"i16\", value = [1, \"x\"] }", "{ load = \"a\" }", "a.toml:2:");
    refused("a = { kind = \"array\", type = \"i16\" }", "{ load = \"a\" }", "a.toml:2:");
    refused("a = { kind = \"array\", type = \"i16\", value = [1], len = 2 }", "{ load = \"a\" }", "a.toml:2:");
}

#[test]
fn bytes_and_characters_as_arrays() {
    alone(
        "b = { kind = \"array\", type = \"bytes\", value = { bytes = \"hello\" } }\nc = { kind = \"array\", type = \"char\", value = \"héllo\" }\nz = { kind = \"array\", type = \"bytes\", len = 3 }\nr = { kind = \"array\", type = \"bytes\", value = { bytes = \"ab\", repeat = 3 } }",
        r#"
  { load = "b", into = "x" },
  { assert = "x == b'hello' && size(x) == 5" },
  { load = "b[0]", into = "x", expect = 104 },
  { store = "b[0]", value = 72 },
  { load = "b", into = "x" },
  { assert = "string(x) == 'Hello'" },
  { store = "b", value = { bytes = [1, 2, 3, 4, 5] } },
  { load = "b[4]", into = "x", expect = 5 },
  { let = { n = 256 } },
  { store = "b[0]", value = "{n}", expect = "out_of_range" },
  { load = "c", into = "x", expect = "héllo" },
  { load = "c[1]", into = "x", expect = "é" },
  { store = "c[0]", value = "文" },
  { load = "c", into = "x", expect = "文éllo" },
  { load = "z", into = "x" },
  { assert = "x == bytes('\u0000\u0000\u0000') || size(x) == 3" },
  { load = "r", into = "x" },
  { assert = "x == b'ababab'" },
"#,
    );
}

#[test]
fn atomic_steps_lose_nothing() {
    holds(
        r#"
[objects]
n = { kind = "value", type = "u32" }
a = { kind = "array", type = "i64", len = 2 }
u = { kind = "value", type = "i64" }
c = { kind = "value", type = "i64" }
[processes.p]
count = 4
steps = [
  { repeat = 200, do = [
    { add = "n", value = 1 },
    { add = "a[index % 2]", value = 2 },
    { update = "u", value = "{it + 1}" },
    { forever = [
      { load = "c", into = "old" },
      { compare_swap = "c", old = "{old}", value = "{old + 1}", into = "seen" },
      { if = "seen == old", then = ["break"] },
    ] },
  ] },
]
[[expect]]
final = "n == 800 && a == [800, 800] && u == 800 && c == 800"
[[expect]]
race_free = "n"
[[expect]]
lost_updates = "c"
equals = 0
"#,
    );
}

#[test]
fn a_process_killed_in_an_update_leaves_the_value_usable() {
    holds(
        r#"
[objects]
v = { kind = "value", type = "i64" }
[processes.victim]
count = 3
steps = [{ forever = [{ update = "v", value = "{it + 1}" }] }]
[processes.p]
steps = [
  { sleep = "20ms" }, { kill = "victim" }, { join = "victim" },
  { store = "v", value = 1 }, { update = "v", value = "{it + 1}", into = "x", expect = 2 },
]
[[expect]]
exits = "victim"
signal = "KILL"
"#,
    );
}

#[test]
fn arrays_of_values_and_of_arrays() {
    holds(
        r#"
[params]
n = 3
[objects]
v = { kind = "value", type = "i32", count = 3, value = [10, 20, 30] }
m = { kind = "array", type = "i32", count = 2, len = 3 }
[processes.p]
count = "{n}"
steps = [
  { load = "v[index]", into = "x" },
  { assert = "x == (index + 1) * 10" },
  { store = "m[index % 2][index]", value = "{x}" },
  { load = "v[n - 1 - index]", into = "x" },
  { assert = "x == (n - index) * 10" },
]
[[expect]]
final = "v == [10, 20, 30] && v[1] == 20 && m[0] == [10, 0, 30] && m[1] == [0, 20, 0]"
[[expect]]
final = "m[0][2] == 30"
"#,
    );
    refused("v = { kind = \"value\", count = 3 }", "{ load = \"v[3]\" }", "a.toml:5:");
    refused("v = { kind = \"value\", count = 3 }", "{ load = \"v\" }", "a.toml:5:");
    refused("v = { kind = \"value\", count = 3, value = [1, 2] }", "{ load = \"v[0]\" }", "a.toml:2:");
    alone(
        "v = { kind = \"value\", count = 3 }",
        r#"{ let = { i = 3 } }, { load = "v[i]", outcome = "r" }, { assert = "r == 'out_of_range'" }"#,
    );
}
