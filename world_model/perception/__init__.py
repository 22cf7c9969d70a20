"""Perception: what the sensors showed at one moment. Each way of perceiving is one file and labels its percepts."""
