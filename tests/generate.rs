//! Random small scenarios over every kind of object and every step: the same text for the same seed.
//!
//! Only what a plan can hold is drawn here, not what makes sense: most steps take whatever outcome they get, some end
//! their process with it. A scenario that `check` would refuse is possible and to be passed over.

/// What random scenarios are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taste {
    /// Whether steps may give up and processes sleep.
    pub(crate) times: bool,
    /// Whether processes are started, joined, asked for and killed by others.
    pub(crate) families: bool,
    /// Whether processes are stopped.
    pub(crate) stops: bool,
    pub(crate) processes: u64,
    /// The most steps of each, without those in loops and branches.
    pub(crate) steps: u64,
}

pub(crate) fn scenario(seed: u64, taste: Taste) -> String {
    delayed(seed, taste, 0)
}

/// The same scenario with short delays before some of its steps: others for each number, none for 0.
pub(crate) fn delayed(seed: u64, taste: Taste, delays: u64) -> String {
    let mixed = |seed: u64| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut draw = Draw { state: mixed(seed), delays: (delays > 0).then(|| mixed(seed ^ delays << 32)), taste };
    let mut objects = Vec::new();
    for number in 0..=draw.below(3) {
        draw.object(number, &mut objects);
    }
    let mut text = String::from("timeout = \"5s\"\n[objects]\n");
    for object in &objects {
        text.push_str(&format!("{} = {{ {} }}\n", object.name, object.declared));
    }
    let total = 2 + draw.below(taste.processes - 1);
    let mut programs = Vec::new();
    let mut left = total;
    while left > 0 {
        let count = if left >= 2 && draw.one_in(3) { 2 } else { 1 };
        programs.push(count);
        left -= count;
    }
    for program in 0..programs.len() {
        let count = programs[program];
        let mut head = format!("[processes.p{program}]\n");
        if count > 1 {
            head.push_str(&format!("count = {count}\n"));
        }
        if taste.families && program > 0 {
            match draw.below(8) {
                0 => head.push_str("start = \"manual\"\n"),
                1 => {
                    let on = draw.below(program as u64);
                    let condition = draw.of(&["started", "ready", "exited", "succeeded"]);
                    head.push_str(&format!("depends_on = {{ p{on} = \"{condition}\" }}\n"));
                }
                2 => head.push_str("daemon = true\n"),
                _ => {}
            }
        }
        let around = Around { objects: &objects, programs: &programs, depth: 0, looped: false };
        let length = 1 + draw.below(taste.steps);
        let steps: String = (0..length).map(|_| draw.step(&around)).collect();
        text.push_str(&format!("{head}vars = {{ x = 0, o = \"\" }}\nsteps = [{steps}]\n"));
    }
    text
}

/// One object that a scenario has.
struct Object {
    name: String,
    declared: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Value { ty: &'static str },
    Array,
    Semaphore { sysv: bool },
    Mutex { robust: bool },
    Condition { mutex: String, robust: bool },
    Barrier { posix: bool },
    Event,
    Queue { priorities: bool },
    Pipe { duplex: bool, bytes: bool },
}

/// Where a step stands.
#[derive(Clone, Copy)]
struct Around<'a> {
    objects: &'a [Object],
    programs: &'a [u64],
    depth: u32,
    looped: bool,
}

struct Draw {
    state: u64,
    /// The stream of the delays, where there are any: a stream of its own, so that the rest stays the same.
    delays: Option<u64>,
    taste: Taste,
}

