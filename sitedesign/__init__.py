"""sitedesign: the power plant and the rack count of an AI data center that cannot wait for the grid."""

__version__ = "0.1.0"
