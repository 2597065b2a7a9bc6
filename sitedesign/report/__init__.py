"""What people look at: figures, the HTML report, the map."""
