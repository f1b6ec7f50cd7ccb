const levels = JSON.parse(document.getElementById("levels").textContent);
const at = (id) => document.getElementById(id);
// What a state can lead to: no end that is played for, some, only such; not known.
const ALL = 2;
const MARKS = {
  fail: [["✓", "good"], ["~", "doubt"], ["✗", "bad"], ["", ""]],
  show: [["·", "faint"], ["~", "doubt"], ["◆", "good"], ["", ""]],
  "": [["✓", "good"], ["~", "doubt"], ["✗", "bad"], ["", ""]],
};
const LEGENDS = {
  fail: ["leads to good ends only", "some ends are bad", "all ends are bad"],
  show: ["no end shows it", "some ends show it", "all ends show it"],
  "": ["leads to good ends only", "some ends are bad", "all ends are bad"],
};
// A step: process (-1: time passes), what it does, what it changes, words of a schedule, from outside, the state behind it.
const [WHO, DOES, CHANGES, WORDS, OUTSIDE, TO] = [0, 1, 2, 3, 4, 5];

let level = 0;
// The steps that were taken: places among those of each state.
let path = [];
let hinted = null;

const here = () => levels[level];
const clean = (text) => text.replace(HIDDEN, (c) => (c === "\n" ? c : `\\u{${c.codePointAt(0).toString(16)}}`));
const text = (number) => (number < 0 ? "" : clean(here().strings[number]));
const name = (process) => here().processes[process][0];

/** The states of the path, the first among them. */
function visited() {
  const states = [0];
  for (const step of path) states.push(here().states[states[states.length - 1]].s[step][TO]);
  return states;
}

const state = () => here().states[visited().pop()];
const steps = () => state().s.map((step, place) => ({ step, place })).filter(({ step }) => step[TO] >= 0);
const inside = () => steps().filter(({ step }) => !step[OUTSIDE]);

function element(kind, content, classes) {
  const made = document.createElement(kind);
  if (content !== undefined) made.textContent = content;
  if (classes) made.className = classes;
  return made;
}

function say(message) {
  at("said").textContent = message;
}

/** The process of the last step that was one. */
function last() {
  const states = visited();
  for (let place = path.length - 1; place >= 0; place--) {
    const who = here().states[states[place]].s[path[place]][WHO];
    if (who >= 0) return who;
  }
  return -1;
}

function take(place) {
  const step = state().s[place];
  if (!step) return;
  if (step[TO] < 0) {
    say("That step leads beyond the states of this page: `ipcrun step` has them all.");
    return;
  }
  path.push(place);
  hinted = null;
  say("");
  draw();
}

function undo() {
  if (!path.length) return;
  path.pop();
  hinted = null;
  say("");
  draw();
}

function restart() {
  path = [];
  hinted = null;
  say("");
  draw();
}

function random() {
  const some = inside();
  if (some.length) take(some[Math.floor(Math.random() * some.length)].place);
}

/** The same process continues until it has no step, or more than one. */
function untilSwitch() {
  const first = inside().find(({ step }) => step[WHO] >= 0);
  let who = last();
  if (who < 0 && first) who = first.step[WHO];
  let taken = 0;
  for (; taken < 10000; taken++) {
    const own = inside().filter(({ step }) => step[WHO] === who);
    if (own.length !== 1) break;
    path.push(own[0].place);
  }
  hinted = null;
  draw();
  say(taken ? "" : who < 0 ? "No process can take a step." : `${name(who)} cannot continue, or has to choose.`);
}

/** The processes take turns until nothing can happen, or a state comes again. */
function toEnd() {
  const seen = new Set();
  for (let count = 0; count < 10000; count++) {
    const some = inside();
    const now = visited().pop();
    const before = last();
    if (!some.length || seen.has(`${now} ${before}`)) break;
    seen.add(`${now} ${before}`);
    const behind = ({ step }) => (before >= 0 && step[WHO] <= before ? 1 : 0);
    some.sort((one, other) => behind(one) - behind(other) || one.step[WHO] - other.step[WHO] || one.place - other.place);
    path.push(some[0].place);
  }
  hinted = null;
  draw();
}

