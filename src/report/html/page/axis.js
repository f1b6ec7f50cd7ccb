// Where events stand from left to right: by time, by time with what is idle folded, or by step.

const AXES = ["time", "folded", "step"];

/** What an axis is: where each event begins and ends, how far it goes, where a time lies, and its marks. */
function makeAxis(kind) {
  const begin = new Float64Array(COUNT), end = new Float64Array(COUNT);
  if (kind === "step") {
    for (let at = 0; at < COUNT; at++) {
      end[at] = at + 1;
      // What took long began right after the step before it, whatever the others did meanwhile.
      const long = events.flags[at] & (BLOCKED | LONG);
      begin[at] = long ? previous[at] + 1 : at;
    }
    const ofTime = (time) => lowerBound(COUNT, time, (at) => latest[at]);
    return { kind, begin, end, max: Math.max(COUNT, 1), least: 1, ofTime, marks: stepMarks, name: (x) => `#${Math.floor(x) + 1}` };
  }
  const place = kind === "folded" ? folded : (time) => time;
  for (let at = 0; at < COUNT; at++) {
    begin[at] = place(events.begin[at]);
    end[at] = place(events.end[at]);
  }
  const max = Math.max(place(run.duration), 1);
  const timeOf = kind === "folded" ? unfolded : (x) => x;
  return {
    kind, begin, end, max, least: 200, ofTime: place, timeOf, name: (x) => duration(timeOf(x)),
    marks: kind === "folded" ? foldedMarks : timeMarks,
  };
}

/** The greatest end of an event up to each place: steps as a clock. */
const latest = new Float64Array(COUNT);
for (let at = 0, most = 0; at < COUNT; at++) latest[at] = most = Math.max(most, events.end[at]);

/** Folds: from, to, and where they lie on the folded axis; each is as wide as the others. */
const folds = [];
{
  let saved = 0;
  for (const [from, to] of run.folds) {
    folds.push({ from, to, x: from - saved });
    saved += to - from - run.foldWidth;
  }
}

function folded(time) {
  const i = lowerBound(folds.length, time, (k) => folds[k].from) - 1;
  if (i < 0) return time;
  const fold = folds[i];
  if (time < fold.to) return fold.x + (time - fold.from) / (fold.to - fold.from) * run.foldWidth;
  return fold.x + run.foldWidth + time - fold.to;
}

function unfolded(x) {
  const i = lowerBound(folds.length, x, (k) => folds[k].x) - 1;
  if (i < 0) return x;
  const fold = folds[i];
  if (x < fold.x + run.foldWidth) return fold.from + (x - fold.x) / run.foldWidth * (fold.to - fold.from);
  return fold.to + x - fold.x - run.foldWidth;
}

/** 1, 2 or 5 times a power of ten, not below. */
function round(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= least * 0.999);
}

/** A time as a mark of an axis has it, in the unit of the distance between marks. */
function markText(time, distance) {
  if (time === 0) return "0";
  const [unit, word] = time < 1e3 ? [1, "ns"] : time < 1e6 ? [1e3, "µs"] : time < 1e9 ? [1e6, "ms"] : [1e9, "s"];
  const decimals = Math.max(0, Math.min(6, Math.ceil(-Math.log10(distance / unit) - 1e-9)));
  return `${(time / unit).toFixed(decimals)} ${word}`;
}

function timeMarks(from, to, room) {
  const distance = round((to - from) / Math.max(room / 110, 1));
  const marks = [];
  for (let n = Math.max(0, Math.ceil(from / distance)); n * distance <= to; n++) {
    marks.push({ x: n * distance, text: markText(n * distance, distance) });
  }
  return marks;
}

function stepMarks(from, to, room) {
  const distance = Math.max(1, Math.round(round((to - from) / Math.max(room / 70, 1))));
  const marks = [];
  for (let n = Math.max(0, Math.ceil(from / distance) * distance); n <= Math.min(to, COUNT - 1); n += distance) {
    marks.push({ x: n, text: `#${n + 1}` });
  }
  return marks;
}

/** Marks at the ends of folds and, between them, where time runs evenly. */
function foldedMarks(from, to, room) {
  const distance = round((to - from) / Math.max(room / 110, 1)), gap = (to - from) / Math.max(room, 1) * 90;
  const marks = [];
  let start = 0;
  for (let i = 0; i <= folds.length; i++) {
    const stretch = i < folds.length ? folds[i].x : Infinity;
    // Marks of one stretch say how long it is since the stretch began, so that they stay short.
    const zero = unfolded(start);
    for (let n = 0; start + n * distance < Math.min(stretch - gap * 0.4, to); n++) {
      const x = start + n * distance;
      if (x < from) { n = Math.max(n, Math.floor((from - start) / distance)); if (start + n * distance < from) continue; }
      const text = n === 0 ? markText(zero, Math.max(zero / 1000, 1)) : `+${markText(n * distance, distance)}`;
      const at = start + n * distance;
      if (marks.length && at - marks[marks.length - 1].x < gap) continue;
      marks.push({ x: at, text });
    }
    if (i < folds.length) start = stretch + run.foldWidth;
    if (start > to) break;
  }
  return marks;
}

/** From where to where an arrow goes: never to the begin of what waited for it, for that began before. */
function arrowEnds(axis, { from, to }) {
  if (axis.kind === "step") return [from + 0.5, to + 0.5];
  return [Math.max(axis.begin[from], Math.min(axis.end[from], axis.end[to])), axis.end[to]];
}
