// The details of the selected event beside the picture, and the table of events below it.

const byId = (id) => document.getElementById(id);

/** An element with text or children; nothing here is ever parsed as markup. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key === "onclick") element.addEventListener("click", value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const link = (at, text) => make("a", { href: `#e${at + 1}`, class: "event" }, text ?? sentence(at));

function copyButton(text) {
  const button = make("button", { type: "button", class: "small" }, "copy");
  button.addEventListener("click", () => copy(button, text));
  return button;
}

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure context there is the old way.
    const area = make("textarea", { class: "off" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.textContent = "copied";
  setTimeout(() => { button.textContent = "copy"; }, 1200);
}

/** Which arrow an edge is, where it is one. */
function kindOf(edge) {
  const from = edges.from[edge], to = edges.to[edge];
  for (let i = lowerBound(arrows.length, to, (k) => arrows[k].to); i < arrows.length && arrows[i].to === to; i++) {
    if (arrows[i].from === from) return ` ${arrows[i].kind}`;
  }
  return "";
}

function tellEvent(at) {
  const box = byId("event");
  if (at < 0) {
    box.replaceChildren(make("p", { class: "faint" }, "Select an event in the picture, in the table or by the arrow keys."));
    for (const line of document.querySelectorAll("#source .here")) line.classList.remove("here");
    return;
  }
  const facts = [];
  const fact = (name, ...content) => facts.push(make("dt", {}, name), make("dd", {}, ...content));
  fact("time", `${moment(events.begin[at])} to ${moment(events.end[at])}`);
  fact(events.flags[at] & BLOCKED ? "waited" : "took", duration(events.end[at] - events.begin[at]));
  fact("outcome", make("span", { class: events.outcome[at] ? "bad" : "good" }, outcomeOf(at)));
  if (events.value[at]) fact("value", make("code", {}, shorten(valueWords(events.value[at]), 400)));
  if (events.second[at]) fact(LABELLED.has(verbOf(at)) ? "label" : "second value", make("code", {}, shorten(valueWords(events.second[at]), 200)));
  if (events.flags[at] & IMPLICIT) fact("part of", "another step");
  const list = (name, all, event) => {
    if (!all.length) return;
    const items = all.slice(0, 8).map((edge) => make("li", {}, link(event(edge)), make("span", { class: "faint" }, kindOf(edge))));
    if (all.length > 8) items.push(make("li", { class: "faint" }, `and ${all.length - 8} more`));
    fact(name, make("ul", {}, ...items));
  };
  list("because of", edgesTo(at), (edge) => edges.from[edge]);
  list("enables", edgesFrom(at), (edge) => edges.to[edge]);
  const counts = [0, 0, 0, 0];
  for (const relation of view.relation) counts[relation]++;
  const legend = make("p", { class: "relations" },
    make("span", { class: "past" }, `${counts[PAST]} past`), make("span", { class: "future" }, `${counts[FUTURE]} future`),
    make("span", { class: "concurrent" }, `${counts[CONCURRENT]} concurrent`));
  const raw = record(at);
  box.replaceChildren(
    make("h3", {}, make("span", { class: "faint" }, `#${at + 1} `), `${processName(events.process[at])} `, make("b", {}, action(at))),
    legend, make("dl", {}, ...facts),
    make("details", { open: "" }, make("summary", {}, "raw record "), make("div", { class: "raw" }, make("code", { id: "record" }, plain(raw)), copyButton(raw))),
  );
  byId("said").textContent = `${sentence(at)}. ${detail(at)}`;
  showStep(events.step[at]);
}

function showStep(step) {
  for (const line of document.querySelectorAll("#source .here")) line.classList.remove("here");
  if (step < 0) return;
  const [first, last] = run.steps[step];
  for (let line = first; line <= last; line++) byId(`L${line}`)?.classList.add("here");
  const box = byId("source"), line = byId(`L${first}`);
  if (line && (line.offsetTop < box.scrollTop + 8 || line.offsetTop > box.scrollTop + box.clientHeight - 40)) {
    box.scrollTop = line.offsetTop - box.clientHeight / 3;
  }
}

const PAGE = 100;
const table = { page: 0, onlyFound: false };

function rows() { return table.onlyFound && view.query ? view.found : null; }

function fillTable() {
  const found = rows(), count = found ? found.length : COUNT, pages = Math.max(1, Math.ceil(count / PAGE));
  table.page = Math.min(Math.max(table.page, 0), pages - 1);
  const body = [];
  for (let i = table.page * PAGE; i < Math.min(count, (table.page + 1) * PAGE); i++) {
    const at = found ? found[i] : i, step = events.step[at];
    const row = make("tr", { "data-at": at },
      make("td", { class: "number" }, link(at, `#${at + 1}`)), make("td", { class: "number" }, moment(events.end[at])),
      make("td", {}, processName(events.process[at])),
      make("td", { class: events.flags[at] & IMPLICIT ? "implicit" : "" }, action(at)),
      make("td", { class: events.outcome[at] && !(events.flags[at] & IMPLICIT) ? "bad" : "" }, detail(at)),
      make("td", { class: "number faint" }, step >= 0 ? `:${run.steps[step][0]}` : ""));
    if (at === view.selected) row.setAttribute("aria-selected", "true");
    if (marked[at] & FAILING) row.classList.add("failing");
    body.push(row);
  }
  byId("rows").replaceChildren(...body);
  byId("page").textContent = count === 0 ? "no events" : `${table.page * PAGE + 1} to ${Math.min(count, (table.page + 1) * PAGE)} of ${count}`;
  byId("earlier").disabled = table.page === 0;
  byId("later").disabled = table.page >= pages - 1;
}

/** Turns the table to the page of an event. */
function showRow(at) {
  const found = rows();
  const place = found ? lowerBound(found.length, at, (i) => found[i]) : at;
  if (found && found[place] !== at) return fillTable();
  table.page = Math.floor(Math.max(place, 0) / PAGE);
  fillTable();
}
