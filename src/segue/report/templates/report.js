"use strict";
// The table of flipped samples: columns of plain arrays, an array of row numbers that is filtered and sorted, and one
// page of rows in the document. Data only ever becomes text nodes, attribute values and option values, never markup.
(async () => {
  const $ = (id) => document.getElementById(id);
  document.documentElement.classList.add("js");
  const all = $("all-slices");
  if (all) {
    all.hidden = false;
    all.addEventListener("click", () => {
      const open = $("forest").classList.toggle("all");
      all.setAttribute("aria-expanded", open);
      all.textContent = open ? "Show fewer slices" : all.dataset.text;
    });
    all.dataset.text = all.textContent;
  }
  const holder = $("data"), controls = $("controls"), pager = $("pager");
  if (!holder) return;

  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== false && value !== undefined) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  };
  const unpack = async () => {
    if (!holder.dataset.packed) return JSON.parse(holder.textContent);
    if (typeof DecompressionStream === "undefined") throw new Error("it can't unpack compressed data");
    const text = atob(holder.textContent), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  };
  let data;
  try {
    data = await unpack();
  } catch (error) {
    controls.append(make("p", {class: "note", role: "alert"},
      `This browser shows only the first rows: ${error.message}. A browser from 2023 or later shows all of them.`));
    return;
  }
  const {rows, columns} = data, body = $("table").tBodies[0], heads = $("table").tHead.rows[0].cells;
  const pictures = JSON.parse($("pictures").textContent);
  const key = columns.find((column) => column.role === "id"), flip = columns.find((column) => column.role === "flip");
  const state = {filters: new Map(), search: "", sort: "", down: false, page: 0, size: 25};
  const SIZES = [25, 50, 100], order = new Uint32Array(rows);
  let found = 0;

  // Reading cells
  const code = (column, row) => column.codes ? column.codes[row] : row;
  const wordOf = (column, row) => { const at = code(column, row); return at < 0 ? null : column.names[at]; };
  const MOST = Number.MAX_VALUE;
  const shown = (column, value) => {
    if (value === null) return "";
    if (Math.abs(value) === MOST) return value > 0 ? "∞" : "−∞";
    if (column.style === "percent") return (100 * value).toFixed(1) + "%";
    return String(Number.isInteger(value) ? value : Number(value.toPrecision(5))).replace(/^-/, "−");
  };
  // Columns that can be sorted are ranked once, when they are first sorted by.
  const collator = new Intl.Collator("en", {numeric: true, sensitivity: "base"});
  const ranks = (column) => {
    if (column.kind === "numbers") return column.ranks ??= Float64Array.from(column.values, (v) => v === null ? NaN : v);
    if (column.ranks) return column.ranks;
    const sorted = column.names.map((_, at) => at).sort((a, b) => collator.compare(column.names[a], column.names[b]));
    const place = new Float64Array(column.names.length);
    sorted.forEach((at, position) => { place[at] = position; });
    column.ranks = new Float64Array(rows);
    for (let row = 0; row < rows; row++) { const at = code(column, row); column.ranks[row] = at < 0 ? NaN : place[at]; }
    return column.ranks;
  };

  // Filtering: every filter is a test of row numbers; tests of words look at each different word once.
  const byWord = (column, test) => {
    const hits = Uint8Array.from(column.names, (name) => test(name) ? 1 : 0);
    return column.codes ? (row) => column.codes[row] >= 0 && hits[column.codes[row]] === 1 : (row) => hits[row] === 1;
  };
  const contains = (text) => { const low = text.toLowerCase(); return (name) => name.toLowerCase().includes(low); };
  const testOf = (column, wanted) => {
    if (column.kind === "numbers") {
      const [low, high] = wanted.split(".."), from = low ? Number(low) : -Infinity, to = high ? Number(high) : Infinity;
      const scale = column.style === "percent" ? 100 : 1;
      return (row) => { const v = column.values[row]; return v !== null && v * scale >= from && v * scale <= to; };
    }
    return byWord(column, column.choose ? (name) => name === wanted : contains(wanted));
  };
  const select = () => {
    const tests = [];
    for (const [name, wanted] of state.filters) {
      const column = columns.find((one) => one.name === name);
      if (column && column.kind !== "pictures") tests.push(testOf(column, wanted));
    }
    if (state.search) {
      const any = columns.filter((column) => column.kind === "words").map((column) => byWord(column, contains(state.search)));
      if (key && key.kind === "numbers") any.push((row) => key.values[row] !== null && String(key.values[row]).includes(state.search));
      tests.push((row) => any.some((test) => test(row)));
    }
    found = 0;
    for (let row = 0; row < rows; row++) if (tests.every((test) => test(row))) order[found++] = row;
    const column = columns.find((one) => one.name === state.sort && one.kind !== "pictures");
    if (column) {
      const rank = ranks(column), sign = state.down ? -1 : 1;
      // What is missing comes last in both directions; equal rows keep the page's order.
      order.subarray(0, found).sort((a, b) => {
        const x = rank[a], y = rank[b];
        if (x !== x || y !== y) return (x !== x) - (y !== y) || a - b;
        return sign * (x - y) || a - b;
      });
    }
  };

  // Rows
  const cell = (column, row) => {
    const node = make("td", {role: "cell", class: `${column.kind} ${column.role} ${column.style}`, "data-title": column.title});
    if (column.kind === "pictures") {
      const at = column.codes[row];
      node.append(at >= 0
        ? make("img", {src: pictures[at], alt: `sample ${nameOf(row)}`, class: column.style, decoding: "async"})
        : make("span", {class: "absent"}, column.names[-1 - at]));
      return node;
    }
    const text = column.kind === "numbers" ? shown(column, column.values[row]) : wordOf(column, row);
    if (text === null || text === "") {
      node.append(make("span", {class: "missing", "aria-label": "missing"}, "–"));
    } else if (column.role === "flip") {
      node.append(make("span", {class: `sign ${text === "broken" ? "broken" : "mended"}`, "aria-hidden": "true"}, text === "broken" ? "▼ " : "▲ "), text);
    } else if (column.kind === "words" && (column.role === "old" || column.role === "new")) {
      const right = (wordOf(flip, row) === "broken") === (column.role === "old");
      node.append(text, " ", make("span", {class: "mark", "aria-hidden": "true"}, right ? "✓" : "✗"), make("span", {class: "hidden"}, right ? "right" : "wrong"));
    } else if (column.style === "long" || column.style === "code") {
      const block = make("div", {class: "clamp"}, text);
      node.append(block);
      if (text.length > 160) node.append(make("button", {type: "button", class: "more", "aria-expanded": "false", onclick: (event) => {
        const open = block.classList.toggle("whole");
        event.currentTarget.setAttribute("aria-expanded", open);
        event.currentTarget.textContent = open ? "less" : "more";
      }}, "more"));
    } else {
      node.append(text);
    }
    return node;
  };
  const nameOf = (row) => !key ? row + 1 : key.kind === "numbers" ? shown(key, key.values[row]) : wordOf(key, row);
  const draw = () => {
    const pages = Math.max(1, Math.ceil(found / state.size));
    state.page = Math.min(Math.max(state.page, 0), pages - 1);
    const first = state.page * state.size, last = Math.min(first + state.size, found);
    body.replaceChildren(...Array.from(order.subarray(first, last), (row) =>
      make("tr", {role: "row"}, ...columns.map((column) => cell(column, row)))));
    if (!found) body.append(make("tr", {role: "row"}, make("td", {role: "cell", colspan: columns.length}, "No sample fits these filters.")));
    const told = `${found.toLocaleString("en")} of ${rows.toLocaleString("en")} samples`;
    if ($("told").textContent !== told) $("told").textContent = told;
    $("where").textContent = found ? `${(first + 1).toLocaleString("en")}–${last.toLocaleString("en")} of ${found.toLocaleString("en")}` : "none";
    [["first", 0], ["previous", state.page - 1], ["next", state.page + 1], ["last", pages - 1]].forEach(([id, to]) => {
      const there = to >= 0 && to < pages && to !== state.page;
      $(id).setAttribute("aria-disabled", !there);
    });
    press();
    columns.forEach((column, at) => {
      if (column.name === state.sort) heads[at].setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else heads[at].removeAttribute("aria-sort");
    });
  };

  // The address remembers what is shown, so that it can be sent and gone back to.
  const RESERVED = {"~search": "search", "~sort": "sort", "~page": "page", "~rows": "size"};
  const write = () => {
    const asked = new URLSearchParams([...state.filters]);
    if (state.search) asked.set("~search", state.search);
    if (state.sort) asked.set("~sort", (state.down ? "-" : "") + state.sort);
    if (state.page) asked.set("~page", state.page + 1);
    if (state.size !== SIZES[0]) asked.set("~rows", state.size);
    try { history.replaceState(null, "", `#samples?${asked}`); } catch { /* a page without an address, in a frame */ }
  };
  const read = () => {
    if (!location.hash.startsWith("#samples?")) return false;
    Object.assign(state, {filters: new Map(), search: "", sort: "", down: false, page: 0});
    for (const [name, value] of new URLSearchParams(location.hash.slice(9))) {
      if (name === "~search") state.search = value;
      else if (name === "~sort") { state.down = value.startsWith("-"); state.sort = state.down ? value.slice(1) : value; }
      else if (name === "~page") state.page = Number(value) - 1 || 0;
      else if (name === "~rows") state.size = SIZES.includes(Number(value)) ? Number(value) : SIZES[0];
      else if (!(name in RESERVED) && value) state.filters.set(name, value);
    }
    return true;
  };
  const update = (keepPage) => { if (!keepPage) state.page = 0; select(); draw(); write(); };
  const set = (name, value) => { if (value) state.filters.set(name, value); else state.filters.delete(name); update(); };
  const turn = (to) => { state.page = to; draw(); write(); };
  const sortBy = (name, down) => { state.sort = name; state.down = down; $("sort").value = name; $("down").textContent = down ? "↓ descending" : "↑ ascending"; update(); };

  // Controls
  const waiting = (then) => { let timer; return (event) => { const {target} = event; clearTimeout(timer); timer = setTimeout(() => then(target), 150); }; };
  const setters = [];
  const choice = (column) => {
    const sorted = [...column.names].sort(collator.compare);
    const box = make("select", {onchange: () => set(column.name, box.value)}, make("option", {value: ""}, "all"),
      ...sorted.map((name) => make("option", {value: name}, name.length > 60 ? name.slice(0, 59) + "…" : name)));
    setters.push(() => { box.value = state.filters.get(column.name) ?? ""; });
    return make("label", {}, column.title, box);
  };
  const range = (column) => {
    const ends = ["least", "most"].map((which) => make("input", {type: "number", step: "any", placeholder: which, "aria-label": `${column.title}, ${which}`, oninput: waiting(() =>
      set(column.name, ends.some((end) => end.value) ? ends.map((end) => end.value).join("..") : ""))}));
    setters.push(() => (state.filters.get(column.name) ?? "..").split("..").forEach((value, at) => { if (ends[at]) ends[at].value = value; }));
    return make("fieldset", {class: "field"}, make("legend", {}, column.style === "percent" ? `${column.title} (%)` : column.title), make("span", {}, ends[0], " to ", ends[1]));
  };
  const text = (column) => {
    const box = make("input", {type: "search", placeholder: "contains", oninput: waiting(() => set(column.name, box.value))});
    setters.push(() => { box.value = state.filters.get(column.name) ?? ""; });
    return make("label", {}, column.title, box);
  };
  const control = (column) => column.kind === "numbers" ? range(column) : column.choose ? choice(column) : text(column);
  const main = columns.filter((column) => ["label", "old", "new"].includes(column.role));
  const others = columns.filter((column) => !["label", "old", "new", "flip"].includes(column.role) && column.kind !== "pictures");
  const kinds = ["", ...(flip ? [...flip.names].sort() : [])].map((kind) => make("button", {type: "button", onclick: () => set("flip", kind)}, kind ? kind[0].toUpperCase() + kind.slice(1) : "All"));
  const press = () => ["", ...(flip ? [...flip.names].sort() : [])].forEach((kind, at) => kinds[at].setAttribute("aria-pressed", kind === (state.filters.get("flip") ?? "")));
  const search = make("input", {type: "search", oninput: waiting((box) => { state.search = box.value; update(); })});
  setters.push(() => { search.value = state.search; $("sort").value = state.sort; $("rows").value = state.size; $("down").textContent = state.down ? "↓ descending" : "↑ ascending"; });
  const refresh = () => setters.forEach((setter) => setter());
  const sortable = columns.filter((column) => column.kind !== "pictures");
  controls.append(make("form", {role: "search", "aria-label": "Filter the flipped samples", onsubmit: (event) => event.preventDefault()},
    make("div", {class: "row"},
      make("fieldset", {}, make("legend", {}, "Show"), make("div", {class: "choice"}, ...kinds)),
      make("label", {}, "Search in all texts", search),
      ...main.map(control)),
    others.length ? make("details", {}, make("summary", {}, "More filters"), make("div", {class: "row"}, ...others.map(control))) : "",
    make("div", {class: "row"},
      make("label", {}, "Sort by", make("select", {id: "sort", onchange: (event) => sortBy(event.target.value, state.down)},
        make("option", {value: ""}, "worst first"), ...sortable.map((column) => make("option", {value: column.name}, column.title)))),
      make("button", {type: "button", id: "down", "aria-label": "Direction of sorting", onclick: () => sortBy(state.sort, !state.down)}, "↑ ascending"),
      make("button", {type: "button", id: "clear", onclick: () => { state.filters.clear(); state.search = ""; state.sort = ""; state.down = false; refresh(); update(); }}, "Clear all"),
      make("p", {id: "told", class: "told", "aria-live": "polite", role: "status"}))));
  const step = (id, words, to) => make("button", {type: "button", id, "aria-label": words[1], onclick: (event) => { if (event.currentTarget.getAttribute("aria-disabled") !== "true") turn(to()); }}, words[0]);
  pager.append(
    step("first", ["« First", "First page"], () => 0), step("previous", ["‹ Previous", "Previous page"], () => state.page - 1),
    make("span", {id: "where", class: "told"}),
    step("next", ["Next ›", "Next page"], () => state.page + 1), step("last", ["Last »", "Last page"], () => Math.ceil(found / state.size) - 1),
    make("label", {}, "Rows a page", make("select", {id: "rows", onchange: (event) => { state.size = Number(event.target.value); update(); }}, ...SIZES.map((size) => make("option", {value: size}, String(size))))));
  columns.forEach((column, at) => {
    if (column.kind === "pictures") return;
    heads[at].replaceChildren(make("button", {type: "button", onclick: () => sortBy(column.name, state.sort === column.name ? !state.down : column.kind === "numbers" && column.role !== "id")}, column.title));
  });
  const show = () => { refresh(); select(); draw(); };
  addEventListener("hashchange", () => { if (read()) { show(); $("samples-title").focus({preventScroll: true}); $("samples").scrollIntoView(); } });
  const asked = read();
  show();
  if (asked) $("samples").scrollIntoView();
  document.documentElement.dataset.ready = "yes";
})();
