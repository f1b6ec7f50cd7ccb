//! The kind `fifo`: a pipe one way whose ends are opened by steps.

use super::verbs::{CLOSE_VERB, FRAMING, POLL_VERB, RECEIVE_VERB, RESIZE_VERB, SEND_VERB, SIZE_VERB};
use super::{OPEN, Pipe, declared};
use crate::objects::{Attribute, Declaration, Effect, Element, Form, Kind, Object, Problem, Verb};
use crate::outcome::Outcome;
use crate::value::Types;

/// The reference entry and the maker of fifos.
pub(crate) static FIFO: Kind = Kind {
    name: "fifo",
    summary: "a named pipe, whose ends no process holds before it opens them; once opened it is as a pipe one way. \
              What is still in it when its last end is closed is lost",
    primitive: "mkfifo(3), see fifo(7), which loses its name at once; an end is open(2) of it through /proc. The wait \
                in `open` is ipcrun's own and as that of open(2): an end that waits is held already, so that the \
                other side finds it. With O_DIRECT where it carries messages, as pipe2(2) has it",
    attributes: &[
        FRAMING,
        Attribute {
            name: "capacity",
            form: Form::Size,
            default: "",
            required: false,
            summary: "with messages: how many packets fit, a power of two (a message of up to 4080 bytes is one packet); \
                      with bytes: bytes, rounded up to a power of two of pages. It has that room again each time it is \
                      opened after its last end was closed. Without it what the kernel gives: 16 packets, 64 KiB",
        },
    ],
    verbs: &[
        Verb { ends: &["w"], ..SEND_VERB },
        Verb { ends: &["r"], ..RECEIVE_VERB },
        Verb {
            summary: "waits until there is something to receive or the end of file, and receives nothing. An end that was \
                      opened while no process could write has no end of file to wait for before one has opened the other \
                      side, as poll(2) has it, although `recv` is `closed`",
            ends: &["r"],
            ..POLL_VERB
        },
        Verb { summary: "closes the end in this process, which can open it again", ends: &["r", "w"], ..CLOSE_VERB },
        Verb { ends: &["r", "w"], ..RESIZE_VERB },
        Verb { ends: &["r", "w"], ..SIZE_VERB },
        Verb {
            name: OPEN,
            effect: Effect::Opens,
            summary: "opens the end in this process; waits until a process opens the other one, or waits to. With \
                      `timeout = \"0s\"` (O_NONBLOCK) `.r` is opened at once, and `.w` that no process can read is `ENXIO`. \
                      `in_use`: this process holds the end already",
            arguments: &[],
            ends: &["r", "w"],
            element: Element::Never,
            blocks: true,
            result: Types::NONE,
            outcomes: &[Outcome::IN_USE, Outcome::from_errno(libc::ENXIO)],
        },
    ],
    state: ("f", "the list of the messages in the fifo; null where `framing = \"bytes\"`"),
    example: r#"[objects]
f = { kind = "fifo" }

[processes.writer]
steps = [
  { open = "f.w" },
  { resize = "f.w", value = 5000, into = "bytes" },
  { send = "f.w", value = ["Dave", "123"] },
  { close = "f.w" },
]

[processes.reader]
steps = [
  { open = "f.r" },
  { size = "f.r", into = "bytes" },
  { poll = "f.r", timeout = "2s" },
  { recv = "f.r", into = "message" },
  { recv = "f.r", expect = "closed" },
]
"#,
    declare,
};

fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    Ok(Box::new(Pipe { opened: true, ..declared(declaration, false)? }))
}
