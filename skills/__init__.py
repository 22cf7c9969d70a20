"""The language between planners and executors: literals, skills, skill graphs, goals."""
