// Shows what /fcc/live tells: a snapshot, then changes. It only reads, and keeps nothing but the
// token, for as long as the tab is open.

const LIVE = new URL("live", import.meta.url);
const KEY = "fcc.token";
const KEPT = 100; // ended requests, as the daemon keeps them
const SILENCE = 40_000; // ms; the daemon says something every 15 s
const WAITS = [500, 1000, 2000, 4000, 8000]; // ms between attempts to connect

const $ = (id) => document.getElementById(id);
const state = { ended: [] };
let clock = 0; // the daemon's time is this much ahead of the page's, in seconds
let fresh = false; // whether what is shown is being kept up to date
let loaded = ""; // the version that this page came with

// Words

const number = new Intl.NumberFormat("en");
const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const count = (n) => number.format(n);
const here = () => performance.now() / 1000;

function seconds(s) {
  if (s === null || s === undefined) return "–";
  return s < 10 ? s.toFixed(2) : s < 100 ? s.toFixed(1) : count(Math.round(s));
}

function duration(s) {
  const minutes = Math.floor(s / 60);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes % 60} min`;
  return minutes ? `${minutes} min` : `${Math.max(0, Math.floor(s))} s`;
}

const dollars = (d) => `$${d.toFixed(d && d < 0.1 ? 4 : 2)}`;
const target = (r) => (r.local ? `fcc (${r.local})` : r.provider ? `${r.provider}/${r.model}` : "–");

const STATES = {
  reading: () => "being read",
  local: () => "answered by fcc",
  waiting: () => "waiting for a turn",
  asked: (r) => (r.attempts > 1 ? `asked, attempt ${r.attempts}` : "asked"),
  streaming: (r) => `streaming, first after ${seconds(r.first)} s`,
};

const HEALTH = {
  closed: () => "healthy",
  open: (b) => `left alone for ${Math.ceil(b.seconds_left)} s (breaker open)`,
  half_open: () => "one request tries it (breaker half open)",
};

// The document: what is the same is not touched.

function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function element(name, text, className) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

// Children of `parent` for `items`, each made once by `make(item)` and brought up to date by `fill`.
function keyed(parent, items, key, make, fill) {
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = new Set(items.map((item) => String(key(item))));
  for (const [name, node] of known) if (!wanted.has(name)) node.remove();
  items.forEach((item, place) => {
    const name = String(key(item));
    const node = known.get(name) ?? make(item);
    if (!known.has(name)) node.dataset.key = name;
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
    fill(node, item);
  });
}

// `cells(item)` are texts, or [text, class]; the first names the row.
function table(id, items, key, cells) {
  const shown = $(id);
  const heads = [...shown.tHead.rows[0].cells];
  const make = () => {
    const row = element("tr");
    heads.forEach((head, place) => {
      const cell = element(place ? "td" : "th", undefined, head.className);
      if (!place) cell.scope = "row";
      row.append(cell);
    });
    return row;
  };
  keyed(shown.tBodies[0], items, key, make, (row, item) => {
    cells(item).forEach((said, place) => {
      const [text, className] = Array.isArray(said) ? said : [said, ""];
      set(row.cells[place], text);
      const wanted = `${heads[place].className} ${className}`.trim();
      if (row.cells[place].className !== wanted) row.cells[place].className = wanted;
    });
  });
  some(shown, items.length);
}

function some(node, length) {
  (node.closest(".scroll") ?? node).hidden = !length;
  node.closest("section").querySelector(".none").hidden = length > 0;
}

// The parts

function showAbout({ version, title, models, problems, observed }) {
  set($("version"), version);
  document.title = `fcc · ${title}`;
  table("models", Object.entries(models), ([family]) => family, ([family, to]) => [
    family,
    to.target,
    to.context_window ? count(to.context_window) : "unknown",
    to.max_output_tokens ? count(to.max_output_tokens) : "unknown",
  ]);
  $("problems").hidden = !problems.length;
  const list = $("problems").querySelector("ul");
  keyed(list, problems, (words) => words, (words) => element("li", words), () => {});
  $("unobserved").hidden = observed;
}

function showOpen({ count: all, requests }) {
  const ahead = here() + clock;
  table("open", requests, (r) => r.request_id, (r) => [
    r.asked || "–",
    [STATES[r.state](r), `state ${r.state}`],
    seconds(Math.max(0, ahead - r.began)),
    target({ ...r, local: "" }),
    r.output ? count(r.output) : "–",
    r.fallbacks.join("; ") || "–",
  ]);
  const more = all > requests.length ? `, the ${requests.length} oldest of them here` : "";
  set($("open").caption, `${count(all)} being answered${more}`);
}

function showUsage(u) {
  const [t, since] = [u.totals, u.since === "today" ? "today" : "since start"];
  const rows = [
    [`Cost ${since}`, u.unpriced && !u.dollars ? "unknown" : dollars(u.dollars)],
    [`Tokens ${since}`, count(u.tokens)],
  ];
  if (u.daily_budget) rows.push(["Daily budget", dollars(u.daily_budget)]);
  if (u.daily_tokens) rows.push(["Daily tokens", count(u.daily_tokens)]);
  if (u.unpriced) rows.push(["Requests without a known price", count(u.unpriced)]);
  rows.push(
    ["Requests since start", `${count(t.requests)} (${count(t.failed)} failed)`],
    ["Answered by fcc itself", count(t.local)],
    ["Client left", count(t.left)],
    ["Tokens in since start", `${count(t.input)} (${count(t.cached)} cached)`],
    ["Tokens out since start", `${count(t.output)} (${count(t.reasoning)} reasoning)`],
  );
  if (u.cache_hit_ratio !== null) {
    rows.push(["From caches lately", `${(u.cache_hit_ratio * 100).toFixed(1)} %`]);
  }
  const make = () => {
    const row = element("div");
    row.append(element("dt"), element("dd"));
    return row;
  };
  keyed($("usage"), rows, ([name]) => name, make, (row, [name, value]) => {
    set(row.children[0], name);
    set(row.children[1], value);
  });
}

function showLanes(lanes) {
  const doors = lanes.flatMap((lane) => lane.doors.map((door, place) => ({ lane, door, place })));
  table("lanes", doors, ({ lane, place }) => `${lane.provider} ${place}`, ({ lane, door }) => [
    lane.provider,
    [HEALTH[lane.breaker.state](lane.breaker), `breaker ${lane.breaker.state}`],
    door.fingerprint || "no key",
    count(door.open),
    count(door.waiting),
    door.available === null ? "no limit" : count(door.available),
    door.rests_seconds ? `for ${duration(door.rests_seconds)}` : "no",
  ]);
}

function showErrors(errors) {
  const make = (e) => {
    const item = element("li");
    const head = element("h3", `${e.status} ${e.outcome} `);
    head.append(element("span", `${target(e)}, ${time.format(e.at * 1000)}`));
    item.append(head, element("p", e.error || "no words were given", "said"));
    const next = element("p");
    next.append(element("strong", "Next: "), e.advice);
    item.append(next, element("p", e.request_id, "id"));
    return item;
  };
  keyed($("errors"), errors, (e) => e.number, make, () => {});
  some($("errors"), errors.length);
}

function showEnded(ended) {
  table("ended", [...ended].reverse(), (r) => r.number, (r) => [
    time.format(r.at * 1000),
    r.asked || "–",
    target(r),
    [r.outcome ? `${r.status} ${r.outcome}` : String(r.status), r.failed ? "failed" : ""],
    seconds(r.first),
    seconds(r.queued),
    seconds(r.seconds),
    count(r.input),
    count(r.cached),
    `${count(r.output)}${r.estimated ? " (estimated)" : ""}`,
    [r.retries ? `${r.retries} more attempts` : "", ...r.fallbacks].filter(Boolean).join("; ") || "–",
  ]);
  plot(ended.filter((r) => r.first !== null && !r.local));
}

// The plot: a dot for each request, the latest on the right; seconds on a logarithmic scale.

function svg(name, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function plot(requests) {
  const firsts = requests.map((r) => Math.max(r.first, 0.001));
  $("plot").hidden = !requests.length;
  if (!requests.length) return set($("plot-words"), "No request has had a first token yet.");
  const sorted = [...firsts].sort((a, b) => a - b);
  const part = (p) => seconds(sorted[Math.ceil(p * sorted.length) - 1]);
  const words = `${requests.length} requests: half within ${part(0.5)} s, nine of ten within`;
  set($("plot-words"), `${words} ${part(0.9)} s, the slowest after ${part(1)} s.`);
  const [low, high] = [Math.floor(Math.log10(sorted[0])), Math.floor(Math.log10(sorted.at(-1))) + 1];
  const [width, height, left] = [$("plot").clientWidth || 640, 170, 56];
  const y = (s) => height - 12 - ((Math.log10(s) - low) / (high - low)) * (height - 24);
  const step = Math.min(20, (width - left - 16) / Math.max(requests.length - 1, 1));
  const x = (place) => width - 10 - (requests.length - 1 - place) * step;
  const marks = [];
  for (let power = low; power <= high; power += 1) {
    const [at, label] = [y(10 ** power), 10 ** power < 1 ? (10 ** power).toFixed(-power) : 10 ** power];
    marks.push(svg("line", { x1: left, x2: width, y1: at, y2: at }));
    marks.push(svg("text", { x: left - 6, y: at + 4 }, `${label} s`));
  }
  const dots = requests.map((r, place) => {
    const [cx, cy] = [x(place), y(firsts[place])];
    // What failed differs in shape too.
    const dot = r.failed
      ? svg("path", { d: `M${cx - 4} ${cy - 4}l8 8m0-8l-8 8`, class: "cross" })
      : svg("circle", { cx, cy, r: 3.5 });
    dot.append(svg("title", {}, `${time.format(r.at * 1000)} ${target(r)}: ${seconds(r.first)} s`));
    return dot;
  });
  $("plot").setAttribute("viewBox", `0 0 ${width} ${height}`);
  $("plot").replaceChildren(...marks, ...dots);
}

// What is told

const SHOW = {
  about: showAbout,
  open: showOpen,
  usage: showUsage,
  lanes: showLanes,
  errors: showErrors,
  ended: showEnded,
};

function take(kind, told) {
  clock = told.now - here();
  if (kind === "snapshot") state.ended = [];
  const last = state.ended.at(-1)?.number ?? 0;
  const further = told.ended.filter((r) => r.number > last);
  const changed = { ...told, ended: [...state.ended, ...further].slice(-KEPT) };
  if (kind !== "snapshot" && !further.length) delete changed.ended;
  Object.assign(state, changed);
  if (loaded && state.about.version !== loaded) return location.reload();
  loaded = state.about.version;
  $("shown").hidden = false;
  for (const [part, show] of Object.entries(SHOW)) if (part in changed) show(changed[part]);
  if (kind === "snapshot") connected(true, "Connected");
  tick();
}

function connected(yes, words) {
  fresh = yes;
  document.body.classList.toggle("stale", !yes);
  set($("state"), words);
}

function tick() {
  if (!fresh) return;
  set($("uptime"), `Up for ${duration(here() + clock - state.about.began)}`);
  if (state.open.requests.length) showOpen(state.open);
}

// The stream

async function hear(body, timer) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    // A connection that breaks is an end like others: what is missing comes with a snapshot.
    const { value, done } = await reader.read().catch(() => ({ done: true }));
    if (done) return;
    timer.start();
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const said = /^event: (\w+)\ndata: (.*)$/.exec(event);
      if (said) take(said[1], JSON.parse(said[2]));
    }
  }
}

// Ends a connection that has been silent for too long.
function patience(controller) {
  let timer;
  const stop = () => clearTimeout(timer);
  const start = () => {
    stop();
    timer = setTimeout(() => controller.abort(), SILENCE);
  };
  return { start, stop };
}

// Why the daemon refused; undefined where the stream was had and has ended, or nobody answered.
async function connection(token, controller) {
  const timer = patience(controller);
  timer.start();
  try {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const options = { headers, cache: "no-store", credentials: "omit", redirect: "error" };
    const going = fetch(LIVE, { ...options, signal: controller.signal });
    const response = await going.catch(() => undefined);
    if (response?.ok) await hear(response.body, timer);
    if (!response || response.ok) return undefined;
    const said = await response.json().catch(() => ({}));
    return { status: response.status, words: said.error?.message ?? response.statusText };
  } finally {
    timer.stop();
    controller.abort();
  }
}

function asked(words) {
  connected(false, "The token is needed");
  $("shown").hidden = true;
  $("door").hidden = false;
  set($("door-words"), words);
  $("token").focus();
  return new Promise((resolve) => {
    $("door").addEventListener("submit", (event) => {
      event.preventDefault();
      const token = $("token").value.trim();
      $("token").value = "";
      $("door").hidden = true;
      sessionStorage.setItem(KEY, token);
      set($("state"), "Connecting");
      resolve(token);
    }, { once: true });
  });
}

// A tab that nobody sees needs no connection: browsers have six for a server.
const changed = () => new Promise((resolve) => {
  document.addEventListener("visibilitychange", resolve, { once: true });
});

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function interruption(problem) {
  const since = time.format(Date.now());
  if (problem) return `Refused: ${problem.words}. It is tried again.`;
  return fresh ? `Disconnected at ${since}: what is shown is from then. Connecting again.` : "";
}

async function watch() {
  let token = sessionStorage.getItem(KEY) ?? "";
  if ("locked" in document.documentElement.dataset && !token) token = await asked("");
  for (let failed = 0; ; failed += 1) {
    while (document.hidden) await changed();
    const controller = new AbortController();
    const hidden = () => document.hidden && controller.abort();
    document.addEventListener("visibilitychange", hidden);
    const problem = await connection(token, controller);
    document.removeEventListener("visibilitychange", hidden);
    if (problem?.status === 401) {
      sessionStorage.removeItem(KEY);
      token = await asked(token ? "That is not the token of this fcc." : "");
      failed = -1;
      continue;
    }
    if (fresh) failed = 0;
    const words = interruption(problem) || (loaded ? "" : "fcc can't be reached. It is tried again.");
    if (words) connected(false, words);
    const wait = WAITS[Math.min(failed, WAITS.length - 1)];
    await pause(wait * (0.75 + Math.random() / 2));
  }
}

setInterval(tick, 500);
new ResizeObserver(() => state.about && showEnded(state.ended)).observe($("plot").parentElement);
await watch();
