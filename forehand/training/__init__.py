"""Trainings: joins robot frames, vision-language examples and a model into one run that can be resumed."""
