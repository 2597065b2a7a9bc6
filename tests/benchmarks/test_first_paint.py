"""How long a person waits for the planner's page in a browser that has never seen it.

``pytest tests/benchmarks/test_first_paint.py --benchmark-only -s``.
"""

from __future__ import annotations

import statistics

from tests.chromium import launched
from tests.test_serve_page import planner

__all__ = ["planner"]
ROUNDS = 9
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
WAITED = {"map, of all its lines": ".map[data-drawn=whole]", "first figure": ".plot .main-svg"}
# Frames are what a person sees; the time of one is noted when it has been drawn
WATCH = """window.seen = {}; const look = () => {
  for (const [name, found] of Object.entries(WAITED))
    if (!(name in seen) && document.querySelector(found)) seen[name] = performance.now();
  requestAnimationFrame(look);
}; look();"""


def test_first_paint(benchmark, planner):
    rows = []
    with launched() as browser:

        def visit():
            context = browser.new_context(viewport={"width": 1360, "height": 900})
            page = context.new_page()
            page.add_init_script(WATCH.replace("WAITED", str(WAITED)))
            page.goto(planner)
            for found in WAITED.values():
                page.wait_for_selector(found)
            rows.append({"first paint, with map and answer": page.evaluate(PAINTED)} | page.evaluate("seen"))
            context.close()

        benchmark.pedantic(visit, rounds=ROUNDS, warmup_rounds=1)
    for name in rows[0]:
        times = sorted(row[name] for row in rows)
        print(f"{name}: median {statistics.median(times):,.0f} ms, {times[0]:,.0f} to {times[-1]:,.0f} ms")
    assert len(rows) == ROUNDS + 1
