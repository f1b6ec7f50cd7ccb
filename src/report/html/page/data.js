// The run as the page's JSON holds it, decoded: one typed array a column, indexed by an event's place in the trace.

const run = JSON.parse(document.getElementById("data").textContent);

/** A column of the JSON: an array, or one number that stands for all. */
function column(source, count, Type) {
  const out = new Type(count);
  if (typeof source === "number") out.fill(source);
  else for (let i = 0; i < count; i++) out[i] = source[i];
  return out;
}

/** A column that holds differences. */
function summed(source, count, Type) {
  const out = column(source, count, Type);
  for (let i = 1; i < count; i++) out[i] += out[i - 1];
  return out;
}

const COUNT = run.count;
const LANES = run.processes.length;
const BLOCKED = 1, IMPLICIT = 2, LONG = 4, PASSING = 8;

const events = {
  process: column(run.events.process, COUNT, Int32Array),
  seq: new Float64Array(COUNT),
  begin: summed(run.events.begin, COUNT, Float64Array),
  end: column(run.events.took, COUNT, Float64Array),
  step: column(run.events.step, COUNT, Int32Array),
  verb: column(run.events.verb, COUNT, Int32Array),
  target: column(run.events.target, COUNT, Int32Array),
  outcome: column(run.events.outcome, COUNT, Int32Array),
  value: column(run.events.value, COUNT, Int32Array),
  second: column(run.events.second, COUNT, Int32Array),
  ticket: column(run.events.ticket, COUNT, Float64Array),
  cause: column(run.events.cause, COUNT, Int32Array),
  flags: column(run.events.flags, COUNT, Int32Array),
};
const elements = new Map(run.elements);
const lostCauses = new Map(run.lostCauses.map(([at, process, seq]) => [at, { process, seq }]));

/** The places of each process's events, in its own order. */
const lanes = Array.from({ length: LANES }, () => []);
/** An event's number in its lane, its number among the begins of its lane, and the place of the one before. */
const number = new Int32Array(COUNT), rank = new Int32Array(COUNT), previous = new Int32Array(COUNT);

for (let at = 0; at < COUNT; at++) {
  events.end[at] += events.begin[at];
  const lane = lanes[events.process[at]];
  previous[at] = lane.length ? lane[lane.length - 1] : -1;
  number[at] = rank[at] = events.seq[at] = lane.length;
  lane.push(at);
}
for (const [at, value] of run.ranks) rank[at] = value;
for (const [at, value] of run.seqs) events.seq[at] = value;

/** Causes between processes: from the begin of one event to the end of another. Sorted by where they lead. */
const EDGES = run.edges.count;
const edges = { to: summed(run.edges.to, EDGES, Int32Array), from: column(run.edges.back, EDGES, Int32Array) };
for (let i = 0; i < EDGES; i++) edges.from[i] = edges.to[i] - edges.from[i];

/** What is drawn between lanes: messages, releases, wake-ups. Sorted by where they lead. */
const arrows = run.arrows.map(([from, to, kind, certain]) => ({ from, to, kind: run.arrowKinds[kind], certain }));