/// The next number of a stream (splitmix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl Draw {
    /// A number below `count`.
    fn below(&mut self, count: u64) -> u64 {
        next(&mut self.state) % count.max(1)
    }

    fn delay(&mut self) -> String {
        let Some(state) = &mut self.delays else { return String::new() };
        match next(state) % 4 {
            0 => format!("{{ busy = \"{}us\" }}, ", next(state) % 200),
            1 => "\"yield\", ".to_owned(),
            _ => String::new(),
        }
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn object(&mut self, number: u64, objects: &mut Vec<Object>) {
        let mut add = |prefix: &str, declared: String, kind: Kind| {
            let name = format!("{prefix}{number}");
            objects.push(Object { name: name.clone(), declared, kind });
            name
        };
        match self.below(10) {
            0 => {
                let ty = self.of(&["i64", "i8", "u8", "f64", "bool", "char"]);
                add("v", format!("kind = \"value\", type = \"{ty}\""), Kind::Value { ty });
            }
            1 => {
                add("a", "kind = \"array\", value = [0, 1]".to_owned(), Kind::Array);
            }
            2 | 3 => {
                let sysv = self.one_in(2);
                let via = if sysv { "sysv" } else { "posix" };
                let bound = self.one_in(3);
                let value = self.below(3);
                let declared = format!("kind = \"semaphore\", via = \"{via}\", bound = {bound}, value = {value}");
                add("s", declared, Kind::Semaphore { sysv });
            }
            4 => {
                let (declared, robust) = self.mutex();
                add("m", declared, Kind::Mutex { robust });
            }
            5 | 6 => {
                let (declared, robust) = self.mutex();
                let mutex = add("m", declared, Kind::Mutex { robust });
                let declared = format!("kind = \"condition\", mutex = \"{mutex}\"");
                add("c", declared, Kind::Condition { mutex, robust });
            }
            7 => {
                let posix = self.one_in(3);
                let via = if posix { "posix" } else { "memory" };
                let parties = 1 + self.below(3);
                let declared = format!("kind = \"barrier\", via = \"{via}\", parties = {parties}");
                add("b", declared, Kind::Barrier { posix });
            }
            8 => {
                let set = self.one_in(4);
                add("e", format!("kind = \"event\", set = {set}"), Kind::Event);
            }
            _ if self.one_in(2) => {
                let via = self.of(&["posix", "sysv", "memory"]);
                let capacity = 1 + self.below(2);
                let size = if self.one_in(3) { ", message_size = 24" } else { "" };
                let bound =
                    if via == "memory" && self.one_in(2) { String::new() } else { format!(", capacity = {capacity}") };
                let declared = format!("kind = \"queue\", via = \"{via}\"{bound}{size}");
                add("q", declared, Kind::Queue { priorities: via != "memory" });
            }
            _ => {
                let (duplex, bytes) = (self.one_in(2), self.one_in(2));
                let framing = if bytes { "bytes" } else { "message" };
                let capacity = match (duplex, bytes) {
                    (true, _) => String::new(),
                    (false, true) => ", capacity = 4096".to_owned(),
                    (false, false) => format!(", capacity = {}", 1 + self.below(2)),
                };
                let declared = format!("kind = \"pipe\", duplex = {duplex}, framing = \"{framing}\"{capacity}");
                add("l", declared, Kind::Pipe { duplex, bytes });
            }
        }
    }

    fn mutex(&mut self) -> (String, bool) {
        let ty = self.of(&["normal", "recursive", "errorcheck"]);
        let robust = self.one_in(2);
        (format!("kind = \"mutex\", type = \"{ty}\", robust = {robust}"), robust)
    }

    /// What a step takes: whatever comes, some of it with steps of its own, or nothing but `ok`.
    fn takes(&mut self, around: &Around<'_>) -> String {
        match self.below(12) {
            0 => String::new(),
            1 if around.depth < 2 => {
                let deeper = Around { depth: 2, ..*around };
                let step = self.step(&deeper);
                format!(", on = {{ any = [{step}] }}")
            }
            2 => ", on = { any = [] }".to_owned(),
            _ => ", outcome = \"o\"".to_owned(),
        }
    }

    /// How long a step waits.
    fn patience(&mut self) -> &'static str {
        if !self.taste.times {
            return "";
        }
        match self.below(6) {
            0 | 1 => ", timeout = \"0s\"",
            2 => ", timeout = \"1ms\"",
            3 => ", timeout = \"2ms\"",
            _ => "",
        }
    }

    fn step(&mut self, around: &Around<'_>) -> String {
        let delay = self.delay();
        let step = if self.below(10) < 7 {
            let object = &around.objects[self.below(around.objects.len() as u64) as usize];
            self.on(object, around)
        } else {
            self.alone(around)
        };
        delay + &step
    }

    /// A step about no object.
    fn alone(&mut self, around: &Around<'_>) -> String {
        let deeper = Around { depth: around.depth + 1, ..*around };
        let nested = around.depth < 2;
        match self.below(if self.taste.families { 22 } else { 16 }) {
            0 => "{ let = { x = \"{random(0, 2)}\" } }, ".to_owned(),
            1 => "{ print = \"{x} {o}\" }, ".to_owned(),
            2 => "{ mark = \"here\", value = \"{x}\" }, ".to_owned(),
            3 if self.taste.times => format!("{{ sleep = \"{}ms\" }}, ", self.below(3)),
            4 if self.taste.times => "{ busy = \"1ms\" }, ".to_owned(),
            5 => "\"yield\", ".to_owned(),
            6 if self.one_in(2) => format!("{{ exit = {} }}, ", self.below(4)),
            7 => "{ let = { x = \"{x + 1}\" } }, ".to_owned(),
            8 | 9 if nested => {
                let (then, other) = (self.step(&deeper), self.step(&deeper));
                let condition = self.of(&["x == 0", "o == 'ok'", "index == 0", "o != 'ok'"]);
                format!("{{ if = \"{condition}\", then = [{then}], else = [{other}] }}, ")
            }
            10 if nested => {
                let body = self.step(&Around { looped: true, ..deeper });
                format!("{{ repeat = 2, as = \"x\", do = [{body}] }}, ")
            }
            11 if nested => {
                let body = self.step(&Around { looped: true, ..deeper });
                format!("{{ for = \"x\", in = [1, 2], do = [{body}] }}, ")
            }
            12 if nested => {
                let body = self.step(&deeper);
                format!("{{ section = \"bath\", do = [{body}] }}, ")
            }
            13 if around.looped => self.of(&["\"break\", ", "\"continue\", "]).to_owned(),
            14 => "{ assert = \"x < 5\", outcome = \"o\" }, ".to_owned(),
            15 if self.one_in(4) => "\"abort\", ".to_owned(),
            16 => "\"ready\", ".to_owned(),
            17..22 => self.family(around),
            _ => "{ print = \"{x}\" }, ".to_owned(),
        }
    }

    /// A step about another process.
    fn family(&mut self, around: &Around<'_>) -> String {
        let program = self.below(around.programs.len() as u64) as usize;
        let count = around.programs[program];
        let name = if count > 1 && self.one_in(2) {
            format!("p{program}[{}]", self.below(count))
        } else {
            format!("p{program}")
        };
        let takes = self.takes(around);
        match self.below(6) {
            0 => format!("{{ start = \"{name}\"{takes} }}, "),
            1 | 2 => format!("{{ join = \"{name}\", into = \"x\"{}{takes} }}, ", self.patience()),
            3 if count == 1 || name.contains('[') => {
                format!("{{ status = \"{name}\", into = \"s\" }}, {{ print = \"{{s.alive}} {{s.code}}\" }}, ")
            }
            _ => {
                let signal = self.of(&["KILL", "TERM", "USR1", "CONT", "HUP", "STOP"]);
                if signal == "STOP" && !self.taste.stops {
                    return format!("{{ kill = \"{name}\", signal = \"WINCH\"{takes} }}, ");
                }
                // A process that stops itself for ever is a rare sight that is worth having.
                if signal == "STOP" && self.one_in(2) {
                    return format!(
                        "{{ kill = \"{name}\", signal = \"STOP\"{takes} }}, {{ kill = \"{name}\", signal = \"CONT\"{takes} }}, "
                    );
                }
                format!("{{ kill = \"{name}\", signal = \"{signal}\"{takes} }}, ")
            }
        }
    }

    /// A step, or a few that belong together, on an object.
    fn on(&mut self, object: &Object, around: &Around<'_>) -> String {
        let name = &object.name;
        let takes = self.takes(around);
        let patience = self.patience();
        match &object.kind {
            Kind::Value { ty } => self.cell(name, ty, &takes),
            Kind::Array => {
                let element = self.of(&["[0]", "[1]", "[index]"]);
                match self.below(4) {
                    0 => format!("{{ load = \"{name}\", into = \"y\" }}, {{ print = \"{{y}}\" }}, "),
                    1 => format!("{{ store = \"{name}\", value = [{}, 2] }}, ", self.below(3)),
                    _ => self.cell(&format!("{name}{element}"), "i64", &takes),
                }
            }
            Kind::Semaphore { sysv } => {
                let n = if self.one_in(3) { ", n = 2" } else { "" };
                let of = if *sysv { n } else { "" };
                match self.below(7) {
                    0..3 => format!("{{ acquire = \"{name}\"{of}{patience}{takes} }}, "),
                    3 | 4 => format!("{{ release = \"{name}\"{n}{takes} }}, "),
                    5 => format!("{{ size = \"{name}\", into = \"x\" }}, "),
                    _ => format!("{{ acquire = \"{name}\"{patience}{takes} }}, {{ release = \"{name}\"{takes} }}, "),
                }
            }
            Kind::Mutex { robust } => self.lock(name, *robust, patience, &takes),
            Kind::Condition { mutex, robust } => {
                let n = if self.one_in(3) { ", n = 2" } else { "" };
                match self.below(7) {
                    0..3 => {
                        let lock = if *robust { ", on = { owner_died = [] }" } else { "" };
                        let repair = if self.one_in(3) {
                            format!("{{ repair = \"{mutex}\", outcome = \"o\" }}, ")
                        } else {
                            String::new()
                        };
                        format!(
                            "{{ lock = \"{mutex}\"{lock} }}, {{ wait = \"{name}\"{patience}{takes} }}, {repair}{{ unlock = \"{mutex}\", outcome = \"o\" }}, "
                        )
                    }
                    3 | 4 => format!("{{ notify = \"{name}\"{n}, into = \"x\" }}, "),
                    5 => format!("{{ notify_all = \"{name}\", into = \"x\" }}, "),
                    _ => format!("{{ wait = \"{name}\"{patience}{takes} }}, "),
                }
            }
            Kind::Barrier { posix: true } => format!("{{ wait = \"{name}\", into = \"x\"{takes} }}, "),
            Kind::Barrier { posix: false } => match self.below(8) {
                0 => format!("{{ abort = \"{name}\" }}, "),
                1 => format!("{{ reset = \"{name}\" }}, "),
                2 => format!("{{ size = \"{name}\", into = \"x\" }}, "),
                _ => format!("{{ wait = \"{name}\", into = \"x\"{patience}{takes} }}, "),
            },
            Kind::Event => match self.below(6) {
                0 | 1 => format!("{{ set = \"{name}\" }}, "),
                2 => format!("{{ clear = \"{name}\" }}, "),
                _ => format!("{{ wait = \"{name}\"{patience}{takes} }}, "),
            },
            Kind::Queue { priorities } => self.queue(name, *priorities, patience, &takes),
            Kind::Pipe { duplex, bytes } => self.pipe(name, *duplex, *bytes, patience, &takes),
        }
    }

    fn cell(&mut self, name: &str, ty: &str, takes: &str) -> String {
        let literal = match ty {
            "bool" => self.of(&["true", "false"]),
            "char" => self.of(&["\"a\"", "\"é\""]),
            "f64" => self.of(&["0.5", "-2.0"]),
            "i8" | "u8" => self.of(&["100", "7", "\"{x}\""]),
            _ => self.of(&["1", "\"{x}\"", "\"{x + 1}\""]),
        };
        let numeric = !matches!(ty, "bool" | "char");
        match self.below(if numeric { 7 } else { 4 }) {
            0 => format!("{{ load = \"{name}\", into = \"y\" }}, {{ print = \"{{y}}\" }}, "),
            1 => format!("{{ store = \"{name}\", value = {literal}{takes} }}, "),
            2 => format!("{{ swap = \"{name}\", value = {literal}, into = \"y\"{takes} }}, "),
            3 => format!("{{ compare_swap = \"{name}\", old = {literal}, value = {literal}, into = \"y\"{takes} }}, "),
            4 => format!("{{ add = \"{name}\", value = {literal}, into = \"y\"{takes} }}, "),
            5 => format!("{{ update = \"{name}\", value = \"{{it + it}}\", into = \"y\"{takes} }}, "),
            _ if ty == "i64" => format!(
                "{{ load = \"{name}\", into = \"x\" }}, {{ store = \"{name}\", value = \"{{x + 1}}\"{takes} }}, "
            ),
            _ => format!("{{ load = \"{name}\", into = \"y\" }}, "),
        }
    }

    fn lock(&mut self, name: &str, robust: bool, patience: &str, takes: &str) -> String {
        match self.below(8) {
            0 => format!("{{ unlock = \"{name}\", outcome = \"o\" }}, "),
            1 => format!("{{ lock = \"{name}\"{patience}{takes} }}, "),
            2 if robust => format!("{{ repair = \"{name}\", outcome = \"o\" }}, "),
            3..6 if robust => format!(
                "{{ lock = \"{name}\"{patience}, on = {{ owner_died = [{{ repair = \"{name}\" }}], any = [] }} }}, {{ unlock = \"{name}\", outcome = \"o\" }}, "
            ),
            _ => format!("{{ lock = \"{name}\"{patience}{takes} }}, {{ unlock = \"{name}\", outcome = \"o\" }}, "),
        }
    }

    fn queue(&mut self, name: &str, priorities: bool, patience: &str, takes: &str) -> String {
        let value = match self.below(8) {
            0 => "\"a text of many letters, more than most\"",
            1 => "\"é\"",
            2 => "[1, \"two\"]",
            _ => "\"{x}\"",
        };
        let priority =
            if priorities && self.one_in(2) { format!(", priority = {}", self.below(3)) } else { String::new() };
        match self.below(12) {
            0..5 => format!("{{ put = \"{name}\", value = {value}{priority}{patience}{takes} }}, "),
            5..9 => {
                let max = if self.one_in(6) { ", max = 16" } else { "" };
                format!("{{ get = \"{name}\", into = \"y\"{max}{patience}{takes} }}, {{ print = \"{{y}}\" }}, ")
            }
            9 => format!("{{ size = \"{name}\", into = \"x\", outcome = \"o\" }}, "),
            10 if self.one_in(2) => format!("{{ close = \"{name}\", outcome = \"o\" }}, "),
            10 => format!("{{ done = \"{name}\", outcome = \"o\" }}, "),
            _ => format!("{{ wait = \"{name}\"{patience}{takes} }}, "),
        }
    }

    fn pipe(&mut self, name: &str, duplex: bool, bytes: bool, patience: &str, takes: &str) -> String {
        let (sender, receiver) =
            if duplex { self.of(&[("a", "b"), ("b", "a"), ("a", "a"), ("b", "b")]) } else { ("w", "r") };
        let value = match (bytes, self.below(6)) {
            (_, 0) => "{ bytes = \"x\", repeat = 5000 }",
            (true, 1) => "{ bytes = [0, 255] }",
            (true, _) => "\"abc\"",
            (false, 1) => "[1, { k = \"two\" }]",
            (false, _) => "\"{x}\"",
        };
        match self.below(10) {
            0..4 => {
                let into = if self.one_in(3) { ", into = \"x\"" } else { "" };
                format!("{{ send = \"{name}.{sender}\", value = {value}{into}{patience}{takes} }}, ")
            }
            4..7 => {
                let max = if bytes { self.of(&[", max = 2", ", max = 4096", ""]) } else { "" };
                let print = if bytes { "" } else { "{ print = \"{y}\" }, " };
                format!("{{ recv = \"{name}.{receiver}\", into = \"y\"{max}{patience}{takes} }}, {print}")
            }
            7 => format!("{{ poll = \"{name}.{receiver}\"{patience}{takes} }}, "),
            _ => format!("{{ close = \"{name}.{}\", outcome = \"o\" }}, ", self.of(&[sender, receiver])),
        }
    }
}
