"""Any open vision-language model as the VLA, the way RT-2 did it: actions are words of its own vocabulary."""
