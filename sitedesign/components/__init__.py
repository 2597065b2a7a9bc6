"""What one unit of each thing gives or takes in each step."""