/** Whether an end is one that is played for. */
const wanted = (end) => (here().goal === "show" ? end.shows : end.bad);

/** The shortest way from a state to an end that is played for, as places of steps; none where none is on this page. */
function toFailure(from) {
  const { states, ends } = here();
  const found = new Map([[from, null]]);
  const todo = [from];
  for (let next = 0; next < todo.length; next++) {
    const one = todo[next];
    const { e, s } = states[one];
    if (e >= 0 && wanted(ends[e])) {
      const way = [];
      for (let place = one; found.get(place); place = found.get(place)[0]) way.unshift(found.get(place)[1]);
      return way;
    }
    s.forEach((step, place) => {
      if (step[TO] >= 0 && !found.has(step[TO])) {
        found.set(step[TO], [one, place]);
        todo.push(step[TO]);
      }
    });
  }
  return null;
}

const thing = () => (here().goal === "show" ? "an end that shows it" : "a failure");

function hint() {
  const way = toFailure(visited().pop());
  if (way && way.length) {
    hinted = way[0];
    draw();
    say(`The framed step leads to ${thing()}, ${way.length === 1 ? "which is one step" : `${way.length} steps`} away.`);
  } else if (way) {
    say(`This is ${thing()} already.`);
  } else {
    say(here().whole ? "It cannot be reached from here: undo, or begin again." : "It is not among the states of this page.");
  }
}

function solve() {
  const way = toFailure(0);
  if (!way) {
    say(here().whole ? "Every execution ends well: there is no failure to show." : "None is among the states of this page.");
    return;
  }
  path = way;
  hinted = null;
  draw();
  say("This is the shortest. A click on a line of the steps goes back to it.");
}

/** The words of a schedule for the path; the same process in a row is counted. */
function words() {
  const states = visited();
  const all = [];
  path.forEach((step, place) => {
    const word = text(here().states[states[place]].s[step][WORDS]);
    if (!word) return;
    const before = all[all.length - 1];
    if (before && before.word === word && /^[\w.[\]-]+$/.test(word) && !/\d$/.test(word)) before.times++;
    else all.push({ word, times: 1 });
  });
  return all.map(({ word, times }) => (times > 1 ? `${word}${times}` : word)).join(" ");
}

const quoted = (word) => `'${word.replace(/'/g, "'\\''")}'`;

