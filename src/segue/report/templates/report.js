"use strict";
// The table of flipped samples: columns of plain arrays, an array of row numbers that is filtered and sorted, and one
// page of rows in the document. Data only ever become text nodes, attribute values and option values, never markup.
(async () => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  root.classList.add("js");
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll(".gate details")) folded.open = true;
  });
  const all = $("all-slices");
  if (all) {
    const closed = all.textContent;
    all.hidden = false;
    all.addEventListener("click", () => {
      const open = $("forest").classList.toggle("all");
      all.setAttribute("aria-expanded", open);
      all.textContent = open ? "Show fewer slices" : closed;
    });
  }
  const holder = $("data"), controls = $("controls"), pager = $("pager");
  if (!holder) { root.dataset.ready = "yes"; return; }

  const make = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  };
  const unpack = async () => {
    if (!holder.dataset.packed) return JSON.parse(holder.textContent);
    if (typeof DecompressionStream === "undefined") throw new Error("it can't unpack compressed data");
    const bytes = Uint8Array.from(atob(holder.textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  };
  let data;
  try {
    data = await unpack();
  } catch (error) {
    controls.append(make("p", {class: "note", role: "alert"}, `This browser shows only the first rows: ${
      error.message}. Any browser from 2023 or later shows all of them.`));
    root.dataset.ready = "failed";
    return;
  }
  const {rows, columns, kinds} = data, body = $("table").tBodies[0], heads = $("table").tHead.rows[0].cells;
  const pictures = JSON.parse($("pictures").textContent);
  const byRole = (role) => columns.find((column) => column.role === role);
  const byName = (name) => columns.find((column) => column.name === name && column.kind !== "pictures");
  const key = byRole("id"), flip = byRole("flip");
  const SIZES = [25, 50, 100], order = new Uint32Array(rows);
  const state = {};
  const reset = () => Object.assign(state, {filters: new Map(), search: "", sort: "", down: false, page: 0});
  reset().size = SIZES[0];
  let found = 0;

  // Reading cells
  const wordOf = (column, row) => column.names[column.codes[row]] ?? null;
  const shown = (column, value) => {
    if (value === null) return "";
    if (Math.abs(value) === Number.MAX_VALUE) return value > 0 ? "∞" : "−∞";
    if (column.style === "percent") return (100 * value).toFixed(1) + "%";
    return String(Number.isInteger(value) ? value : Number(value.toPrecision(5))).replace(/^-/, "−");
  };
  const textOf = (column, row) => column.kind === "numbers" ? shown(column, column.values[row]) : wordOf(column, row);
  const nameOf = (row) => key ? textOf(key, row) : row + 1;

  // Sorting compares numbers only: the words of a column come in their order, so that a word's number is its rank.
  const ranked = (column) => column.kind === "numbers" ? Float64Array.from(column.values, (value) => value ?? NaN)
    : Float64Array.from(column.codes, (at) => at < 0 ? NaN : at);
  const sort = (column) => {
    const rank = column.ranks ??= ranked(column), sign = state.down ? -1 : 1;
    // What is missing comes last in both directions; equal rows keep the page's order.
    order.subarray(0, found).sort((a, b) => {
      const x = rank[a], y = rank[b];
      if (x === y) return a - b;
      return x < y ? -sign : x > y ? sign : (x !== x) - (y !== y) || a - b;
    });
  };

  // Filtering: a filter is a test of a row number; tests of words look at each different word once.
  const wordTest = (column, fits) => {
    const hits = Uint8Array.from(column.names, (name) => fits(name) ? 1 : 0);
    return (row) => hits[column.codes[row]] === 1;
  };
  const containing = (text) => {
    const low = text.toLowerCase();
    return (name) => name.toLowerCase().includes(low);
  };
  const testOf = (column, wanted) => {
    const equal = (name) => name === wanted;
    if (column.kind === "words") return wordTest(column, column.choose ? equal : containing(wanted));
    const [low, high] = wanted.split("..").map((end) => end.trim()), scale = column.style === "percent" ? 100 : 1;
    const from = low ? Number(low) : -Infinity, to = high ? Number(high) : Infinity;
    return (row) => {
      const value = column.values[row];
      return value !== null && value * scale >= from && value * scale <= to;
    };
  };
  const select = () => {
    const tests = [...state.filters].filter(([name]) => byName(name)).map(([name, to]) => testOf(byName(name), to));
    if (state.search) {
      const fits = containing(state.search);
      const any = columns.filter(({kind}) => kind === "words").map((column) => wordTest(column, fits));
      if (key?.kind === "numbers") any.push((row) => String(key.values[row] ?? "").includes(state.search));
      tests.push((row) => any.some((test) => test(row)));
    }
    found = 0;
    for (let row = 0; row < rows; row++) if (tests.every((test) => test(row))) order[found++] = row;
    if (byName(state.sort)) sort(byName(state.sort));
  };

  // Drawing
  const clamped = (text) => {
    const block = make("div", {class: "clamp"}, text);
    if (text.length <= 160) return [block];
    return [block, make("button", {type: "button", class: "more", "aria-expanded": false, onclick: (event) => {
      const open = block.classList.toggle("whole");
      event.currentTarget.setAttribute("aria-expanded", open);
      event.currentTarget.textContent = open ? "less" : "more";
    }}, "more")];
  };
  const content = (column, row) => {
    if (column.kind === "pictures") {
      const at = column.codes[row];
      if (at < 0) return [make("span", {class: "absent"}, column.names[-1 - at])];
      return [make("img", {src: pictures[at], alt: `sample ${nameOf(row)}`, class: column.style, decoding: "async"})];
    }
    const text = textOf(column, row);
    if (!text) return [make("span", {class: "missing", "aria-label": "missing", role: "img"}, "–")];
    if (column.role === "flip") {
      const [kind, sign] = text === kinds[0] ? ["broken", "▼"] : ["mended", "▲"];
      return [make("span", {class: `sign ${kind}`, "aria-hidden": true}, sign), ` ${text}`];
    }
    if (column.kind === "words" && (column.role === "old" || column.role === "new") && flip) {
      const right = (wordOf(flip, row) === kinds[0]) === (column.role === "old");
      return [`${text}\u00a0`, make("span", {class: "mark", "aria-hidden": true}, right ? "✓" : "✗"),
        make("span", {class: "hidden"}, right ? "right" : "wrong")];
    }
    return column.style === "long" || column.style === "code" ? clamped(text) : [text];
  };
  const cell = (column, row) => make("td", {
    role: "cell", class: `${column.kind} ${column.role} ${column.style}`, "data-title": column.title,
  }, make("div", {}, ...content(column, row)));
  const pages = () => Math.max(1, Math.ceil(found / state.size));
  const say = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };
  const draw = () => {
    state.page = Math.min(Math.max(state.page, 0), pages() - 1);
    const first = state.page * state.size, last = Math.min(first + state.size, found);
    const [a, b, c, n] = [first + 1, last, found, rows].map((number) => number.toLocaleString("en"));
    const line = (...cells) => make("tr", {role: "row"}, ...cells);
    body.replaceChildren(...Array.from(order.subarray(first, last), (row) =>
      line(...columns.map((column) => cell(column, row)))));
    if (!found) body.append(line(make("td", {role: "cell", colspan: columns.length}, "No sample fits.")));
    say("told", `${c} of ${n} samples`);
    say("where", found ? `${a}–${b} of ${c}` : "none");
    for (const id of ["first", "previous"]) $(id).setAttribute("aria-disabled", state.page === 0);
    for (const id of ["next", "last"]) $(id).setAttribute("aria-disabled", state.page === pages() - 1);
    columns.forEach((column, at) => {
      if (column.name === state.sort) heads[at].setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else heads[at].removeAttribute("aria-sort");
    });
  };

  // The address remembers what is shown, so that it can be sent and gone back to.
  const write = () => {
    const asked = new URLSearchParams([...state.filters]);
    if (state.search) asked.set("~search", state.search);
    if (state.sort) asked.set("~sort", (state.down ? "-" : "") + state.sort);
    if (state.page) asked.set("~page", state.page + 1);
    if (state.size !== SIZES[0]) asked.set("~rows", state.size);
    try { history.replaceState(null, "", `#samples?${asked}`); } catch { /* a page in a frame has no address */ }
  };
  const read = () => {
    if (!location.hash.startsWith("#samples?")) return false;
    reset();
    for (const [name, value] of new URLSearchParams(location.hash.slice("#samples?".length))) {
      if (name === "~search") state.search = value;
      else if (name === "~sort") [state.down, state.sort] = [value.startsWith("-"), value.replace(/^-/, "")];
      else if (name === "~page") state.page = Number(value) - 1 || 0;
      else if (name === "~rows") state.size = SIZES.includes(Number(value)) ? Number(value) : SIZES[0];
      else if (value) state.filters.set(name, value);
    }
    return true;
  };

  // Controls: each has a function that shows the state in it, and changes the state when it is used.
  const showers = [];
  const refresh = () => showers.forEach((shower) => shower());
  const update = () => { state.page = 0; select(); draw(); refresh(); write(); };
  const turn = (to) => { state.page = to; draw(); write(); };
  const filter = (name, value) => {
    if (value) state.filters.set(name, value); else state.filters.delete(name);
    update();
  };
  const sortBy = (name, down) => { Object.assign(state, {sort: name, down}); update(); };
  const filtered = (name) => state.filters.get(name) ?? "";
  const later = (then) => {
    let timer;
    return () => { clearTimeout(timer); timer = setTimeout(then, 150); };
  };
  // What somebody is writing is not written over.
  const put = (box, value) => { if (box !== document.activeElement || box.tagName === "SELECT") box.value = value; };
  const option = (value, text) => make("option", {value}, text.length > 60 ? text.slice(0, 59) + "…" : text);
  const labelled = (title, box) => {
    box.id ||= `control-${showers.length}`;
    return make("div", {class: "field"}, make("label", {for: box.id}, title), box);
  };
  const choice = (column) => {
    const box = make("select", {onchange: () => filter(column.name, box.value)}, option("", "all"),
      ...column.names.map((name) => option(name, name)));
    showers.push(() => put(box, filtered(column.name)));
    return labelled(column.title, box);
  };
  const text = (column) => {
    const changed = later(() => filter(column.name, box.value));
    const box = make("input", {type: "search", placeholder: "contains", oninput: changed});
    showers.push(() => put(box, filtered(column.name)));
    return labelled(column.title, box);
  };
  const range = (column) => {
    const changed = later(() => {
      const [low, high] = ends.map((end) => end.value);
      filter(column.name, low || high ? `${low}..${high}` : "");
    });
    const ends = ["from", "to"].map((end) => make("input", {
      type: "number", step: "any", placeholder: end, "aria-label": `${column.title}, ${end}`, oninput: changed,
    }));
    showers.push(() => filtered(column.name).padEnd(2, ".").split("..").forEach((value, at) => put(ends[at], value)));
    const legend = column.style === "percent" ? `${column.title} (%)` : column.title;
    return make("fieldset", {class: "field"}, make("legend", {}, legend), make("span", {}, ...ends));
  };
  const control = (column) => column.kind === "numbers" ? range(column) : column.choose ? choice(column) : text(column);
  const button = (id, words, onclick, label) =>
    make("button", {type: "button", id, "aria-label": label, onclick}, words);

  const shows = ["", ...kinds], capital = (word) => word[0].toUpperCase() + word.slice(1);
  const buttons = shows.map((kind) => {
    const word = kind || "all";
    return button(`show-${word}`, capital(word), () => filter("flip", kind));
  });
  showers.push(() => buttons.forEach((one, at) => one.setAttribute("aria-pressed", shows[at] === filtered("flip"))));
  const searched = later(() => { state.search = search.value; update(); });
  const search = make("input", {type: "search", id: "search", oninput: searched});
  const sorter = make("select", {id: "sort", onchange: () => sortBy(sorter.value, state.down)},
    option("", "worst first"), ...columns.filter(({name}) => byName(name)).map(({name, title}) => option(name, title)));
  const sizer = make("select", {id: "rows", onchange: () => { state.size = Number(sizer.value); update(); }},
    ...SIZES.map((size) => option(size, String(size))));
  const down = button("down", "", () => { if (state.sort) sortBy(state.sort, !state.down); });
  showers.push(() => {
    put(search, state.search);
    put(sorter, byName(state.sort) ? state.sort : "");
    put(sizer, state.size);
    down.setAttribute("aria-disabled", !state.sort);
    down.textContent = state.down ? "↓ descending" : "↑ ascending";
  });
  const asked = ["label", "old", "new"].map(byRole).filter(Boolean);
  const others = columns.filter((column) => !asked.includes(column) && column !== flip && column.kind !== "pictures");
  const stay = (event) => event.preventDefault();
  controls.append(make("form", {role: "search", "aria-label": "Flipped samples", onsubmit: stay},
    make("div", {class: "row"},
      make("fieldset", {}, make("legend", {}, "Show"), make("div", {class: "choice"}, ...buttons)),
      labelled("Search in all texts", search), ...asked.map(control)),
    make("details", {}, make("summary", {}, "More filters"), make("div", {class: "row"}, ...others.map(control))),
    make("div", {class: "row"},
      labelled("Sort by", sorter), down,
      button("clear", "Clear all", () => { reset(); search.value = ""; update(); }),
      make("p", {id: "told", class: "told", role: "status", "aria-live": "polite"}))));
  const step = (id, words, label, to) => button(id, words, ({currentTarget}) => {
    if (currentTarget.getAttribute("aria-disabled") !== "true") turn(to());
  }, label);
  pager.append(
    step("first", "« First", "First page", () => 0),
    step("previous", "‹ Previous", "Previous page", () => state.page - 1),
    make("span", {id: "where", class: "told"}), step("next", "Next ›", "Next page", () => state.page + 1),
    step("last", "Last »", "Last page", () => pages() - 1), labelled("Rows a page", sizer));
  columns.forEach((column, at) => {
    if (column.kind === "pictures") return;
    // Numbers are first sorted with the largest on top, all else from A to Z.
    const downFirst = column.kind === "numbers" && column !== key;
    const clicked = () => sortBy(column.name, state.sort === column.name ? !state.down : downFirst);
    heads[at].replaceChildren(make("button", {type: "button", onclick: clicked}, column.title));
  });

  const arrive = () => {
    if (!read()) return;
    select(); draw(); refresh();
    $("samples-title").focus({preventScroll: true});
    $("samples").scrollIntoView();
  };
  addEventListener("hashchange", arrive);
  select(); draw(); refresh(); arrive();
  root.dataset.ready = "yes";
})();
