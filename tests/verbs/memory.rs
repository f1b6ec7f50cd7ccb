//! Shared memory: bytes and numbers at a place, in each way to make it.

use super::{alone, holds, refused};
use crate::support::Test;

const VIAS: [&str; 5] = ["posix", "memfd", "file", "sysv", "anonymous"];

#[test]
fn bytes_and_numbers_are_read_where_they_were_written() {
    for via in VIAS {
        alone(
            &format!("m = {{ kind = \"memory\", size = 32, via = \"{via}\" }}"),
            r#"{ store = "m", at = 8, type = "i32", value = 258 },
            { load = "m", at = 8, max = 4, expect = { bytes = [2, 1, 0, 0] } },
            { add = "m", at = 8, type = "u16", value = -1, expect = 258 },
            { let = { place = 9 } },
            { load = "m", at = "{place}", type = "u8", expect = 1 },
            { store = "m", at = 30, value = "ab" },
            { load = "m", at = 30, expect = { bytes = "ab" } },
            { load = "m", at = 29, type = "i32", expect = "out_of_range" },
            { load = "m", at = "{-1}", max = 1, expect = "out_of_range" },
            { size = "m", expect = 32 }"#,
        );
    }
}

#[test]
fn a_page_that_another_cuts_off_ends_in_a_bus_error_in_run_and_model() {
    for via in &VIAS[..3] {
        let text = format!(
            r#"[objects]
m = {{ kind = "memory", size = 8192, via = "{via}" }}
[processes.cuts]
steps = [{{ resize = "m", value = 16 }}, {{ load = "m", at = 16, max = 1, expect = "out_of_range" }}]
[processes.uses]
steps = [
  {{ join = "cuts" }},
  {{ load = "m", at = 4096, max = 1, expect = "bus_error" }},
  {{ store = "m", at = 5000, type = "u8", value = 1, expect = "bus_error" }},
  {{ load = "m", at = 100, type = "u8", expect = 0 }},
  {{ load = "m", at = 8192, max = 1, expect = "out_of_range" }},
  {{ resize = "m", value = 5000 }},
  {{ store = "m", at = 4999, type = "u8", value = 1 }},
]
[[expect]]
final = "size(m) == 5000"
"#
        );
        holds(&text);
        Test::new().file("a.toml", &text).args(["explore", "a.toml"]).run().status(0);
    }
}

#[test]
fn what_is_not_supported_or_can_only_fail_is_refused() {
    let memory = "m = { kind = \"memory\", size = 32 }";
    refused("m = { kind = \"memory\", size = 32, private = true }", "", "E0107");
    refused("m = { kind = \"memory\", size = \"2MiB\" }", "", "a memory has 1 to 1048576 bytes");
    refused(memory, r#"{ store = "m", at = 0, value = 7 }"#, "int is stored with a `type`");
    refused(memory, r#"{ add = "m", at = 2, type = "i32", value = 1 }"#, "a multiple of 4");
    refused(
        "m = { kind = \"memory\", size = 32, via = \"anonymous\" }",
        r#"{ resize = "m", value = 7 }"#,
        "a fixed size",
    );
}

#[test]
fn a_text_is_read_up_to_its_first_nul() {
    alone(
        "letters = { kind = \"array\", type = \"char\", len = 4 }",
        r#"{ load = "letters", expect = "" },
        { store = "letters", value = "hey" },
        { load = "letters", expect = "hey" },
        { store = "letters", value = "hello", expect = "too_big" },
        { load = "letters[3]", outcome = "o" },
        { load = "letters", expect = "hey" }"#,
    );
}