function draw() {
  const now = state();
  const states = visited();
  const play = here();
  at("title").textContent = clean(play.name);
  at("about").textContent = play.about ? clean(play.about) : "";
  const first = play.states[0].m;
  at("goal").textContent =
    play.goal === "show" ? `Goal: show ${clean(play.sometimes.join("; "))}` :
    play.goal === "fail" && first === ALL ? "Goal: see how it fails. Every execution ends badly." :
    play.goal === "fail" ? "Goal: make it fail." :
    play.whole ? "Goal: try to make it fail. Every execution ends well." :
    `The ${play.states.length} states nearest to the first; \`ipcrun step\` has them all.`;
  const legend = at("marks");
  legend.replaceChildren();
  MARKS[play.goal].slice(0, 3).forEach(([mark, classes], place) => {
    const entry = element("span");
    entry.append(element("b", mark, classes), ` ${LEGENDS[play.goal][place]}`);
    legend.append(entry);
  });

  const cards = at("processes");
  cards.replaceChildren();
  const numbered = steps();
  const beyond = now.s.length > numbered.length;
  play.processes.forEach(([process, program], who) => {
    const [step, why, variables] = play.stands[now.p[who]];
    const own = numbered.filter((one) => one.step[WHO] === who && !one.step[OUTSIDE]);
    const card = element("article", undefined, own.length ? "process can" : "process");
    const head = element("h3", clean(process));
    if (!own.length) head.append(element("span", text(why)));
    card.append(head);
    const moves = element("div", undefined, "moves");
    own.forEach((one) => moves.append(button(one, numbered.indexOf(one) + 1)));
    if (own.length) card.append(moves);
    const held = text(variables);
    if (held) card.append(element("div", held.replace(/\n/g, "   "), "variables"));
    const { text: source, steps: places } = play.programs[program];
    const shown = element("pre");
    const place = places[step];
    if (place) {
      const mark = element("mark", clean(source.slice(place[0], place[1])));
      shown.append(clean(source.slice(0, place[0])), mark, clean(source.slice(place[1])));
    } else {
      shown.append(clean(source));
    }
    card.append(shown);
    cards.append(card);
    const mark = shown.querySelector("mark");
    if (mark) shown.scrollTop = Math.max(0, mark.offsetTop - shown.offsetTop - 60);
  });
  const others = at("outside");
  others.replaceChildren();
  numbered.forEach((one, place) => {
    if (one.step[OUTSIDE] || one.step[WHO] < 0) others.append(button(one, place + 1, true));
  });
  if (beyond) others.append(element("span", "Some steps lead beyond the states of this page.", "faint"));

  const before = states.length > 1 ? play.holdings[play.states[states[states.length - 2]].o] : null;
  const objects = at("objects");
  objects.replaceChildren();
  play.objects.forEach((object, place) => {
    const held = play.holdings[now.o][place];
    const box = element("div", undefined, before && before[place] !== held ? "changed" : "");
    box.append(element("b", clean(object)), text(held));
    objects.append(box);
  });

  verdict(now, states);
  lanes(states);
  const schedule = words();
  at("replay").textContent = `${clean(play.replay)} ${quoted(schedule)}`;
  at("undo").disabled = at("restart").disabled = !path.length;
  at("random").disabled = at("switch").disabled = at("end").disabled = !inside().length;
  // The places say which steps they were, also those that are no turns of a schedule.
  const hash = `#${level}=${encodeURIComponent(schedule)};${path.join(".")}`;
  if (window.location.hash !== hash) window.history.replaceState(null, "", hash);
}

function button({ step, place }, number, named) {
  const mark = MARKS[here().goal][here().states[step[TO]].m];
  const made = element("button", undefined, place === hinted ? "move hint" : "move");
  made.dataset.step = place;
  made.append(element("span", number < 10 ? String(number) : "", "number"), element("span", mark[0], `mark ${mark[1]}`));
  const who = named && step[WHO] >= 0 ? `${clean(name(step[WHO]))} ` : "";
  made.append(element("span", who + text(step[DOES])));
  made.addEventListener("click", () => take(place));
  return made;
}

/** Whether the step to the last of these states has decided how it ends, and has made it bad. */
const turns = (before, after) => here().goal === "fail" && here().states[before].m !== ALL && here().states[after].m === ALL;

function verdict(now, states) {
  const box = at("verdict");
  box.replaceChildren();
  box.hidden = now.e < 0;
  at("next").hidden = levels.length < 2 || level + 1 >= levels.length || box.hidden;
  if (box.hidden) {
    if (states.length > 1 && turns(states[states.length - 2], states[states.length - 1])) {
      say("The point of no return: every execution ends badly from here.");
    }
    return;
  }
  const { bad, deadlock, shows, findings } = here().ends[now.e];
  box.className = bad ? "fails" : "";
  const title = deadlock ? "This execution ends in a deadlock" : bad ? "This execution fails" : here().goal !== "show" ? "This execution ends well" : shows ? "This execution shows it" : "This execution does not show it";
  box.append(element("h2", title));
  const list = element("ul");
  findings.forEach(([status, label, seen]) => {
    const [mark, classes] = { pass: ["✓", "good"], fail: ["✗", "bad"], unknown: ["?", "doubt"] }[status];
    const line = element("li");
    line.append(element("b", `${mark} `, classes), clean(label), seen ? element("div", clean(seen), "faint") : "");
    list.append(line);
  });
  box.append(list);
}

