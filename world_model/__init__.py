"""What the system believes: scenes, perception, success detection, prediction."""