/** Where a sorted list of numbers reaches a bound: the first index whose number is not below it. */
function lowerBound(count, bound, numberAt) {
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numberAt(middle) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

const edgesTo = (at) => {
  const out = [];
  for (let i = lowerBound(EDGES, at, (k) => edges.to[k]); i < EDGES && edges.to[i] === at; i++) out.push(i);
  return out;
};

/** The edges by where they come from, made when first asked for. */
let byFrom = null;
const edgesFrom = (at) => {
  byFrom ??= Int32Array.from({ length: EDGES }, (_, i) => i).sort((a, b) => edges.from[a] - edges.from[b] || a - b);
  const out = [];
  const start = lowerBound(EDGES, at, (k) => edges.from[byFrom[k]]);
  for (let i = start; i < EDGES && edges.from[byFrom[i]] === at; i++) out.push(byFrom[i]);
  return out;
};

/** The place of the last event of the same process that had ended when this one began; -1 for none. */
function base(at) {
  const before = Math.min(number[at], rank[at]) - 1;
  return before < 0 ? -1 : lanes[events.process[at]][before];
}

/**
 * The place of the event up to whose end a cause knows everything; -1 for none. A cause that took effect at one instant
 * gives on what it took, another only what was known when it began.
 */
function known(edge) {
  const cause = edges.from[edge];
  return events.flags[cause] & PASSING && cause < edges.to[edge] ? cause : base(cause);
}

const CONCURRENT = 0, PAST = 1, FUTURE = 2, SELF = 3;

/**
 * How every event stands to one of them. The begin of an event happened before its end, the end of an event before
 * the begin of the next in its process, the begin of a cause before the end of its effect, and so does the end of a cause
 * that gives on what it took: an event is past where its begin reaches the other's end so. What began before and ended
 * because of it, as all waiters at a barrier of the last arrival, is both: it counts as future, for its effect is.
 */
function relations(event) {
  const out = new Uint8Array(COUNT);
  past(event, out);
  future(event, out);
  out[event] = SELF;
  return out;
}

function past(event, out) {
  // How many begins of each process reach the event, and before which number in its lane every end does.
  const begins = new Int32Array(LANES), ends = new Int32Array(LANES);
  ends[events.process[event]] = number[event] + 1;
  let edge = lowerBound(EDGES, event + 1, (k) => edges.to[k]) - 1;
  for (let at = event; at >= 0; at--) {
    while (edge >= 0 && edges.to[edge] > at) edge--;
    const process = events.process[at];
    if (number[at] >= ends[process]) continue;
    begins[process] = Math.max(begins[process], rank[at] + 1);
    for (; edge >= 0 && edges.to[edge] === at; edge--) {
      const cause = edges.from[edge], other = events.process[cause], before = known(edge);
      begins[other] = Math.max(begins[other], rank[cause] + 1);
      if (before >= 0) ends[other] = Math.max(ends[other], number[before] + 1);
    }
  }
  const own = events.process[event];
  for (let at = 0; at < COUNT; at++) {
    const process = events.process[at];
    if (process === own ? number[at] < number[event] : rank[at] < begins[process]) out[at] = PAST;
  }
}

/** The edges by the event up to whose end their cause knows everything: the begin of a cause may stand after its effect. */
let byKnown = null;
function future(event, out) {
  byKnown ??= (() => {
    const knowns = Int32Array.from({ length: EDGES }, (_, i) => known(i));
    const order = Int32Array.from({ length: EDGES }, (_, i) => i).sort((a, b) => knowns[a] - knowns[b]);
    return { order, knowns };
  })();
  // From which number in each lane on every end is reached.
  const ends = new Int32Array(LANES).fill(0x7fffffff);
  const own = events.process[event];
  const reach = (edge) => {
    const to = edges.to[edge], process = events.process[to];
    if (process !== own) ends[process] = Math.min(ends[process], number[to]);
  };
  // The event's own begin, and those of what it did within itself.
  for (let at = event; at >= 0 && rank[at] >= rank[event]; at = previous[at]) edgesFrom(at).forEach(reach);
  ends[own] = number[event];
  const start = base(event) + 1;
  let next = lowerBound(EDGES, start, (k) => byKnown.knowns[byKnown.order[k]]);
  for (let at = start; at < COUNT; at++) {
    while (next < EDGES && byKnown.knowns[byKnown.order[next]] < at) next++;
    const process = events.process[at];
    if (number[at] < ends[process]) continue;
    for (let i = next; i < EDGES && byKnown.knowns[byKnown.order[i]] === at; i++) reach(byKnown.order[i]);
    if (process === own ? number[at] > number[event] : true) out[at] = FUTURE;
  }
}
