"""Instructions in English: words → syntax tree → what is meant in this scene → a Goal; and back again."""
