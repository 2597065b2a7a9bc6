"""Climate statistics by place."""
