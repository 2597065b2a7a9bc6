"""Where the plant stands: a search by name, a map to click, and what is known of the place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import events, run, ui

from sitedesign.serve import gazetteer, mapdata
from sitedesign.serve.gazetteer import Place

Picked = Callable[[float, float, str], None]
_MAP = {
    "attributionControl": False,
    "preferCanvas": True,
    "minZoom": 1,
    "maxZoom": 9,
    "worldCopyJump": True,
    "maxBounds": [[-75, -540], [82, 540]],
}


class PlacePanel:
    """Search, map, country and zone.

    Parameters
    ----------
    picked : callable
        Called with latitude, longitude and name of a place that was chosen. [degrees]
    """

    def __init__(self, picked: Picked) -> None:
        self._picked = picked
        self._shown: tuple[float, float] | None = None
        self._found: dict[str, Place] = {}
        self._search = ui.select({}, label="Search a place", with_input=True, on_change=self._take)
        self._search.props(
            "outlined dense hide-bottom-space clearable hide-dropdown-icon input-debounce=150 use-input "
            "fill-input hide-selected"
        )
        self._search.props["aria-label"] = "Search a place"
        self._search.on("input-value", self._look_up, throttle=0.15, leading_events=False)
        with ui.leaflet(center=mapdata.CENTER, zoom=mapdata.ZOOM, options=_MAP) as self._world:
            self._world.clear_layers()  # its tiles would come from the network
        self._world.classes("map")  # its lines are drawn by the page's script, before a server is heard
        look = {"radius": 7, "color": "#ffffff", "weight": 2, "fillColor": "#d8431f", "fillOpacity": 1}
        self._mark = self._world.generic_layer(name="circleMarker", args=[[0, 0], look])
        self._world.on("map-click", self._pick, args=["latlng"])
        self._world.on("init", self._begin)
        self._said = ui.label("Click the map, or type the coordinates.").classes("hint")

    def _begin(self) -> None:
        """Put the mark where it belongs: what was said before the map came is lost."""
        if self._shown is not None:
            self._mark.run_method("setLatLng", list(self._shown))

    async def _look_up(self, event: events.GenericEventArguments) -> None:
        """Offer places whose names begin with what was typed."""
        text = str(event.args or "")
        if len(text) < 2 or text in self._found:
            return
        places = await run.io_bound(gazetteer.search, text[:80])
        self._found = {place.title: place for place in places or ()}
        self._search.set_options({title: title for title in self._found}, value=None)

    def _take(self) -> None:
        place = self._found.get(str(self._search.value))
        if place is not None:
            self._picked(place.latitude, place.longitude, place.title)
            self._world.set_center((place.latitude, place.longitude))

    def _pick(self, event: events.GenericEventArguments) -> None:
        place = event.args["latlng"]
        latitude = round(float(place["lat"]), 3)
        self._picked(latitude, round((float(place["lng"]) + 180) % 360 - 180, 3), "")

    def show(self, latitude: Any, longitude: Any) -> None:  # noqa: ANN401
        """Move the mark, and say in which country and zone it lies."""
        if not all(isinstance(value, int | float) for value in (latitude, longitude)):
            return
        if self._shown == (latitude, longitude) or abs(latitude) > 90 or abs(longitude) > 180:
            return
        self._shown = (latitude, longitude)
        self._mark.run_method("setLatLng", [latitude, longitude])
        self._said.set_text(gazetteer.whereabouts(latitude, longitude))
