//! The wait-for graph of a deadlocked run: processes, the objects that they wait for, and the holders of these.

use std::collections::HashMap;
use std::f64::consts::TAU;
use std::fmt::Write as _;

use super::escape::Text;
use crate::event::{ProcessId, Target};
use crate::report::terminal::blocked;
use crate::report::terminal::style::{Pen, shorten, width};
use crate::report::view::statistics::unfinished;
use crate::scenario::plan::Plan;
use crate::trace::wait_for::cycle;
use crate::trace::{Trace, Waiting};

/// The most processes that are drawn: the others are listed.
const DRAWN: usize = 12;
/// The most columns of a name.
const NAME: usize = 22;
const HEIGHT: f64 = 26.0;

/// The section, or nothing if no process was left waiting.
pub(super) fn section(plan: &Plan, trace: &Trace, expected: bool) -> String {
    let told = blocked::tell(plan, trace, expected, Pen { color: false }, 10_000);
    let mut lines = told.lines().map(str::trim);
    let Some(heading) = lines.next() else { return String::new() };
    let mut items = String::new();
    for line in lines {
        let _ = write!(items, "<li>{}</li>", Text(line));
    }
    let picture = picture(plan, unfinished(trace), &trace.daemons);
    format!(
        "<section aria-labelledby=\"stuck\"><h2 id=\"stuck\">{}</h2><div class=\"wait\">{picture}<ul>{items}</ul></div></section>\n",
        Text(&capital(heading))
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A box of the picture.
struct Node {
    text: String,
    at: (f64, f64),
    thing: bool,
}

impl Node {
    fn half(&self) -> f64 {
        width(&self.text) as f64 * 3.4 + 11.0
    }
}

struct Picture {
    nodes: Vec<Node>,
    /// From, to, the class of the line.
    edges: Vec<(usize, usize, &'static str)>,
    processes: HashMap<ProcessId, usize>,
}

fn picture(plan: &Plan, waiting: &[Waiting], daemons: &[Waiting]) -> String {
    if waiting.is_empty() {
        return String::new();
    }
    let mut picture = Picture { nodes: Vec::new(), edges: Vec::new(), processes: HashMap::new() };
    let ring = cycle(waiting, daemons).filter(|ring| ring.len() <= DRAWN).unwrap_or_default();
    picture.ring(plan, &ring);
    let others: Vec<&Waiting> = waiting
        .iter()
        .chain(daemons)
        .filter(|one| !picture.processes.contains_key(&one.process))
        .take(DRAWN - ring.len().min(DRAWN))
        .collect();
    picture.rows(plan, &others);
    picture.svg()
}

fn thing(plan: &Plan, waiting: &Waiting) -> Option<String> {
    match waiting.target {
        Target::None => None,
        target => Some(format!("{} {}", waiting.verb, shorten(plan.target_name(target), NAME))),
    }
}

impl Picture {
    fn node(&mut self, text: String, at: (f64, f64), thing: bool) -> usize {
        self.nodes.push(Node { text, at, thing });
        self.nodes.len() - 1
    }

    fn process(&mut self, plan: &Plan, id: ProcessId, at: (f64, f64)) -> usize {
        let name = shorten(plan.target_name(Target::Process(id)), NAME).into_owned();
        let node = self.node(name, at, false);
        self.processes.insert(id, node);
        node
    }

    /// Those that wait for one another in a ring, clockwise, each with what it waits for behind it.
    fn ring(&mut self, plan: &Plan, ring: &[&Waiting]) {
        let count = ring.len() as f64 * 2.0;
        let (wide, high) = ((count * 25.0).max(105.0), (count * 12.5).max(48.0));
        let at = |step: f64| {
            let angle = TAU * step / count - TAU / 4.0;
            (wide * angle.cos(), high * angle.sin())
        };
        let mut nodes = Vec::new();
        for (step, one) in (0..).zip(ring) {
            nodes.push(self.process(plan, one.process, at(f64::from(step) * 2.0)));
            let what = match one.target {
                // A process is waited for by its own box.
                Target::Object(_) => thing(plan, one),
                Target::Process(_) | Target::None => Some(one.verb.clone()),
            };
            nodes.push(self.node(what.unwrap_or_default(), at(f64::from(step) * 2.0 + 1.0), true));
        }
        for (step, from) in nodes.iter().enumerate() {
            let class = if step % 2 == 0 { "edge" } else { "held" };
            self.edges.push((*from, nodes[(step + 1) % nodes.len()], class));
        }
    }

    /// The others below, each with the object and the process that it waits for.
    fn rows(&mut self, plan: &Plan, others: &[&Waiting]) {
        let low = self.nodes.iter().map(|node| node.at.1).fold(f64::NEG_INFINITY, f64::max);
        let mut y = if low.is_finite() { low + 54.0 } else { 0.0 };
        for one in others {
            let from = self.process(plan, one.process, (-150.0, y));
            if let Some(text) = thing(plan, one) {
                let what = self.node(text, (20.0, y), true);
                self.edges.push((from, what, "edge"));
                if let Some(holder) = one.holder.or_else(|| one.on.first().copied().filter(|_| one.on.len() == 1)) {
                    let node = match self.processes.get(&holder) {
                        Some(node) => *node,
                        None => self.node(
                            shorten(plan.target_name(Target::Process(holder)), NAME).into_owned(),
                            (170.0, y),
                            false,
                        ),
                    };
                    self.edges.push((what, node, "held"));
                }
            }
            y += 40.0;
        }
    }

    fn svg(&self) -> String {
        let left = self.nodes.iter().map(|node| node.at.0 - node.half()).fold(f64::INFINITY, f64::min) - 8.0;
        let right = self.nodes.iter().map(|node| node.at.0 + node.half()).fold(f64::NEG_INFINITY, f64::max) + 8.0;
        let top = self.nodes.iter().map(|node| node.at.1).fold(f64::INFINITY, f64::min) - HEIGHT;
        let bottom = self.nodes.iter().map(|node| node.at.1).fold(f64::NEG_INFINITY, f64::max) + HEIGHT;
        let (wide, high) = (right - left, bottom - top);
        let mut out = format!(
            "<svg role=\"img\" aria-label=\"who waits for what\" width=\"{wide:.0}\" height=\"{high:.0}\" viewBox=\"{left:.0} {top:.0} {wide:.0} {high:.0}\">\
             <defs><marker id=\"tip-e\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" class=\"b\"/></marker>\
             <marker id=\"tip-h\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" class=\"k0\"/></marker></defs>"
        );
        for (from, to, class) in &self.edges {
            let (a, b) = (&self.nodes[*from], &self.nodes[*to]);
            let (x0, y0) = border(a, b.at);
            let (x1, y1) = border(b, a.at);
            let tip = if *class == "edge" { "tip-e" } else { "tip-h" };
            let _ = write!(
                out,
                "<path class=\"{class}\" d=\"M{x0:.0} {y0:.0} {x1:.0} {y1:.0}\" marker-end=\"url(#{tip})\"/>"
            );
        }
        for node in &self.nodes {
            let (half, (x, y)) = (node.half(), node.at);
            let (class, round) = if node.thing { ("thing", 13) } else { ("node", 4) };
            let _ = write!(
                out,
                "<rect class=\"{class}\" x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{HEIGHT}\" rx=\"{round}\"/>\
                 <text x=\"{x:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
                x - half,
                y - HEIGHT / 2.0,
                half * 2.0,
                y + 4.0,
                Text(&node.text)
            );
        }
        out.push_str("</svg>");
        out
    }
}

/// Where the line to another place leaves a box.
fn border(node: &Node, to: (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (to.0 - node.at.0, to.1 - node.at.1);
    if dx == 0.0 && dy == 0.0 {
        return node.at;
    }
    let (half, high) = (node.half() + 2.0, HEIGHT / 2.0 + 2.0);
    let scale = (half / dx.abs()).min(high / dy.abs()).min(1.0);
    (node.at.0 + dx * scale, node.at.1 + dy * scale)
}
