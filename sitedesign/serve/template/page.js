document.documentElement.lang = "en";
// Land, borders and towns come from the planner itself: a sketch in the document, the fine lines after it.
const lines = { states: [0.4, "--state"], countries: [0.9, "--country"] };
const colour = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
const worlds = [];
const fetched = fetch("world.json").then((answer) => answer.json());
// By now the page is built: it takes the place of what was painted before it.
document.addEventListener("DOMContentLoaded", () => {
  const view = document.querySelector(".first-view"), box = document.querySelector("#app .map");
  const sketch = view?.querySelector(".sketch");
  if (box && sketch) {
    box.append(sketch);
    const begin = () => (getElement(box)?.map ? drawWorld(getElement(box).map, sketch) : requestAnimationFrame(begin));
    begin();
  }
  view?.remove();
});
const frame = () => new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
const drawWorld = async (map, sketch) => {
  map.createPane("world").style.zIndex = 350;  // below marks
  const [south, west, north, east] = JSON.parse(sketch.dataset.bounds);
  const crude = L.svgOverlay(sketch, [[south, west], [north, east]], { pane: "world" }).addTo(map);
  map.getContainer().dataset.drawn = "sketch";
  const state = { map, drawn: L.layerGroup().addTo(map), towns: L.layerGroup().addTo(map), world: await fetched,
    renderer: L.canvas({ pane: "world", padding: 0.3 }) };
  worlds.push(state);
  await frame();  // the form is seen, and answers, before the lines are drawn
  paint(state);
  crude.remove();
  name(state);
  map.on("moveend", () => name(state));
  map.getContainer().dataset.drawn = "whole";
};
function paint({ map, drawn, world, renderer }) {
  drawn.clearLayers();
  const coast = { color: colour("--coast"), weight: 0.8, fillOpacity: 1, interactive: false, renderer, smoothFactor: 1.5 };
  for (const [kind, tone] of [["land", "--land"], ["lakes", "--sea"]])
    for (const turn of kind === "land" ? [-360, 0, 360] : [0])
      for (const ring of world[kind])
        L.polygon(turn ? ring.map(([lat, lon]) => [lat, lon + turn]) : ring, { ...coast, fillColor: colour(tone) }).addTo(drawn);
  for (const [kind, [weight, tone]] of Object.entries(lines))
    L.polyline(world[kind], { color: colour(tone), weight, interactive: false, renderer, smoothFactor: 1.5 }).addTo(drawn);
}
// Names of the largest towns in sight, as many as there is room for.
function name({ map, towns, world }) {
  towns.clearLayers();
  const taken = [], size = map.getSize(), sight = map.getBounds();
  for (const [text, lat, lon] of world.towns) {
    if (!sight.contains([lat, lon])) continue;
    const at = map.latLngToContainerPoint([lat, lon]), wide = text.length * 6 + 14;
    const box = [at.x - 4, at.y - 9, at.x + wide, at.y + 9];
    if (box[2] > size.x || box[1] < 0 || box[3] > size.y) continue;
    if (taken.some((one) => one[0] < box[2] && box[0] < one[2] && one[1] < box[3] && box[1] < one[3])) continue;
    taken.push(box);
    const icon = L.divIcon({ className: "town", html: "", iconSize: [4, 4] });
    const mark = L.marker([lat, lon], { icon, interactive: false, keyboard: false }).addTo(towns);
    const label = document.createElement("span");
    label.textContent = text;
    mark.getElement().append(label);
    if (taken.length >= 14) break;
  }
}
// Colours of a map that is drawn follow the page.
window.repaint = () => setTimeout(() => worlds.forEach((state) => state.world && paint(state)), 50);
window.screenIs = () => ({ dark: matchMedia("(prefers-color-scheme: dark)").matches, width: innerWidth });
// Waits for the page to show what has just changed.
window.showFirst = (selector) => setTimeout(() =>
  [...document.querySelectorAll(selector)].find((one) => one.offsetParent)?.scrollIntoView({ block: selector === ".answers" ? "start" : "center" }), 250);
// Enter in a field asks; in a list that is open it chooses, and a button is pressed by it.
window.entersForm = (event) =>
  event.target.tagName === "INPUT" && event.target.getAttribute("role") !== "combobox" && event.target.type !== "checkbox";
window.keepAddress = (query) => history.replaceState(null, "", query ? "?" + query : location.pathname);
window.copyAddress = () => navigator.clipboard?.writeText(location.href);
