"use strict";
(async () => {
  const root = document.documentElement;
  const wantsDark = window.matchMedia("(prefers-color-scheme: dark)");
  root.dataset.theme = wantsDark.matches ? "dark" : "light";

  async function unpack(id) {
    const text = atob(document.getElementById(id).textContent.trim());
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }
  const asText = (bytes) => new TextDecoder().decode(bytes);

  const slots = [...document.querySelectorAll(".slot")];
  if (typeof DecompressionStream === "undefined") {
    for (const slot of slots) slot.querySelector(".plot").textContent = "This browser is too old to unpack the figures (2023 or later is needed).";
    return;
  }
  const payload = JSON.parse(asText(await unpack("packed-payload")));
  const library = document.createElement("script");
  library.textContent = asText(await unpack("packed-plotly"));
  document.head.append(library);
  const series = payload.series ? read(await unpack("packed-series"), payload.series) : null;

  // ---- the packed series: low bytes of every value, then high bytes; columns in sequence
  function read(bytes, header) {
    const count = bytes.length / 2, length = count / header.columns.length, columns = {};
    header.columns.forEach(({ name, level }, place) => {
      const values = new Float64Array(length), offset = place * length;
      for (let i = 0; i < length; i++) values[i] = (bytes[offset + i] + 256 * bytes[count + offset + i]) * level;
      columns[name] = values;
    });
    return { ...header, columns };
  }
  const part = (name, first, count) => Array.from(series.columns[name].subarray(first, first + count), (value) => Math.round(value * 100) / 100);
  const stamp = (day, hour) => new Date(Date.UTC(2001, 0, 1 + day, hour)).toISOString().slice(0, 16);
  const dayName = (day) => new Date(Date.UTC(2001, 0, 1 + day)).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

  // ---- colours: every colour of a figure has a namesake for the dark page
  function exchange(value, colours) {
    if (typeof value === "string") return value[0] === "#" ? (colours[value.slice(0, 7)] ?? value.slice(0, 7)) + value.slice(7) : value;
    if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map((item) => exchange(item, colours));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, exchange(item, colours)]));
    return value;
  }

  let paperWidth = null; // set while printing
  function draw(slot) {
    const { figure } = slot.state, plot = slot.querySelector(".plot");
    const shown = root.dataset.theme === "dark" ? exchange(figure, payload.colours) : figure;
    const layout = structuredClone(shown.layout);
    let data = shown.data;
    const width = paperWidth ?? plot.clientWidth;
    layout.width = width;
    if (width < 520) {
      const named = data.filter((trace) => trace.name && trace.showlegend !== false).length;
      if (layout.showlegend && layout.legend?.orientation === "h") layout.height += 15 * Math.max(0, named - 5); // below each other
      layout.margin = { ...layout.margin, l: 44, r: 8 };
      layout.legend = { ...layout.legend, font: { size: 10.5 } };
      layout.font = { ...layout.font, size: 11 };
      const thin = { thickness: 8, title: { text: "" } };
      data = data.map((trace) => (trace.colorbar ? { ...trace, colorbar: { ...trace.colorbar, ...thin } } : trace));
      const wideOnly = layout.meta?.wide_only;
      if (wideOnly) {
        data = data.filter((trace) => trace.xaxis !== wideOnly);
        layout.xaxis.domain = [0, 1];
        layout.annotations = layout.annotations.slice(0, 1);
      }
      for (const axis of ["xaxis", "xaxis2"]) if (layout[axis]?.dtick === 86400000) layout[axis].dtick *= 2;
    }
    plot.style.height = `${layout.height}px`;
    slot.querySelector("h3").textContent = slot.state.title;
    return Plotly.react(plot, data, layout, { responsive: false, displayModeBar: false, scrollZoom: false });
  }
  function show(slot, name) {
    const figure = structuredClone(payload.figures[name]);
    slot.state = { ...slot.state, name, figure, title: figure.title };
  }

  // ---- any week, any year
  function week(slot, year, day) {
    show(slot, "week");
    const first = year * series.hours + day * 24, hours = Array.from({ length: 168 }, (_, hour) => stamp(day, hour));
    for (const trace of slot.state.figure.data) {
      const names = [].concat(trace.meta ?? []); // of several the sum is drawn, and the last told
      if (!names.length || !names.every((name) => name in series.columns)) continue;
      const parts = names.map((name) => part(name, first, 168));
      trace.x = hours;
      trace.y = hours.map((_, hour) => parts.reduce((sum, values) => sum + values[hour], 0));
      if (trace.customdata) trace.customdata = parts.at(-1);
    }
    slot.state.title = `${payload.week_title}: ${dayName(day)} to ${dayName(day + 6)}, ${series.years[year]}`;
  }
  function wholeYear(slot, year) {
    const name = slot.state.name, quantity = name.replace("year_", ""), first = year * series.hours;
    show(slot, name);
    const names = payload.year_columns[quantity];
    const total = new Float64Array(series.hours);
    for (const column of names) series.columns[column].subarray(first, first + series.hours).forEach((value, hour) => { total[hour] += value; });
    const scale = quantity === "battery" ? 100 / Math.max(series.usable_mwh, 1e-9) : 1, z = [];
    for (let hour = 0; hour < 24; hour++) z.push(Array.from({ length: 365 }, (_, day) => Math.round(total[day * 24 + hour] * scale * 10) / 10));
    const trace = slot.state.figure.data[0];
    trace.z = z;
    if (quantity !== "battery") trace.zmax = Math.max(1, ...z.map((row) => Math.max(...row)));
    slot.state.title = slot.state.title.replace(/, [^,]*$/, `, ${series.years[year]}`);
  }
  function control(slot) {
    const select = slot.querySelector("select"), range = slot.querySelector("input[type=range]");
    if (!select || !series) { slot.querySelector(".controls")?.remove(); return; }
    series.years.forEach((name, place) => select.add(new Option(name, place)));
    select.value = series.worst.year;
    const update = () => { range ? week(slot, Number(select.value), Number(range.value)) : wholeYear(slot, Number(select.value)); draw(slot); };
    slot.update = update;
    select.addEventListener("change", update);
    if (!range) return;
    range.value = series.worst.day;
    range.addEventListener("input", update);
    for (const button of slot.querySelectorAll(".step")) button.addEventListener("click", () => { range.value = Number(range.value) + Number(button.dataset.step); update(); });
    slot.querySelector(".worst").addEventListener("click", () => { select.value = series.worst.year; range.value = series.worst.day; show(slot, "week"); draw(slot); });
  }

  // ---- files
  function download(name, text, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
  const quoted = (cell) => (/[",\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : (cell ?? ""));
  function csv(figure) {
    const rows = [["series", "x", "y", "value"]];
    for (const trace of figure.data) {
      if (trace.z) trace.z.forEach((row, j) => row.forEach((value, i) => rows.push([trace.name ?? "", trace.x?.[i] ?? i, trace.y?.[j] ?? j, value])));
      else (trace.x ?? []).forEach((x, i) => rows.push([trace.name ?? "", x, trace.y[i], ""]));
    }
    return rows.map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  }
  for (const button of document.querySelectorAll(".download")) {
    button.addEventListener("click", () => download(button.dataset.file, payload.files[button.dataset.file], "application/json"));
  }

  for (const slot of slots) {
    slot.state = {};
    show(slot, payload.panels[slot.dataset.slot][0]);
    control(slot);
    for (const tab of slot.querySelectorAll("[role=tab]")) {
      tab.addEventListener("click", () => {
        slot.querySelectorAll("[role=tab]").forEach((other) => other.setAttribute("aria-selected", String(other === tab)));
        show(slot, tab.dataset.tab);
        slot.update ? slot.update() : draw(slot);
      });
    }
    slot.querySelector(".csv").addEventListener("click", () => download(`${slot.dataset.slot}.csv`, csv(slot.state.figure), "text/csv"));
    await draw(slot);
    await new Promise((resolve) => setTimeout(resolve)); // let the page breathe between figures
  }

  const drawAll = () => Promise.all(slots.map(draw));
  const setTheme = (theme) => { root.dataset.theme = theme; return drawAll(); };
  document.getElementById("theme").addEventListener("click", () => setTheme(root.dataset.theme === "dark" ? "light" : "dark"));
  wantsDark.addEventListener("change", () => setTheme(wantsDark.matches ? "dark" : "light"));
  let pending = null;
  window.addEventListener("resize", () => { clearTimeout(pending); pending = setTimeout(drawAll, 120); });

  // ---- paper is white, has no tabs to click and shows everything
  let before = null;
  window.addEventListener("beforeprint", () => {
    before = { theme: root.dataset.theme, closed: [...document.querySelectorAll("details:not([open])")] };
    before.closed.forEach((item) => { item.open = true; });
    root.dataset.theme = "light";
    paperWidth = 690;
    drawAll();
  });
  window.addEventListener("afterprint", () => {
    before.closed.forEach((item) => { item.open = false; });
    root.dataset.theme = before.theme;
    paperWidth = null;
    drawAll();
  });
  root.dataset.ready = "true";
})().catch((error) => {
  document.documentElement.dataset.failed = String(error);
  for (const plot of document.querySelectorAll(".plot:empty")) plot.textContent = `This figure could not be drawn: ${error}`;
  throw error;
});
