"""The tabletop world in PyBullet: a Panda, blocks, bowls, pads, a cabinet with a drawer, a button and a lamp."""
