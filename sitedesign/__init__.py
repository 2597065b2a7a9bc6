"""sitedesign: the power plant and the rack count of an AI data center that cannot wait for the grid.

>>> import sitedesign as sd
>>> site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
>>> design = sd.solve(site=site, racks=700, uptime=0.999)  # doctest: +SKIP
"""

from sitedesign import library
from sitedesign.batch import solve_many
from sitedesign.design import Design
from sitedesign.errors import Fault, InfeasibleDesign, InputError, NotProvenOptimal, SiteDesignError
from sitedesign.evaluation import Evaluation
from sitedesign.reliability.estimate import Estimate
from sitedesign.resource.weather import Weather
from sitedesign.site import Site
from sitedesign.solve import evaluate, solve
from sitedesign.study import Limits, Study

__version__ = "0.1.0"

__all__ = [
    "Design",
    "Estimate",
    "Evaluation",
    "Fault",
    "InfeasibleDesign",
    "InputError",
    "Limits",
    "NotProvenOptimal",
    "Site",
    "SiteDesignError",
    "Study",
    "Weather",
    "__version__",
    "evaluate",
    "library",
    "solve",
    "solve_many",
]
