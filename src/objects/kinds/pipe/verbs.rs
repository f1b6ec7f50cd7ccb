//! What the kinds `pipe` and `fifo` have in common in the catalogue.

use super::{CLOSE, POLL, RECEIVE, RESIZE, SEND, SIZE, resize};
use crate::objects::{Argument, Attribute, Effect, Element, Form, Verb};
use crate::outcome::Outcome;
use crate::value::Types;

pub(super) const FRAMING: Attribute = Attribute {
    name: "framing",
    form: Form::Choice(&["message", "bytes"]),
    default: "\"message\"",
    required: false,
    summary: "`message`: one `send` is one `recv`, any value, any length; `bytes`: a byte stream without message boundaries",
};

pub(super) const SEND_VERB: Verb = Verb {
    name: SEND,
    effect: Effect::Puts,
    summary: "sends a message, or bytes; waits while there is no room",
    arguments: &[
        Argument {
            name: "value",
            form: Form::Value(Types::ANY),
            required: true,
            summary: "what is sent: any value; with `framing = \"bytes\"` a string or bytes",
        },
        Argument {
            name: "into",
            form: Form::Into,
            required: false,
            summary: "a variable for the number of bytes that were sent; with `framing = \"bytes\"` the step is then one \
                      write(2), which may send a part only, else it repeats until all is sent",
        },
    ],
    ends: &["w", "a", "b"],
    element: Element::Never,
    blocks: true,
    result: Types::INT,
    outcomes: &[Outcome::BROKEN, Outcome::WRONG_END, Outcome::TOO_BIG, Outcome::INVALID],
};

pub(super) const RECEIVE_VERB: Verb = Verb {
    name: RECEIVE,
    effect: Effect::Gets,
    summary: "receives the oldest message, or the bytes that are available; waits while there are none",
    arguments: &[
        Argument {
            name: "into",
            form: Form::Into,
            required: false,
            summary: "a variable for the message, or the bytes",
        },
        Argument {
            name: "max",
            form: Form::Integer(1, 1 << 30),
            required: false,
            summary: "with `framing = \"bytes\"`: the maximum number of bytes; 65536 by default",
        },
    ],
    ends: &["r", "a", "b"],
    element: Element::Never,
    blocks: true,
    result: Types::ANY,
    outcomes: &[Outcome::CLOSED, Outcome::WRONG_END, Outcome::OUT_OF_RANGE, Outcome::INVALID],
};

pub(super) const POLL_VERB: Verb = Verb {
    name: POLL,
    effect: Effect::Asks,
    summary: "waits until there is something to receive or the end of file, and receives nothing",
    arguments: &[],
    ends: &["r", "a", "b"],
    element: Element::Never,
    blocks: true,
    result: Types::NONE,
    outcomes: &[Outcome::WRONG_END, Outcome::INVALID],
};

pub(super) const CLOSE_VERB: Verb = Verb {
    name: CLOSE,
    effect: Effect::Closes,
    summary: "closes the end in this process; later steps of the process on that end are `invalid`",
    arguments: &[],
    ends: &["r", "w", "a", "b"],
    element: Element::Never,
    blocks: false,
    result: Types::NONE,
    outcomes: &[Outcome::INVALID],
};

pub(super) const RESIZE_VERB: Verb = Verb {
    name: RESIZE,
    effect: Effect::None,
    summary: "asks for room for that many bytes (F_SETPIPE_SZ of fcntl(2)), and gives how many there is room for then: \
              the next power of two of pages. What is in the pipe stays there; where it does not fit, the step is \
              `busy`. `refused`: more than a process without privileges may have, see fs.pipe-max-size",
    arguments: &[
        Argument {
            name: "value",
            form: Form::Integer(0, resize::MOST),
            required: true,
            summary: "how many bytes; with `framing = \"message\"` each packet takes a page",
        },
        Argument {
            name: "into",
            form: Form::Into,
            required: false,
            summary: "a variable for the room that the pipe has then",
        },
    ],
    ends: &["r", "w", "a", "b"],
    element: Element::Never,
    blocks: false,
    result: Types::INT,
    outcomes: &[Outcome::BUSY, Outcome::REFUSED, Outcome::OUT_OF_RANGE, Outcome::INVALID],
};

pub(super) const SIZE_VERB: Verb = Verb {
    name: SIZE,
    effect: Effect::Asks,
    summary: "reads how many bytes the pipe has room for (F_GETPIPE_SZ), whatever is in it",
    arguments: &[Argument { name: "into", form: Form::Into, required: false, summary: "a variable for the number" }],
    ends: &["r", "w", "a", "b"],
    element: Element::Never,
    blocks: false,
    result: Types::INT,
    outcomes: &[Outcome::INVALID],
};
