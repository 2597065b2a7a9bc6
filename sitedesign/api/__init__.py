"""What `sitedesign` offers: solve, evaluate, certify, sweep."""