function lanes(states) {
  const table = at("lanes");
  table.replaceChildren();
  const head = element("tr");
  ["", ...here().processes.map(([process]) => clean(process)), "changes"].forEach((column) => head.append(element("th", column)));
  const top = element("thead");
  top.append(head);
  const body = element("tbody");
  path.forEach((taken, place) => {
    const step = here().states[states[place]].s[taken];
    const row = element("tr");
    const turned = turns(states[place], states[place + 1]);
    if (turned) row.className = "turn";
    row.append(element("td", String(place + 1), "number"));
    here().processes.forEach((_, who) => row.append(element("td", who === step[WHO] ? text(step[DOES]) : "")));
    const changes = step[WHO] < 0 ? text(step[DOES]) : text(step[CHANGES]);
    row.append(element("td", turned ? `${changes}  ◀ point of no return` : changes));
    row.title = "Go back to behind this step";
    row.addEventListener("click", () => {
      path = path.slice(0, place + 1);
      hinted = null;
      draw();
    });
    body.append(row);
  });
  table.append(top, body);
  const box = table.parentElement;
  box.scrollTop = box.scrollHeight;
}

/** How many turns a schedule begins with that have these words, and what follows them; none where it begins with others. */
function begins(schedule, words) {
  if (!words || !schedule.startsWith(words)) return null;
  const [all, times] = schedule.slice(words.length).match(/^(\d*)(?: |$)/) || [];
  return all === undefined ? null : { times: Number(times || 1), rest: schedule.slice(words.length + all.length) };
}

/** Follows a schedule as far as it leads. */
function follow(schedule) {
  path = [];
  let rest = schedule.trim();
  let [word, times] = ["", 0];
  while ((rest || times) && path.length < 10000) {
    const some = steps();
    if (!times) {
      // Of several beginnings the longest: `p handles` before `p`.
      const words = some.map(({ step }) => text(step[WORDS])).filter((one) => begins(rest, one));
      word = words.sort((one, other) => other.length - one.length)[0] || "";
      if (word) ({ times, rest } = begins(rest, word));
    }
    const next = times && some.find(({ step }) => text(step[WORDS]) === word);
    const silent = some.find(({ step }) => step[WORDS] < 0);
    if (!next && !silent) break;
    if (next) times--;
    path.push((next || silent).place);
  }
}

function open(hash) {
  const [, number, schedule, places] = hash.match(/^#(\d+)=([^;]*)(?:;([\d.]*))?$/) || [];
  level = number !== undefined && Number(number) < levels.length ? Number(number) : 0;
  path = [];
  hinted = null;
  at("level").value = String(level);
  if (places) {
    for (const place of places.split(".").map(Number)) {
      if (!steps().some((one) => one.place === place)) break;
      path.push(place);
    }
  } else {
    try {
      follow(decodeURIComponent(schedule || ""));
    } catch {
      path = [];
    }
  }
  draw();
}

levels.forEach((one, place) => at("level").append(new Option(`${place + 1}. ${clean(one.name)}`, String(place))));
at("choose").hidden = levels.length < 2;
at("level").addEventListener("change", () => open(`#${at("level").value}=`));
at("next").addEventListener("click", () => open(`#${level + 1}=`));
const KEYS = { u: undo, Backspace: undo, 0: restart, r: random, s: untilSwitch, e: toEnd, h: hint, f: solve };
for (const [id, act] of [["undo", undo], ["restart", restart], ["random", random], ["switch", untilSwitch], ["end", toEnd], ["hint", hint], ["solve", solve]]) {
  at(id).addEventListener("click", act);
}
at("copy").addEventListener("click", () => {
  const copied = () => say("Copied.");
  navigator.clipboard.writeText(at("replay").textContent).then(copied, () => {
    window.getSelection().selectAllChildren(at("replay"));
    say("Selected: copy it with Ctrl+C.");
  });
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(SELECT|INPUT)$/.test(event.target.tagName)) return;
  const number = Number(event.key);
  if (number >= 1) {
    const chosen = steps()[number - 1];
    if (chosen) take(chosen.place);
  } else if (Object.hasOwn(KEYS, event.key)) {
    event.preventDefault();
    KEYS[event.key]();
  }
});
window.addEventListener("hashchange", () => open(window.location.hash));
open(window.location.hash);
document.documentElement.dataset.ready = "yes";
