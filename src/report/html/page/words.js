// Events, values and times in words. What a scenario wrote never becomes markup: it is only ever set as text.

/** Text without what would hide or reorder it: control characters and marks of direction stand as their codes. */
function plain(text) {
  return text.replace(HIDDEN, (c) => {
    const code = c.codePointAt(0);
    return code < 32 ? String.fromCodePoint(0x2400 + code) : "\\u{" + code.toString(16) + "}";
  });
}

function shorten(text, length) {
  const points = Array.from(text.length > 4 * length ? text.slice(0, 4 * length) : text);
  return points.length <= length ? text : points.slice(0, length - 1).join("") + "…";
}

/** A duration in the unit that fits, with three digits. */
function duration(ns) {
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  const [value, unit] = ns < 1e6 ? [ns / 1e3, "µs"] : ns < 4e8 ? [ns / 1e6, "ms"] : [ns / 1e9, "s"];
  return `${value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)} ${unit}`;
}

/** When something was, since the run began. */
const moment = (ns) => `${(ns / 1e6).toFixed(3)} ms`;

const processName = (id) => plain(run.processes[id]);
const objectName = (id) => plain(run.objects[id].name);

function targetName(at) {
  const target = events.target[at];
  if (target === 0) return "";
  const name = target > 0 ? objectName(target - 1) : processName(-target - 1);
  return elements.has(at) ? `${name}[${elements.get(at)}]` : name;
}

const verbOf = (at) => run.verbs[events.verb[at]];
const outcomeOf = (at) => run.outcomes[events.outcome[at]];
const LABELLED = new Set(["mark", "enter", "leave"]);

/** A value from its JSON, as scenarios write it. */
function valueWords(index) {
  if (index === 0) return "";
  const text = run.values[index];
  let parsed;
  try { parsed = JSON.parse(text); } catch { return plain(text); }
  if (parsed !== null && typeof parsed === "object" && typeof parsed.$bytes === "string") {
    const bytes = (parsed.$bytes.match(/../g) ?? []).map((pair) => parseInt(pair, 16));
    const shown = bytes.map((b) => b > 31 && b < 127 && b !== 34 && b !== 92 ? String.fromCharCode(b) : `\\x${b.toString(16).padStart(2, "0")}`);
    return `b"${shown.join("")}"`;
  }
  return plain(text);
}

const labelOf = (at) => {
  if (!LABELLED.has(verbOf(at)) || events.second[at] === 0) return "";
  try { return plain(String(JSON.parse(run.values[events.second[at]]))); } catch { return ""; }
};

/** What the event did: `acquire permits`. */
function action(at) {
  // What belongs to no step is the process's own begin or end.
  if (events.step[at] < 0 && events.target[at] < 0) return verbOf(at);
  return [verbOf(at), targetName(at), labelOf(at)].filter(Boolean).join(" ");
}

/** What came of it: the outcome where it is not `ok`, the value, the wait. */
function detail(at) {
  const words = [];
  if (outcomeOf(at) !== "ok") words.push(outcomeOf(at));
  if (events.value[at]) words.push(shorten(valueWords(events.value[at]), 60));
  if (events.second[at] && !labelOf(at)) words.push(`and ${shorten(valueWords(events.second[at]), 40)}`);
  const took = events.end[at] - events.begin[at];
  if (events.flags[at] & BLOCKED) words.push(`waited ${duration(took)}`);
  else if (took >= 1e6) words.push(`took ${duration(took)}`);
  if (events.cause[at]) words.push(`from #${events.cause[at]}`);
  return words.join(", ");
}

const sentence = (at) => `#${at + 1} ${processName(events.process[at])} ${action(at)}`;

/** The event's line of the trace file. */
function record(at) {
  const text = JSON.stringify;
  const fields = [`"type":"event"`, `"n":${at + 1}`, `"process":${text(run.processes[events.process[at]])}`,
    `"seq":${events.seq[at]}`, `"begin":${events.begin[at]}`, `"end":${events.end[at]}`];
  const step = events.step[at], target = events.target[at];
  if (step >= 0) fields.push(`"step":${step}`, `"line":${run.steps[step][0]}`);
  fields.push(`"verb":${text(verbOf(at))}`);
  if (target > 0) fields.push(`"object":${text(run.objects[target - 1].name)}`);
  if (target < 0) fields.push(`"peer":${text(run.processes[-target - 1])}`);
  if (elements.has(at)) fields.push(`"element":${elements.get(at)}`);
  fields.push(`"outcome":${text(outcomeOf(at))}`);
  if (events.value[at]) fields.push(`"value":${run.values[events.value[at]]}`);
  if (events.second[at]) fields.push(`"second":${run.values[events.second[at]]}`);
  if (events.ticket[at]) fields.push(`"ticket":${events.ticket[at]}`);
  const cause = events.cause[at]
    ? { process: events.process[events.cause[at] - 1], seq: events.seq[events.cause[at] - 1] }
    : lostCauses.get(at);
  if (cause) fields.push(`"cause":{"process":${text(run.processes[cause.process])},"seq":${cause.seq}}`);
  if (events.flags[at] & BLOCKED) fields.push(`"blocked":true`);
  if (events.flags[at] & IMPLICIT) fields.push(`"implicit":true`);
  // As in a trace file: what a terminal or an editor would obey is escaped.
  const line = `{${fields.join(",")}}`;
  return line.replace(OBEYED, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** The events in which every word of the query occurs; `#12` is that event. */
function search(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const hash = /^#(\d+)$/.exec(words.join(""));
  if (hash) return hash[1] >= 1 && hash[1] <= COUNT ? [hash[1] - 1] : [];
  const found = [];
  for (let at = 0; at < COUNT; at++) {
    const value = events.value[at] ? run.values[events.value[at]] : "";
    const step = events.step[at] >= 0 ? `:${run.steps[events.step[at]][0]}` : "";
    const waits = events.flags[at] & BLOCKED ? "waited" : "";
    const text = `${run.processes[events.process[at]]} ${action(at)} ${outcomeOf(at)} ${value} ${step} ${waits}`.toLowerCase();
    if (words.every((word) => text.includes(word))) found.push(at);
  }
  return found;
}
